// Do small blocks cost more once the program has mapped many addresses of its own, or has a large heap? The blocks that are
// measured come after either. One op is a free and a malloc.
#include "bench.h"
#include <sys/prctl.h>

enum { SLOTS = 1024, LOW = 16, HIGH = 1024, LARGE = 1 << 20, KEPT = 512 };

static uint64_t pairs;

static void body(struct bench_worker *worker)
{
    static void *slots[SLOTS];
    uint32_t rng = bench_stream(1, 0);
    bench_go(worker);
    for (uint64_t i = 0; i < pairs; i++) {
        void **slot = &slots[bench_draw(&rng) % SLOTS];
        free(*slot);
        *slot = bench_alloc(bench_between(bench_draw(&rng), LOW, HIGH));
    }
    bench_stop(worker);
}

int main(int argc, char **argv)
{
    bench_args(argc, argv, "pairs foreign_gib heap_gib");
    bench_positionals(3, 3);
    pairs = bench_number(1, 1, BENCH_MAX_COUNT);
    uint64_t foreign_gib = bench_number(2, 0, 16384), heap_gib = bench_number(3, 0, 1024);
    prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0); // one byte would be a huge page
    // What the allocator took while the program was young is used up: 4 MiB of small blocks stay.
    for (unsigned i = 0; i < (4u << 20) / KEPT; i++)
        bench_alloc(KEPT);
    if (foreign_gib) {
        void *mapped = mmap(NULL, foreign_gib << 30, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (mapped == MAP_FAILED)
            bench_die("cannot map %llu GiB of addresses: %s", (unsigned long long)foreign_gib, strerror(errno));
    }
    for (uint64_t i = 0; i < heap_gib << 10; i++)
        *(volatile unsigned char *)bench_must(malloc(LARGE), LARGE) = 1;
    double seconds = bench_run(1, body);
    bench_report((double)pairs, seconds, "foreign_gib=%llu heap_gib=%llu slots=%d size=%d-%d", (unsigned long long)foreign_gib,
        (unsigned long long)heap_gib, SLOTS, LOW, HIGH);
    bench_figure("pair_ns", "%.2f", seconds * 1e9 / (double)pairs);
}
