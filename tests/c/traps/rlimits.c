// Under RLIMIT_AS and RLIMIT_DATA a request fails only when nothing idle is left: a peak in one size leaves room for one in
// another, though all that was freed stays (HAKMEM_DECAY_MS=-1), in the caller's heap, in another's, in the large cache.
// run: export HAKMEM_DECAY_MS=-1; (ulimit -v 150000; $RUN) && (ulimit -d 150000; $RUN)
// cflags: -O1
#include "check.h"

static size_t fill(size_t size, size_t most) {
    struct link {
        struct link *next;
    } *first = NULL, *block;
    size_t bytes = 0;
    errno = 0;
    while (bytes < most && (block = malloc(size))) {
        memset(block, 1, size);
        block->next = first;
        first = block;
        bytes += size;
    }
    CHECK(bytes >= most || errno == ENOMEM);
    while (first) {
        block = first->next;
        free(first);
        first = block;
    }
    return bytes;
}
static ATOMIC(int) filled, leave;
static void *hold(void *unused) {
    CHECK(fill(700, SIZE_MAX) > 30 * MIB);
    filled = 1;
    while (!leave) sleep_ms(5);
    return unused;
}

int main(void) {
    pthread_t other = start_thread(hold, NULL);
    while (!filled) sleep_ms(1);
    static const size_t sizes[] = {100, 3000, 2000000, 64, 100000, 20000, 5000000, 400};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        size_t bytes = fill(sizes[i], SIZE_MAX);
        put_line(1, "note: %zu MiB in blocks of %zu\n", bytes / MIB, sizes[i]);
        CHECK(bytes > 80 * MIB);
    }
    leave = 1;
    join_thread(other);
    return 0;
}
