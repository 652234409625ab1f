// posix_memalign returns EINVAL for an alignment that is no power of two or no multiple of sizeof(void*); *p and errno stay.
#include "check.h"

int main(void) {
    static const size_t bad[] = {0, 1, 2, 3, 4, 5, 6, 7, 9, 12, 15, 17, 24, 40, 48, 100, 4095, 4097, 6144, 65537, SIZE_MAX, SIZE_MAX - 7, SIZE_MAX / 2};
    static char mark;
    for (size_t i = 0; i < COUNT(bad); i++) {
        void *p = &mark;
        errno = 4321;
        CHECK(posix_memalign(&p, bad[i], 100) == EINVAL && p == &mark && errno == 4321);
    }
    void *p = &mark;
    errno = 4321;
    CHECK(posix_memalign(&p, sizeof(void *), 100) == 0 && p != &mark && p && errno == 4321);
    free(p);
    void *q = &mark; // size 0: something that can be freed
    CHECK(posix_memalign(&q, 64, 0) == 0 && q != &mark);
    free(q);
    return 0;
}
