// A realloc to fewer bytes that finds no memory leaves the block where it is, and its size is the new one: free_sized with
// that is right, and so is the end that strict modes watch.
// run: $RUN && env HAKMEM_HARDENED=1 $RUN && env HAKMEM_HARDENED=light $RUN && env HAKMEM_GUARD_RATE=1 $RUN && env HAKMEM_HARDENED=1 HAKMEM_GUARD_RATE=1 $RUN
#include "check.h"
#include <dlfcn.h>
#include <sys/resource.h>

int main(void) {
    void (*free_sized)(void *, size_t) = (void (*)(void *, size_t))dlsym(RTLD_DEFAULT, "free_sized");
    static const size_t sizes[] = {200, 4000, 60000, 200000, 4 * MIB};
    char *blocks[COUNT(sizes)];
    for (size_t i = 0; i < COUNT(sizes); i++) {
        CHECK(blocks[i] = malloc(sizes[i]));
        stamp(blocks[i], sizes[i], 1);
    }
    rlim_t limit = (rlim_t)status_kb("VmSize:") * 1024 + MIB;
    struct rlimit before, address_space;
    CHECK(getrlimit(RLIMIT_AS, &before) == 0);
    address_space = before;
    address_space.rlim_cur = limit;
    CHECK(setrlimit(RLIMIT_AS, &address_space) == 0);
    void **taken = NULL, **next;
    size_t kept = 0;
    for (size_t size = 70000; size >= 100; size = size > 1000 ? size / 2 : size - 1)
        while ((next = malloc(size))) *next = taken, taken = next;
    for (size_t i = 0; i < COUNT(sizes); i++) {
        char *p = realloc(blocks[i], 101);
        CHECK(p);
        kept += p == blocks[i];
        CHECK(malloc_usable_size(p) >= 101 && stamped_up_to(p, sizes[i], 1, 101));
        memset(p, 7, 101);
        blocks[i] = p;
    }
    CHECK(kept); // all, but for one that a guard slot had room for
    for (size_t i = 0; i < COUNT(sizes); i++) free_sized(blocks[i], 101);
    CHECK(setrlimit(RLIMIT_AS, &before) == 0);
    for (; taken; taken = next) {
        next = *taken;
        free(taken);
    }
    return 0;
}
