// Threads in allocation loops are cancelled (deferred): the cancellation happens at pthread_testcancel, never inside the
// allocator, and no lock stays taken.
#include "check.h"

typedef struct {
    void *block;
    volatile int inside;
} State;
static ATOMIC(int) cancelled;

static void clean_up(void *state) {
    CHECK(!((State *)state)->inside);
    free(((State *)state)->block);
    cancelled++;
}

static void *work(void *seed) {
    State state = {NULL, 0};
    Random random = {(uintptr_t)seed + 1};
    pthread_cleanup_push(clean_up, &state);
    for (;;) {
        state.inside = 1;
        for (int i = 0; i < 100; i++) {
            free(state.block);
            state.block = malloc((size_t)1 << random_between(&random, 1, 20));
            CHECK(state.block);
            if (i % 32 == 0) malloc_trim(0);
        }
        state.inside = 0;
        pthread_testcancel();
    }
    pthread_cleanup_pop(0);
}

int main(void) {
    for (uintptr_t round = 0; round < (uintptr_t)few_of(25); round++) {
        pthread_t threads[4];
        for (uintptr_t i = 0; i < COUNT(threads); i++) threads[i] = start_thread(work, (void *)(round * 4 + i));
        sleep_ms((long)(round % 5));
        for (size_t i = 0; i < COUNT(threads); i++) {
            void *result;
            CHECK(pthread_cancel(threads[i]) == 0 && pthread_join(threads[i], &result) == 0 && result == PTHREAD_CANCELED);
        }
        use_all_sizes(1);
    }
    CHECK(cancelled <= 100); // a thread cancelled before its first push has nothing to clean up
    return 0;
}
