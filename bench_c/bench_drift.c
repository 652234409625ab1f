// A server whose sizes drift: log-normal around a centre that moves from 64 B to 4 KiB and back, a tail to 256 KiB, nine of ten
// blocks short-lived, a fifth freed by another thread. What does it cost, and how much is resident for what is live?
#include "ring.h"
#include "../include/hakmem.h"

enum { SHORT = 1024, MAILBOX = 4096, CHECK = 256, QUANTILES = 4096, SAMPLES_A_SECOND = 10, LOW = 16, HIGH = 256 << 10, TAIL = 10000 };

struct held {
    void *block;
    uint32_t size;
};

struct lane {
    struct held brief[SHORT]; // a ring: the oldest goes
    struct held *lasting;
    uint64_t lasting_count, most, ops;
    _Atomic uint64_t allocated, freed; // bytes; only this lane's thread writes them
    uint32_t rng;
} __attribute__((aligned(128)));

static double seconds, quantiles[QUANTILES];
static unsigned threads;
static uint64_t live_bytes;
static struct lane *lanes;
static struct ring *mailboxes;
static _Atomic bool over;

static uint64_t live_now(void)
{
    uint64_t live = 0;
    for (unsigned i = 0; i < threads; i++) // relaxed: a figure, nothing hangs on it
        live += atomic_load_explicit(&lanes[i].allocated, memory_order_relaxed)
            - atomic_load_explicit(&lanes[i].freed, memory_order_relaxed);
    return live;
}

static void add(_Atomic uint64_t *sum, uint64_t bytes)
{
    atomic_store_explicit(sum, atomic_load_explicit(sum, memory_order_relaxed) + bytes, memory_order_relaxed);
}

// e to a normal draw, by the sum of twelve uniform ones and by e's series; a table, for it must not weigh.
static void make_quantiles(void)
{
    uint32_t rng = bench_stream(7, 0);
    for (unsigned i = 0; i < QUANTILES; i++) {
        double normal = -6, term = 1, sum = 1;
        for (unsigned k = 0; k < 12; k++)
            normal += bench_draw(&rng) / 4294967296.0;
        for (unsigned k = 1; k < 40; k++)
            sum += term *= normal / k;
        quantiles[i] = sum;
    }
}

// 64 B to 4 KiB and back, doubling by doubling, once in the whole run.
static double centre_at(double share)
{
    double doublings = 6 * (share < 0.5 ? 2 * share : 2 - 2 * share), centre = 64;
    for (; doublings >= 1; doublings--)
        centre *= 2;
    return centre * (1 + doublings);
}

static struct held make(struct lane *lane, double centre)
{
    uint32_t draw = bench_draw(&lane->rng);
    double wanted = centre * quantiles[draw % QUANTILES];
    size_t size = wanted < LOW ? LOW : wanted > HIGH ? HIGH : (size_t)wanted;
    if (draw % TAIL == 0)
        size = bench_doubling(&lane->rng, 4096, HIGH);
    struct held held = { bench_must(malloc(size), size), (uint32_t)size };
    *(volatile uint32_t *)held.block = (uint32_t)size;
    for (size_t at = 4096; at < size; at += 4096)
        ((volatile unsigned char *)held.block)[at] = 1;
    add(&lane->allocated, size);
    return held;
}

static void drop(struct lane *lane, struct held held)
{
    add(&lane->freed, held.size);
    free(held.block);
}

// A fifth goes to the next thread; a full mailbox is nobody's fault.
static void let_go(struct lane *lane, struct held held)
{
    unsigned index = (unsigned)(lane - lanes);
    if (threads == 1 || bench_draw(&lane->rng) % 5 || !ring_try_push(&mailboxes[index], held.block))
        drop(lane, held);
}

static void take_in(struct lane *lane, unsigned most)
{
    struct ring *mailbox = &mailboxes[((unsigned)(lane - lanes) + threads - 1) % threads];
    for (void *block; most && (block = ring_try_pop(mailbox)); most--)
        drop(lane, (struct held) { block, *(volatile uint32_t *)block });
}

static void step(struct lane *lane, double centre, bool lasts)
{
    struct held made = make(lane, centre);
    if (!lasts) {
        struct held *slot = &lane->brief[lane->ops % SHORT];
        struct held oldest = *slot;
        *slot = made;
        if (oldest.block)
            let_go(lane, oldest);
    } else {
        if (lane->lasting_count < lane->most) {
            lane->lasting[lane->lasting_count++] = made;
        } else {
            struct held *slot = &lane->lasting[bench_draw(&lane->rng) % lane->most];
            struct held victim = *slot;
            *slot = made;
            let_go(lane, victim);
        }
        while (lane->lasting_count && live_now() > live_bytes) {
            uint64_t at = bench_draw(&lane->rng) % lane->lasting_count;
            struct held victim = lane->lasting[at];
            lane->lasting[at] = lane->lasting[--lane->lasting_count];
            let_go(lane, victim);
        }
    }
    lane->ops++;
}

static void body(struct bench_worker *worker)
{
    struct lane *lane = &lanes[worker->index];
    while (live_now() < live_bytes)
        step(lane, centre_at(0), true);
    lane->ops = 0;
    bench_go(worker);
    uint64_t length = (uint64_t)(seconds * 1e9), now = worker->begin;
    while (now < worker->begin + length) {
        double centre = centre_at((double)(now - worker->begin) / (double)length);
        for (unsigned i = 0; i < CHECK; i++)
            step(lane, centre, bench_draw(&lane->rng) % 10 == 0);
        take_in(lane, CHECK);
        now = bench_now();
    }
    bench_stop(worker);
}

struct samples {
    uint64_t base_kib;
    double sum, second, worst;
    unsigned count, in_second;
};

static void *watch(void *argument)
{
    struct samples *samples = argument;
    while (!atomic_load(&over)) {
        nanosleep(&(struct timespec) { 0, 1000000000 / SAMPLES_A_SECOND }, NULL);
        uint64_t live = live_now() >> 10, rss = bench_rss_kib();
        if (live < live_bytes >> 11) // still filling
            continue;
        double ratio = (double)(rss - samples->base_kib) / (double)live;
        samples->sum += ratio;
        samples->count++;
        samples->second += ratio;
        if (++samples->in_second == SAMPLES_A_SECOND) {
            double mean = samples->second / SAMPLES_A_SECOND;
            samples->worst = mean > samples->worst ? mean : samples->worst;
            samples->second = samples->in_second = 0;
        }
    }
    return NULL;
}

// How often memory went back, by those who say: calls of madvise by jemalloc, purges of HAKMEM.
static const char *given_back(uint64_t *times)
{
    int (*stats_get)(struct hak_stats *, size_t) = NULL;
    *(void **)&stats_get = bench_symbol_beside_malloc("hak_stats_get");
    struct hak_stats stats = { 0 };
    if (stats_get && stats_get(&stats, sizeof stats) == 0) {
        *times = stats.purges_over_bound + stats.purges_by_decay + stats.purges_of_all;
        return "purges";
    }
    int (*mallctl)(const char *, void *, size_t *, void *, size_t) = NULL;
    *(void **)&mallctl = bench_symbol_beside_malloc("mallctl");
    uint64_t epoch = 1, dirty = 0, muzzy = 0;
    size_t size = sizeof epoch;
    if (!mallctl || mallctl("epoch", &epoch, &size, &epoch, size)
        || mallctl("stats.arenas.4096.dirty_nmadvise", &dirty, &size, NULL, 0)
        || mallctl("stats.arenas.4096.muzzy_nmadvise", &muzzy, &size, NULL, 0))
        return NULL;
    *times = dirty + muzzy;
    return "madvise_calls";
}

int main(int argc, char **argv)
{
    bench_args(argc, argv, "seconds threads [live_mib]");
    bench_positionals(2, 3);
    seconds = bench_seconds(1, false);
    threads = (unsigned)bench_number(2, 1, BENCH_MAX_THREADS);
    live_bytes = bench_number_or(3, 200, 1, 1u << 16) << 20;
    make_quantiles();
    lanes = bench_map(threads, sizeof *lanes);
    mailboxes = rings_make(threads, MAILBOX);
    for (unsigned i = 0; i < threads; i++) {
        lanes[i].most = live_bytes / 64 / threads + SHORT;
        lanes[i].lasting = bench_map(lanes[i].most, sizeof *lanes[i].lasting);
        lanes[i].rng = bench_stream(42, i);
    }
    struct samples samples = { .base_kib = bench_rss_kib() };
    pthread_t watcher;
    bench_spawn(&watcher, watch, &samples);
    double elapsed = bench_run(threads, body), ops = 0;
    atomic_store(&over, true);
    pthread_join(watcher, NULL);
    for (unsigned i = 0; i < threads; i++)
        ops += (double)lanes[i].ops;
    bench_report(ops, elapsed, "threads=%u live_mib=%llu size=%d-%d", threads, (unsigned long long)(live_bytes >> 20), LOW, HIGH);
    double mean = samples.sum / (samples.count ? samples.count : 1);
    bench_figure("mean_rss_over_live", "%.3f", mean);
    bench_figure("worst_second_rss_over_live", "%.3f", samples.worst > mean ? samples.worst : mean);
    uint64_t times;
    const char *what = given_back(&times);
    if (what)
        bench_figure(what, "%llu", (unsigned long long)times);
}
