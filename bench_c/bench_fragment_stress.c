// How much memory is lost between survivors? Each round uses other sizes, frees most blocks in random
// order, and leaves one in ten alive for some rounds more.
#include "bench.h"

enum { PER_ROUND = 16384, SURVIVORS = PER_ROUND / 10, LIFETIME = 8 };

static const struct { size_t low, high; } ranges[] = {
    { 16, 64 }, { 1024, 4096 }, { 64, 256 }, { 256, 1024 },
};

struct block {
    void *memory;
    size_t size;
};

static uint64_t live;

static void release(struct block *block)
{
    live -= block->size;
    free(block->memory);
    block->memory = NULL;
}

static void round_of(struct block *blocks, size_t low, size_t high, uint32_t *rng)
{
    for (unsigned i = 0; i < PER_ROUND; i++) {
        size_t size = bench_between(bench_draw(rng), low, high);
        blocks[i] = (struct block) { bench_must(malloc(size), size), size };
        memset(blocks[i].memory, (int)i, size); // every byte, or live bytes would not all be resident
        live += size;
    }
    for (unsigned left = PER_ROUND; left > SURVIVORS; left--) {
        unsigned victim = bench_draw(rng) % left;
        release(&blocks[victim]);
        blocks[victim] = blocks[left - 1];
    }
}

int main(int argc, char **argv)
{
    bench_args(argc, argv, "rounds seed");
    bench_positionals(2, 2);
    uint64_t rounds = bench_number(1, 1, 1u << 30);
    uint32_t rng = bench_stream(bench_number(2, 1, BENCH_MAX_SEED), 0);

    struct block(*generations)[PER_ROUND] = bench_map(LIFETIME, sizeof *generations);
    uint64_t base = bench_rss_kib(), rss = base, nanoseconds = 0, expired = 0;
    double worst = 0, ratio = 0;
    for (uint64_t i = 0; i < rounds; i++) {
        struct block *blocks = generations[i % LIFETIME];
        size_t range = i % (sizeof ranges / sizeof *ranges);
        uint64_t begin = bench_now();
        for (unsigned k = 0; k < SURVIVORS && i >= LIFETIME; k++, expired++)
            release(&blocks[k]);
        round_of(blocks, ranges[range].low, ranges[range].high, &rng);
        nanoseconds += bench_now() - begin; // reading /proc below is not the allocator's work
        rss = bench_rss_kib();
        ratio = (rss > base ? (double)(rss - base) : 0) * 1024 / (double)live;
        worst = ratio > worst ? ratio : worst;
    }
    double ops = (double)rounds * (2 * PER_ROUND - SURVIVORS) + (double)expired;
    bench_report(ops, bench_elapsed(0, nanoseconds), "iter=%llu blocks=%d survivors=%d lifetime=%d",
        (unsigned long long)rounds, PER_ROUND, SURVIVORS, LIFETIME);
    printf("RSS over live = %.3f [worst=%.3f rss_kib=%llu base_kib=%llu live_kib=%llu]\n", ratio, worst,
        (unsigned long long)rss, (unsigned long long)base, (unsigned long long)(live >> 10));
    for (unsigned i = 0; i < LIFETIME * SURVIVORS; i++) {
        if (generations[i / SURVIVORS][i % SURVIVORS].memory)
            release(&generations[i / SURVIVORS][i % SURVIVORS]);
    }
}
