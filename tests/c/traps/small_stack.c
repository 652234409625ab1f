// Threads with the smallest stack there is, 16 KiB, allocate and free all sizes.
// (hz3's 357 KB of static TLS makes pthread_create fail up to 256 KB, Scudo's 11 KB at 16 KB; a big local would crash here.)
#include "check.h"

static void *work(void *seed) {
    use_all_sizes((unsigned)(uintptr_t)seed);
    for (size_t n = 0; n < 3000; n++) {
        void *p = malloc(n), *q = malloc(n * 30);
        CHECK(p && q);
        free(p);
        free(q);
    }
    malloc_trim(0);
    free(malloc(malloc_usable_size(NULL)));
    return NULL;
}

int main(void) {
    pthread_attr_t attr;
    long least = sysconf(_SC_THREAD_STACK_MIN);
    size_t size = least > 16384 ? (size_t)least : 16384;
    CHECK(pthread_attr_init(&attr) == 0 && pthread_attr_setstacksize(&attr, size) == 0);
    for (uintptr_t round = 0; round < 4; round++) {
        pthread_t threads[8];
        for (size_t i = 0; i < COUNT(threads); i++) CHECK(pthread_create(&threads[i], &attr, work, (void *)(round * 8 + i)) == 0);
        for (size_t i = 0; i < COUNT(threads); i++) join_thread(threads[i]);
    }
    return 0;
}
