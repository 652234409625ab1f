// How long can a single call take? malloc and free of mixed sizes, each timed; alone, while another thread gives memory back over
// and over, or while another thread frees 700 MiB. One op is a call.
#include "bench.h"
#include <stdatomic.h>
#if defined(__x86_64__)
#include <x86intrin.h>
#endif

enum { SLOTS = 4096, LOW = 16, MOST = 1 << 20, LARGE_EVERY = 64, LOOK_EVERY = 256, LONG_NS = 20000 };
enum { FINE = 5, BUCKETS = 64 << FINE }; // a thirty-second of a doubling each

struct tail {
    uint64_t buckets[BUCKETS], made, calls, longest, preempted;
    long switches;
    uint32_t rng;
    void *slots[SLOTS];
} __attribute__((aligned(128)));

static double seconds, ns_per_tick = 1;
static unsigned threads;
static uint64_t freed_mib;
static bool trims;
static struct tail *tails;
static _Atomic bool counts, over;
static _Atomic uint64_t rounds;

static inline uint64_t ticks(void)
{
#if defined(__x86_64__)
    return __rdtsc();
#else
    return bench_now();
#endif
}

static void find_tick(void)
{
    uint64_t begin = bench_now(), first = ticks();
    while (bench_now() < begin + 20000000) { }
    ns_per_tick = (double)(bench_now() - begin) / (double)(ticks() - first);
}

static long involuntary_switches(void)
{
    struct rusage usage;
    getrusage(RUSAGE_THREAD, &usage);
    return usage.ru_nivcsw;
}

// A call during which the kernel gave the core to somebody else says nothing of the allocator: counted, not timed. A thread
// that waits for another leaves of its own accord, which is.
static void record(struct tail *tail, uint64_t taken)
{
    if (!atomic_load_explicit(&counts, memory_order_relaxed))
        return;
    uint64_t ns = (uint64_t)((double)taken * ns_per_tick);
    if (ns > LONG_NS) {
        long switches = involuntary_switches();
        if (switches != tail->switches) {
            tail->switches = switches;
            tail->preempted++;
            return;
        }
    }
    unsigned index = (unsigned)ns;
    if (ns >= 1u << (FINE + 1)) {
        unsigned shift = 63 - (unsigned)__builtin_clzll(ns) - FINE;
        index = (shift << FINE) + (unsigned)(ns >> shift);
    }
    tail->buckets[index]++;
    tail->calls++;
    tail->longest = ns > tail->longest ? ns : tail->longest;
}

static double bucket_ns(unsigned index)
{
    if (index < 1u << (FINE + 1))
        return index;
    unsigned shift = (index >> FINE) - 1;
    return (double)(((1ull << FINE) + (index & ((1u << FINE) - 1))) << shift);
}

static size_t draw_size(uint32_t *rng)
{
    return bench_draw(rng) % LARGE_EVERY ? bench_doubling(rng, LOW, 4096) : bench_doubling(rng, 4096, MOST);
}

static void body(struct bench_worker *worker)
{
    struct tail *tail = &tails[worker->index];
    tail->rng = bench_stream(1, worker->index);
    bench_go(worker);
    uint64_t end = worker->begin + (uint64_t)(seconds * 1e9);
    // With company: until it has done its work once, however slow it is.
    for (uint64_t i = 0;; i++) {
        if (i % LOOK_EVERY == 0) {
            tail->switches = involuntary_switches();
            if (bench_now() > end && (!(trims || freed_mib) || atomic_load(&rounds)))
                break;
        }
        void **slot = &tail->slots[bench_draw(&tail->rng) % SLOTS];
        size_t size = draw_size(&tail->rng);
        uint64_t begin = ticks();
        free(*slot);
        uint64_t freed = ticks();
        void *block = malloc(size);
        uint64_t taken = ticks();
        bench_must(block, size);
        bench_touch(block, size);
        *slot = block;
        record(tail, freed - begin);
        record(tail, taken - freed);
        tail->made += 2;
    }
    bench_stop(worker);
}

// ---- company ---------------------------------------------------------------------------------

static const char *trim_name = "malloc_trim";
static int (*trim_libc)(size_t);
static void (*trim_mimalloc)(bool), (*trim_tcmalloc)(void);
static int (*mallctl)(const char *, void *, size_t *, void *, size_t);

static bool find_trim(void)
{
    if ((*(void **)&trim_mimalloc = bench_symbol_beside_malloc("mi_collect")))
        trim_name = "mi_collect";
    else if ((*(void **)&trim_tcmalloc = bench_symbol_beside_malloc("MallocExtension_ReleaseFreeMemory")))
        trim_name = "ReleaseFreeMemory";
    else if ((*(void **)&mallctl = bench_symbol_beside_malloc("mallctl")) && !mallctl("arena.4096.purge", NULL, NULL, NULL, 0))
        trim_name = "arena.purge";
    else
        *(void **)&trim_libc = bench_symbol_beside_malloc("malloc_trim");
    return trim_mimalloc || trim_tcmalloc || trim_libc || !strcmp(trim_name, "arena.purge");
}

static void trim(void)
{
    if (trim_mimalloc)
        trim_mimalloc(true);
    else if (trim_tcmalloc)
        trim_tcmalloc();
    else if (trim_libc)
        trim_libc(0);
    else
        mallctl("arena.4096.purge", NULL, NULL, NULL, 0);
}

static void *trim_over_and_over(void *argument)
{
    (void)argument;
    while (!atomic_load(&over)) {
        atomic_store(&counts, true);
        trim();
        atomic_store(&counts, false);
        atomic_fetch_add(&rounds, 1);
        nanosleep(&(struct timespec) { 0, 1000000 }, NULL);
    }
    return NULL;
}

static void *fill_and_free(void *argument)
{
    void **blocks = argument;
    uint32_t rng = bench_stream(9, 1);
    while (!atomic_load(&over)) {
        uint64_t count = 0;
        for (uint64_t bytes = 0; bytes < freed_mib << 20; count++) {
            size_t size = bench_doubling(&rng, 1024, 128 << 10);
            blocks[count] = bench_alloc(size);
            bench_touch_pages(blocks[count], size);
            bytes += size;
        }
        atomic_store(&counts, true);
        for (uint64_t i = 0; i < count; i++)
            free(blocks[i]);
        atomic_store(&counts, false);
        atomic_fetch_add(&rounds, 1);
    }
    return NULL;
}

static struct tail *all_together(void)
{
    struct tail *all = &tails[0];
    for (unsigned i = 1; i < threads; i++) {
        for (unsigned k = 0; k < BUCKETS; k++)
            all->buckets[k] += tails[i].buckets[k];
        all->calls += tails[i].calls;
        all->preempted += tails[i].preempted;
        all->made += tails[i].made;
        all->longest = tails[i].longest > all->longest ? tails[i].longest : all->longest;
    }
    return all;
}

static void print_figures(const struct tail *all)
{
    static const struct { const char *name; double share; } wanted[] = {
        { "p50_ns", 0.5 }, { "p99_ns", 0.99 }, { "p99.9_ns", 0.999 }, { "p99.99_ns", 0.9999 },
    };
    uint64_t seen = 0;
    unsigned bucket = 0;
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted && all->calls; i++) {
        while (seen + all->buckets[bucket] < (uint64_t)(wanted[i].share * (double)all->calls) && bucket < BUCKETS - 1)
            seen += all->buckets[bucket++];
        bench_figure(wanted[i].name, "%.0f", bucket_ns(bucket));
    }
    bench_figure("longest_ns", "%llu", (unsigned long long)all->longest);
}

int main(int argc, char **argv)
{
    bench_args(argc, argv, "seconds threads [--trim | --free mib]");
    trims = bench_flag("--trim");
    freed_mib = bench_option("--free", 0, 1, 1u << 20);
    bench_positionals(2, 2);
    seconds = bench_seconds(1, false);
    threads = (unsigned)bench_number(2, 1, BENCH_MAX_THREADS);
    if (trims && freed_mib)
        bench_usage("either --trim or --free");
    if (trims && !find_trim())
        bench_die("this allocator has nothing that gives memory back");
    tails = bench_map(threads, sizeof *tails);
    find_tick();
    pthread_t company;
    if (trims)
        bench_spawn(&company, trim_over_and_over, NULL);
    else if (freed_mib)
        bench_spawn(&company, fill_and_free, bench_map(freed_mib << 10, sizeof(void *)));
    else
        atomic_store(&counts, true);
    double elapsed = bench_run(threads, body);
    atomic_store(&over, true);
    if (trims || freed_mib)
        pthread_join(company, NULL);
    const struct tail *all = all_together();
    bench_report((double)all->made, elapsed, "threads=%u slots=%d size=%d-%d company=%s calls=%llu preempted=%llu", threads, SLOTS,
        LOW, MOST, trims ? trim_name : freed_mib ? "frees" : "none", (unsigned long long)all->calls,
        (unsigned long long)all->preempted);
    print_figures(all);
}
