// A size that the machine can't have, as read from a damaged file, is refused, not handed out and paid for with a kill: twice the memory and
// swap there is, a tebibyte, 64 of them; by malloc, calloc, realloc and aligned forms. The old block of a refused realloc stays whole.
// cflags: -O1
#include "check.h"
#include <sys/sysinfo.h>

int main(void) {
    int fd = open("/proc/sys/vm/overcommit_memory", O_RDONLY);
    char mode = '?';
    if (fd < 0 || read(fd, &mode, 1) != 1) SKIP("the overcommit mode can't be read");
    if (mode == '1') SKIP("vm.overcommit_memory is 1: the kernel refuses nothing");
    struct sysinfo info;
    CHECK(sysinfo(&info) == 0);
    size_t all = ((size_t)info.totalram + info.totalswap) * info.mem_unit;
    const size_t sizes[] = {2 * all, 1024 * GIB > 2 * all ? 1024 * GIB : 4 * all, 64 * 1024 * GIB};
    char *p = malloc(2 * MIB), *big = malloc(64 * MIB);
    CHECK(p && big);
    stamp(p, 2 * MIB, 1);
    for (size_t i = 0; i < COUNT(sizes); i++) {
        void *q;
        errno = 0;
        CHECK(malloc(sizes[i]) == NULL && errno == ENOMEM);
        errno = 0;
        CHECK(calloc(sizes[i] / 16, 16) == NULL && errno == ENOMEM);
        errno = 0;
        CHECK(realloc(p, sizes[i]) == NULL && errno == ENOMEM && stamped(p, 2 * MIB, 1));
        CHECK(realloc(big, sizes[i]) == NULL && errno == ENOMEM);
        CHECK(posix_memalign(&q, 1 << 20, sizes[i]) == ENOMEM && memalign(4096, sizes[i]) == NULL);
    }
    // A large part of it, untouched, is no absurd size.
    void *r = malloc(all / 4);
    CHECK(r);
    CHECK((r = realloc(r, all / 3)) && (p = realloc(p, 8 * MIB)) && stamped_up_to(p, 2 * MIB, 1, 2 * MIB));
    free(r);
    return 0;
}
