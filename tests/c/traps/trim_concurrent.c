// malloc_trim, mallinfo2 and malloc_info from one thread while others allocate: they enter every heap and harm none.
#include "check.h"

static ATOMIC(int) stop;

static void *busy(void *seed) {
    while (!stop) use_all_sizes((unsigned)(uintptr_t)seed);
    return NULL;
}

int main(void) {
    pthread_t threads[3];
    FILE *sink = fopen("/dev/null", "w");
    CHECK(sink);
    for (uintptr_t i = 0; i < COUNT(threads); i++) threads[i] = start_thread(busy, (void *)i);
    for (int i = 0; i < 300; i++) {
        malloc_trim(0);
        CHECK(mallinfo2().arena + mallinfo2().hblkhd + 1 > 0);
        if (i % 10 == 0) CHECK(malloc_info(0, sink) == 0);
    }
    stop = 1;
    for (size_t i = 0; i < COUNT(threads); i++) join_thread(threads[i]);
    fclose(sink);
    return 0;
}
