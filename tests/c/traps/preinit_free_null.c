// free(NULL) is the very first call the allocator sees, from preinit_array. (mimalloc 3.4.3 segfaults: mimalloc 1341.)
#include "check.h"

static void early(void) {
    errno = 4321;
    free(NULL);
    CHECK(errno == 4321);
}
__attribute__((section(".preinit_array"), used)) static void (*const preinit)(void) = early;

int main(void) {
    free(malloc(10));
    return 0;
}
