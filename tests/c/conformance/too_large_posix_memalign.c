// posix_memalign beyond PTRDIFF_MAX returns ENOMEM, leaves *p alone and sets errno to ENOMEM, as glibc does.
#include "check.h"

int main(void) {
    static const size_t sizes[] = {SIZE_MAX, SIZE_MAX - 15, SIZE_MAX - 4096, SIZE_MAX / 2 + 1, SIZE_MAX / 2};
    static char mark;
    for (size_t i = 0; i < COUNT(sizes); i++)
        for (size_t alignment = 8; alignment <= GIB; alignment *= 8) {
            void *p = &mark;
            errno = 4321;
            int result = posix_memalign(&p, alignment, sizes[i]);
            CHECK(errno == ENOMEM);
            CHECK(result == ENOMEM && p == &mark);
        }
    return 0;
}
