// One allocator call, many times over, all of them hits. scripts/count_hot_path.sh runs this under callgrind, which counts
// only inside `measured`; what that costs in this file is then left out. With GIB, so much is mapped between the first blocks and
// those that are measured.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { BLOCKS = 8, ROUNDS = 100, BIGGEST = 8192 }; // few enough blocks for the smallest magazine

// Of arenas: a block of an owned one and its free; the same of a shared one, and malloc's free of that.
enum call { MALLOC, FREE, FREE_NULL, CALLOC, REALLOC, NEW, DELETE, FREE_OTHERS, OWNED, GIVE_OWNED, SHARED, GIVE_SHARED, FREE_SHARED, CALLS };
static const char *const names[CALLS] = {"malloc", "free", "free_null", "calloc", "realloc", "new", "delete", "free_of_others",
    "arena_malloc", "arena_free", "shared_malloc", "shared_free", "free_of_shared"};

static void *blocks[BLOCKS], *moved[BLOCKS];
static void *(*malloc_)(size_t), *(*calloc_)(size_t, size_t), *(*realloc_)(void *, size_t), *(*new_)(size_t);
static void (*free_)(void *), (*delete_)(void *, size_t);
static void *arena, *(*arena_malloc)(void *, size_t); // no arena: malloc's heap
static void (*arena_free)(void *, void *);

static void fail(const char *why) {
    fprintf(stderr, "hot_path: %s\n", why);
    exit(1);
}

// Through pointers: a call through the PLT would cost an instruction more, which is not the library's.
__attribute__((noinline, noclone)) void measured(enum call call, size_t size) {
    switch (call) {
    case MALLOC: for (int i = 0; i < BLOCKS; i++) blocks[i] = malloc_(size); break;
    case FREE: for (int i = 0; i < BLOCKS; i++) free_(blocks[i]); break;
    case FREE_NULL: for (int i = 0; i < BLOCKS; i++) free_(NULL); break;
    case CALLOC: for (int i = 0; i < BLOCKS; i++) blocks[i] = calloc_(1, size); break;
    case REALLOC: for (int i = 0; i < BLOCKS; i++) moved[i] = realloc_(blocks[i], size); break;
    case NEW: for (int i = 0; i < BLOCKS; i++) blocks[i] = new_(size); break;
    case FREE_OTHERS: for (int i = 0; i < BLOCKS; i++) free_(blocks[i]); break;
    case DELETE: for (int i = 0; i < BLOCKS; i++) delete_(blocks[i], size); break;
    case OWNED: case SHARED: for (int i = 0; i < BLOCKS; i++) blocks[i] = arena_malloc(arena, size); break;
    case GIVE_OWNED: case GIVE_SHARED: for (int i = 0; i < BLOCKS; i++) arena_free(arena, blocks[i]); break;
    case FREE_SHARED: for (int i = 0; i < BLOCKS; i++) free_(blocks[i]); break;
    case CALLS: break;
    }
}

static void *find(const char *name, const void *owner) {
    Dl_info info;
    void *symbol = dlsym(RTLD_DEFAULT, name);
    if (!symbol || !dladdr(symbol, &info) || info.dli_fbase != owner) fail("not served by hakmem");
    return symbol;
}

// The library finds a granule of 64 KiB by its number modulo this: 32 GiB.
enum { PLACES = 1 << 19, BIG = 1 << 20 };
static bool taken[PLACES];
static size_t place_of(const char *block) { return ((size_t)block >> 16) % PLACES; }

static const char *near;
static void allocate_beyond(size_t distance, size_t size) {
    for (int i = 0; i < 1000000; i++) {
        const char *far = malloc_(size);
        if (!far) fail("no memory");
        if ((size_t)llabs(near - far) > distance) return; // under valgrind addresses grow upwards
    }
    fail("the heap did not go beyond the mapping");
}

static void go_far(size_t distance, size_t size) {
    near = malloc_(size);
    if (mmap(NULL, distance, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0) == MAP_FAILED) fail("no such mapping");
    allocate_beyond(distance, BIG); // there in big steps, that leave little over
    allocate_beyond(distance, size);
    for (int i = 0; i < 1000; i++) // until the magazine has no others
        if (!malloc_(size)) fail("no memory");
}

// Beyond so much that the places begin anew, as in a heap of more than 32 GiB.
static void go_round(size_t size) {
    for (int i = 0; i < 1536; i++) {
        const char *block = malloc_(BIG);
        if (!block) fail("no memory");
        for (int at = 0; at < BIG; at += 1 << 16) taken[place_of(block + at)] = true;
    }
    go_far(((size_t)32 << 30) - ((size_t)768 << 20), size);
    for (int i = 0; i < 100000; i++)
        if (taken[place_of(malloc_(size))]) return;
    fail("no block shares its place");
}

// Blocks of a thread that is there as long as the process: first as many as a quarantine holds and more.
enum { FIRST = 4096 };
static void *others[FIRST + BLOCKS * (ROUNDS + 1)];
static pthread_barrier_t made;
static void *make_others(void *size) {
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) others[i] = malloc_((size_t)size);
    pthread_barrier_wait(&made);
    pause();
    return NULL;
}
static void **take_others(size_t size) {
    pthread_t thread;
    pthread_barrier_init(&made, NULL, 2);
    if (pthread_create(&thread, NULL, make_others, (void *)size)) fail("no thread");
    pthread_barrier_wait(&made);
    for (int i = 0; i < FIRST; i++) free_(others[i]);
    return others + FIRST;
}

int main(int argc, char **argv) {
    Dl_info owner;
    if (argc != 3 && argc != 4) fail("usage: hot_path CALL size [GIB|round]");
    enum call call = MALLOC;
    while (call < CALLS && strcmp(argv[1], names[call]) != 0) call++;
    if (call == CALLS) fail("no such call");
    size_t size = strtoul(argv[2], NULL, 10), smaller = size - size / 16;
    void *version = dlsym(RTLD_DEFAULT, "hak_version");
    if (!version || !dladdr(version, &owner)) fail("not served by hakmem");
    *(void **)&malloc_ = find("malloc", owner.dli_fbase);
    *(void **)&free_ = find("free", owner.dli_fbase);
    *(void **)&calloc_ = find("calloc", owner.dli_fbase);
    *(void **)&realloc_ = find("realloc", owner.dli_fbase);
    *(void **)&new_ = find("_Znwm", owner.dli_fbase);
    *(void **)&delete_ = find("_ZdlPvm", owner.dli_fbase);
    if (call >= OWNED) {
        void *(*make)(const void *) = NULL;
        *(void **)&make = find("hak_arena_new", owner.dli_fbase);
        *(void **)&arena_malloc = find("hak_arena_malloc", owner.dli_fbase);
        *(void **)&arena_free = find("hak_arena_free", owner.dli_fbase);
        struct { unsigned long size; const char *name; unsigned long limit, flags; } options = {sizeof options, NULL, 0, call >= SHARED};
        if (!(arena = make(&options))) fail("no arena");
    }
    bool frees = call == FREE || call == DELETE || call == FREE_OTHERS || call == GIVE_OWNED || call >= GIVE_SHARED;
    bool allocates = !frees && call != REALLOC && call != FREE_NULL;
    if (size == 0 || size > BIGGEST) fail("size out of range");

    void **next = call == FREE_OTHERS ? take_others(size) : NULL;
    bool round_trip = argc == 4 && strcmp(argv[3], "round") == 0;
    if (round_trip) go_round(size);
    else if (argc == 4) go_far(strtoul(argv[3], NULL, 10) << 30, size);
    // The first blocks are misses: they come from a span. Afterwards the magazine has BLOCKS of them, and room for as many.
    for (int round = -1; round < ROUNDS; round++) {
        if (!allocates || round < 0)
            for (int i = 0; i < BLOCKS; i++) blocks[i] = next ? *next++ : arena ? arena_malloc(arena, size) : malloc_(size);
        for (int i = 0; i < BLOCKS; i++) moved[i] = blocks[i];
        if (round >= 0) measured(call, call == REALLOC ? smaller : size);
        for (int i = 0; i < BLOCKS; i++) {
            if (!blocks[i]) fail("no memory");
            if (round_trip && !taken[place_of(blocks[i])]) fail("a block has a place of its own");
            if (moved[i] != blocks[i] && !allocates) fail("realloc moved a block that it could have left in place");
        }
        if (!frees || round < 0)
            for (int i = 0; i < BLOCKS; i++) arena ? arena_free(arena, blocks[i]) : free_(blocks[i]);
    }
    printf("%d\n", BLOCKS * ROUNDS);
    return 0;
}
