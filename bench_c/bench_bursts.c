// What do page faults cost a program that works in bursts and is nearly idle in between? One op is a MiB of a burst, taken,
// touched and freed; only bursts are timed.
#include "bench.h"

enum { LIGHT_PAIRS = 100 };

static double seconds;
static uint64_t mib, period_ms;

static uint64_t burst(uint32_t *state)
{
    static void *blocks[1 << 20];
    uint64_t start = bench_now(), count = 0;
    for (uint64_t bytes = 0; bytes < mib << 20; count++) {
        size_t size = bench_between(bench_draw(state), 256, 8192);
        blocks[count] = bench_alloc(size);
        bench_touch(blocks[count], size);
        bytes += size;
    }
    for (uint64_t i = 0; i < count; i++)
        free(blocks[i]);
    return bench_now() - start;
}

static void light_work(uint64_t until)
{
    for (uint64_t i = 0; bench_now() < until; i++) {
        void *few[LIGHT_PAIRS];
        for (unsigned k = 0; k < LIGHT_PAIRS; k++)
            few[k] = bench_alloc(16 + (i * 7 + k * 13) % 200);
        for (unsigned k = 0; k < LIGHT_PAIRS; k++)
            free(few[k]);
        nanosleep(&(struct timespec) { 0, 200000 }, NULL);
    }
}

int main(int argc, char **argv)
{
    bench_args(argc, argv, "seconds mib period_ms");
    bench_positionals(3, 3);
    seconds = bench_seconds(1, false);
    mib = bench_number(2, 1, 200);
    period_ms = bench_number(3, 1, 1000000);
    uint32_t state = bench_stream(1, 0);
    uint64_t busy = 0, bursts = 0, end = bench_now() + (uint64_t)(seconds * 1e9);
    for (uint64_t next = bench_now(); next < end; bursts++) {
        busy += burst(&state);
        light_work(next += period_ms * 1000000);
    }
    bench_report((double)bursts * (double)mib, (double)busy / 1e9, "seconds=%g mib=%llu period_ms=%llu", seconds,
        (unsigned long long)mib, (unsigned long long)period_ms);
}
