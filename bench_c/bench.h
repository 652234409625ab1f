// Shared by every benchmark here: clock, random numbers, threads, the one report line, and bench_args.h.
//
// The harness itself never mallocs while a clock runs: its arrays come from bench_map(), so that
// memory and page faults of a run are the allocator's, and the same harness weighs on all of them.
#ifndef BENCH_H
#define BENCH_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE // RTLD_DEFAULT, dladdr
#endif
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "bench_args.h"

#define BENCH_MAX_SIZE (1ull << 30) // of one block; keeps every size in a 32-bit draw
#define BENCH_MAX_SEED UINT32_MAX
#define BENCH_MAX_COUNT (1ull << 48) // operations; leaves room to multiply by threads
#define BENCH_MAX_SLOTS (1ull << 28)
#define BENCH_MAX_THREADS 1024

// ---- leaving early ---------------------------------------------------------------------------

// write(2) and _exit: stdio and atexit handlers might allocate, and the allocator is what failed.
__attribute__((noreturn, format(printf, 1, 2))) static inline void bench_die(const char *format, ...)
{
    char text[256];
    va_list list;
    va_start(list, format);
    int length = vsnprintf(text, sizeof text - 1, format, list);
    va_end(list);
    if (length > (int)sizeof text - 2)
        length = (int)sizeof text - 2;
    text[length++] = '\n';
    if (write(STDERR_FILENO, text, (size_t)length) < 0) { /* nowhere left to complain */ }
    _exit(1);
}

// ---- random numbers --------------------------------------------------------------------------

static inline uint32_t bench_draw(uint32_t *state)
{
    uint32_t x = *state;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return *state = x;
}

// Stream 0 is the seed itself: one thread replays what a single-threaded program draws.
static inline uint32_t bench_stream(uint64_t seed, unsigned index)
{
    uint32_t state = (uint32_t)seed + index * 0x9E3779B9u;
    return state ? state : 1; // xorshift never leaves zero
}

static inline size_t bench_between(uint32_t draw, size_t low, size_t high)
{
    return low + draw % (uint32_t)(high - low + 1);
}

// Each doubling as likely as any other; low and high are powers of two.
static inline size_t bench_doubling(uint32_t *state, size_t low, size_t high)
{
    uint32_t draw = bench_draw(state);
    unsigned first = (unsigned)__builtin_ctzll(low), doublings = (unsigned)__builtin_ctzll(high) - first;
    size_t least = (size_t)1 << (first + (draw >> 8) % doublings);
    return bench_between(bench_draw(state), least, 2 * least - 1);
}

// ---- memory ----------------------------------------------------------------------------------

// Populated at once: its faults then never fall into the measured part.
static inline void *bench_map(uint64_t count, size_t size)
{
    size_t bytes;
    void *memory = MAP_FAILED;
    if (!__builtin_mul_overflow(count, size, &bytes))
        memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (memory == MAP_FAILED)
        bench_die("out of memory: %llu x %zu bytes for the benchmark itself", (unsigned long long)count, size);
    return memory;
}

// A block nobody writes could be handed out without ever being memory; volatile keeps the store.
static inline void bench_touch(void *block, size_t size)
{
    if (size >= sizeof(uint64_t))
        *(volatile uint64_t *)block = size;
    else
        *(volatile uint8_t *)block = (uint8_t)size;
}

// Every page of it becomes memory.
static inline void bench_touch_pages(void *block, size_t size)
{
    for (size_t at = 0; at < size; at += 4096)
        ((volatile uint8_t *)block)[at] = (uint8_t)size;
    ((volatile uint8_t *)block)[size - 1] = (uint8_t)size;
}

static inline void *bench_must(void *block, size_t size)
{
    if (__builtin_expect(!block, 0))
        bench_die("out of memory: %zu bytes", size);
    return block;
}

static inline void *bench_alloc(size_t size)
{
    void *block = bench_must(malloc(size), size);
    bench_touch(block, size);
    return block;
}

// /proc/self/status, not getrusage: ru_maxrss survives exec, so a fat parent would be counted as ours.
// Raw read(2), because fopen mallocs.
static inline uint64_t bench_status_kib(const char *field)
{
    char text[8192];
    size_t length = 0;
    int file = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return 0;
    for (ssize_t n; length < sizeof text - 1 && (n = read(file, text + length, sizeof text - 1 - length)) > 0;)
        length += (size_t)n;
    close(file);
    text[length] = '\0';
    const char *line = strstr(text, field);
    return line ? strtoull(line + strlen(field), NULL, 10) : 0;
}

static inline uint64_t bench_rss_kib(void) { return bench_status_kib("\nVmRSS:"); }
static inline uint64_t bench_peak_rss_kib(void) { return bench_status_kib("\nVmHWM:"); }

static inline uint64_t bench_faults(void)
{
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) ? 0 : (uint64_t)usage.ru_minflt;
}

// ---- clock and threads -----------------------------------------------------------------------

static inline uint64_t bench_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static inline double bench_elapsed(uint64_t begin, uint64_t end)
{
    return (end > begin ? (double)(end - begin) : 1.0) / 1e9;
}

struct bench_worker {
    unsigned index;
    uint64_t begin, end;
    void (*body)(struct bench_worker *);
    pthread_t thread;
} __attribute__((aligned(64)));

static pthread_barrier_t bench_gate;
static bool bench_gated;

// A body prepares, calls go, works, calls stop, tidies up. Each thread stamps its own times: the main
// thread's clock would start late whenever there are more threads than cores.
static inline void bench_go(struct bench_worker *worker)
{
    if (bench_gated)
        pthread_barrier_wait(&bench_gate);
    worker->begin = bench_now();
}

static inline void bench_stop(struct bench_worker *worker) { worker->end = bench_now(); }

static inline void *bench_enter(void *worker)
{
    ((struct bench_worker *)worker)->body(worker);
    return NULL;
}

static inline void bench_spawn(pthread_t *thread, void *(*entry)(void *), void *argument)
{
    int error = pthread_create(thread, NULL, entry, argument);
    if (error)
        bench_die("cannot start a thread: %s", strerror(error));
}

// Seconds from the first go to the last stop. One thread runs on the main thread: starting a second
// one would cost glibc its single-threaded shortcuts, and the benchmark would ask another question.
static inline double bench_run(unsigned threads, void (*body)(struct bench_worker *))
{
    struct bench_worker *workers = bench_map(threads, sizeof *workers);
    bench_gated = threads > 1;
    if (bench_gated)
        pthread_barrier_init(&bench_gate, NULL, threads);
    for (unsigned i = 0; i < threads; i++) {
        workers[i].index = i;
        workers[i].body = body;
        if (bench_gated)
            bench_spawn(&workers[i].thread, bench_enter, &workers[i]);
        else
            body(&workers[i]);
    }
    uint64_t begin = UINT64_MAX, end = 0;
    for (unsigned i = 0; i < threads; i++) {
        if (bench_gated)
            pthread_join(workers[i].thread, NULL);
        begin = workers[i].begin < begin ? workers[i].begin : begin;
        end = workers[i].end > end ? workers[i].end : end;
    }
    return bench_elapsed(begin, end);
}

// ---- who served, and the report --------------------------------------------------------------

// A version symbol counts only if it lives in the object that `malloc` resolves to. A library that is
// merely loaded proves nothing: a linked libhakmem with jemalloc preloaded over it serves no block.
static inline void *bench_symbol_beside_malloc(const char *name)
{
    Dl_info owner, candidate;
    void *ours = dlsym(RTLD_DEFAULT, "malloc"), *symbol = dlsym(RTLD_DEFAULT, name);
    bool beside = ours && symbol && dladdr(ours, &owner) && dladdr(symbol, &candidate)
        && owner.dli_fbase == candidate.dli_fbase;
    return beside ? symbol : NULL;
}

static inline void bench_served_by(char *name, size_t size)
{
    // snmalloc also exports mallctl, so it is asked by file name before jemalloc is.
    static const struct { const char *symbol, *name; } known[] = {
        { "bench_floor_version", "floor" },
        { "mi_version", "mimalloc" },
        { "rpmalloc", "rpmalloc" },
        { "mallctl", "jemalloc" },
        { "tc_version", "tcmalloc" },
        { "MallocExtension_ReleaseFreeMemory", "tcmalloc" },
        { "gnu_get_libc_version", "system" },
    };
    const char *(*version)(void) = NULL;
    *(void **)&version = bench_symbol_beside_malloc("hak_version");
    if (version) {
        snprintf(name, size, "%s", version());
    } else {
        // A stranger is named after its file: calling it "system" would hide that it was measured.
        Dl_info owner = { 0 };
        void *ours = dlsym(RTLD_DEFAULT, "malloc");
        const char *file = ours && dladdr(ours, &owner) && owner.dli_fname ? owner.dli_fname : "unknown";
        const char *slash = strrchr(file, '/');
        const char *found = slash ? slash + 1 : file;
        if (strstr(found, "snmalloc")) {
            found = "snmalloc";
        } else {
            for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
                if (bench_symbol_beside_malloc(known[i].symbol)) {
                    found = known[i].name;
                    break;
                }
            }
        }
        snprintf(name, size, "%s", found);
    }
    for (; *name; name++) {
        if (*name == ' ')
            *name = '-';
    }
}

__attribute__((format(printf, 3, 4))) static inline void bench_report(
    double ops, double seconds, const char *format, ...)
{
    // Taken first: dlsym and printf below fault and allocate on their own account.
    uint64_t peak = bench_peak_rss_kib(), faults = bench_faults();
    char fields[256], server[128];
    va_list list;
    va_start(list, format);
    vsnprintf(fields, sizeof fields, format, list);
    va_end(list);
    bench_served_by(server, sizeof server);
    printf("Throughput = %.2f ops/s [%s] time=%.6fs  served_by=%s peak_rss_kib=%llu faults=%llu\n", ops / seconds,
        fields, seconds, server, (unsigned long long)peak, (unsigned long long)faults);
    if (fflush(stdout))
        bench_die("cannot write the report: %s", strerror(errno));
}

// What else a program found out, after its report: a line each, read by scripts/bench_run.py.
__attribute__((format(printf, 2, 3))) static inline void bench_figure(const char *name, const char *format, ...)
{
    char value[64];
    va_list list;
    va_start(list, format);
    vsnprintf(value, sizeof value, format, list);
    va_end(list);
    printf("figure %s=%s\n", name, value);
    if (fflush(stdout))
        bench_die("cannot write a figure: %s", strerror(errno));
}

#endif
