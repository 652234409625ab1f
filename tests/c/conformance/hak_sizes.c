// hak_good_size, hak_malloc_at_least, hak_expand and hak_free_sized: every byte that was said to be there is, what grows grows in place
// and keeps its bytes, and a size that was given back is a size to free by, in strict modes too.
// hakmem
// run: for e in A=1 HAKMEM_TINY_HEAP_V2=0 HAKMEM_HARDENED=1 HAKMEM_HARDENED=light HAKMEM_GUARD_RATE=1; do env $e $RUN || exit 1; done
#include "check.h"
#include <hakmem.h>

static void fill(unsigned char *p, size_t from, size_t to, int with) {
    if (to - from > 4 * MIB) memset(p + from, with, MIB), from = to - MIB;
    memset(p + from, with, to - from);
}

static int strict(void) {
    const char *guard = getenv("HAKMEM_GUARD_RATE"), *hardened = getenv("HAKMEM_HARDENED");
    return (guard && *guard != '0') || (hardened && *hardened != '0');
}

static void sizes(void) {
    for (size_t n = 0; n < 300000; n += 1 + n / 40) {
        size_t good = hak_good_size(n), got = 7;
        CHECK(good >= n && hak_good_size(good) == good);
        if (!strict()) CHECK(good >= 16 && (n <= 128 || good - n <= n / 4));
        unsigned char *p = hak_malloc_at_least(n, &got), *q = malloc(good);
        CHECK(p && q && got >= n && got == malloc_usable_size(p));
        if (!strict()) CHECK(got >= good && malloc_usable_size(q) >= good);
        fill(p, 0, got, 1), fill(q, 0, good, 2);
        hak_free_sized(p, got);
        p = hak_malloc_at_least(n, NULL);
        CHECK(p);
        hak_free_sized(p, n);
        hak_free_sized(q, good);
    }
    for (size_t n = SIZE_MAX - 70000; n > 70000; n += 1000) CHECK(hak_good_size(n) == n);
    size_t got = 7;
    errno = 0;
    CHECK(!hak_malloc_at_least(SIZE_MAX - 5, &got) && got == 0 && errno == ENOMEM);
    errno = 4321;
    hak_free_sized(NULL, 10);
    CHECK(errno == 4321);
}

// One block made longer, a part at a time, until that can't be; says how long it became.
static size_t grow(size_t n, size_t step, size_t most) {
    unsigned char *p = malloc(n);
    CHECK(p);
    size_t has = n;
    fill(p, 0, has, 3);
    for (;;) {
        size_t was = malloc_usable_size(p), want = was + step, got = hak_expand(p, want, want + step);
        if (!got) {
            CHECK(malloc_usable_size(p) == was);
            break;
        }
        CHECK(got >= want && got == malloc_usable_size(p) && hak_is_ours(p));
        fill(p, was, got, 3);
        has = got;
        if (has > most) break;
    }
    size_t all = malloc_usable_size(p);
    for (size_t i = 0; i < n; i += 511) CHECK(p[i] == 3);
    CHECK(p[has - 1] == 3);
    hak_free_sized(p, all);
    return has;
}

int main(void) {
    sizes();
    for (size_t i = 0; i < COUNT(all_sizes); i++) {
        size_t n = all_sizes[i], had;
        unsigned char *p = malloc(n);
        CHECK(p);
        had = malloc_usable_size(p);
        fill(p, 0, had, 4);
        errno = 4321;
        // What it holds already, whatever the order of the two; never cut.
        CHECK(hak_expand(p, 0, 0) >= had && hak_expand(p, 1, 0) >= had && hak_expand(p, n, n) >= had);
        CHECK(malloc_usable_size(p) == had);
        CHECK(hak_expand(p, SIZE_MAX / 2 - 5, SIZE_MAX) == 0 && hak_expand(p, SIZE_MAX, SIZE_MAX) == 0);
        CHECK(malloc_usable_size(p) == had && errno == 4321);
        size_t got = hak_expand(p, 0, had + 40);
        CHECK(got >= had && got == malloc_usable_size(p));
        fill(p, had, got, 4);
        CHECK(!had || p[had - 1] == 4);
        if (n & 1) hak_free_sized(p, got);
        else CHECK((p = realloc(p, got + 1))), free(p);
    }
    CHECK(hak_expand(NULL, 1, 10) == 0);
    grow(1, 1, 100), grow(70, 3, 300), grow(5000, 7, 9000);
    // Large ones do grow: with nothing behind them the kernel has room, or the pool.
    size_t longest = grow(3 * MIB, 64 * KIB, 5 * MIB);
    if (!strict()) CHECK(longest > 3 * MIB);
    void *run = realloc(malloc(50000), 70000);
    CHECK(run);
    size_t had = malloc_usable_size(run), got = hak_expand(run, had, had + 60000);
    CHECK(got >= had && got == malloc_usable_size(run));
    free(run);
    CHECK(peak_mb() < 150);
    return 0;
}
