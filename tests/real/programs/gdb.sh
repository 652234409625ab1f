# gdb reading symbols of a C++ program and running it to a breakpoint.
packages="gdb g++"
work() {
    g++ -g -O0 -std=c++17 -pthread -fdebug-prefix-map="$PWD"=. "$INPUTS/templates.cc" -o t
    gdb -nx -batch -ex 'set debuginfod enabled off' -ex 'info functions worker' -ex 'info line main' -ex 'ptype Wide' \
        -ex 'info scope worker' -ex 'maint print msymbols -objfile t' ./t 2>/dev/null | sed "s|$PWD|.|g" | sum
    gdb -nx -batch -ex 'set debuginfod enabled off' -ex 'break worker if seed == 3' -ex run -ex 'bt 1' -ex 'next 5' -ex 'p m' -ex 'p x' \
        -ex 'delete' -ex continue ./t 2>/dev/null | grep -E '^(#0|[$]|[0-9]|[[]Inferior|caught)' | sed -E 's/0x[0-9a-f]+|process [0-9]+//g'
}
