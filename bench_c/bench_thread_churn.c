// What do threads cost that are born, allocate a little and die? Each inherits the blocks of the last
// thread in its lane. Unlike larson the work is fixed, and a thread is gone before the next begins.
#include "bench.h"

enum { BLOCKS = 1024 };

static uint64_t ops_per_thread, total, seed;
static size_t low, high;
static unsigned lanes;

struct lane {
    void *blocks[BLOCKS];
    uint32_t rng;
};

static void *live_and_die(void *argument)
{
    struct lane *lane = argument;
    for (uint64_t i = 0; i < ops_per_thread; i++) {
        void **slot = &lane->blocks[bench_draw(&lane->rng) % BLOCKS];
        free(*slot);
        *slot = bench_alloc(bench_between(bench_draw(&lane->rng), low, high));
    }
    return NULL;
}

static void body(struct bench_worker *worker)
{
    struct lane *lane = bench_map(1, sizeof *lane);
    lane->rng = bench_stream(seed, worker->index);
    uint64_t threads = total / lanes + (worker->index < total % lanes);
    bench_go(worker);
    for (uint64_t i = 0; i < threads; i++) {
        pthread_t thread;
        bench_spawn(&thread, live_and_die, lane);
        pthread_join(thread, NULL);
    }
    bench_stop(worker);
    for (unsigned i = 0; i < BLOCKS; i++)
        free(lane->blocks[i]);
}

int main(int argc, char **argv)
{
    bench_args(argc, argv, "threads ops_per_thread total_threads min max seed");
    bench_positionals(6, 6);
    lanes = (unsigned)bench_number(1, 1, BENCH_MAX_THREADS);
    ops_per_thread = bench_number(2, 1, 1u << 30);
    total = bench_number(3, lanes, 1u << 30);
    low = bench_number(4, 1, BENCH_MAX_SIZE);
    high = bench_number(5, low, BENCH_MAX_SIZE);
    seed = bench_number(6, 1, BENCH_MAX_SEED);
    double seconds = bench_run(lanes, body);
    bench_report((double)ops_per_thread * (double)total, seconds, "iter=%llu lanes=%u total_threads=%llu size=%zu-%zu",
        (unsigned long long)ops_per_thread, lanes, (unsigned long long)total, low, high);
}
