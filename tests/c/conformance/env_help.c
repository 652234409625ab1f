// HAKMEM_HELP=1 prints the table of options to stderr.
// env: HAKMEM_HELP=1
// expect-stderr-any: HAKMEM_TINY_HEAP_V2
#include "check.h"

int main(void) {
    free(malloc(100));
    return 0;
}
