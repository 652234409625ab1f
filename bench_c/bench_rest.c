// Threads that work and rest: sizes that fall linearly from 8 to 16,000 bytes in how often they come, 1,000 blocks live a thread,
// half of the frees by another thread. What is resident, what of it was live, and what is faulted in? One op is a malloc; the rests are
// not timed.
#include "ring.h"

enum { LIVE = 1000, LOW = 8, HIGH = 16000, RUN = 2000, MAILBOX = 4096, REST_NS = 1000000 };

static uint64_t runs;
static unsigned threads;
static struct ring *mailboxes;
static uint64_t busy[BENCH_MAX_THREADS], resident[BENCH_MAX_THREADS], live_peak;
// Bytes that a thread allocated less those that it freed; how much waits in mailboxes is up to the scheduler.
static struct { _Atomic int64_t bytes; } __attribute__((aligned(128))) live[BENCH_MAX_THREADS];

// The smaller of two uniform draws.
static size_t falling(uint32_t *rng)
{
    size_t one = bench_between(bench_draw(rng), LOW, HIGH), other = bench_between(bench_draw(rng), LOW, HIGH);
    return one < other ? one : other;
}

static void count(unsigned index, int64_t bytes)
{
    atomic_store_explicit(&live[index].bytes, atomic_load_explicit(&live[index].bytes, memory_order_relaxed) + bytes, memory_order_relaxed);
}

static uint64_t live_now(void)
{
    int64_t sum = 0;
    for (unsigned i = 0; i < threads; i++)
        sum += atomic_load_explicit(&live[i].bytes, memory_order_relaxed);
    return sum > 0 ? (uint64_t)sum : 0;
}

// A block says how long it is.
static void *make(unsigned index, size_t size)
{
    uint64_t *block = bench_alloc(size);
    bench_touch_pages(block, size);
    *block = size;
    count(index, (int64_t)size);
    return block;
}

static void end(unsigned index, uint64_t *block)
{
    if (block)
        count(index, -(int64_t)*block);
    free(block);
}

static void let_go(unsigned index, void *block, uint32_t *rng)
{
    if (!(block && threads > 1 && bench_draw(rng) % 2 && ring_try_push(&mailboxes[index], block)))
        end(index, block);
}

static void body(struct bench_worker *worker)
{
    unsigned index = worker->index;
    struct ring *from = &mailboxes[(index + threads - 1) % threads];
    void **slots = bench_map(LIVE, sizeof *slots);
    uint32_t rng = bench_stream(42, index);
    bench_go(worker);
    for (uint64_t run = 0; run < runs; run++) {
        uint64_t begin = bench_now();
        for (unsigned i = 0; i < RUN; i++) {
            void **slot = &slots[bench_draw(&rng) % LIVE];
            let_go(index, *slot, &rng);
            *slot = make(index, falling(&rng));
            end(index, ring_try_pop(from));
        }
        busy[index] += bench_now() - begin;
        if (index == 0) {
            resident[run % BENCH_MAX_THREADS] = bench_rss_kib();
            uint64_t now = live_now();
            live_peak = now > live_peak ? now : live_peak;
        }
        nanosleep(&(struct timespec) { 0, REST_NS }, NULL);
    }
    bench_stop(worker);
}

int main(int argc, char **argv)
{
    bench_args(argc, argv, "threads runs");
    bench_positionals(2, 2);
    threads = (unsigned)bench_number(1, 1, BENCH_MAX_THREADS);
    runs = bench_number(2, 1, 1u << 30);
    mailboxes = rings_make(threads, MAILBOX);
    uint64_t base = bench_rss_kib();
    bench_run(threads, body);
    uint64_t all = 0, sum = 0, seen = runs < BENCH_MAX_THREADS ? runs : BENCH_MAX_THREADS;
    for (unsigned i = 0; i < threads; i++)
        all += busy[i];
    for (uint64_t i = 0; i < seen; i++)
        sum += resident[i] > base ? resident[i] - base : 0;
    bench_report((double)runs * RUN * threads, bench_elapsed(0, all / threads), "threads=%u runs=%llu live=%d size=%d-%d", threads,
        (unsigned long long)runs, LIVE, LOW, HIGH);
    bench_figure("resident_mib", "%.1f", (double)sum / (double)seen / 1024);
    bench_figure("live_peak_mib", "%.1f", (double)live_peak / 0x100000);
}
