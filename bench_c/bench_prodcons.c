// What does a block cost that one thread allocates and another frees? One op is one block handed over.
#include "bench.h"
#include <sched.h>
#include <stdatomic.h>

static uint64_t items, capacity;
static size_t low, high;

// One slot more than the capacity tells full from empty. Each side keeps its index, and its last
// sight of the other's, on its own cache line: the ring should cost little beside the allocator.
struct ring {
    void **slots;
    _Atomic uint64_t tail __attribute__((aligned(128)));
    uint64_t head_seen;
    _Atomic uint64_t head __attribute__((aligned(128)));
    uint64_t tail_seen;
} __attribute__((aligned(128)));

static struct ring *rings;

static uint64_t after(uint64_t index) { return index == capacity ? 0 : index + 1; }

// With fewer cores than threads the other side may not be running at all, so spinning must end.
static void pause_for(unsigned *spins)
{
    if (++*spins % 128 == 0)
        sched_yield();
}

static void push(struct ring *ring, void *block)
{
    uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed); // only we write it
    uint64_t next = after(tail);
    for (unsigned spins = 0; next == ring->head_seen; pause_for(&spins)) // acquire: pop is done with the slot
        ring->head_seen = atomic_load_explicit(&ring->head, memory_order_acquire);
    ring->slots[tail] = block;
    atomic_store_explicit(&ring->tail, next, memory_order_release); // publishes slot and block to pop
}

static void *pop(struct ring *ring)
{
    uint64_t head = atomic_load_explicit(&ring->head, memory_order_relaxed); // only we write it
    for (unsigned spins = 0; head == ring->tail_seen; pause_for(&spins)) // acquire: sees what push wrote
        ring->tail_seen = atomic_load_explicit(&ring->tail, memory_order_acquire);
    void *block = ring->slots[head];
    atomic_store_explicit(&ring->head, after(head), memory_order_release); // gives the slot back to push
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
    rings = bench_map(pairs, sizeof *rings);
    for (unsigned i = 0; i < pairs; i++)
        rings[i].slots = bench_map(capacity + 1, sizeof(void *));
    double seconds = bench_run(2 * pairs, body);
    bench_report((double)items * pairs, seconds, "iter=%llu size=%zu-%zu ring=%llu pairs=%u",
        (unsigned long long)items, low, high, (unsigned long long)capacity, pairs);
}
