// What do blocks cost that others map and unmap? 64 KiB to 4 MiB, or as said, a byte a page written.
#include "bench.h"

enum { LOW = 64 << 10, HIGH = 4 << 20, PAGE = 4096 };

static uint64_t cycles, seed;
static uint32_t live;
static size_t low, high;

static void body(struct bench_worker *worker)
{
    void **slots = bench_map(live, sizeof *slots);
    uint32_t rng = bench_stream(seed, worker->index);
    bench_go(worker);
    for (uint64_t i = 0; i < cycles; i++) {
        void **slot = &slots[bench_draw(&rng) % live];
        size_t size = bench_between(bench_draw(&rng), low, high);
        free(*slot);
        *slot = bench_alloc(size);
        for (size_t at = 0; at < size; at += PAGE)
            ((volatile char *)*slot)[at] = 1;
    }
    bench_stop(worker);
    for (uint32_t i = 0; i < live; i++)
        free(slots[i]);
}

int main(int argc, char **argv)
{
    bench_args(argc, argv, "cycles live seed [min max]");
    bench_positionals(3, 5);
    cycles = bench_number(1, 1, BENCH_MAX_COUNT);
    live = (uint32_t)bench_number(2, 1, BENCH_MAX_SLOTS);
    seed = bench_number(3, 1, BENCH_MAX_SEED);
    low = bench_number_or(4, LOW, 1, BENCH_MAX_SIZE);
    high = bench_number_or(5, HIGH, low, BENCH_MAX_SIZE);
    double seconds = bench_run(1, body);
    bench_report((double)cycles, seconds, "iter=%llu live=%u size=%zu-%zu", (unsigned long long)cycles, live, low, high);
}
