// Do threads end up writing one cache line? Passively, if a thread gets a line back whose neighbours
// the main thread gave to others; actively, if an allocator splits a line between threads (Hoard's test).
#include "bench.h"

static uint64_t rounds, writes;
static size_t size;
static unsigned char **handed;

static void body(struct bench_worker *worker)
{
    bench_go(worker);
    free(handed[worker->index]);
    for (uint64_t i = 0; i < rounds; i++) {
        volatile unsigned char *block = bench_alloc(size);
        for (uint64_t w = 0; w < writes; w++) {
            for (size_t k = 0; k < size; k++)
                block[k] = (unsigned char)w;
        }
        free((void *)block);
    }
    bench_stop(worker);
}

int main(int argc, char **argv)
{
    bench_args(argc, argv, "threads rounds size writes");
    bench_positionals(4, 4);
    unsigned threads = (unsigned)bench_number(1, 1, BENCH_MAX_THREADS);
    rounds = bench_number(2, 1, BENCH_MAX_COUNT);
    size = bench_number(3, 1, BENCH_MAX_SIZE);
    writes = bench_number(4, 1, BENCH_MAX_COUNT);
    handed = bench_map(threads, sizeof *handed);
    for (unsigned i = 0; i < threads; i++)
        handed[i] = bench_alloc(size);
    double seconds = bench_run(threads, body);
    bench_report((double)rounds * threads, seconds, "iter=%llu size=%zu writes=%llu threads=%u",
        (unsigned long long)rounds, size, (unsigned long long)writes, threads);
}
