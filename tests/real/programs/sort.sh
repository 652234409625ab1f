# coreutils: a parallel sort that spills, and friends.
packages="coreutils grep"
work() {
    lines 700000 >t
    sort --parallel=2 -S 12M t | sum
    sort --parallel=2 -S 50M -k5,5 -k1,1r t | sum
    cut -c1-5 t | sort --parallel=2 -S 50M | uniq -c | sort -rn | sed -n 1,3p
    split -n l/7 t p. && sort -m -S 1M <(sort p.aa) <(sort p.ab) <(sort p.ac) | sum
    shuf --random-source=t -n 1000 t | tac | nl | sum
    grep -cE '(fox|dog).*[0-9]$' t || true
    grep -oE 'brown|jumps' t | sort | uniq -c
    comm -12 <(cut -c1-6 p.aa | sort -u) <(cut -c1-6 p.ab | sort -u) | wc -l
    join -j 4 <(sort -k4,4 -s p.aa | sed -n 1,900p) <(sort -k4,4 -s p.ab | sed -n 1,900p) | sum
    seq 30000 | sed 'p;s/$/x/' | paste - - | tsort | sum
    diff p.aa p.ab | sum || true
}
