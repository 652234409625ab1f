// What every test of this suite shares: CHECK, SKIP, NOTE, memory readings, block stamps, and the flushes that make a
// delayed misuse report come out. Nothing in here allocates, so that a test means only the calls it makes itself.
#ifndef CHECK_H
#define CHECK_H
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#ifdef __cplusplus
#include <atomic>
#define ATOMIC(T) std::atomic<T>
#else
#include <stdatomic.h>
#define ATOMIC(T) _Atomic(T)
#endif

#define SHARED static __attribute__((unused))

// Form `late`: the library comes by dlopen while the program runs, and what the program calls is found by dlsym.
#ifdef LATE
#include <dlfcn.h>
static struct {
    void *(*malloc)(size_t), *(*calloc)(size_t, size_t), *(*realloc)(void *, size_t), *(*memalign)(size_t, size_t);
    void (*free)(void *);
    int (*malloc_trim)(size_t);
} late;
__attribute__((constructor)) static void open_late(void) {
    void *library = dlopen(getenv("LATE"), RTLD_NOW | RTLD_LOCAL);
    if (!library) abort();
#define FIND(name) *(void **)&late.name = dlsym(library, #name)
    FIND(malloc), FIND(calloc), FIND(realloc), FIND(memalign), FIND(free), FIND(malloc_trim);
}
#define malloc(n) late.malloc(n)
#define calloc(n, size) late.calloc(n, size)
#define realloc(p, n) late.realloc(p, n)
#define memalign(to, n) late.memalign(to, n)
#define free(p) late.free(p)
#define malloc_trim(pad) late.malloc_trim(pad)
#endif
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)
#define GIB ((size_t)1 << 30)

SHARED void put_line(int fd, const char *format, ...) {
    char line[512];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(line, sizeof line, format, args); // strings and integers only: glibc allocates for neither
    va_end(args);
    if (n > (int)sizeof line - 1) n = sizeof line - 1;
    if (write(fd, line, (size_t)n) < 0) { /* closed: nobody to tell */
    }
}

__attribute__((noreturn)) SHARED void check_failed(const char *file, int line, const char *expr, int err) {
    const char *base = strrchr(file, '/');
    put_line(2, "%s:%d: CHECK(%s) failed, errno %d\n", base ? base + 1 : file, line, expr, err);
    _exit(1);
}
#define CHECK(e) ((e) ? (void)0 : check_failed(__FILE__, __LINE__, #e, errno))
// The machine does not allow the test: exit status 77, the last line of stdout is the reason.
#define SKIP(...) (put_line(1, __VA_ARGS__), put_line(1, "\n"), _exit(77))
// A number worth showing next to `ok NAME`.
#define NOTE(...) (put_line(1, "note: "), put_line(1, __VA_ARGS__), put_line(1, "\n"))

// The value in kB of a field of /proc/self/status ("VmHWM:", "VmRSS:", "VmSize:"), 0 if absent.
SHARED long status_kb(const char *field) {
    char text[4096];
    int fd = open("/proc/self/status", O_RDONLY);
    if (fd < 0) return 0;
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    if (n < 0) return 0;
    text[n] = 0;
    const char *at = strstr(text, field);
    return at ? atol(at + strlen(field)) : 0;
}
SHARED long rss_mb(void) { return status_kb("VmRSS:") / 1024; }
SHARED long peak_mb(void) { return status_kb("VmHWM:") / 1024; }

// How many mappings the process is to the kernel.
SHARED long mappings(void) {
    static char text[65536];
    int fd = open("/proc/self/maps", O_RDONLY);
    if (fd < 0) return 0;
    long lines = 0;
    for (ssize_t n; (n = read(fd, text, sizeof text)) > 0;)
        for (ssize_t i = 0; i < n; i++) lines += text[i] == '\n';
    close(fd);
    return lines;
}

// Whether HAKMEM serves in a hardened form, where figures of memory and mappings are others.
SHARED int is_hardened(void) {
    const char *mode = getenv("HAKMEM_HARDENED");
    return mode && strcmp(mode, "0") != 0;
}

// Whether in its full form: what is freed is closed, held back for a while, and handed out in any order.
SHARED int is_full(void) {
    const char *mode = getenv("HAKMEM_HARDENED");
    return mode && strcmp(mode, "1") == 0;
}

// Whether the mapping that `at` lies in has this one of the kernel's flags (proc_pid_smaps(5)), a space before it.
SHARED int has_vm_flag(const void *at, const char *flag) {
    static char line[4096];
    FILE *maps = fopen("/proc/self/smaps", "r");
    CHECK(maps);
    int inside = 0, seen = 0, found = 0;
    while (fgets(line, sizeof line, maps)) {
        unsigned long from, to;
        if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
            inside = (unsigned long)at >= from && (unsigned long)at < to;
        if (inside && strncmp(line, "VmFlags:", 8) == 0)
            seen = 1, found = !!strstr(line, flag);
    }
    fclose(maps);
    if (!seen) SKIP("no VmFlags in smaps");
    return found;
}

SHARED double cpu_seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

// How often a test does what it would do `n` times: SHORT=1 (scripts/check_options.py, which runs it many times over) is for an eighth.
SHARED int few_of(int n) { return getenv("SHORT") ? (n + 7) / 8 : n; }

SHARED void sleep_ms(long ms) {
    struct timespec t = {ms / 1000, ms % 1000 * 1000000};
    while (nanosleep(&t, &t) != 0 && errno == EINTR) {
    }
}

typedef struct {
    uint64_t state;
} Random;
SHARED uint64_t next_random(Random *r) { // xorshift64*: the same numbers in every run
    r->state ^= r->state >> 12;
    r->state ^= r->state << 25;
    r->state ^= r->state >> 27;
    return r->state * 0x2545F4914F6CDD1DULL;
}
SHARED size_t random_between(Random *r, size_t low, size_t high) { return low + (size_t)((next_random(r) >> 20) % (high - low + 1)); }

// Both sides of every boundary an allocator is likely to have, from nothing to 5 MB.
static const size_t all_sizes[] __attribute__((unused)) = {
    0,     1,     7,     8,     15,    16,    17,    24,    31,    32,     33,     48,     63,     64,     65,      80,      100,     112,
    127,   128,   129,   160,   192,   255,   256,   257,   320,   500,    512,    513,    640,    768,    1000,    1023,    1024,    1025,
    1280,  1536,  2000,  2048,  2049,  3000,  4095,  4096,  4097,  5000,   8192,   10000,  16384,  20000,  32768,   50000,   61440,   65535,
    65536, 65537, 70000, 81920, 100000, 131072, 200000, 262144, 500000, 1048576, 1048577, 3145728, 5000000,
};

// A stamp marks a block's first, last and some bytes between, so that loss, overlap and a bad copy show.
SHARED unsigned char stamp_byte(size_t offset, unsigned seed) { return (unsigned char)(seed * 37u + (unsigned)(offset >> 3) * 11u + 1u); }
SHARED size_t stamp_step(size_t size) { return size <= 64 * KIB ? 61 : 64 * KIB - 13; }
SHARED void stamp(void *block, size_t size, unsigned seed) {
    unsigned char *b = (unsigned char *)block;
    for (size_t i = 0; i < size; i += stamp_step(size)) b[i] = stamp_byte(i, seed);
    if (size) b[size - 1] = (unsigned char)~seed;
}
// `kept` bytes of a block stamped when it had `size` bytes are still there.
SHARED int stamped_up_to(const void *block, size_t size, unsigned seed, size_t kept) {
    const unsigned char *b = (const unsigned char *)block;
    for (size_t i = 0; i < size && i < kept; i += stamp_step(size))
        if (i != size - 1 && b[i] != stamp_byte(i, seed)) return 0;
    return !size || kept < size || b[size - 1] == (unsigned char)~seed;
}
SHARED int stamped(const void *block, size_t size, unsigned seed) { return stamped_up_to(block, size, seed, size); }

SHARED int all_bytes_are(const void *block, size_t size, unsigned char byte) {
    const unsigned char *b = (const unsigned char *)block;
    return size == 0 || (b[0] == byte && memcmp(b, b + 1, size - 1) == 0);
}
SHARED int aligned_to(const void *block, size_t alignment) { return ((uintptr_t)block & (alignment - 1)) == 0; }

// One round through malloc, calloc, realloc, memalign and free at every size; needs less than 1 KiB of stack. Alignment is
// not looked at here, conformance/align16.c does that.
SHARED void use_sizes_up_to(size_t limit, unsigned seed) {
    for (size_t i = 0; i < COUNT(all_sizes) && all_sizes[i] <= limit; i++) {
        size_t n = all_sizes[i];
        void *p = malloc(n);
        CHECK(p);
        stamp(p, n, seed);
        void *q = calloc(1, n);
        CHECK(q && q != p);
        CHECK(n == 0 || (((char *)q)[0] == 0 && ((char *)q)[n / 2] == 0 && ((char *)q)[n - 1] == 0));
        void *r = realloc(p, n * 2 + 1);
        CHECK(r && stamped(r, n, seed));
        void *s = memalign(64, n | 1);
        CHECK(s && aligned_to(s, 64));
        stamp(s, n, seed + 1);
        free(q);
        CHECK(stamped(r, n, seed) && stamped(s, n, seed + 1));
        free(r);
        free(s);
    }
}
SHARED void use_all_sizes(unsigned seed) { use_sizes_up_to(SIZE_MAX, seed); }

// Threads of the suite: a small stack, and a CHECK on every call.
SHARED pthread_t start_thread(void *(*run)(void *), void *arg) {
    pthread_attr_t attr;
    pthread_t thread;
    CHECK(pthread_attr_init(&attr) == 0 && pthread_attr_setstacksize(&attr, 128 * KIB) == 0);
    CHECK(pthread_create(&thread, &attr, run, arg) == 0);
    pthread_attr_destroy(&attr);
    return thread;
}
SHARED void join_thread(pthread_t thread) { CHECK(pthread_join(thread, NULL) == 0); }

// Misuse of a small block may be reported when it happens or when the cache it went into is flushed. This makes every
// flush there is happen: thousands of blocks of the size allocated and freed, by another thread as well, and a trim.
static void *flush_blocks[20000];
SHARED void *flush_round(void *size_of_block) {
    size_t size = *(const size_t *)size_of_block, n = COUNT(flush_blocks);
    if (n * size > 64 * MIB) n = 64 * MIB / size;
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < n; i++) flush_blocks[i] = malloc(size);
        for (size_t i = 0; i < n; i++) free(flush_blocks[i]);
    }
    malloc_trim(0);
    return NULL;
}
// The end of a misuse program's main: all flushes, then the exit of the thread. Gets out of here only by an abort.
__attribute__((noreturn)) SHARED void flush_everything(size_t size) {
    flush_round(&size);
    join_thread(start_thread(flush_round, &size));
    flush_round(&size);
    put_line(1, "the misuse was not reported before the thread's exit\n");
    pthread_exit(NULL);
}

// Keep the compiler from knowing where a pointer comes from.
SHARED void *launder(void *pointer) {
    __asm__ volatile("" : "+r"(pointer));
    return pointer;
}
#endif
