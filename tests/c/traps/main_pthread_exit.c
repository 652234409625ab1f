// The main thread ends by pthread_exit; its blocks stay good, the threads left work on, and the last one's end ends the process.
#include "check.h"

static void *blocks[500];

static void *work(void *main_thread) {
    CHECK(pthread_join(*(pthread_t *)main_thread, NULL) == 0);
    for (size_t i = 0; i < COUNT(blocks); i++) {
        CHECK(stamped(blocks[i], i * 30, 1));
        free(blocks[i]);
    }
    use_all_sizes(2);
    return NULL;
}

int main(void) {
    static pthread_t self;
    self = pthread_self();
    for (size_t i = 0; i < COUNT(blocks); i++) {
        CHECK(blocks[i] = malloc(i * 30));
        stamp(blocks[i], i * 30, 1);
    }
    start_thread(work, &self);
    pthread_exit(NULL);
}
