// malloc of more than PTRDIFF_MAX gives NULL and ENOMEM. (mimalloc leaves errno 0, Mesh crashes on 2^63.)
#include "check.h"

int main(void) {
    static const size_t sizes[] = {SIZE_MAX, SIZE_MAX - 1, SIZE_MAX - 15, SIZE_MAX - 4095, SIZE_MAX - 65536, SIZE_MAX / 2 + 1, SIZE_MAX / 2 + 4096, SIZE_MAX / 2, SIZE_MAX / 2 - 4096};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        errno = 0;
        CHECK(malloc(sizes[i]) == NULL && errno == ENOMEM);
        errno = 0;
        CHECK(realloc(NULL, sizes[i]) == NULL && errno == ENOMEM);
        errno = 0;
        CHECK(valloc(sizes[i]) == NULL && errno == ENOMEM);
    }
    return 0;
}
