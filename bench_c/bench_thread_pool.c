// Is warm memory everybody's? A pool of threads serves requests one at a time, each by a thread at random: so many KiB of blocks
// allocated, touched and freed. With --all the threads are all at work at once. One op is a request.
#include "bench.h"
#include <semaphore.h>

enum { SMALLEST = 16 };

static uint64_t requests, bytes, most;
static unsigned threads;
static size_t low, high;
static bool all;

struct server {
    sem_t wanted;
    uint32_t rng;
    void **blocks;
    bool over;
    pthread_t thread;
} __attribute__((aligned(128)));

static struct server *servers;
static sem_t served;

static void serve(struct server *server)
{
    uint64_t count = 0;
    for (uint64_t taken = 0; taken < bytes && count < most; count++) {
        size_t size = low ? bench_between(bench_draw(&server->rng), low, high) : bench_doubling(&server->rng, SMALLEST, 4096);
        void *block = server->blocks[count] = bench_must(malloc(size), size);
        bench_touch_pages(block, size);
        taken += size;
    }
    for (uint64_t i = 0; i < count; i++)
        free(server->blocks[i]);
}

static void *wait_and_serve(void *argument)
{
    struct server *server = argument;
    for (;;) {
        while (sem_wait(&server->wanted)) { }
        if (server->over)
            return NULL;
        serve(server);
        sem_post(&served);
    }
}

static void hand_out(struct bench_worker *worker)
{
    uint32_t rng = bench_stream(42, 4711);
    bench_go(worker);
    for (uint64_t i = 0; i < requests; i++) {
        sem_post(&servers[bench_draw(&rng) % threads].wanted);
        while (sem_wait(&served)) { }
    }
    bench_stop(worker);
}

static void work_at_once(struct bench_worker *worker)
{
    struct server *server = &servers[worker->index];
    uint64_t mine = requests / threads + (worker->index < requests % threads);
    bench_go(worker);
    for (uint64_t i = 0; i < mine; i++)
        serve(server);
    bench_stop(worker);
}

int main(int argc, char **argv)
{
    bench_args(argc, argv, "threads requests kib [min max] [--all]");
    all = bench_flag("--all");
    bench_positionals(3, 5);
    threads = (unsigned)bench_number(1, 1, BENCH_MAX_THREADS);
    requests = bench_number(2, 1, 1u << 30);
    bytes = bench_number(3, 1, 1u << 20) << 10;
    if (bench_argc == 5)
        bench_usage("min without max");
    if (bench_argc > 5) {
        low = bench_number(4, 1, BENCH_MAX_SIZE);
        high = bench_number(5, low, BENCH_MAX_SIZE);
    }
    // A twelfth of the mean when sizes are drawn by doublings: it is never reached.
    most = bytes / (low ? low : 64) + 1;
    servers = bench_map(threads, sizeof *servers);
    void **shared = all ? NULL : bench_map(most, sizeof *shared);
    sem_init(&served, 0, 0);
    for (unsigned i = 0; i < threads; i++) {
        servers[i].rng = bench_stream(42, i);
        servers[i].blocks = all ? bench_map(most, sizeof(void *)) : shared;
        sem_init(&servers[i].wanted, 0, 0);
        if (!all)
            bench_spawn(&servers[i].thread, wait_and_serve, &servers[i]);
    }
    uint64_t base = bench_rss_kib(), faults = bench_faults();
    double seconds = bench_run(all ? threads : 1, all ? work_at_once : hand_out);
    uint64_t after = bench_rss_kib();
    faults = bench_faults() - faults;
    bench_report((double)requests, seconds, "threads=%u kib=%llu size=%zu-%zu at_once=%s", threads, (unsigned long long)(bytes >> 10),
        low ? low : SMALLEST, low ? high : 4095, all ? "all" : "one");
    bench_figure("faults_a_request", "%.1f", (double)faults / (double)requests);
    bench_figure("resident_mib", "%.1f", (double)(after > base ? after - base : 0) / 1024);
    for (unsigned i = 0; i < threads && !all; i++) {
        servers[i].over = true;
        sem_post(&servers[i].wanted);
        pthread_join(servers[i].thread, NULL);
    }
}
