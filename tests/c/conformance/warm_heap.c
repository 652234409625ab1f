// A thread that ends leaves its heap, magazines and all, to the next one, whose first block is the one freed last. A trim takes what waits so, and so do the
// calls that come when it has waited for half a decay time.
// alone
// env: HAKMEM_DECAY_MS=200
#include "check.h"
#include <malloc.h>
#include <stdbool.h>

enum { SIZE = 500, BLOCKS = 100 };
// What the thread was served first, and what it freed last.
static void *first, *last;

static void *body(void *unused) {
    void *blocks[BLOCKS];
    for (int i = 0; i < 16; i++) free(malloc(SIZE)); // the calls that a thread makes without a heap
    for (int i = 0; i < BLOCKS; i++) CHECK(blocks[i] = malloc(SIZE));
    first = blocks[0];
    last = blocks[BLOCKS / 2];
    for (int i = 0; i < BLOCKS; i++)
        if (blocks[i] != last) free(blocks[i]);
    free(last);
    return unused;
}

static bool is_next_served_what_was_left(void) {
    void *left = last;
    pthread_join(start_thread(body, NULL), NULL);
    return first == left;
}

enum { MANY = 2000 };
static void *many[MANY];

// Takes nothing fresh, which cools as well: every second block stays, and so all spans.
static void slow_paths(void) {
    for (int i = 0; i < MANY; i += 2) free(many[i]);
    for (int i = 0; i < MANY; i += 2) CHECK(many[i] = malloc(1000));
}

// Where each free is checked, counted or kept, or blocks go another way, no magazine is handed on.
static bool is_strict(void) {
    const char *strict[] = {"HAKMEM_HARDENED", "HAKMEM_PROF", "HAKMEM_RECORD", "HAKMEM_GUARD_RATE", "HAKMEM_TINY_HEAP_V2", "HAKMEM_TINY_HEAP_V2_CLASS_MASK"};
    for (size_t i = 0; i < sizeof strict / sizeof *strict; i++)
        if (getenv(strict[i])) return true;
    return false;
}

int main(void) {
    for (int i = 0; i < MANY; i++) CHECK(many[i] = malloc(1000));
    is_next_served_what_was_left();
    if (!is_strict()) CHECK(is_next_served_what_was_left() && is_next_served_what_was_left());
    malloc_trim(0);
    CHECK(!is_next_served_what_was_left());
    for (int i = 0; i < 30; i++) {
        sleep_ms(20);
        slow_paths();
    }
    CHECK(!is_next_served_what_was_left());
    return 0;
}
