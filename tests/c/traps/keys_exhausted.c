// A program that has taken all pthread keys before the first malloc, so that no destructor tells when a thread ends: 6,000 threads, one after
// the other and eight at a time, leave no memory behind, and those that are still there keep theirs.
#include "check.h"

static void *hold(void *go) {
    void *blocks[100];
    for (size_t i = 0; i < COUNT(blocks); i++) stamp(blocks[i] = malloc(1000), 1000, (unsigned)i);
    if (go) {
        pthread_barrier_wait(go);
        pthread_barrier_wait(go);
    }
    for (size_t i = 0; i < COUNT(blocks); i++) {
        CHECK(stamped(blocks[i], 1000, (unsigned)i));
        free(blocks[i]);
    }
    return NULL;
}

static void take_all_keys(void) {
    pthread_key_t key;
    while (pthread_key_create(&key, NULL) == 0) {}
}
__attribute__((section(".preinit_array"), used)) static void (*first)(void) = take_all_keys;

int main(void) {
    pthread_key_t key;
    if (pthread_key_create(&key, NULL) == 0) SKIP("somebody gave a key back");
    // These live through all of it.
    pthread_barrier_t go;
    pthread_barrier_init(&go, NULL, 5);
    pthread_t stay[4];
    for (size_t i = 0; i < COUNT(stay); i++) stay[i] = start_thread(hold, &go);
    pthread_barrier_wait(&go);
    for (int i = 0; i < 200; i++) join_thread(start_thread(hold, NULL));
    long before = status_kb("VmRSS:");
    for (int i = 0; i < 3000; i++) join_thread(start_thread(hold, NULL));
    for (int i = 0; i < 3000; i += 8) {
        pthread_t threads[8];
        for (size_t n = 0; n < COUNT(threads); n++) threads[n] = start_thread(hold, NULL);
        for (size_t n = 0; n < COUNT(threads); n++) join_thread(threads[n]);
    }
    long after = status_kb("VmRSS:");
    pthread_barrier_wait(&go);
    for (size_t i = 0; i < COUNT(stay); i++) join_thread(stay[i]);
    NOTE("%ld KiB after 200 threads, %ld after 6,000 more", before, after);
    CHECK(after < before + 3000);
    return 0;
}
