// What do frees cost in a heap that no cache holds, and what is resident afterwards? So many million blocks, half of them freed
// at random, as many allocated again, all freed at random. One op is a malloc or a free.
#include "bench.h"

static uint64_t count, seed;
static size_t low, high;

static void shuffle(void **blocks, uint64_t many, uint32_t *rng)
{
    for (uint64_t i = many - 1; i > 0; i--) {
        uint64_t other = bench_draw(rng) % (i + 1);
        void *block = blocks[i];
        blocks[i] = blocks[other];
        blocks[other] = block;
    }
}

static uint64_t fill(void **blocks, uint64_t many, uint32_t *rng)
{
    uint64_t begin = bench_now();
    for (uint64_t i = 0; i < many; i++)
        blocks[i] = bench_alloc(bench_between(bench_draw(rng), low, high));
    return bench_now() - begin;
}

static uint64_t empty(void **blocks, uint64_t many)
{
    uint64_t begin = bench_now();
    for (uint64_t i = 0; i < many; i++)
        free(blocks[i]);
    return bench_now() - begin;
}

int main(int argc, char **argv)
{
    bench_args(argc, argv, "thousands min max seed");
    bench_positionals(4, 4);
    count = bench_number(1, 1, 1u << 20) * 1000;
    low = bench_number(2, 1, BENCH_MAX_SIZE);
    high = bench_number(3, low, BENCH_MAX_SIZE);
    seed = bench_number(4, 1, BENCH_MAX_SEED);
    void **blocks = bench_map(count, sizeof *blocks);
    uint32_t rng = bench_stream(seed, 0);
    uint64_t half = count / 2, base = bench_rss_kib();
    uint64_t filled = fill(blocks, count, &rng), full = bench_rss_kib() - base;
    shuffle(blocks, count, &rng);
    uint64_t halved = empty(blocks, half), thin = bench_rss_kib() - base;
    uint64_t again = fill(blocks, half, &rng), refilled = bench_rss_kib() - base;
    shuffle(blocks, count, &rng);
    uint64_t emptied = empty(blocks, count), left = bench_rss_kib();
    double mean = (double)(low + high) / 2, kib = mean * (double)count / 1024;
    bench_report((double)(2 * (count + half)), bench_elapsed(0, filled + halved + again + emptied), "thousands=%llu size=%zu-%zu",
        (unsigned long long)count / 1000, low, high);
    bench_figure("malloc_ns", "%.1f", (double)filled / (double)count);
    bench_figure("free_half_ns", "%.1f", (double)halved / (double)half);
    bench_figure("malloc_again_ns", "%.1f", (double)again / (double)half);
    bench_figure("free_all_ns", "%.1f", (double)emptied / (double)count);
    bench_figure("full_rss_over_live", "%.3f", (double)full / kib);
    bench_figure("half_rss_over_live", "%.3f", (double)thin / (kib / 2));
    bench_figure("refilled_rss_over_live", "%.3f", (double)refilled / kib);
    bench_figure("left_mib", "%.1f", (double)(left > base ? left - base : 0) / 1024);
}
