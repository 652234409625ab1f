// How fast are blocks of 8 to 34 KiB, just above the small classes, in several threads at once?
#include "bench.h"

enum { LOW = 8 << 10, HIGH = 34 << 10 };

static uint64_t cycles, seed;
static uint32_t ws;

static void body(struct bench_worker *worker)
{
    void **slots = bench_map(ws, sizeof *slots);
    uint32_t rng = bench_stream(seed, worker->index);
    bench_go(worker);
    for (uint64_t i = 0; i < cycles; i++) {
        void **slot = &slots[bench_draw(&rng) % ws];
        if (*slot) {
            free(*slot);
            *slot = NULL;
        } else {
            *slot = bench_alloc(bench_between(bench_draw(&rng), LOW, HIGH));
        }
    }
    bench_stop(worker);
    for (uint32_t i = 0; i < ws; i++)
        free(slots[i]);
}

int main(int argc, char **argv)
{
    bench_args(argc, argv, "threads cycles ws seed");
    bench_positionals(4, 4);
    unsigned threads = (unsigned)bench_number(1, 1, BENCH_MAX_THREADS);
    cycles = bench_number(2, 1, BENCH_MAX_COUNT);
    ws = (uint32_t)bench_number(3, 1, BENCH_MAX_SLOTS);
    seed = bench_number(4, 1, BENCH_MAX_SEED);
    double seconds = bench_run(threads, body);
    bench_report((double)cycles * threads, seconds, "iter=%llu ws=%u size=%d-%d threads=%u",
        (unsigned long long)cycles, ws, LOW, HIGH, threads);
}
