// A ring from one thread to another. Each side keeps its index, and its last sight of the other's, on its own cache
// line: the ring should cost little beside the allocator.
#ifndef RING_H
#define RING_H

#include "bench.h"
#include <sched.h>
#include <stdatomic.h>

struct ring {
    void **slots;
    uint64_t capacity; // one slot more than this tells full from empty
    _Atomic uint64_t tail __attribute__((aligned(128)));
    uint64_t head_seen;
    _Atomic uint64_t head __attribute__((aligned(128)));
    uint64_t tail_seen;
} __attribute__((aligned(128)));

static inline struct ring *rings_make(unsigned count, uint64_t capacity)
{
    struct ring *rings = bench_map(count, sizeof *rings);
    for (unsigned i = 0; i < count; i++) {
        rings[i].slots = bench_map(capacity + 1, sizeof(void *));
        rings[i].capacity = capacity;
    }
    return rings;
}

static inline uint64_t ring_after(const struct ring *ring, uint64_t index) { return index == ring->capacity ? 0 : index + 1; }

// With fewer cores than threads the other side may not be running at all, so spinning must end.
static inline void ring_pause(unsigned *spins)
{
    if (++*spins % 128 == 0)
        sched_yield();
}

static inline bool ring_try_push(struct ring *ring, void *block)
{
    uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed); // only we write it
    uint64_t next = ring_after(ring, tail);
    if (next == ring->head_seen) { // acquire: pop is done with the slot
        ring->head_seen = atomic_load_explicit(&ring->head, memory_order_acquire);
        if (next == ring->head_seen)
            return false;
    }
    ring->slots[tail] = block;
    atomic_store_explicit(&ring->tail, next, memory_order_release); // publishes slot and block to pop
    return true;
}

static inline void *ring_try_pop(struct ring *ring)
{
    uint64_t head = atomic_load_explicit(&ring->head, memory_order_relaxed); // only we write it
    if (head == ring->tail_seen) { // acquire: sees what push wrote
        ring->tail_seen = atomic_load_explicit(&ring->tail, memory_order_acquire);
        if (head == ring->tail_seen)
            return NULL;
    }
    void *block = ring->slots[head];
    atomic_store_explicit(&ring->head, ring_after(ring, head), memory_order_release); // gives the slot back to push
    return block;
}

#endif
