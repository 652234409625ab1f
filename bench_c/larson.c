// How fast does a server run whose threads die and hand their blocks on? The workload Larson and
// Krishnan published (ISMM 1998), written anew; one op is one replacement, a free and a malloc.
#include "bench.h"
#include <semaphore.h>
#include <stdatomic.h>

static double seconds;
static size_t low, high;
static uint64_t chunks, rounds, seed;
static atomic_bool stopping;
static sem_t finished;

// Belongs to exactly one thread at a time; pthread_create hands it over.
struct lane {
    void **blocks;
    uint32_t rng;
    uint64_t ops, generations, end;
    pthread_t current, predecessor;
    bool has_predecessor;
} __attribute__((aligned(64)));

static void *generation(void *argument)
{
    struct lane *lane = argument;
    pthread_t predecessor = lane->predecessor;
    bool has_predecessor = lane->has_predecessor;
    uint64_t ops = 0, limit = rounds * chunks;
    bool stopped = false;
    while (ops < limit && !stopped) {
        void **victim = &lane->blocks[bench_draw(&lane->rng) % chunks];
        free(*victim);
        *victim = bench_alloc(bench_between(bench_draw(&lane->rng), low, high));
        ops++;
        stopped = atomic_load_explicit(&stopping, memory_order_relaxed); // nothing is published by it
    }
    lane->ops += ops;
    lane->generations++;
    // Joined only now: its exit overlaps our work as in the original, yet no thread is left behind.
    if (has_predecessor)
        pthread_join(predecessor, NULL);
    if (stopped) {
        lane->current = pthread_self();
        lane->end = bench_now();
        sem_post(&finished);
        return NULL;
    }
    lane->predecessor = pthread_self();
    lane->has_predecessor = true;
    pthread_t successor;
    bench_spawn(&successor, generation, lane);
    return NULL;
}

int main(int argc, char **argv)
{
    bench_args(argc, argv, "seconds min max chunks rounds seed threads");
    bench_positionals(7, 7);
    seconds = bench_seconds(1, false);
    low = bench_number(2, 1, BENCH_MAX_SIZE);
    high = bench_number(3, low, BENCH_MAX_SIZE);
    chunks = bench_number(4, 1, BENCH_MAX_SLOTS);
    rounds = bench_number(5, 1, 1u << 30);
    seed = bench_number(6, 1, BENCH_MAX_SEED);
    unsigned threads = (unsigned)bench_number(7, 1, BENCH_MAX_THREADS);

    struct lane *lanes = bench_map(threads, sizeof *lanes);
    for (unsigned i = 0; i < threads; i++) {
        lanes[i].rng = bench_stream(seed, i);
        lanes[i].blocks = bench_map(chunks, sizeof(void *));
        // The main thread fills all arrays, as published: every first free is a remote one.
        for (uint64_t k = 0; k < chunks; k++)
            lanes[i].blocks[k] = bench_alloc(bench_between(bench_draw(&lanes[i].rng), low, high));
    }
    sem_init(&finished, 0, 0);
    uint64_t begin = bench_now();
    for (unsigned i = 0; i < threads; i++) {
        pthread_t first;
        bench_spawn(&first, generation, &lanes[i]);
    }
    struct timespec left = { (time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9) };
    while (nanosleep(&left, &left) && errno == EINTR) { }
    atomic_store_explicit(&stopping, true, memory_order_relaxed);
    for (unsigned i = 0; i < threads; i++) {
        while (sem_wait(&finished) && errno == EINTR) { }
    }
    uint64_t end = begin, ops = 0, generations = 0;
    for (unsigned i = 0; i < threads; i++) {
        pthread_join(lanes[i].current, NULL);
        end = lanes[i].end > end ? lanes[i].end : end;
        ops += lanes[i].ops;
        generations += lanes[i].generations;
        for (uint64_t k = 0; k < chunks; k++)
            free(lanes[i].blocks[k]);
    }
    bench_report((double)ops, bench_elapsed(begin, end), "size=%zu-%zu chunks=%llu rounds=%llu threads=%u generations=%llu",
        low, high, (unsigned long long)chunks, (unsigned long long)rounds, threads, (unsigned long long)generations);
}
