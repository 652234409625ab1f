// What a program can see of the allocator, as two sums. Every switch of HAKMEM must leave both as they are, and `content`
// is every malloc's. scripts/check_stages.sh compares.
//   content  what must come out whatever serves: contents kept, zeroes, alignment, errno
//   usable   malloc_usable_size of every block above a page: the size classes. The first few smaller ones of a size may be of a class
//            that serves others too, and how many depends on what has magazines
#include "../check.h"
#include <stdbool.h>

enum { SLOTS = 512, HANDED = 3000 };

typedef struct {
    void *block;
    size_t size;
    unsigned seed;
} Slot;
typedef struct {
    Random random;
    uint64_t content, usable;
    uint64_t operations;
    Slot slots[SLOTS];
} Lane;

static void mix(uint64_t *sum, uint64_t value) { *sum = (*sum ^ value) * 0x100000001B3ULL + (*sum >> 29); }

// Mostly tiny, some mid, a few large.
static size_t draw_size(Random *random) {
    switch (next_random(random) >> 60) {
    case 0: return random_between(random, 0, 16);
    case 1: return random_between(random, 1025, 65536);
    case 2: return all_sizes[random_between(random, 0, COUNT(all_sizes) - 4)];
    default: return random_between(random, 1, 1100);
    }
}

static void acquired(Lane *lane, Slot *slot, void *block, size_t size, size_t alignment) {
    CHECK(block && aligned_to(block, 16) && aligned_to(block, alignment));
    size_t usable = malloc_usable_size(block);
    CHECK(usable >= size);
    *slot = (Slot){block, size, (unsigned)next_random(&lane->random)};
    stamp(block, size, slot->seed);
    if (usable > 4096) mix(&lane->usable, usable);
    mix(&lane->content, size);
}

static void let_go(Lane *lane, Slot *slot) {
    bool kept = stamped(slot->block, slot->size, slot->seed);
    CHECK(kept);
    mix(&lane->content, kept);
    free(slot->block);
    slot->block = NULL;
}

static void impossible(Lane *lane) {
    errno = 0;
    void *block = malloc((size_t)launder((void *)(PTRDIFF_MAX - 4096)));
    mix(&lane->content, (uint64_t)(block == NULL) << 8 | (uint64_t)errno);
    errno = 0;
    block = calloc((size_t)launder((void *)(SIZE_MAX / 2)), 3);
    mix(&lane->content, (uint64_t)(block == NULL) << 8 | (uint64_t)errno);
    void *untouched = lane;
    mix(&lane->content, (uint64_t)posix_memalign(&untouched, 24, 8) << 1 | (untouched == lane));
}

static void step(Lane *lane) {
    Random *random = &lane->random;
    Slot *slot = &lane->slots[next_random(random) >> 32 & (SLOTS - 1)];
    unsigned kind = (unsigned)(next_random(random) >> 59);
    if (slot->block && kind >= 8) {
        let_go(lane, slot);
        return;
    }
    size_t size = draw_size(random);
    if (slot->block) {
        size_t kept = slot->size < size ? slot->size : size;
        void *block = realloc(slot->block, size | 1);
        CHECK(block && stamped_up_to(block, slot->size, slot->seed, kept));
        acquired(lane, slot, block, size | 1, 16);
    } else if (kind < 4) {
        void *block = calloc(1, size);
        CHECK(block && all_bytes_are(block, size, 0));
        acquired(lane, slot, block, size, 16);
    } else if (kind < 8) {
        size_t alignment = (size_t)16 << (next_random(random) >> 61);
        void *block = NULL;
        CHECK(posix_memalign(&block, alignment, size) == 0);
        acquired(lane, slot, block, size, alignment);
    } else {
        acquired(lane, slot, malloc(size), size, 16);
    }
    if (kind == 0) impossible(lane);
}

static void *run(void *argument) {
    Lane *lane = argument;
    for (uint64_t i = 0; i < lane->operations; i++) step(lane);
    return NULL;
}

// Blocks of a thread that is gone, freed here: the way of other threads' blocks.
static Slot handed[HANDED];
static void *fill_handed(void *argument) {
    for (int i = 0; i < HANDED; i++) {
        size_t size = draw_size(&((Lane *)argument)->random) % 2048;
        acquired(argument, &handed[i], malloc(size), size, 16);
    }
    return NULL;
}

int main(int argc, char **argv) {
    static Lane lanes[4];
    CHECK(argc == 3);
    uint64_t seed = strtoull(argv[1], NULL, 10), operations = strtoull(argv[2], NULL, 10);
    pthread_t threads[COUNT(lanes)];
    for (size_t i = 0; i < COUNT(lanes); i++) {
        lanes[i].random.state = seed * 0x9E3779B97F4A7C15ULL + i + 1;
        lanes[i].operations = operations;
        threads[i] = start_thread(run, &lanes[i]);
    }
    uint64_t content = 0, usable = 0;
    for (size_t i = 0; i < COUNT(lanes); i++) {
        join_thread(threads[i]);
        for (int k = 0; k < SLOTS; k++)
            if (lanes[i].slots[k].block) let_go(&lanes[i], &lanes[i].slots[k]); // another thread's block
        for (int round = 0; round < 5; round++) {
            join_thread(start_thread(fill_handed, &lanes[i]));
            for (int k = 0; k < HANDED; k++) let_go(&lanes[i], &handed[k]);
        }
        mix(&content, lanes[i].content);
        mix(&usable, lanes[i].usable);
    }
    printf("content=%016llx usable=%016llx\n", (unsigned long long)content, (unsigned long long)usable);
    return 0;
}
