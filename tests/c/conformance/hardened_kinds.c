// Each kind of misuse that both forms of hardened mode promise to find, at seven sizes: what is said of it, and that nothing else is.
// run: for form in 1 light; do env HAKMEM_HARDENED=$form HAKMEM_GUARD_RATE=0 $RUN || { echo "with $form"; exit 1; }; done
// (A guarded block would be told by a fault, not by its end.)
#include "check.h"
#include <dlfcn.h>
#include <signal.h>
#include <sys/wait.h>

static void (*free_sized_of)(void *, size_t);

static void twice(char *p, size_t n) { free(p), free(p); }
static void twice_later(char *p, size_t n) {
    char *q = malloc(n);
    free(p), free(q), free(p);
}
static void inside(char *p, size_t n) { free(p + 16); }
static void past(char *p, size_t n) { p[n] = 'y', free(p); }
static void past_realloc(char *p, size_t n) { p[n] = 'y', p = realloc(p, n + 1); }
// The first block of a span, which begins a granule, has none before it that is watched.
static char *one_behind_another(char *p, size_t n) {
    while ((uintptr_t)p % (64 * KIB) == 0) CHECK((p = malloc(n)));
    return p;
}
static void before_1(char *p, size_t n) { p = one_behind_another(p, n), p[-1] ^= 'y', free(p); }
static void before_8(char *p, size_t n) { p = one_behind_another(p, n), p[-8] ^= 'y', free(p); }
static void before_32(char *p, size_t n) {
    p = one_behind_another(p, n), memset(p - 32, 'y', 33), free(p);
}
static void after_free(char *p, size_t n) {
    free(p), p[0] = 'y';
    for (int i = 0; i < 3000; i++) free(malloc(n));
}
static void resized(char *p, size_t n) { free(p), p = realloc(p, n + 1); }
static void sized(char *p, size_t n) { free_sized_of(p, n - 1); }
static void measured(char *p, size_t n) { free(p), malloc_usable_size(launder(p)); }
static void touch(char *p, size_t n) { p[0] = 'y'; }
static void proper(char *p, size_t n) {
    memset(p, 'x', n), p[n - 1] = 0;
    p = realloc(p, n + n / 3);
    CHECK(p && p[0] == 'x' && malloc_usable_size(p) == n + n / 3);
    p = realloc(p, n / 2), free(p);
    p = calloc(1, n);
    for (size_t i = 0; i < n; i++) CHECK(!p[i]);
    free_sized_of(p, n);
}

static const char NOTHING[] = "";
static const char WATCHED[] = ""; // of a block of a class alone
#define GONE "not a block of this allocator, or free already"
// Of a class's block, and of a large one; what ends in a number is followed by one. Null: SIGSEGV.
static const struct {
    void (*do_it)(char *, size_t);
    const char *said, *large;
} kinds[] = {
    {twice, "free: block is already free (double free)", "free: " GONE},
    {twice_later, "free: block is already free (double free)", "free: " GONE},
    {inside, "free: pointer into a block, not to its start", "free: pointer into a block, not to its start"},
    {past, "free: block was written past its end, ", "free: block was written past its end, "},
    {past_realloc, "realloc: block was written past its end, ", "realloc: block was written past its end, "},
    {before_1, "free: block was written before its start, ", WATCHED},
    {before_8, "free: block was written before its start, ", WATCHED},
    {before_32, "free: block was written before its start, ", WATCHED},
    {after_free, "malloc: block was written to after free, ", NULL},
    {resized, "realloc: " GONE, "realloc: " GONE},
    {sized, "free_sized: size does not match, ", "free_sized: size does not match, "},
    {measured, "malloc_usable_size: " GONE, "malloc_usable_size: " GONE},
    {proper, "", NOTHING},
};
// Of a block of no bytes.
static void sized_empty(char *p, size_t n) { free_sized_of(p, 1); }
static void proper_empty(char *p, size_t n) {
    char *q = malloc(0), *r = calloc(0, 8);
    CHECK(q && r && q != p && q != r && p != r && malloc_usable_size(r) == 0);
    p = realloc(p, 100), q = realloc(q, 1), memset(p, 'x', 100), *q = 'x';
    free(p), free(q), free_sized_of(r, 0);
    for (int i = 0; i < 20000; i++) {
        CHECK((p = malloc(0)));
        if (i % 2) free(p);
    }
}
static const struct {
    void (*do_it)(char *, size_t);
    const char *said;
} empty_kinds[] = {
    {touch, NULL},
    {twice, "free: block is already free (double free)"},
    {sized_empty, "free_sized: size does not match, 0 bytes (0x"},
    {proper_empty, ""},
};

static void check(void (*do_it)(char *, size_t), size_t n, const char *want) {
    int ends[2], status;
    char said[400] = "", expected[400];
    CHECK(pipe(ends) == 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], 2);
        char *p = malloc(n);
        CHECK(p && malloc_usable_size(p) == n);
        do_it(p, n);
        _exit(0);
    }
    close(ends[1]);
    for (ssize_t got, len = 0; (got = read(ends[0], said + len, sizeof said - 1 - len)) > 0;) len += got, said[len] = 0;
    close(ends[0]);
    CHECK(waitpid(child, &status, 0) == child);
    int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0, fine;
    snprintf(expected, sizeof expected, "hakmem: %s", want ? want : "");
    if (!want || !*want) {
        fine = signal == (want ? 0 : SIGSEGV) && !*said;
    } else {
        // A size that was asked for is the one that is named.
        size_t len = strlen(expected);
        if (expected[len - 1] == ' ' && do_it != after_free) sprintf(expected + len, "%zu bytes (0x", n);
        fine = signal == SIGABRT && !strncmp(said, expected, strlen(expected)) && strchr(said, '\n') == said + strlen(said) - 1;
    }
    if (!fine) printf("%zu bytes: signal %d, %s, expected %s\n", n, signal, said, want ? expected : "SIGSEGV"), fflush(stdout);
    CHECK(fine);
}

int main(void) {
    *(void **)&free_sized_of = dlsym(RTLD_DEFAULT, "free_sized");
    CHECK(free_sized_of);
    static const size_t sizes[] = {24, 100, 1000, 5000, 60000, 300000, 3000000};
    for (size_t kind = 0; kind < COUNT(kinds); kind++)
        for (size_t i = 0; i < COUNT(sizes) - 2 * (kinds[kind].large == WATCHED); i++)
            check(kinds[kind].do_it, sizes[i], i < 5 ? kinds[kind].said : kinds[kind].large);
    for (size_t kind = 0; kind < COUNT(empty_kinds); kind++) check(empty_kinds[kind].do_it, 0, empty_kinds[kind].said);
    return 0;
}
