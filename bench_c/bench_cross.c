// What do blocks cost that are always freed by another thread? Every thread hands what it allocates to the next one in a ring of
// threads, and frees what the one before it hands over. One op is one block handed over.
#include "ring.h"

static uint64_t items;
static size_t low, high;
static unsigned threads;
static struct ring *rings;

static bool free_one(struct ring *from)
{
    void *block = ring_try_pop(from);
    free(block);
    return block;
}

static void body(struct bench_worker *worker)
{
    struct ring *to = &rings[worker->index], *from = &rings[(worker->index + threads - 1) % threads];
    uint32_t rng = bench_stream(1, worker->index);
    uint64_t freed = 0;
    unsigned spins = 0;
    bench_go(worker);
    for (uint64_t i = 0; i < items; i++) {
        void *block = bench_alloc(bench_between(bench_draw(&rng), low, high));
        // Who waits frees: were all to wait for room, none would make any.
        while (!ring_try_push(to, block)) {
            if (free_one(from))
                freed++;
            else
                ring_pause(&spins);
        }
        freed += free_one(from);
    }
    while (freed < items) {
        if (free_one(from))
            freed++;
        else
            ring_pause(&spins);
    }
    bench_stop(worker);
}

int main(int argc, char **argv)
{
    bench_args(argc, argv, "threads items min max [ring]");
    bench_positionals(4, 5);
    threads = (unsigned)bench_number(1, 2, BENCH_MAX_THREADS);
    items = bench_number(2, 1, BENCH_MAX_COUNT);
    low = bench_number(3, 1, BENCH_MAX_SIZE);
    high = bench_number(4, low, BENCH_MAX_SIZE);
    uint64_t capacity = bench_number_or(5, 1024, 1, BENCH_MAX_SLOTS);
    rings = rings_make(threads, capacity);
    double seconds = bench_run(threads, body);
    bench_report((double)items * threads, seconds, "threads=%u iter=%llu size=%zu-%zu ring=%llu", threads, (unsigned long long)items,
        low, high, (unsigned long long)capacity);
}
