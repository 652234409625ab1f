// What does a pair cost, size by size? 16 blocks live, one byte of each touched. One op is a free and a malloc.
#include "bench.h"

enum { LIVE = 16, MAX_SIZES = 128, FIRST = 64, LAST = 8 << 20, STEPS = 4, BATCH = 64 };

static double seconds;
static unsigned threads, count;
static size_t sizes[MAX_SIZES], current;
static uint64_t done[BENCH_MAX_THREADS];

static uint64_t pairs_until(void **slots, uint64_t end)
{
    uint64_t pairs = 0;
    do {
        for (unsigned i = 0; i < BATCH; i++) {
            void **slot = &slots[i % LIVE];
            free(*slot);
            *slot = bench_must(malloc(current), current);
            *(volatile unsigned char *)*slot = 1;
        }
        pairs += BATCH;
    } while (bench_now() < end);
    return pairs;
}

static void body(struct bench_worker *worker)
{
    void *slots[LIVE] = { NULL };
    pairs_until(slots, bench_now() + (uint64_t)(seconds * 1e8)); // a tenth: what is first asked for is found first
    bench_go(worker);
    done[worker->index] = pairs_until(slots, worker->begin + (uint64_t)(seconds * 1e9));
    bench_stop(worker);
    for (unsigned i = 0; i < LIVE; i++)
        free(slots[i]);
}

int main(int argc, char **argv)
{
    bench_args(argc, argv, "seconds threads [size]");
    bench_positionals(2, 3);
    seconds = bench_seconds(1, false);
    threads = (unsigned)bench_number(2, 1, BENCH_MAX_THREADS);
    if (bench_argc > 3) {
        sizes[count++] = bench_number(3, 1, BENCH_MAX_SIZE);
    } else {
        // Four sizes a doubling, and what lies just above each power of two from 32 KiB up.
        for (size_t power = FIRST; power < LAST; power *= 2) {
            for (size_t step = 0; step < STEPS; step++) {
                sizes[count++] = power + power / STEPS * step;
                if (step == 0 && power >= 32 << 10)
                    sizes[count++] = power + 1024;
            }
        }
        sizes[count++] = LAST;
    }
    double pairs = 0, elapsed = 0, ns[MAX_SIZES];
    for (unsigned i = 0; i < count; i++) {
        current = sizes[i];
        double took = bench_run(threads, body), here = 0;
        for (unsigned k = 0; k < threads; k++)
            here += (double)done[k];
        ns[i] = took * 1e9 * threads / here;
        pairs += here;
        elapsed += took;
    }
    bench_report(pairs, elapsed, "live=%d threads=%u sizes=%u size=%zu-%zu", LIVE, threads, count, sizes[0], sizes[count - 1]);
    for (unsigned i = 0; i < count && count > 1; i++) {
        char name[32];
        snprintf(name, sizeof name, "pair_of_%zu_ns", sizes[i]);
        bench_figure(name, "%.1f", ns[i]);
    }
}
