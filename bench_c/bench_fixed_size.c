// What does one size cost when blocks come and go in batches? One op is a malloc and its free.
#include "bench.h"

static uint64_t cycles, batch;
static size_t size;
static bool lifo;

static void body(struct bench_worker *worker)
{
    void **blocks = bench_map(batch, sizeof *blocks);
    bench_go(worker);
    for (uint64_t i = 0; i < cycles; i++) {
        for (uint64_t k = 0; k < batch; k++)
            blocks[k] = bench_alloc(size);
        for (uint64_t k = 0; k < batch; k++)
            free(blocks[lifo ? batch - 1 - k : k]);
    }
    bench_stop(worker);
}

int main(int argc, char **argv)
{
    bench_args(argc, argv, "cycles batch size [--lifo]");
    lifo = bench_flag("--lifo");
    bench_positionals(3, 3);
    cycles = bench_number(1, 1, BENCH_MAX_COUNT);
    batch = bench_number(2, 1, BENCH_MAX_SLOTS);
    size = bench_number(3, 1, BENCH_MAX_SIZE);
    double seconds = bench_run(1, body);
    bench_report((double)cycles * (double)batch, seconds, "iter=%llu batch=%llu size=%zu order=%s",
        (unsigned long long)cycles, (unsigned long long)batch, size, lifo ? "lifo" : "fifo");
}
