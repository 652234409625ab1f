// A program that was at its limit of addresses (RLIMIT_AS), and freed blocks of one size for those of another until nothing was left, frees all: two
// thirds of what it may have are there for others at once, as threads' stacks and files
// cflags: -O1
#include "check.h"
#include <sys/mman.h>
#include <sys/resource.h>

enum { OLD = 20000 };
static void *olds[OLD], *news[3 * OLD];

int main(void) {
    const size_t limit = 600 * MIB;
    CHECK(setrlimit(RLIMIT_AS, &(struct rlimit){limit, limit}) == 0);
    size_t old = 0, new = 0;
    while (old < OLD && (olds[old] = malloc(30000))) old++;
    // As a new_handler does that drops what is cached.
    while (new < COUNT(news) && ((news[new] = malloc(40000 + new % 1000)) || old > 0)) {
        if (news[new]) {
            *(char *)news[new++] = 1;
        } else {
            for (int i = 0; i < 10 && old > 0; i++) free(olds[--old]);
        }
    }
    put_line(1, "note: %zu blocks\n", new);
    CHECK(new > 1000);
    while (old > 0) free(olds[--old]);
    for (size_t i = 0; i < new; i++) free(news[i]);
    CHECK(mmap(NULL, limit / 3 * 2, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
    return 0;
}
