// free(NULL), malloc, calloc, realloc and free work from preinit_array, before any constructor, the library's included.
// (mimalloc 3.4.3 segfaults on free(NULL) there; glibc 2.44's iostream initialiser calls it: mimalloc 1341.)
#include "check.h"

static void *kept[50];

static void early(void) {
    free(NULL);
    for (size_t i = 0; i < COUNT(kept); i++) {
        CHECK(kept[i] = i % 2 ? malloc(i * 1000) : calloc(i, 1000));
        stamp(kept[i], i * 1000, 1);
        CHECK(kept[i] = realloc(kept[i], i * 1000 + 500));
        free(malloc(i * 100));
    }
    free(kept[0]);
    kept[0] = NULL;
}
__attribute__((section(".preinit_array"), used)) static void (*const preinit)(void) = early;

int main(void) {
    CHECK(kept[1]);
    for (size_t i = 1; i < COUNT(kept); i++) {
        CHECK(malloc_usable_size(kept[i]) >= i * 1000 + 500 && stamped(kept[i], i * 1000, 1));
        free(kept[i]);
    }
    return 0;
}
