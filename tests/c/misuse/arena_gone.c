// A block asked of an arena that was destroyed is reported.
// hakmem
// expect-signal: 6
// expect-stderr: ^hakmem: hak_arena: not an arena, or destroyed already \(0x[0-9a-f]+\)$
#include "check.h"
#include <hakmem.h>

int main(void) {
    hak_arena *arena = hak_arena_new(NULL);
    CHECK(hak_arena_malloc(arena, 100));
    hak_arena_destroy(arena);
    CHECK(!hak_arena_malloc((hak_arena *)launder((char *)arena), 100));
    CHECK(!"an arena that is not there");
}
