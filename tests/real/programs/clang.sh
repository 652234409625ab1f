# The same through LLVM.
packages="clang-14 g++"
work() {
    clang++-14 -std=c++17 -O2 -c "$INPUTS/templates.cc" -o t.o
    sum <t.o
    clang++-14 -pthread t.o -o t
    ./t
    clang++-14 -std=c++17 --analyze -Xclang -analyzer-output=text "$INPUTS/templates.cc" 2>&1 | sum
}
