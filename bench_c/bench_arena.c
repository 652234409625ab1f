// What does it cost to make some blocks and to free them all at once? One op is a block made and freed. How is the first argument:
//   malloc   malloc, and a free for each block
//   arena    an arena of each thread's own, reset once a round        (HAKMEM)
//   frees    the same, with a free of its own for each block
//   destroy  an arena made and destroyed each round
//   shared   one arena of all threads, and malloc's free for each block
//   given    the same, and the arena's own free
//   heap     mi_heap_new and mi_heap_destroy each round               (mimalloc)
//   bump     a pointer that is moved on, and moved back each round: the floor
#include "bench.h"

static uint64_t rounds, blocks, seed;
static size_t low, high;
static unsigned threads;
static enum { MALLOC, ARENA, FREES, DESTROY, SHARED, GIVEN, HEAP, BUMP } how;
static const char *const names[] = {"malloc", "arena", "frees", "destroy", "shared", "given", "heap", "bump"};

static struct {
    void *(*make)(const void *options), *(*alloc)(void *arena, size_t size);
    void (*reset)(void *arena), (*destroy)(void *arena), (*give)(void *arena, void *block);
} arenas;
static void *shared;
static struct { uint64_t size; const char *name; uint64_t limit, flags; } any_thread = {32, "bench", 0, 1};

static void *find(const char *name)
{
    void *symbol = bench_symbol_beside_malloc(name);
    if (!symbol)
        bench_usage("the malloc in use has no %s", name);
    return symbol;
}

static void *(*new_heap)(void);
static void *make_heap(const void *options) { (void)options; return new_heap(); }

static void body(struct bench_worker *worker)
{
    void **made = bench_map(blocks, sizeof *made);
    size_t *sizes = bench_map(4096, sizeof *sizes);
    uint32_t rng = bench_stream(seed, worker->index);
    for (size_t i = 0; i < 4096; i++)
        sizes[i] = bench_between(bench_draw(&rng), low, high);
    char *room = how == BUMP ? bench_map(blocks, (high + 15) & ~15ull) : NULL;
    void *arena = how == SHARED || how == GIVEN ? shared : how == ARENA || how == FREES ? bench_must(arenas.make(NULL), 1) : NULL;
    bench_go(worker);
    for (uint64_t round = 0, n = 0; round < rounds; round++) {
        if (how == DESTROY || how == HEAP)
            arena = bench_must(arenas.make(NULL), 1);
        if (how == MALLOC) {
            for (uint64_t i = 0; i < blocks; i++, n++)
                made[i] = bench_alloc(sizes[n % 4096]);
        } else if (how == BUMP) {
            char *next = room;
            for (uint64_t i = 0; i < blocks; i++, n++) {
                made[i] = next;
                bench_touch(next, sizes[n % 4096]);
                next += (sizes[n % 4096] + 15) & ~15ull;
            }
        } else {
            for (uint64_t i = 0; i < blocks; i++, n++) {
                size_t size = sizes[n % 4096];
                made[i] = bench_must(arenas.alloc(arena, size), size);
                bench_touch(made[i], size);
            }
        }
        switch (how) {
        case MALLOC: case SHARED:
            for (uint64_t i = 0; i < blocks; i++)
                free(made[i]);
            break;
        case FREES: case GIVEN:
            for (uint64_t i = 0; i < blocks; i++)
                arenas.give(arena, made[i]);
            break;
        case ARENA: arenas.reset(arena); break;
        case DESTROY: case HEAP: arenas.destroy(arena); break;
        case BUMP: break;
        }
    }
    bench_stop(worker);
}

int main(int argc, char **argv)
{
    bench_args(argc, argv, "how threads rounds blocks min max seed");
    bench_positionals(7, 7);
    for (how = 0; how <= BUMP && strcmp(bench_argv[1], names[how]) != 0; how++) {}
    if (how > BUMP)
        bench_usage("no such way: %s", bench_argv[1]);
    threads = (unsigned)bench_number(2, 1, BENCH_MAX_THREADS);
    rounds = bench_number(3, 1, 1u << 30);
    blocks = bench_number(4, 1, BENCH_MAX_SLOTS);
    low = bench_number(5, 1, BENCH_MAX_SIZE);
    high = bench_number(6, low, BENCH_MAX_SIZE);
    seed = bench_number(7, 1, BENCH_MAX_SEED);
    if (how == HEAP) {
        *(void **)&new_heap = find("mi_heap_new");
        arenas.make = make_heap;
        *(void **)&arenas.alloc = find("mi_heap_malloc");
        *(void **)&arenas.destroy = find("mi_heap_destroy");
    } else if (how != MALLOC && how != BUMP) {
        *(void **)&arenas.make = find("hak_arena_new");
        *(void **)&arenas.alloc = find("hak_arena_malloc");
        *(void **)&arenas.reset = find("hak_arena_reset");
        *(void **)&arenas.destroy = find("hak_arena_destroy");
        *(void **)&arenas.give = find("hak_arena_free");
    }
    if (how == SHARED || how == GIVEN)
        shared = bench_must(arenas.make(&any_thread), 1);
    double seconds = bench_run(threads, body);
    bench_report((double)(blocks * rounds) * threads, seconds, "how=%s threads=%u rounds=%llu blocks=%llu size=%zu-%zu", names[how],
        threads, (unsigned long long)rounds, (unsigned long long)blocks, low, high);
}
