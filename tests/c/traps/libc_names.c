// A program, or its test tool, that wraps malloc, calloc and realloc itself over glibc's second names for them (__libc_malloc), and calls free by
// its only one: both sides are one allocator. __libc_free, memalign, valloc, pvalloc are the same heap as well.
// forms: preload first last archive static
#include "check.h"

extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t), *__libc_valloc(size_t), *__libc_pvalloc(size_t);
extern void __libc_free(void *);

static ATOMIC(long) calls;
#if !defined FORM_archive && !defined FORM_static // two definitions of one name, there
void *malloc(size_t n) { calls++; return __libc_malloc(n); }
void *calloc(size_t n, size_t size) { calls++; return __libc_calloc(n, size); }
void *realloc(void *p, size_t n) { calls++; return __libc_realloc(p, n); }
#endif

static void *work(void *unused) {
    for (size_t i = 0; i < COUNT(all_sizes); i++) {
        size_t n = all_sizes[i];
        void *made[] = {__libc_malloc(n), __libc_calloc(1, n), __libc_realloc(NULL, n), __libc_memalign(64, n), __libc_valloc(n), __libc_pvalloc(n)};
        for (size_t k = 0; k < COUNT(made); k++) {
            CHECK(made[k] && malloc_usable_size(made[k]) >= n);
            stamp(made[k], n, (unsigned)k);
        }
        CHECK(aligned_to(made[3], 64) && aligned_to(made[4], 4096) && aligned_to(made[5], 4096) && (!n || malloc_usable_size(made[5]) >= 4096));
        for (size_t k = 0; k < COUNT(made); k++) {
            CHECK(stamped(made[k], n, (unsigned)k));
            if (k % 2) free(made[k]);
            else __libc_free(made[k]);
        }
        void *block = realloc(malloc(n), 2 * n + 1);
        CHECK(block);
        if (n % 2) free(block);
        else __libc_free(block);
    }
    errno = 0;
    CHECK(!__libc_calloc(SIZE_MAX / 2, 3) && errno == ENOMEM && !__libc_malloc(SIZE_MAX / 2));
    __libc_free(NULL);
    errno = 7;
    __libc_free(__libc_malloc(3));
    CHECK(errno == 7);
    return unused;
}

int main(void) {
    work(NULL);
    pthread_t thread = start_thread(work, NULL);
    join_thread(thread);
    char *line = NULL, *text = strdup("0123456789");
    size_t room = 0;
    FILE *file = fopen("/proc/self/status", "r");
    while (getline(&line, &room, file) > 0) {
    }
    fclose(file), free(line), free(text);
    return 0;
}
