// examples/c/statistics.c, in strict C99, does what it says.
// env: HAKMEM_HARDENED=0 HAKMEM_GUARD_RATE=0
// hakmem
// cflags: -std=c99 -pedantic -Werror
// run: $RUN >out && grep -q '^  *1024 bytes: 100[0-9][0-9] of ' out && grep -qE '^given back: [0-9]{7,} bytes' out && grep -q 'stays 1000 ms, from now on 250 ms' out
#include "../../../examples/c/statistics.c"
