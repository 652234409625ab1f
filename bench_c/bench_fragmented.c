// Does a search grow with the heap? A heap of many GiB of large blocks with a small hole between any two, then pairs of a size
// that fits none of the holes. Each block has one byte touched: little of the heap is memory. One op is a free and a malloc.
#include "bench.h"
#include <sys/prctl.h>

enum { LARGE = 960 << 10, HOLE = 48 << 10, PAIR = 196 << 10, STEP = 4096, STEPS = 9 };

static uint64_t pairs, live;
static void **slots;

static void *take(size_t size)
{
    void *block = bench_must(malloc(size), size);
    *(volatile unsigned char *)block = 1;
    return block;
}

// Sizes differ a little, so that what was just freed need not fit.
static void body(struct bench_worker *worker)
{
    uint32_t rng = bench_stream(1, 0);
    bench_go(worker);
    for (uint64_t i = 0; i < pairs; i++) {
        void **slot = &slots[bench_draw(&rng) % live];
        free(*slot);
        *slot = take(PAIR - i % STEPS * STEP);
    }
    bench_stop(worker);
}

int main(int argc, char **argv)
{
    bench_args(argc, argv, "gib pairs [live]");
    bench_positionals(2, 3);
    uint64_t gib = bench_number(1, 0, 1024);
    pairs = bench_number(2, 1, BENCH_MAX_COUNT);
    live = bench_number_or(3, 1000, 1, 1u << 20);
    prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0); // one byte would be a huge page
    uint64_t count = (gib << 30) / (LARGE + HOLE);
    void **large = bench_map(count + 1, sizeof *large), **holes = bench_map(count + 1, sizeof *holes);
    slots = bench_map(live, sizeof *slots);
    uint64_t begin = bench_now();
    for (uint64_t i = 0; i < count; i++) {
        large[i] = take(LARGE);
        holes[i] = take(HOLE);
    }
    uint64_t built = bench_now();
    for (uint64_t i = 0; i < count; i++)
        free(holes[i]);
    uint64_t holed = bench_now();
    for (uint64_t i = 0; i < live; i++)
        slots[i] = take(PAIR);
    uint64_t filled = bench_now();
    double seconds = bench_run(1, body);
    bench_report((double)pairs, seconds, "gib=%llu large=%d hole=%d size=%d live=%llu", (unsigned long long)gib, LARGE, HOLE, PAIR,
        (unsigned long long)live);
    bench_figure("pair_ns", "%.1f", seconds * 1e9 / (double)pairs);
    if (count) {
        bench_figure("build_ns", "%.1f", (double)(built - begin) / (2 * (double)count));
        bench_figure("hole_free_ns", "%.1f", (double)(holed - built) / (double)count);
    }
    bench_figure("first_ns", "%.1f", (double)(filled - holed) / (double)live);
}
