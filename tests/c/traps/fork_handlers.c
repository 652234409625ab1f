// forms: preload first last archive static late
// Fork handlers of others allocate, registered before ours and after, and hand work to other threads, which allocate, free and end meanwhile
#include "check.h"
#include <sys/wait.h>

enum { BLOCKS = 3000, HELD = 400 };
static void *before[BLOCKS], *kept[HELD];
static size_t sizes[HELD];
static int rounds, forks_within;

static void fill(void *block, size_t size, int with) {
    memset(block, with, size < 64 ? size : 64);
    ((unsigned char *)block)[size - 1] = (unsigned char)with;
}

static void empty(void) {
    for (int i = 0; i < HELD; i++) {
        if (!kept[i]) continue;
        unsigned char *block = kept[i];
        CHECK(block[0] == (unsigned char)i && block[sizes[i] - 1] == (unsigned char)i);
        free(block);
        kept[i] = NULL;
    }
}

static size_t size_of(int i) { return i % 50 == 49 ? (size_t)i * 20000 : (size_t)(i % 40) * 611 + 1; }

// All that a program may ask for: new blocks, grown and shrunk, aligned, zeroed, and frees of those from before.
static void *work(void *unused) {
    (void)unused;
    empty();
    for (int i = 0; i < HELD; i++) {
        size_t size = sizes[i] = size_of(i);
        unsigned char *block;
        switch (i % 4) {
        case 0:
            block = calloc(1, size);
            for (size_t at = 0; at < size; at++) CHECK(block[at] == 0);
            break;
        case 1:
            block = memalign(256, size);
            CHECK(((uintptr_t)block & 255) == 0);
            break;
        case 2:
            block = malloc(10);
            memset(block, 'r', 10);
            block = realloc(block, size + 10);
            CHECK(block[0] == 'r' && block[9] == 'r');
            sizes[i] = size = size + 10;
            break;
        default: block = malloc(size);
        }
        CHECK(block);
        fill(block, size, i);
        kept[i] = block;
    }
    for (int i = rounds; i < BLOCKS; i += 40) free(before[i]), before[i] = NULL;
    // Frees of what was made a moment ago.
    for (int i = 0; i < HELD; i += 3) free(kept[i]), kept[i] = NULL;
    return NULL;
}

static void in_thread(void) {
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, work, NULL) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
}

static void prepare_early(void) { in_thread(); work(NULL); in_thread(); }
static void parent_early(void) { work(NULL); in_thread(); }
static void child_early(void) { work(NULL); in_thread(); }
static void prepare_late(void) {
    work(NULL);
    if (rounds == few_of(8) - 1 && !forks_within) { // a handler that forks
        forks_within = 1;
        pid_t child = fork();
        if (!child) { work(NULL); _exit(0); }
        int status;
        CHECK(waitpid(child, &status, 0) == child && status == 0);
    }
}
static void after_late(void) { work(NULL); }

static void early(int n, char **arg, char **vars) {
    (void)n, (void)arg, (void)vars;
    pthread_atfork(prepare_early, parent_early, child_early);
}
// Before every constructor, ours too: these handlers' prepare runs after ours, the others before ours.
__attribute__((section(".preinit_array"), used)) static void (*const early_entry)(int, char **, char **) = early;

static atomic_int stop;
static void *busy(void *unused) {
    (void)unused;
    void *ring[600] = {0};
    for (unsigned i = 0; !stop; i++) {
        free(ring[i % 600]);
        ring[i % 600] = malloc(i * 37 % 9000 + 1);
    }
    for (int i = 0; i < 600; i++) free(ring[i]);
    return NULL;
}

int main(void) {
    pthread_atfork(prepare_late, after_late, after_late);
    for (int i = 0; i < BLOCKS; i++) {
        before[i] = malloc((size_t)i * 13 % 5000 + 1);
        fill(before[i], (size_t)i * 13 % 5000 + 1, 1);
    }
    pthread_t threads[2];
    for (int with = 0; with < 2; with++) {
        for (int i = 0; with && i < 2; i++) CHECK(pthread_create(&threads[i], NULL, busy, NULL) == 0);
        for (int i = 0; i < few_of(20); i++, rounds++) {
            alarm(getenv("EMULATOR") ? 60 : 30);
            pid_t child = fork();
            CHECK(child >= 0);
            if (!child) {
                in_thread();
                empty();
                for (int b = 0; b < BLOCKS; b++) free(before[b]);
                _exit(0);
            }
            int status;
            CHECK(waitpid(child, &status, 0) == child && status == 0);
        }
    }
    stop = 1;
    for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
    CHECK(forks_within == 1);
    empty();
    for (int b = 0; b < BLOCKS; b++) free(before[b]);
    return 0;
}
