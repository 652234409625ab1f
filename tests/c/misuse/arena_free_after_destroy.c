// A free of a block whose arena was destroyed is reported.
// hakmem
// expect-signal: 6
// expect-stderr: ^hakmem: free: not a block of this allocator, or free already \(0x[0-9a-f]+\)$
#include "check.h"
#include <hakmem.h>

int main(void) {
    hak_arena *arena = hak_arena_new(NULL);
    char *p = hak_arena_malloc(arena, 100);
    CHECK(p && hak_arena_of(p) == arena);
    hak_arena_destroy(arena);
    free(launder(p));
    CHECK(!"a free after the end that nobody noticed");
}
