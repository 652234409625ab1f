packages="gawk"
work() {
    lines 150000 >t
    gawk '{ n[$5]++; w[substr($1, 1, 4)] = w[substr($1, 1, 4)] $3 ","; for (i = 1; i <= NF; i++) l[length($i)]++ }
        END { PROCINFO["sorted_in"] = "@ind_str_asc"; for (k in n) print k, n[k]; for (k in l) print k, l[k]
              for (k in w) if (c++ % 500 == 0) print k, w[k] }' t | sum
    gawk 'match($0, /([0-9a-f]+) line ([0-9]+)/, m) { s = (s gensub(/([a-z])([0-9])/, "\\2\\1", "g", m[1])); if (length(s) > 9000) s = substr(s, 4000) } END { print s }' t | sum
    gawk '{ a[NR % 5][$3 % 100][NR] = toupper($0) } END { n = asort(a[4][13], b); print n, b[1], b[n]; delete a
          for (i = 0; i < 300000; i++) { x[i % 5000] = x[i % 5000] i; if (i % 7 == 0) delete x[i % 4999] } print length(x) }' t
    gawk -M 'BEGIN { f = 1; for (i = 1; i <= 2000; i++) f *= i; print f }' | sum
    gawk 'BEGIN { cmd = "sort"; for (i = 0; i < 5000; i++) print i * 7919 % 5003 |& cmd; close(cmd, "to"); while ((cmd |& getline r) > 0) s = s r; print length(s) }'
}
