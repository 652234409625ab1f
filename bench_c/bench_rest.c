// Threads that work and rest: sizes that fall linearly from 8 to 16,000 bytes in how often they come, 1,000 blocks live a thread,
// half of the frees by another thread. What is resident for what is live, and what is faulted in? One op is a malloc; the rests are not timed.
// All rest at once, and begin with the blocks that came meanwhile: what is live does not hang on who runs when.
#include "ring.h"

enum { LIVE = 1000, LOW = 8, HIGH = 16000, RUN = 2000, REST_NS = 1000000 };

static uint64_t runs;
static unsigned threads;
static struct ring *mailboxes;
static pthread_barrier_t rest;
static uint64_t busy[BENCH_MAX_THREADS];
static _Atomic int64_t live;
static double resident_kib, live_kib; // sums over the runs

// The smaller of two uniform draws.
static size_t falling(uint32_t *rng)
{
    size_t one = bench_between(bench_draw(rng), LOW, HIGH), other = bench_between(bench_draw(rng), LOW, HIGH);
    return one < other ? one : other;
}

static int64_t drop(void *block)
{
    int64_t size = *(volatile uint32_t *)block;
    free(block);
    return size;
}

// Bytes freed: none where the block goes to the next thread.
static int64_t let_go(unsigned index, void *block, uint32_t *rng)
{
    bool goes = block && threads > 1 && bench_draw(rng) % 2 && ring_try_push(&mailboxes[index], block);
    return block && !goes ? drop(block) : 0;
}

static void body(struct bench_worker *worker)
{
    unsigned index = worker->index;
    struct ring *from = &mailboxes[(index + threads - 1) % threads];
    void **slots = bench_map(LIVE, sizeof *slots);
    uint32_t rng = bench_stream(42, index);
    bench_go(worker);
    for (uint64_t run = 0; run < runs; run++) {
        int64_t more = 0;
        uint64_t begin = bench_now();
        for (void *block; (block = ring_try_pop(from));)
            more -= drop(block);
        busy[index] += bench_now() - begin;
        pthread_barrier_wait(&rest);
        begin = bench_now();
        for (unsigned i = 0; i < RUN; i++) {
            void **slot = &slots[bench_draw(&rng) % LIVE];
            more -= let_go(index, *slot, &rng);
            size_t size = falling(&rng);
            *slot = bench_alloc(size);
            bench_touch_pages(*slot, size);
            *(volatile uint32_t *)*slot = (uint32_t)size;
            more += (int64_t)size;
        }
        busy[index] += bench_now() - begin;
        live += more;
        pthread_barrier_wait(&rest);
        if (index == 0) {
            resident_kib += (double)bench_rss_kib();
            live_kib += (double)live / 1024;
        }
        nanosleep(&(struct timespec) { 0, REST_NS }, NULL);
        pthread_barrier_wait(&rest);
    }
    bench_stop(worker);
}

int main(int argc, char **argv)
{
    bench_args(argc, argv, "threads runs");
    bench_positionals(2, 2);
    threads = (unsigned)bench_number(1, 1, BENCH_MAX_THREADS);
    runs = bench_number(2, 1, 1u << 30);
    mailboxes = rings_make(threads, RUN);
    pthread_barrier_init(&rest, NULL, threads);
    double base = (double)bench_rss_kib();
    bench_run(threads, body);
    uint64_t all = 0;
    for (unsigned i = 0; i < threads; i++)
        all += busy[i];
    resident_kib = resident_kib / (double)runs - base;
    live_kib /= (double)runs;
    bench_report((double)runs * RUN * threads, bench_elapsed(0, all / threads), "threads=%u runs=%llu live=%d size=%d-%d", threads,
        (unsigned long long)runs, LIVE, LOW, HIGH);
    bench_figure("resident_mib", "%.1f", resident_kib / 1024);
    bench_figure("resident_over_live", "%.2f", resident_kib / live_kib);
}
