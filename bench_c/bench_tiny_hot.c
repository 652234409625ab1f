// What is the shortest way through malloc and free? The same block, over and over.
#include "bench.h"

static uint64_t cycles;
static size_t size;

static void body(struct bench_worker *worker)
{
    void *volatile sink; // through memory, so that no compiler sees the pair as one block's life
    bench_go(worker);
    for (uint64_t i = 0; i < cycles; i++) {
        sink = bench_alloc(size);
        free(sink);
    }
    bench_stop(worker);
}

int main(int argc, char **argv)
{
    bench_args(argc, argv, "cycles size");
    bench_positionals(2, 2);
    cycles = bench_number(1, 1, BENCH_MAX_COUNT);
    size = bench_number(2, 1, BENCH_MAX_SIZE);
    double seconds = bench_run(1, body);
    bench_report((double)cycles, seconds, "iter=%llu size=%zu", (unsigned long long)cycles, size);
}
