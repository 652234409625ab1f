// The library opened late with RTLD_NOW, by a program that has threads already, works through dlsym in all of them;
// dlclose does no harm to blocks or threads that are left. (jemalloc 937, 1237; mimalloc 147; dlclose: jemalloc 1122.)
// run: $EMULATOR $BIN "$LIB"
#include "check.h"
#include <dlfcn.h>

static void *(*its_malloc)(size_t);
static void *(*its_realloc)(void *, size_t);
static void (*its_free)(void *);
static pthread_barrier_t barrier;
static void *kept[2][200];

static void *work(void *row) {
    pthread_barrier_wait(&barrier); // started before the library came
    for (size_t i = 0; i < COUNT(kept[0]); i++) {
        void *p = its_malloc(i * i);
        CHECK(p && aligned_to(p, 16));
        stamp(p, i * i, 1);
        its_free(its_malloc(i * 30));
        p = its_realloc(p, i * i + 100);
        CHECK(p && stamped(p, i * i, 1));
        kept[(size_t)row][i] = p;
    }
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier); // and ends after it was closed
    return NULL;
}

static void *allocate_a_little(void *unused) {
    its_free(its_malloc(100));
    return unused;
}

int main(int argc, char **argv) {
    CHECK(argc == 2 && pthread_barrier_init(&barrier, NULL, 2) == 0);
    pthread_t thread = start_thread(work, (void *)1);
    void *library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    if (!library) put_line(2, "%s\n", dlerror());
    CHECK(library);
    its_malloc = (void *(*)(size_t))dlsym(library, "malloc");
    its_realloc = (void *(*)(void *, size_t))dlsym(library, "realloc");
    its_free = (void (*)(void *))dlsym(library, "free");
    CHECK(its_malloc && its_realloc && its_free && (void *)its_malloc != (void *)malloc);
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    join_thread(start_thread(allocate_a_little, NULL)); // one that starts later
    its_free(kept[1][7]);
    kept[1][7] = its_malloc(500);
    CHECK(dlclose(library) == 0);
    for (size_t i = 0; i < COUNT(kept[0]); i++)
        if (i != 7) CHECK(stamped(kept[1][i], i * i, 1));
    pthread_barrier_wait(&barrier);
    join_thread(thread);
    library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL); // again: the same library, which knows its blocks
    CHECK(library && dlsym(library, "free") == (void *)its_free);
    for (size_t i = 0; i < COUNT(kept[0]); i++) its_free(kept[1][i]);
    return 0;
}
