// What does a growing buffer cost? Several grow at once, by half again, so that none can simply
// extend into what lies behind it. One op is one realloc.
#include "bench.h"

enum { FIRST = 16, LAST = 2 << 20 };

static uint64_t cycles, arrays, ops;
static unsigned char **buffers;

// The last byte carries the array's number: it must have moved along when the buffer did.
static void grow(uint64_t index, size_t from, size_t to)
{
    unsigned char mark = (unsigned char)index;
    unsigned char *buffer = bench_must(realloc(buffers[index], to), to);
    if (from && buffer[from - 1] != mark)
        bench_die("realloc to %zu bytes lost byte %zu", to, from - 1);
    memset(buffer + from, mark, to - from);
    buffers[index] = buffer;
    ops++;
}

static void body(struct bench_worker *worker)
{
    bench_go(worker);
    for (uint64_t i = 0; i < cycles; i++) {
        for (size_t from = 0, to = FIRST; from < LAST; from = to, to = to / 2 * 3 < LAST ? to / 2 * 3 : LAST) {
            for (uint64_t k = 0; k < arrays; k++)
                grow(k, from, to);
        }
        for (uint64_t k = 0; k < arrays; k++) {
            free(buffers[k]);
            buffers[k] = NULL;
        }
    }
    bench_stop(worker);
}

int main(int argc, char **argv)
{
    bench_args(argc, argv, "cycles [arrays]");
    bench_positionals(1, 2);
    cycles = bench_number(1, 1, 1u << 30);
    arrays = bench_number_or(2, 8, 1, 1u << 20);
    buffers = bench_map(arrays, sizeof *buffers);
    double seconds = bench_run(1, body);
    bench_report((double)ops, seconds, "iter=%llu arrays=%llu size=%d-%d", (unsigned long long)cycles,
        (unsigned long long)arrays, FIRST, LAST);
}
