/* Allocations whose stacks, sizes and numbers tests/profile.rs knows. A function's line with a call bears its name. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#ifndef LARGE
#define LARGE 100
#endif

static void *kept[8192];
static int number;

__attribute__((noinline)) static void *leaf(size_t size) {
    void *block = malloc(size); /* leaf */
    return memset(block, 1, size);
}

static inline __attribute__((always_inline)) void *through(size_t size) {
    void *block = leaf(size); /* through */
    kept[number] = block;
    return kept[number++];
}

__attribute__((noinline)) void keep_large(void) {
    for (int i = 0; i < LARGE; i++)
        through(100000); /* keep_large */
}

__attribute__((noinline)) void keep_small(void) {
    for (int i = 0; i < 1000; i++)
        kept[number++] = leaf(1000);
}

__attribute__((noinline)) void churn(void) {
    for (int i = 0; i < 20000; i++)
        free(leaf(5000));
}

static void *work(void *nothing) {
    pthread_setname_np(pthread_self(), "worker");
    churn();
    keep_small();
    return nothing;
}

int main(void) {
    pthread_t thread;
    keep_large(); /* main */
    if (pthread_create(&thread, NULL, work, NULL) == 0)
        pthread_join(thread, NULL);
    keep_small();
    for (int i = 0; i < 50; i++)
        free(kept[i]);
    return 0;
}
