// Does memory of one size come back for the next, and to the system? Each phase fills with one size
// and frees all but every nth; then a while of light work, in which an allocator may give pages back.
#include "bench.h"

enum { MAX_PHASES = 64, LIGHT_PAIRS = 100 };

// Blocks are chained through themselves: an array of millions of pointers would be part of the RSS.
struct block {
    struct block *next;
    unsigned char rest[];
};

struct phase {
    size_t size;
    struct block *kept;
    uint64_t full_kib, rss_kib, live_kib;
};

static struct phase phases[MAX_PHASES] = { { .size = 48 }, { .size = 200 }, { .size = 700 }, { .size = 3000 }, { .size = 90 } };
static unsigned phase_count = 5;
static uint64_t live;

static void fill_and_thin(struct phase *phase, uint64_t count, uint64_t keep_every, unsigned char mark)
{
    struct block *first = NULL, **link = &first;
    for (uint64_t i = 0; i < count; i++) {
        struct block *block = bench_must(malloc(phase->size), phase->size);
        memset(block->rest, mark, phase->size - sizeof *block); // every byte resident, and checked later
        block->next = NULL;
        *link = block;
        link = &block->next;
    }
    phase->full_kib = bench_rss_kib();
    for (uint64_t i = 0; first; i++) {
        struct block *block = first;
        first = block->next;
        if (i % keep_every == 0) {
            block->next = phase->kept;
            phase->kept = block;
            live += phase->size;
        } else {
            free(block);
        }
    }
    phase->rss_kib = bench_rss_kib();
    phase->live_kib = live >> 10;
}

// Mostly asleep: a decay that only runs inside malloc and free must still find its moments.
static uint64_t light_work(double seconds)
{
    uint64_t pairs = 0, end = bench_now() + (uint64_t)(seconds * 1e9);
    while (bench_now() < end) {
        for (unsigned i = 0; i < LIGHT_PAIRS; i++, pairs++)
            free(bench_alloc(phases[pairs % phase_count].size));
        nanosleep(&(struct timespec) { 0, 1000000 }, NULL);
    }
    return pairs;
}

static void check(const struct phase *phase, unsigned char mark)
{
    for (const struct block *block = phase->kept; block; block = block->next) {
        for (size_t i = 0; i < phase->size - sizeof *block; i++) {
            if (block->rest[i] != mark)
                bench_die("corrupted block %p of %zu bytes", (const void *)block, phase->size);
        }
    }
}

static double over_live(uint64_t rss_kib, uint64_t base_kib)
{
    return live < 1024 ? 0 : (rss_kib > base_kib ? (double)(rss_kib - base_kib) : 0) / (double)(live >> 10);
}

int main(int argc, char **argv)
{
    bench_args(argc, argv, "mib keep_every seconds [sizes...]");
    bench_positionals(3, 3 + MAX_PHASES);
    uint64_t mib = bench_number(1, 1, 1u << 20), keep_every = bench_number(2, 1, BENCH_MAX_COUNT);
    double seconds = bench_seconds(3, true);
    if (bench_argc > 4)
        phase_count = (unsigned)bench_argc - 4;
    for (unsigned i = 0; i < phase_count && bench_argc > 4; i++)
        phases[i].size = bench_number(4 + (int)i, sizeof(struct block), mib << 20 < BENCH_MAX_SIZE ? mib << 20 : BENCH_MAX_SIZE);

    uint64_t base = bench_rss_kib(), ops = 0, begin = bench_now();
    double ratios[MAX_PHASES];
    for (unsigned i = 0; i < phase_count; i++) {
        uint64_t count = (mib << 20) / phases[i].size;
        fill_and_thin(&phases[i], count, keep_every, (unsigned char)(i + 1));
        ratios[i] = over_live(phases[i].rss_kib, base);
        ops += 2 * count - (count + keep_every - 1) / keep_every;
    }
    double elapsed = bench_elapsed(begin, bench_now());
    uint64_t light_pairs = light_work(seconds), rss = bench_rss_kib();
    for (unsigned i = 0; i < phase_count; i++)
        check(&phases[i], (unsigned char)(i + 1));

    bench_report((double)ops, elapsed, "mib=%llu keep_every=%llu phases=%u", (unsigned long long)mib,
        (unsigned long long)keep_every, phase_count);
    for (unsigned i = 0; i < phase_count; i++) {
        printf("phase %u size=%zu full_kib=%llu rss_kib=%llu live_kib=%llu rss_over_live=%.3f\n", i + 1, phases[i].size,
            (unsigned long long)phases[i].full_kib, (unsigned long long)phases[i].rss_kib,
            (unsigned long long)phases[i].live_kib, ratios[i]);
    }
    printf("end after=%.1fs light_pairs=%llu rss_kib=%llu base_kib=%llu live_kib=%llu rss_over_live=%.3f\n", seconds,
        (unsigned long long)light_pairs, (unsigned long long)rss, (unsigned long long)base,
        (unsigned long long)(live >> 10), over_live(rss, base));
}
