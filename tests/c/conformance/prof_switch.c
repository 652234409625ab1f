// The profiler is switched on and off all the time while threads allocate, hand over, reallocate, come and go, have stacks of 16 KiB, are cancelled,
// take signals whose handler interrupts malloc, open and close a library, and fork: no block is lost or handed out twice, nothing hangs.
// hakmem
// stderr: any
// env: HAKMEM_PROF_RATE=2000
// run: for MODE in HAKMEM_LEARN=1 HAKMEM_TINY_HEAP_V2=0 HAKMEM_HARDENED=1 HAKMEM_HARDENED=light HAKMEM_GUARD_RATE=5 HAKMEM_BACKGROUND=1; do env $MODE HAKMEM_PROF_FILE=$TMP/p.pb $RUN || { echo "with $MODE"; exit 1; }; done
#include "check.h"
#include <dlfcn.h>
#include <hakmem.h>
#include <limits.h>
#include <signal.h>
#include <sys/wait.h>

enum { SLOTS = 512, WORKERS = 3 };
static ATOMIC(void *) shared[SLOTS];
static ATOMIC(int) stop, handled;

static uint64_t next(uint64_t *state) {
    *state ^= *state << 13, *state ^= *state >> 7, *state ^= *state << 17;
    return *state;
}
static size_t size_of(uint64_t draw) {
    static const size_t least[] = {16, 16, 16, 100, 100, 1000, 5000, 70000, 300000, 1200000};
    size_t base = least[draw % COUNT(least)];
    return base + (draw >> 8) % base;
}
// Its size stands at both ends.
static void *label(void *block, size_t size) {
    CHECK(block);
    memcpy(block, &size, sizeof size);
    memcpy((char *)block + size - sizeof size, &size, sizeof size);
    return block;
}
static size_t whole(void *block) {
    size_t size, end;
    memcpy(&size, block, sizeof size);
    CHECK(size >= 16 && size < 3 * MIB && malloc_usable_size(block) >= size);
    memcpy(&end, (char *)block + size - sizeof size, sizeof end);
    CHECK(end == size);
    return size;
}
static void turn(uint64_t *state) {
    uint64_t draw = next(state);
    size_t size = size_of(draw >> 16);
    void *block;
    switch (draw % 8) {
    case 0: block = calloc(1, size); break;
    case 1: block = aligned_alloc(256, (size + 255) & ~(size_t)255); break;
    case 2:
        block = label(malloc(64), 64);
        block = realloc(block, size);
        break;
    default: block = malloc(size);
    }
    block = atomic_exchange(&shared[(draw >> 40) % SLOTS], label(block, size));
    if (!block) return;
    if (draw % 3 == 0) {
        whole(block);
        size = size_of(draw >> 24);
        block = label(realloc(block, size), size);
    }
    whole(block);
    free(block);
}

static void *work(void *arg) {
    uint64_t state = (uintptr_t)arg * 0x9E3779B97F4A7C15u + 1;
    while (!stop) turn(&state);
    return NULL;
}
static void *brief(void *arg) {
    uint64_t state = (uintptr_t)arg + 77;
    for (int i = 0; i < 40; i++) turn(&state);
    return NULL;
}
static void *cancelled(void *arg) {
    uint64_t state = 5;
    for (;;) turn(&state), pthread_testcancel();
    return arg;
}
static void on_signal(int number) {
    (void)number;
    handled++;
}

int main(void) {
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    pthread_t worker[WORKERS], one;
    pthread_attr_t small;
    CHECK(pthread_attr_init(&small) == 0 && pthread_attr_setstacksize(&small, PTHREAD_STACK_MIN) == 0);
    for (intptr_t i = 0; i < WORKERS; i++) CHECK(pthread_create(&worker[i], NULL, work, (void *)i) == 0);
    struct timespec start, now;
    clock_gettime(CLOCK_MONOTONIC, &start);
    int rounds = 0;
    do {
        CHECK(hak_prof_start() == 0);
        CHECK(pthread_create(&one, &small, brief, (void *)(intptr_t)rounds) == 0);
        for (int i = 0; i < WORKERS; i++) pthread_kill(worker[i], SIGUSR1);
        CHECK(pthread_join(one, NULL) == 0);
        CHECK(pthread_create(&one, NULL, cancelled, NULL) == 0 && pthread_cancel(one) == 0);
        if (rounds % 8 == 0) {
            pid_t child = fork();
            CHECK(child >= 0);
            if (child == 0) {
                brief(NULL);
                hak_prof_stop();
                brief(NULL);
                CHECK(hak_prof_start() == 0);
                brief(NULL);
                CHECK(hak_prof_dump(NULL) == 0);
                _exit(0);
            }
            int status;
            CHECK(waitpid(child, &status, 0) == child && status == 0);
        }
        void *library = dlopen("libm.so.6", RTLD_NOW);
        if (rounds % 3) hak_prof_stop();
        CHECK(pthread_join(one, NULL) == 0);
        if (library) dlclose(library);
        if (rounds % 16 == 5) CHECK(hak_prof_dump(NULL) == 0);
        rounds++;
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while (now.tv_sec - start.tv_sec < 1);
    stop = 1;
    for (int i = 0; i < WORKERS; i++) CHECK(pthread_join(worker[i], NULL) == 0);
    for (int i = 0; i < SLOTS; i++) {
        void *block = shared[i];
        if (block) whole(block), free(block);
    }
    NOTE("%d rounds", rounds);
    return 0;
}
