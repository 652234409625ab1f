// calloc whose product overflows or exceeds PTRDIFF_MAX gives NULL and ENOMEM.
// (rpmalloc crashes on the overflow; gperftools and hz3 leave errno 0.)
#include "check.h"

int main(void) {
    static const size_t pairs[][2] = {{SIZE_MAX, 2},         {2, SIZE_MAX},         {(size_t)1 << 32, (size_t)1 << 32}, {((size_t)1 << 32) + 1, (size_t)1 << 32},
                                      {SIZE_MAX, SIZE_MAX},  {SIZE_MAX / 2 + 1, 1}, {1, SIZE_MAX},                      {SIZE_MAX / 16 + 2, 16},
                                      {SIZE_MAX / 4, 4},     {(size_t)1 << 62, 2}};
    for (size_t i = 0; i < COUNT(pairs); i++) {
        errno = 0;
        CHECK(calloc(pairs[i][0], pairs[i][1]) == NULL && errno == ENOMEM);
    }
    return 0;
}
