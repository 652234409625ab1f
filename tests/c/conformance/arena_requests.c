// A second of tests/soak/requests.c: requests whose arenas go from thread to thread, owned and shared, with every byte checked.
// hakmem
// cflags: -O2
// run: for e in A=1 HAKMEM_HARDENED=1 HAKMEM_TINY_HEAP_V2=0; do env $e $RUN 0.3 $$ || exit 1; done >/dev/null
#include "../../soak/requests.c"
