// What does a thread cost that hardly allocates? So many threads alive at once, each with so many blocks of 24 B to 5 KB; resident
// memory a thread, its stack included. One op is a thread born and served.
#include "bench.h"

enum { LOW = 24, HIGH = 5000, MAX_BLOCKS = 1000 };

static unsigned threads, count;
static size_t sizes[MAX_BLOCKS];
static pthread_barrier_t born, idle, served, over;

static void *live(void *argument)
{
    (void)argument;
    void *blocks[MAX_BLOCKS];
    pthread_barrier_wait(&born);
    pthread_barrier_wait(&idle);
    for (unsigned i = 0; i < count; i++) {
        blocks[i] = bench_alloc(sizes[i]);
        bench_touch_pages(blocks[i], sizes[i]);
    }
    pthread_barrier_wait(&served);
    pthread_barrier_wait(&over);
    for (unsigned i = 0; i < count; i++)
        free(blocks[i]);
    return NULL;
}

int main(int argc, char **argv)
{
    bench_args(argc, argv, "threads blocks");
    bench_positionals(2, 2);
    threads = (unsigned)bench_number(1, 1, 30000);
    count = (unsigned)bench_number(2, 0, MAX_BLOCKS);
    // From the smallest to the largest by equal factors; one block is the smallest.
    double factor = 1;
    while (count > 1) {
        double last = LOW;
        for (unsigned i = 1; i < count; i++)
            last *= factor;
        if (last >= HIGH)
            break;
        factor += 0.0005;
    }
    double size = LOW;
    for (unsigned i = 0; i < count; i++, size *= factor)
        sizes[i] = (size_t)size;
    pthread_barrier_t *barriers[] = { &born, &idle, &served, &over };
    for (size_t i = 0; i < sizeof barriers / sizeof *barriers; i++)
        pthread_barrier_init(barriers[i], NULL, threads + 1);
    pthread_t *handles = bench_map(threads, sizeof *handles);
    uint64_t base = bench_rss_kib(), begin = bench_now();
    for (unsigned i = 0; i < threads; i++)
        bench_spawn(&handles[i], live, NULL);
    pthread_barrier_wait(&born);
    uint64_t bare = bench_rss_kib();
    pthread_barrier_wait(&idle);
    pthread_barrier_wait(&served);
    uint64_t end = bench_now(), full = bench_rss_kib();
    pthread_barrier_wait(&over);
    for (unsigned i = 0; i < threads; i++)
        pthread_join(handles[i], NULL);
    bench_report(threads, bench_elapsed(begin, end), "threads=%u blocks=%u size=%d-%d", threads, count, LOW, HIGH);
    bench_figure("thread_kib", "%.1f", (double)(full - base) / threads);
    bench_figure("bare_thread_kib", "%.1f", (double)(bare - base) / threads);
    bench_figure("left_kib", "%.1f", (double)(bench_rss_kib() - base) / threads);
}
