# Template-heavy C++: to an object, then LTO in two jobs, then run.
packages="g++"
work() {
    g++ -std=c++17 -O2 -c "$INPUTS/templates.cc" -o t.o
    sum <t.o
    g++ -std=c++17 -O1 -g -flto=2 -pthread "$INPUTS/templates.cc" -o t
    ./t
}
