// What do long runs of allocations cost, and then long runs of frees? Each round fills up to the live count, then frees a third
// forwards and a third backwards; the third that stays is another one each time. One op is a malloc and its free.
#include "bench.h"

static uint64_t rounds, live, seed;
static size_t low, high;
static unsigned threads;

static void body(struct bench_worker *worker)
{
    void **blocks = bench_map(live, sizeof *blocks);
    uint32_t rng = bench_stream(seed, worker->index);
    uint64_t third = live / 3;
    bench_go(worker);
    for (uint64_t round = 0; round < rounds; round++) {
        for (uint64_t i = 0; i < live; i++) {
            if (!blocks[i])
                blocks[i] = bench_alloc(bench_between(bench_draw(&rng), low, high));
        }
        void **forwards = blocks + round % 3 * third, **backwards = blocks + (round + 1) % 3 * third;
        for (uint64_t i = 0; i < third; i++) {
            free(forwards[i]);
            forwards[i] = NULL;
        }
        for (uint64_t i = third; i-- > 0;) {
            free(backwards[i]);
            backwards[i] = NULL;
        }
    }
    bench_stop(worker);
    for (uint64_t i = 0; i < live; i++)
        free(blocks[i]);
}

int main(int argc, char **argv)
{
    bench_args(argc, argv, "threads rounds live min max seed");
    bench_positionals(6, 6);
    threads = (unsigned)bench_number(1, 1, BENCH_MAX_THREADS);
    rounds = bench_number(2, 1, 1u << 30);
    live = bench_number(3, 3, BENCH_MAX_SLOTS);
    low = bench_number(4, 1, BENCH_MAX_SIZE);
    high = bench_number(5, low, BENCH_MAX_SIZE);
    seed = bench_number(6, 1, BENCH_MAX_SEED);
    double seconds = bench_run(threads, body), freed = (double)(live / 3 * 2 * rounds) * threads;
    bench_report(freed, seconds, "threads=%u rounds=%llu live=%llu size=%zu-%zu", threads, (unsigned long long)rounds,
        (unsigned long long)live, low, high);
}
