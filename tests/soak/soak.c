// One run of the soak test: threads that allocate, resize and free at random, each other's blocks too; that end and begin
// anew; that fork in the middle of it. Every byte of every block is written when it is made, and checked when it is resized
// or freed. run.sh says in which modes and with which faults, and adds up what the runs print.
//
// usage: soak SECONDS SEED FAULT      FAULT: none | limit (RLIMIT_AS comes and goes) | refuse (mmap, munmap, mremap and
// madvise answer ENOMEM at random). With a fault a call may return null with ENOMEM; without one it may not.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

enum { THREADS = 4, SLOTS = 4096, SHARED_SLOTS = 512, STACK = 256 << 10, CHILD_OPERATIONS = 2000 };

typedef struct {
    unsigned char *at;
    size_t size;
    uint64_t key;
} Block;

// In memory shared with the children.
typedef struct {
    _Atomic uint64_t operations, bytes, forks, threads, refused, nulls;
} Totals;
static Totals *totals;

typedef struct {
    uint64_t state;
    uint64_t operations, bytes, nulls;
    size_t slots;
    Block held[SLOTS];
} Worker;
static Worker workers[THREADS];
static char stacks[THREADS][STACK] __attribute__((aligned(4096)));
static struct {
    pthread_mutex_t lock;
    Block block;
} shared[SHARED_SLOTS];

static enum { NONE, LIMIT, REFUSE } fault;
static _Atomic int stop;
static uint64_t seed;

static void fail(const char *what, const Block *block, size_t at) {
    char line[256];
    int n = snprintf(line, sizeof line, "soak: FAILED: %s: block %p of %zu bytes, byte %zu, errno %d, seed %llu\n", what,
                     (void *)block->at, block->size, at, errno, (unsigned long long)seed);
    if (write(2, line, (size_t)n) < 0) { /* nobody to tell */
    }
    _exit(1);
}

static uint64_t next(uint64_t *state) { // xorshift64*
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 0x2545F4914F6CDD1DULL;
}
static size_t below(Worker *w, size_t n) { return (size_t)((next(&w->state) >> 16) % n); }

static uint64_t word(uint64_t key, size_t i) { return (key + i) * 0x9E3779B97F4A7C15ULL; }

static void fill(Worker *w, Block *b) {
    b->key = next(&w->state);
    size_t i = 0;
    for (; i + 8 <= b->size; i += 8) {
        uint64_t v = word(b->key, i);
        memcpy(b->at + i, &v, 8);
    }
    uint64_t last = word(b->key, i);
    memcpy(b->at + i, &last, b->size - i);
}

// The first `kept` bytes are those of a block that was filled.
static void check(Worker *w, const Block *b, size_t kept) {
    size_t i = 0;
    for (; i + 8 <= kept; i += 8) {
        uint64_t v = word(b->key, i);
        if (memcmp(b->at + i, &v, 8) != 0) fail("contents", b, i);
    }
    uint64_t last = word(b->key, i);
    if (memcmp(b->at + i, &last, kept - i) != 0) fail("contents", b, i);
    w->bytes += kept;
}

// Takes in what an allocation returned; says whether that was a block.
static int made(Worker *w, Block *b, void *at, size_t size, size_t align) {
    w->operations++;
    if (!at) {
        *b = (Block){0};
        if (errno != ENOMEM) fail("null without ENOMEM", b, size);
        if (fault == NONE) fail("null without a fault", b, size);
        w->nulls++;
        return 0;
    }
    *b = (Block){at, size, 0};
    if ((uintptr_t)at % align) fail("alignment", b, align);
    if (malloc_usable_size(at) < size) fail("usable size", b, malloc_usable_size(at));
    return 1;
}

static size_t any_size(Worker *w) {
    uint64_t r = next(&w->state) >> 40;
    unsigned top = r % 4096 == 0 ? 23 : r % 512 == 0 ? 20 : r % 32 == 0 ? 16 : r % 8 == 0 ? 11 : 8;
    return below(w, (size_t)1 << (1 + below(w, top))) + (r & 1);
}

static void drop(Worker *w, Block *b) {
    if (!b->at) return;
    check(w, b, b->size);
    errno = 7411;
    free(b->at);
    if (errno != 7411) fail("free changed errno", b, 0);
    w->operations++;
    b->at = NULL;
}

static void make(Worker *w, Block *b) {
    size_t size = any_size(w), align;
    switch (below(w, 8)) {
    case 0:
        if (made(w, b, calloc(1, size), size, 16)) {
            for (size_t i = 0; i < size; i++)
                if (b->at[i]) fail("calloc is not zero", b, i);
            w->bytes += size;
        }
        break;
    case 1:
        align = (size_t)16 << (below(w, 256) ? below(w, 9) : below(w, 18));
        made(w, b, memalign(align, size), size, align);
        break;
    default:
        made(w, b, malloc(size), size, 16);
    }
    if (b->at) fill(w, b);
}

static void resize(Worker *w, Block *b) {
    if (!b->at) return make(w, b);
    size_t size = any_size(w) | 1;
    check(w, b, b->size);
    Block old = *b;
    void *at = realloc(b->at, size);
    if (!made(w, b, at, size, 16)) { // the old one stays
        *b = old;
        return check(w, b, b->size);
    }
    b->key = old.key;
    check(w, b, size < old.size ? size : old.size);
    fill(w, b);
}

static void exchange(Worker *w, Block *b) {
    size_t i = below(w, SHARED_SLOTS);
    pthread_mutex_lock(&shared[i].lock);
    Block theirs = shared[i].block;
    shared[i].block = *b;
    pthread_mutex_unlock(&shared[i].lock);
    *b = theirs;
    if (b->at && below(w, 2)) drop(w, b);
}

static void operate(Worker *w) {
    Block *b = &w->held[below(w, w->slots)];
    size_t what = below(w, 64);
    if (what < 40) drop(w, b), make(w, b);
    else if (what < 52) resize(w, b);
    else if (what < 62 || below(w, 64)) exchange(w, b);
    else if (below(w, 4)) { // a long run of frees, then one of allocations of one size
        size_t n = 1 + below(w, w->slots), size = any_size(w) % 2048;
        for (size_t i = 0; i < n; i++) drop(w, &w->held[i]);
        for (size_t i = 0; i < n; i++)
            if (made(w, &w->held[i], malloc(size), size, 16)) fill(w, &w->held[i]);
    } else if (below(w, 64) == 0) malloc_trim(0);
}

static void count(Worker *w) {
    totals->operations += w->operations;
    totals->bytes += w->bytes;
    totals->nulls += w->nulls;
    w->operations = w->bytes = w->nulls = 0;
}

// All of ours is there, can be freed, and the allocator serves.
static void child(Worker *w) {
    signal(SIGALRM, SIG_DFL);
    alarm(120);
    w->operations = w->bytes = w->nulls = 0;
    for (size_t i = 0; i < w->slots; i++) drop(w, &w->held[i]);
    for (int i = 0; i < CHILD_OPERATIONS; i++) {
        Block *b = &w->held[below(w, w->slots)];
        if (i % 3) drop(w, b), make(w, b);
        else resize(w, b);
    }
    count(w);
    _exit(0);
}

static void try_fork(Worker *w) {
    pid_t pid = fork();
    if (pid == 0) child(w);
    if (pid < 0) {
        if (fault == NONE && errno != EAGAIN) fail("fork", &w->held[0], 0);
        return;
    }
    int status;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR) fail("waitpid", &w->held[0], 0);
    if (status != 0) fail(WIFSIGNALED(status) ? "a child died of a signal" : "a child failed", &w->held[0], (size_t)status);
    totals->forks++;
}

static void *work(void *worker) {
    Worker *w = worker;
    size_t left = 5000 + below(w, 400000);
    w->slots = (size_t)1 << (6 + below(w, 7));
    for (; left && !stop; left--) {
        operate(w);
        if (left % 1024 == 0) count(w);
        if (below(w, 20000) == 0) try_fork(w);
    }
    // What it holds lives on with the others, as far as there is room for it.
    for (size_t i = 0; i < SLOTS; i++)
        if (below(w, 2)) drop(w, &w->held[i]);
        else exchange(w, &w->held[i]), drop(w, &w->held[i]);
    count(w);
    totals->threads++;
    return NULL;
}

// SIGSYS: a call that the filter stopped. One in eight is refused, the others are made here; the sixth argument, which
// these calls do not look at, gets them through the filter.
#define MAGIC 0x5A5A0000L
static _Atomic uint32_t draws = 1;
static void on_call(int signal, siginfo_t *info, void *context) {
    mcontext_t *at = &((ucontext_t *)context)->uc_mcontext;
#ifdef __aarch64__
#define RESULT at->regs[0]
    long arguments[] = {at->regs[0], at->regs[1], at->regs[2], at->regs[3], at->regs[4]};
#else
#define RESULT at->gregs[REG_RAX]
    long arguments[] = {at->gregs[REG_RDI], at->gregs[REG_RSI], at->gregs[REG_RDX], at->gregs[REG_R10], at->gregs[REG_R8]};
#endif
    int saved = errno;
    uint32_t draw = (draws++ * 2654435761u) >> 16;
    if (draw % 8 == 0) {
        RESULT = -ENOMEM;
        totals->refused++;
    } else {
        long got = syscall(info->si_syscall, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], MAGIC);
        RESULT = got == -1 ? -errno : got;
    }
    errno = saved;
}

static void refuse_calls(void) {
#define ARGUMENT(n) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[n]))
    struct sock_filter filter[] = {
        ARGUMENT(5),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, MAGIC, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_madvise, 6, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_munmap, 5, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_mremap, 4, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_mmap, 0, 2),
        ARGUMENT(3), // only anonymous ones, whose offset means nothing
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, MAP_ANONYMOUS, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
    };
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    struct sigaction action = {.sa_sigaction = on_call, .sa_flags = SA_SIGINFO | SA_NODEFER | SA_RESTART};
    if (sigaction(SIGSYS, &action, NULL) != 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
        fprintf(stderr, "soak: seccomp is not permitted\n");
        exit(77);
    }
}

// RLIMIT_AS a little above what is mapped now, or none.
static void limit(uint64_t *state, int on) {
    struct rlimit as = {RLIM_INFINITY, RLIM_INFINITY};
    if (on) {
        unsigned long pages = 0;
        FILE *statm = fopen("/proc/self/statm", "r"); // main's own allocation: null is nothing to it
        if (!statm) return;
        int got = fscanf(statm, "%lu", &pages);
        fclose(statm);
        if (got != 1) return;
        as.rlim_cur = pages * 4096UL + (next(state) >> 16) % (48 << 20);
        totals->refused++;
    }
    setrlimit(RLIMIT_AS, &as);
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

int main(int argc, char **argv) {
    if (argc != 4) return fprintf(stderr, "usage: soak SECONDS SEED none|limit|refuse\n"), 2;
    double end = now() + atof(argv[1]);
    seed = strtoull(argv[2], NULL, 0);
    fault = !strcmp(argv[3], "limit") ? LIMIT : !strcmp(argv[3], "refuse") ? REFUSE : NONE;
    totals = mmap(NULL, sizeof *totals, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (totals == MAP_FAILED) return perror("mmap"), 2;
    for (size_t i = 0; i < SHARED_SLOTS; i++) pthread_mutex_init(&shared[i].lock, NULL);
    if (fault == REFUSE) refuse_calls();

    pthread_t threads[THREADS];
    int running[THREADS] = {0};
    uint64_t state = seed * 2 + 1;
    for (int i = 0; i < THREADS; i++) workers[i].state = next(&state) | 1;
    for (unsigned turn = 0; now() < end; turn++) {
        for (int i = 0; i < THREADS; i++) {
            if (running[i] && pthread_tryjoin_np(threads[i], NULL) == 0) running[i] = 0;
            if (running[i]) continue;
            // Its stack is ours: glibc would map, advise and unmap one with signals blocked, where a refusal kills.
            pthread_attr_t attr;
            pthread_attr_init(&attr);
            pthread_attr_setstack(&attr, stacks[i], STACK);
            running[i] = pthread_create(&threads[i], &attr, work, &workers[i]) == 0;
            pthread_attr_destroy(&attr);
        }
        if (fault == LIMIT) limit(&state, turn % 3 == 0);
        usleep(20000);
    }
    if (fault == LIMIT) limit(&state, 0);
    stop = 1;
    for (int i = 0; i < THREADS; i++)
        if (running[i]) pthread_join(threads[i], NULL);
    for (size_t i = 0; i < SHARED_SLOTS; i++) drop(&workers[0], &shared[i].block);
    count(&workers[0]);
    printf("operations %llu bytes %llu forks %llu threads %llu faults %llu nulls %llu\n", (unsigned long long)totals->operations,
           (unsigned long long)totals->bytes, (unsigned long long)totals->forks, (unsigned long long)totals->threads,
           (unsigned long long)totals->refused, (unsigned long long)totals->nulls);
    return 0;
}
