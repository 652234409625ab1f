// How much stack each call takes: 1,040 bytes (on arm64 an eighth more) at most for malloc, free and their kin on any path, 2 KiB for statistics. Each runs on
// a painted coroutine's stack of its own, in threads that are new, in every mode that has paths of its own.
// (Today's glibc takes about 500 bytes. A coroutine has a page or two, and a thread of PTHREAD_STACK_MIN not much more.)
// (HAKMEM_TRACE walks the stack with libc's unwinder, and HAKMEM_SS_*_DEBUG print at the deepest place: some 2.4 and 1.2 KiB.)
// hakmem
// cflags: -Wl,-z,now
// stderr: any
// run: $RUN && for MODE in HARDENED=1 HARDENED=light GUARD_RATE=3 TINY_HEAP_V2=0 LEARN=0 DECAY_MS=0 HARD_LIMIT=48M SOFT_LIMIT=1M LEARN_LOG=1 TINY_FRONT_DIRECT=1 REMOTE_NODES=0 SLOT_NODES=0 PRESSURE=always BACKGROUND=1 STATS_SIGNAL=USR2 PROF=1 PROF_SIGNAL=USR2; do env HAKMEM_$MODE $RUN || { echo "with HAKMEM_$MODE"; exit 1; }; done && HAKMEM_PROF=1 HAKMEM_PROF_UNWIND=fp HAKMEM_PROF_PEAKS=2 HAKMEM_HARD_LIMIT=48M HAKMEM_SOFT_LIMIT=1M $RUN
#include "check.h"
#include "hakmem.h"
#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>

// On arm64 a frame holds up to twelve saved registers instead of seven, and is a multiple of 16 bytes with them.
#ifdef __aarch64__
enum { CALL = 1152, REPORT = 2304 };
#else
enum { CALL = KIB + 16, REPORT = 2 * KIB };
#endif
enum { STACK = 64 * KIB, PAINT = 0xA5 };
static __thread ucontext_t home, coroutine;
static __thread void (*job)(void);
static size_t worst[2];
static const char *worst_name[2];

static void body(void) { job(); }

// Bytes of a stack of its own that `work` writes, without what a coroutine takes that does nothing.
static size_t bytes_of(char *stack, void (*work)(void)) {
    memset(stack, PAINT, STACK);
    job = work;
    CHECK(getcontext(&coroutine) == 0);
    coroutine.uc_stack.ss_sp = stack;
    coroutine.uc_stack.ss_size = STACK;
    coroutine.uc_link = &home;
    makecontext(&coroutine, body, 0);
    CHECK(swapcontext(&home, &coroutine) == 0);
    size_t low = 0;
    while (low < STACK && (unsigned char)stack[low] == PAINT) low++;
    return STACK - low;
}

static void nothing(void) {}

enum { KEPT = 3000 };
static __thread void *kept[KEPT];
static __thread size_t size, align;
static void *foreign[KEPT];

static void do_malloc(void) { kept[0] = malloc(size); }
static void do_calloc(void) { kept[0] = calloc(1, size); }
static void do_at_least(void) {
    size_t got;
    kept[0] = hak_malloc_at_least(size, &got);
}
static void do_expand(void) { (void)hak_expand(kept[0], size, size * 2); }
static void do_aligned(void) { kept[0] = aligned_alloc(align, size); }
static void do_realloc(void) { kept[0] = realloc(kept[0], size); }
static void do_free(void) { free(kept[0]), kept[0] = NULL; }
static void do_usable(void) { malloc_usable_size(kept[0]); }
static void fill(void) {
    for (int i = 0; i < KEPT; i++) kept[i] = malloc(size);
}
static void drain(void) {
    for (int i = 0; i < KEPT; i++) free(kept[i]), kept[i] = NULL;
}
static void drain_foreign(void) {
    for (int i = 0; i < KEPT; i++) free(foreign[i]), foreign[i] = NULL;
}
static void trim(void) { malloc_trim(0); }
static void flush(void) { hak_thread_flush(); }
static void too_much(void) { CHECK(malloc((size_t)1 << 46) == NULL); }
static void until_refused(void) { // at a hard limit, or 128 MiB without
    static __thread void *blocks[512];
    for (int i = 0; i < 512 && (blocks[i] = malloc(256 * KIB)); i++) continue;
    for (int i = 0; i < 512; i++) free(blocks[i]), blocks[i] = NULL;
}

static char text[64 * KIB];
static FILE *sink;
static void do_mallinfo2(void) { (void)mallinfo2(); }
static void do_mallinfo(void) { (void)mallinfo(); }
static void do_stats_get(void) {
    static struct hak_stats stats;
    CHECK(hak_stats_get(&stats, sizeof stats) == 0);
}
static void do_text(void) { CHECK(hak_stats_text(text, sizeof text) > 0); }
static void do_json(void) { CHECK(hak_stats_json(text, sizeof text) > 0); }
static void do_prometheus(void) { CHECK(hak_stats_prometheus(text, sizeof text) > 0); }
static int visit(const struct hak_heap_class *class, void *arg) { return 0; }
static void do_walk(void) { CHECK(hak_heap_walk(visit, NULL) == 0); }
static void do_policy(void) { hak_policy_print(); }
static void do_malloc_stats(void) { malloc_stats(); }
static ssize_t swallow(void *cookie, const char *bytes, size_t n) { return (ssize_t)n; }
static void do_malloc_info(void) { CHECK(malloc_info(0, sink) == 0); }
static void do_dump(void) { (void)hak_prof_dump("profile-%p.pb"); }
static void do_signal(void) { // the handler leaves a note: the report is written by the next slow path
    for (int i = 0; i < 40; i++) kept[i] = malloc(60000);
    for (int i = 0; i < 40; i++) free(kept[i]), kept[i] = NULL;
}

static void check_most(char *stack, const char *name, void (*work)(void), size_t most) {
    size_t used = bytes_of(stack, work) - bytes_of(stack, nothing);
    if (used > STACK) used = 0;
    size_t *top = &worst[most > CALL];
    if (used > *top) *top = used, worst_name[most > CALL] = name;
    if (used <= most) return;
    put_line(1, "%s of %zu bytes, alignment %zu: %zu bytes of stack, %zu at most\n", name, size, align, used, most);
    _exit(1);
}
#define AT_MOST(most, work) check_most(stack, #work, work, most)

static void *first_calls(void *which) {
    static void (*const calls[])(void) = {do_malloc, do_calloc, do_aligned, do_realloc, do_mallinfo2, trim};
    char *stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(stack != MAP_FAILED);
    align = 64, size = 100;
    check_most(stack, "a thread's first call", calls[(uintptr_t)which], (uintptr_t)which == 4 ? REPORT : CALL);
    free(kept[0]), kept[0] = NULL;
    munmap(stack, STACK);
    return NULL;
}

static void *all_calls(void *unused) {
    char *stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(stack != MAP_FAILED);
    align = 64;
    for (size_t i = 0; i < COUNT(all_sizes); i++) {
        size = all_sizes[i];
        AT_MOST(CALL, do_malloc);
        AT_MOST(CALL, do_usable);
        size = size * 2 + 1;
        AT_MOST(CALL, do_realloc);
        size = size / 8 + 1;
        AT_MOST(CALL, do_realloc);
        AT_MOST(CALL, do_free);
        AT_MOST(CALL, do_calloc);
        AT_MOST(CALL, do_free);
        AT_MOST(CALL, do_at_least);
        AT_MOST(CALL, do_expand);
        AT_MOST(CALL, do_free);
        for (align = 32; align <= 4 * MIB; align *= 32) {
            AT_MOST(CALL, do_aligned);
            AT_MOST(CALL, do_free);
        }
        align = 64;
    }
    for (size = 16; size <= 8192; size *= 8) {
        AT_MOST(CALL, fill);
        AT_MOST(CALL, drain);
        for (int n = 0; n < 40; n++) fill(), drain();
        sleep_ms(30);
        AT_MOST(CALL, fill);
        AT_MOST(CALL, drain);
    }
    AT_MOST(CALL, drain_foreign);
    AT_MOST(CALL, flush);
    AT_MOST(CALL, until_refused);
    AT_MOST(CALL, too_much);
    AT_MOST(CALL, trim);
    AT_MOST(REPORT, do_mallinfo2);
    AT_MOST(REPORT, do_mallinfo);
    AT_MOST(REPORT, do_stats_get);
    AT_MOST(REPORT, do_text);
    AT_MOST(REPORT, do_json);
    AT_MOST(REPORT, do_prometheus);
    AT_MOST(REPORT, do_walk);
    AT_MOST(REPORT, do_policy);
    AT_MOST(REPORT, do_malloc_stats);
    AT_MOST(REPORT, do_malloc_info);
    const char *report = getenv("HAKMEM_STATS_SIGNAL");
    if (report && *report) {
        static const char *const forms[] = {"1", "json:/dev/null", "prom:/dev/null", "text:report-%p.txt"};
        for (size_t i = 0; i < COUNT(forms); i++) {
            CHECK(hak_option_set("HAKMEM_STATS", forms[i]) == 0);
            raise(SIGUSR2);
            AT_MOST(REPORT, do_signal);
        }
        CHECK(hak_option_set("HAKMEM_STATS", "0") == 0);
    }
    const char *profile = getenv("HAKMEM_PROF_SIGNAL");
    if (profile && *profile) {
        CHECK(hak_option_set("HAKMEM_PROF_FILE", "profile-%p.pb") == 0);
        for (int i = 0; i < 3; i++) {
            raise(SIGUSR2);
            AT_MOST(REPORT, do_signal);
        }
    }
    AT_MOST(REPORT, do_dump);
    munmap(stack, STACK);
    return NULL;
}

int main(void) {
    CHECK(freopen("/dev/null", "w", stderr) == stderr);
    sink = fopencookie(NULL, "w", (cookie_io_functions_t){.write = swallow});
    CHECK(sink && setvbuf(sink, NULL, _IONBF, 0) == 0);
    for (uintptr_t which = 0; which < 6; which++) join_thread(start_thread(first_calls, (void *)which));
    // Threads of which some are born while others' heaps are in use: new heaps, and adopted ones.
    for (int i = 0; i < KEPT; i++) foreign[i] = malloc(i % 900);
    pthread_t other = start_thread(all_calls, NULL);
    join_thread(other);
    join_thread(start_thread(first_calls, NULL));
    NOTE("%zu bytes at most (%s), statistics %zu (%s)", worst[0], worst_name[0], worst[1], worst_name[1]);
    return 0;
}
