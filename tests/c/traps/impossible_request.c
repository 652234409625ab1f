// A request that no memory of this process could serve costs no more than itself: what lies idle stays, and serves the next round without
// a page fault; one that a trim can serve, under RLIMIT_AS, is served.
// cflags: -O1
#include "check.h"
#include <sys/resource.h>

enum { BLOCKS = 8000, SIZE = 1000 };
static void *blocks[BLOCKS];
static void round_of_blocks(void) {
    for (int i = 0; i < BLOCKS; i++) CHECK((blocks[i] = malloc(SIZE)) && memset(blocks[i], 1, SIZE));
    for (int i = 0; i < BLOCKS; i++) free(blocks[i]);
}
static long faults_of(int rounds, size_t absurd) {
    struct rusage before, after;
    for (int i = -4; i < rounds; i++) {
        if (i == 0) getrusage(RUSAGE_SELF, &before);
        round_of_blocks();
        if (absurd) CHECK(malloc(absurd) == NULL && errno == ENOMEM);
    }
    getrusage(RUSAGE_SELF, &after);
    return (after.ru_minflt - before.ru_minflt) / rounds;
}

int main(void) {
    long plain = faults_of(20, 0), huge = faults_of(20, (size_t)1 << 50), most = faults_of(20, PTRDIFF_MAX - 4096);
    NOTE("faults a round: %ld, beside 2^50 bytes %ld, beside PTRDIFF_MAX %ld", plain, huge, most);
    CHECK(huge <= plain + 50 && most <= plain + 50);

    // 64 MiB lie idle where 100 are asked for and 80 are left: giving back is what it takes.
    void *idle = malloc(64 * MIB);
    CHECK(idle);
    size_t used = (size_t)status_kb("VmSize:") * KIB;
    struct rlimit limit = {used + 80 * MIB, RLIM_INFINITY};
    CHECK(setrlimit(RLIMIT_AS, &limit) == 0 && malloc(100 * MIB) == NULL);
    memset(idle, 1, 64 * MIB);
    free(idle);
    void *got = malloc(100 * MIB);
    CHECK(got);
    free(got);
    CHECK(malloc(300 * MIB) == NULL && errno == ENOMEM);
    return 0;
}
