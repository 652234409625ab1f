// How fast are small blocks of mixed sizes and lifetimes? HAKMEM's own yardstick.
#include "bench.h"

static uint64_t cycles, seed;
static uint32_t ws;
static size_t low = 16, high = 1039;
static bool independent, verify;

// From the address, so that two blocks that overlap disagree on the bytes they share.
static unsigned char pattern(const void *block, size_t size)
{
    return (unsigned char)(((uintptr_t)block >> 4) * 0x9Du + size);
}

static void fill(void *block, size_t size)
{
    if (size >= 16 && (uintptr_t)block % 16)
        bench_die("misaligned block %p of %zu bytes", block, size);
    memset(block, pattern(block, size), size);
}

static void check(const unsigned char *block, size_t size)
{
    if (block[0] != pattern(block, size) || memcmp(block, block + 1, size - 1))
        bench_die("corrupted block %p of %zu bytes", (const void *)block, size);
}

// Always inlined with constant flags: the plain loop must not pay for the options.
// `sizes` is there only to verify; beside the pointers it would double what the loop keeps in cache.
__attribute__((always_inline)) static inline void churn(
    void **slots, size_t *sizes, uint32_t rng, bool two_draws, bool checked, bool default_range)
{
    uint32_t range = (uint32_t)(high - low + 1);
    for (uint64_t i = 0; i < cycles; i++) {
        uint32_t draw = bench_draw(&rng), slot = draw % ws;
        if (slots[slot]) {
            if (checked)
                check(slots[slot], sizes[slot]);
            free(slots[slot]);
            slots[slot] = NULL;
            continue;
        }
        size_t size;
        if (two_draws)
            size = low + bench_draw(&rng) % range;
        else if (default_range)
            size = 16 + ((draw >> 16) & 0x3FF);
        else if (range <= 0x10000)
            size = low + (draw >> 16) % range;
        else // 16 bits cannot name every size of so wide a range: spread them over it
            size = low + (((uint64_t)(draw >> 16) * range) >> 16);
        slots[slot] = bench_alloc(size);
        if (checked) {
            fill(slots[slot], size);
            sizes[slot] = size;
        }
    }
}

static void body(struct bench_worker *worker)
{
    void **slots = bench_map(ws, sizeof *slots);
    size_t *sizes = verify ? bench_map(ws, sizeof *sizes) : NULL;
    uint32_t rng = bench_stream(seed, worker->index);
    bool plain = low == 16 && high == 1039;
    bench_go(worker);
    if (verify && independent)
        churn(slots, sizes, rng, true, true, false);
    else if (verify)
        churn(slots, sizes, rng, false, true, plain);
    else if (independent)
        churn(slots, sizes, rng, true, false, false);
    else if (plain)
        churn(slots, sizes, rng, false, false, true);
    else
        churn(slots, sizes, rng, false, false, false);
    bench_stop(worker);
    for (uint32_t i = 0; i < ws; i++) {
        if (verify && slots[i])
            check(slots[i], sizes[i]);
        free(slots[i]);
    }
}

int main(int argc, char **argv)
{
    bench_args(argc, argv, "cycles ws seed [min max] [--independent] [--verify] [--threads N]");
    independent = bench_flag("--independent");
    verify = bench_flag("--verify");
    unsigned threads = (unsigned)bench_option("--threads", 1, 1, BENCH_MAX_THREADS);
    bench_positionals(3, 5);
    cycles = bench_number(1, 1, BENCH_MAX_COUNT);
    ws = (uint32_t)bench_number(2, 1, BENCH_MAX_SLOTS);
    seed = bench_number(3, 1, BENCH_MAX_SEED);
    if (bench_argc == 5)
        bench_usage("min without max");
    if (bench_argc == 6) {
        low = bench_number(4, 1, BENCH_MAX_SIZE);
        high = bench_number(5, low, BENCH_MAX_SIZE);
    }
    double seconds = bench_run(threads, body);
    bench_report((double)cycles * threads, seconds, "iter=%llu ws=%u size=%zu-%zu threads=%u draws=%d%s",
        (unsigned long long)cycles, ws, low, high, threads, independent ? 2 : 1, verify ? " verified" : "");
}
