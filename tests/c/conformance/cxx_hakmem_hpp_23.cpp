// The same in C++23, whose containers ask for what a block really holds.
// hakmem
// cflags: -std=c++23 -O1
// run: for e in A=1 HAKMEM_HARDENED=1; do env $e $RUN || exit 1; done
#include "cxx_hakmem_hpp.cpp"
