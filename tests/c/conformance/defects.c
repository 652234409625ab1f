// What is wrong with hak_expand's, realloc's and hak_arena_free's pointer is said in the words of that function, in each mode that looks.
// hakmem
// run: for e in HAKMEM_HARDENED=0 HAKMEM_HARDENED=1 HAKMEM_HARDENED=light; do env HAKMEM_GUARD_RATE=0 $e $RUN || { echo "with $e"; exit 1; }; done
#include "check.h"
#include <hakmem.h>
#include <sys/wait.h>

#define GONE "not a block of this allocator, or free already"
#define INSIDE "pointer into a block, not to its start"

static char outside[100];
static char *made(size_t n) {
    char *p = malloc(n);
    CHECK(p);
    return p;
}
static void expand_outside(size_t n) { hak_expand(outside, n, n); }
static void expand_inside(size_t n) { hak_expand(made(n) + 16, n + 1, n + 1); }
static void expand_past(size_t n) {
    char *p = made(n);
    p[n] = 'y', hak_expand(p, n + 1, n + 1);
}
static void realloc_inside(size_t n) { CHECK(realloc(made(n) + 16, n + 1)); }
static void arena_twice(size_t n) {
    hak_arena *arena = hak_arena_new(NULL);
    char *p = hak_arena_malloc(arena, n);
    hak_arena_free(arena, p), hak_arena_free(arena, launder(p));
}

static const struct {
    void (*do_it)(size_t);
    const char *said;
    enum { ALWAYS, HARDENED, USUAL } when;
} kinds[] = {
    {expand_outside, "hakmem: hak_expand: " GONE " (0x", ALWAYS},
    {expand_inside, "hakmem: hak_expand: " INSIDE " (0x", ALWAYS},
    {expand_past, "hakmem: hak_expand: block was written past its end, ", HARDENED},
    {realloc_inside, "hakmem: realloc: " INSIDE " (0x", ALWAYS},
    {arena_twice, "hakmem: hak_arena_free: block is already free (double free) (0x", USUAL},
};

static void check(void (*do_it)(size_t), size_t n, const char *want) {
    int ends[2], status;
    char said[400] = "";
    CHECK(pipe(ends) == 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], 2);
        do_it(n);
        _exit(0);
    }
    close(ends[1]);
    for (ssize_t got, len = 0; (got = read(ends[0], said + len, sizeof said - 1 - len)) > 0;) len += got, said[len] = 0;
    close(ends[0]);
    CHECK(waitpid(child, &status, 0) == child);
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGABRT || strncmp(said, want, strlen(want)))
        printf("%zu bytes: said \"%s\", not \"%s\"\n", n, said, want), exit(1);
}

int main(void) {
    int hardened = *getenv("HAKMEM_HARDENED") != '0';
    const char *v2 = getenv("HAKMEM_TINY_HEAP_V2");
    int baseline = v2 && *v2 == '0';
    static const size_t sizes[] = {24, 1000, 60000, 3000000};
    for (size_t kind = 0; kind < COUNT(kinds); kind++)
        for (size_t i = 0; i < COUNT(sizes); i++) {
            // A large block's is found by its free, and so is that of a size that has no magazine.
            if (kinds[kind].do_it == arena_twice && (sizes[i] > MIB || (baseline && sizes[i] <= KIB))) continue;
            if (kinds[kind].when == ALWAYS || (kinds[kind].when == HARDENED) == hardened) check(kinds[kind].do_it, sizes[i], kinds[kind].said);
        }
    return 0;
}
