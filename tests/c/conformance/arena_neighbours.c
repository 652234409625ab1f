// What lies beside an arena's usual life: a limit of 0 is none, and one that no block fits under refuses all; blocks freed, resized or reset while a walk goes
// on; a destroy or a reset in fork's child, and the parent's arena as it was; destroyed by one thread with seats of others that live on, and use the next
// arena at the same handle; memory that can only be read, where an arena can be made, asked and ended, and only the program's own writes fault.
// hakmem
// run: for e in A=1 HAKMEM_TINY_HEAP_V2=0 HAKMEM_HARDENED=1 HAKMEM_HARDENED=light; do env $e $RUN || exit 1; done
#include "check.h"
#include <hakmem.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

static hak_arena *make(uint64_t limit, uint64_t flags) {
    struct hak_arena_options options = {.size = sizeof options, .limit = limit, .flags = flags};
    hak_arena *arena = hak_arena_new(&options);
    CHECK(arena);
    return arena;
}
static uint64_t live(hak_arena *arena) {
    struct hak_arena_figures f;
    CHECK(hak_arena_stats(arena, &f, sizeof f) == 0);
    return f.live_blocks;
}
static void fill(hak_arena *arena) {
    static const size_t sizes[] = {8, 100, 3000, 70000, 2 * MIB};
    for (int i = 0; i < 300; i++) {
        size_t size = sizes[i < 10 ? i % 5 : i % 3];
        char *p = hak_arena_malloc(arena, size);
        CHECK(p), memset(p, 1, size);
    }
}

static void limits(void) {
    hak_arena *none = make(0, 0), *tiny = make(1, 0);
    fill(none);
    errno = 0;
    CHECK(!hak_arena_malloc(tiny, 1) && errno == ENOMEM && !hak_arena_calloc(tiny, 0, 0) && !hak_arena_aligned_alloc(tiny, 64, 3 * MIB) && live(tiny) == 0);
    hak_arena_reset(tiny);
    hak_arena_destroy(tiny), hak_arena_destroy(none);
}

static hak_arena *walked;
static int count;
static int drop(void *block, size_t size, void *arg) {
    count++;
    hak_arena_free(walked, block);
    return 0;
}
static int drop_by_free(void *block, size_t size, void *arg) {
    count++;
    free(block);
    return 0;
}
static int add_one(void *block, size_t size, void *arg) {
    count++;
    CHECK(hak_arena_malloc(walked, 24)); // seen or not, by what the walk has passed
    return count == 200 ? 7 : 0;
}
static int reset(void *block, size_t size, void *arg) {
    count++;
    hak_arena_reset(walked);
    return 5;
}
static void walks(void) {
    for (int shared = 0; shared < 2; shared++) {
        walked = make(0, shared ? HAK_ARENA_SHARED : 0);
        count = 0;
        CHECK(hak_arena_walk(walked, drop, NULL) == 0 && count == 0);
        for (int way = 0; way < 2; way++) {
            fill(walked), count = 0;
            CHECK(hak_arena_walk(walked, way ? drop : drop_by_free, NULL) == 0 && count == 300 && live(walked) == 0);
        }
        fill(walked), count = 0;
        CHECK(hak_arena_walk(walked, add_one, NULL) == 7 && count == 200 && live(walked) == 500);
        count = 0;
        CHECK(hak_arena_walk(walked, reset, NULL) == 5 && count == 1 && live(walked) == 0);
        fill(walked);
        CHECK(live(walked) == 300);
        hak_arena_destroy(walked);
    }
}

static void forks(void) {
    for (int flags = 0; flags < 4; flags++) {
        hak_arena *arena = make(0, (uint64_t)flags);
        fill(arena);
        char *mine = strcpy(hak_arena_malloc(arena, 50), "the parent's");
        for (int way = 0; way < 3; way++) {
            pid_t child = fork();
            CHECK(child >= 0);
            if (child == 0) {
                CHECK(live(arena) == 301 && strcmp(mine, "the parent's") == 0);
                if (way == 0) fill(arena);
                else if (way == 1) hak_arena_reset(arena), fill(arena);
                else hak_arena_destroy(arena), fill(arena = make(0, (uint64_t)flags));
                CHECK(live(arena) == (way ? 300 : 601));
                _exit(0);
            }
            int status;
            CHECK(waitpid(child, &status, 0) == child && status == 0);
        }
        CHECK(live(arena) == 301 && strcmp(mine, "the parent's") == 0);
        hak_arena_destroy(arena);
    }
}

// The others have the arena's blocks in their seats when it ends, and wait; then they use another one, which may have the same handle.
static pthread_barrier_t turn;
static hak_arena *current;
static void *user(void *arg) {
    for (int round = 0; round < 40; round++) {
        pthread_barrier_wait(&turn);
        void *p[50];
        for (int i = 0; i < 50; i++) CHECK((p[i] = hak_arena_malloc(current, (size_t)i * 40 + 1)) && hak_arena_of(p[i]) == current);
        for (int i = 0; i < 50; i += 2) free(p[i]);
        pthread_barrier_wait(&turn);
    }
    return NULL;
}
static void ends(void) {
    pthread_t threads[3];
    CHECK(pthread_barrier_init(&turn, NULL, 4) == 0);
    for (int i = 0; i < 3; i++) CHECK(pthread_create(&threads[i], NULL, user, NULL) == 0);
    for (int round = 0; round < 40; round++) {
        current = make(0, HAK_ARENA_SHARED);
        pthread_barrier_wait(&turn);
        pthread_barrier_wait(&turn);
        CHECK(live(current) == 75);
        if (round % 3 == 0) hak_arena_reset(current), fill(current);
        hak_arena_destroy(current);
    }
    for (int i = 0; i < 3; i++) CHECK(pthread_join(threads[i], NULL) == 0);
}

static volatile char *only_read;
static void faulted(int signal, siginfo_t *info, void *context) { _exit(info->si_addr == (void *)only_read ? 42 : 1); }
static void read_only(void) {
    if (getenv("HAKMEM_HARDENED")) return; // there free memory is zeroed first
    void *memory = mmap(NULL, 4 * MIB, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    hak_arena *arena = hak_arena_new_in(memory, 4 * MIB, NULL);
    CHECK(arena && hak_arena_malloc(arena, 100) && hak_arena_malloc(arena, 2 * MIB) && live(arena) == 2);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        struct sigaction action = {.sa_sigaction = faulted, .sa_flags = SA_SIGINFO};
        sigaction(SIGSEGV, &action, NULL);
        only_read = hak_arena_malloc(arena, 100);
        *only_read = 1;
        _exit(0);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 42);
    hak_arena_reset(arena);
    CHECK(live(arena) == 0);
    hak_arena_destroy(arena);
    CHECK(munmap(memory, 4 * MIB) == 0);
}

int main(void) {
    limits(), walks(), forks(), ends(), read_only();
    return 0;
}
