packages="jq"
work() {
    lines 40000 | jq -cnR '[inputs | split(" ") | {id: .[0], n: (.[2] | tonumber), w: .[4:]}]' >t.json
    sum <t.json
    jq -c 'group_by(.n % 100) | map({n: length, m: (map(.n) | add), ids: (map(.id) | sort | .[:3])})' t.json | sum
    jq -r '.[] | select(.w | index("fox")) | [.id, .n] | @csv' t.json | sum
    jq 'map(.id |= ascii_upcase | .id |= gsub("[A-C]"; "-")) | unique_by(.id) | length' t.json
    jq -S --stream -c 'select(length == 2)' t.json | sum
    jq -n '[range(100000)] | map(tostring) | join(",") | length, (reduce range(50000) as $i ({}; .[($i % 1000 | tostring)] += $i) | length)'
}
