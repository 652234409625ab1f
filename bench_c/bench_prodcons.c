// What does a block cost that one thread allocates and another frees? One op is one block handed over.
#include "ring.h"

static uint64_t items, capacity;
static size_t low, high;

static struct ring *rings;

static void push(struct ring *ring, void *block)
{
    for (unsigned spins = 0; !ring_try_push(ring, block);)
        ring_pause(&spins);
}

static void *pop(struct ring *ring)
{
    void *block;
    for (unsigned spins = 0; !(block = ring_try_pop(ring));)
        ring_pause(&spins);
    return block;
}

// The consumer draws the same sizes, so it knows what the block it got must carry.
static void body(struct bench_worker *worker)
{
    struct ring *ring = &rings[worker->index / 2];
    uint32_t rng = bench_stream(1, worker->index / 2);
    bool produces = worker->index % 2 == 0;
    bench_go(worker);
    for (uint64_t i = 0; i < items; i++) {
        size_t size = bench_between(bench_draw(&rng), low, high);
        if (produces) {
            push(ring, bench_alloc(size));
            continue;
        }
        unsigned char *block = pop(ring);
        if (*block != (unsigned char)size)
            bench_die("corrupted block %p of %zu bytes", (void *)block, size);
        free(block);
    }
    bench_stop(worker);
}

int main(int argc, char **argv)
{
    bench_args(argc, argv, "items min max [ring] [pairs]");
    bench_positionals(3, 5);
    items = bench_number(1, 1, BENCH_MAX_COUNT);
    low = bench_number(2, 1, BENCH_MAX_SIZE);
    high = bench_number(3, low, BENCH_MAX_SIZE);
    capacity = bench_number_or(4, 4096, 1, BENCH_MAX_SLOTS);
    unsigned pairs = (unsigned)bench_number_or(5, 1, 1, BENCH_MAX_THREADS / 2);
    rings = rings_make(pairs, capacity);
    double seconds = bench_run(2 * pairs, body);
    bench_report((double)items * pairs, seconds, "iter=%llu size=%zu-%zu ring=%llu pairs=%u",
        (unsigned long long)items, low, high, (unsigned long long)capacity, pairs);
}
