/* Blocks of known sizes: some that are pointed to, from everywhere that counts, and some that are not. Says "ready" and waits. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct link {
    struct link *next;
    char rest[];
};

static char *in_data[64];
static void *volatile interior, *volatile interior_large;
static _Thread_local char *volatile in_tls;
static pthread_barrier_t barrier;

__attribute__((noinline)) static void *make(size_t size) {
    char *block = malloc(size);
    return memset(block, 0, size);
}

/* Nothing: 7 blocks of 1000. */
__attribute__((noinline)) static void lose(void) {
    for (int i = 0; i < 7; i++)
        make(1000);
}

/* A chain of one, lost, that holds four more. */
__attribute__((noinline)) static void lose_chain(void) {
    struct link *chain = NULL;
    for (int i = 0; i < 5; i++) {
        struct link *link = make(2000);
        link->next = chain;
        chain = link;
    }
}

/* A ring of three: each is pointed to, and nobody reaches it. */
__attribute__((noinline)) static void lose_ring(void) {
    struct link *first = make(3000), *second = make(3000), *third = make(3000);
    first->next = second;
    second->next = (struct link *)((char *)third + 100);
    third->next = first;
}

/* One that points to what is used. */
__attribute__((noinline)) static void lose_pointer(void) {
    struct link *link = make(5000);
    link->next = (struct link *)in_data[0];
}

__attribute__((noinline)) static void lose_large(void) {
    make(3 << 20);
}

__attribute__((noinline)) static void keep(void) {
    for (int i = 0; i < 64; i++)
        in_data[i] = make(1000);
    interior = (char *)make(4000) + 3999;
    interior_large = (char *)make(4 << 20) + (3 << 20);
    struct link *ring = make(3000), *other = make(3000);
    ring->next = other;
    other->next = ring;
    *(struct link **)in_data[1] = ring; /* from a block that is reached */
    in_tls = make(6000);
}

static void *work(void *nothing) {
    char *volatile on_stack = make(7000);
    in_tls = make(6000);
    pthread_barrier_wait(&barrier);
    for (;;)
        pause();
    return on_stack;
    (void)nothing;
}

/* Old words of frames that returned must not lie where the next functions put nothing. */
__attribute__((noinline)) static void wipe(void) {
    volatile char frame[16384];
    memset((void *)frame, 0, sizeof frame);
}

int main(void) {
    pthread_t thread;
    pthread_barrier_init(&barrier, NULL, 2);
    keep();
    lose();
    lose_chain();
    lose_ring();
    lose_pointer();
    lose_large();
    wipe();
    pthread_create(&thread, NULL, work, NULL);
    pthread_barrier_wait(&barrier);
    for (int i = 0; i < 1000; i++)
        free(make(1000)); /* blocks that wait in magazines */
    wipe();
    char *volatile on_stack = make(8000);
    puts("ready");
    fflush(stdout);
    for (;;)
        pause();
    return on_stack != NULL;
}
