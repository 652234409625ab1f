// A thread whose first allocation ever is made by a key destructor in the last round, and which keeps the block: the block
// is whole when another thread reads and frees it later.
#include "check.h"
#include <limits.h>

static pthread_key_t key;
static void *left[2000];

static void late(void *value) {
    uintptr_t packed = (uintptr_t)value, index = packed >> 8, round = packed & 255;
    if (round < PTHREAD_DESTRUCTOR_ITERATIONS) {
        CHECK(pthread_setspecific(key, (void *)(packed + 1)) == 0);
        return;
    }
    CHECK(left[index] = malloc(index * 5 + 1));
    stamp(left[index], index * 5 + 1, (unsigned)index);
}

static void *work(void *index) {
    CHECK(pthread_setspecific(key, (void *)((uintptr_t)index << 8 | 1)) == 0);
    return NULL;
}

int main(void) {
    CHECK(pthread_key_create(&key, late) == 0);
    for (uintptr_t i = 0; i < COUNT(left); i++) join_thread(start_thread(work, (void *)i));
    for (size_t i = 0; i < COUNT(left); i++) {
        CHECK(stamped(left[i], i * 5 + 1, (unsigned)i));
        free(left[i]);
    }
    return 0;
}
