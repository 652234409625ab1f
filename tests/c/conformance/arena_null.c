// Null where an arena is asked for, and one that was destroyed, end the process with one line that says so, whatever the call and the arena's kind; what
// returns an error says EINVAL for null, and destroying null is nothing. Hardened, a handle stays known for stale while other arenas are made.
// hakmem
// run: for e in A=1 HAKMEM_TINY_HEAP_V2=0 HAKMEM_HARDENED=1 HAKMEM_HARDENED=light; do env $e $RUN || exit 1; done
#include "check.h"
#include <hakmem.h>
#include <sys/wait.h>

static hak_arena *arena;
static void *block; // of malloc's
static int visit(void *at, size_t size, void *arg) { return 0; }
static void alloc(void) { block = hak_arena_malloc(arena, 100); }
static void alloc_big(void) { block = hak_arena_malloc(arena, 5 * MIB); }
static void zeroed(void) { block = hak_arena_calloc(arena, 10, 10); }
static void aligned(void) { block = hak_arena_aligned_alloc(arena, 4096, 100); }
static void make(void) { block = hak_arena_realloc(arena, NULL, 100); }
static void resize(void) { block = hak_arena_realloc(arena, block, 5000); }
static void drop(void) { block = hak_arena_realloc(arena, block, 0); }
static void give(void) { hak_arena_free(arena, block); }
static void reset(void) { hak_arena_reset(arena); }
static void figures(void) {
    struct hak_arena_figures f;
    _exit(hak_arena_stats(arena, &f, sizeof f) == EINVAL ? 3 : 1);
}
static void walk(void) { _exit(hak_arena_walk(arena, visit, NULL) == EINVAL ? 3 : 1); }
static void destroy(void) {
    hak_arena_destroy(arena);
    _exit(arena ? 1 : 3);
}
static void (*const calls[])(void) = {alloc, alloc_big, zeroed, aligned, make, resize, drop, give, reset, figures, walk, destroy};

static void fails(void (*call)(void), int says) {
    int ends[2], status;
    CHECK(pipe(ends) == 0);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        dup2(ends[1], 2);
        call();
        _exit(1);
    }
    close(ends[1]);
    char text[1000] = "";
    for (ssize_t got, at = 0; (got = read(ends[0], text + at, sizeof text - 1 - at)) > 0;) at += got;
    close(ends[0]);
    CHECK(waitpid(child, &status, 0) == child);
    if (says) {
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 3 && text[0] == 0);
        return;
    }
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    CHECK(strncmp(text, "hakmem: hak_arena: not an arena, or destroyed already (0x", 57) == 0 && strchr(text, '\n')[1] == 0);
}

int main(void) {
    hak_arena *gone[8];
    CHECK((block = malloc(100)));
    for (size_t i = 0; i < COUNT(calls); i++) fails(calls[i], calls[i] == figures || calls[i] == walk || calls[i] == destroy);
    for (int i = 0; i < 8; i++) {
        struct hak_arena_options options = {.size = sizeof options, .flags = i % 4};
        CHECK((gone[i] = arena = hak_arena_new(&options)));
        CHECK(hak_arena_malloc(arena, 100) && hak_arena_malloc(arena, 3000) && hak_arena_malloc(arena, 3 * MIB));
        hak_arena_destroy(arena);
        for (size_t call = 0; call < COUNT(calls); call++) fails(calls[call], 0);
    }
    const char *hardened = getenv("HAKMEM_HARDENED");
    if (!hardened) return 0;
    for (int i = 0; i < 8; i++) CHECK(hak_arena_malloc(hak_arena_new(NULL), 100));
    for (int i = 0; i < 8; i++) {
        arena = gone[i];
        fails(alloc, 0), fails(give, 0), fails(reset, 0);
    }
    return 0;
}
