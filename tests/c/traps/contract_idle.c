// One second after a peak what is resident is at most what is live, and 32 MiB or an eighth of it: with HAKMEM_BACKGROUND=1
// in a process that then only sleeps. Memory held by the thread that freed it, by others that sleep, by dead ones, in small
// blocks and large. (No other allocator promises this.) contract_busy.c is the same for one that goes on calling malloc.
// env: HAKMEM_BACKGROUND=1
// run: exec $RUN idle
// cflags: -O1
// alone
#include "check.h"

static int idle;
static size_t base_kb, live;

// A hundredth of a second of a program that calls malloc: not all of these are hits, on which nothing looks at the clock.
static void be_busy(Random *random) {
    void *blocks[20];
    sleep_ms(10);
    for (size_t i = 0; i < COUNT(blocks); i++) blocks[i] = malloc(random_between(random, 1, 200000));
    for (size_t i = 0; i < COUNT(blocks); i++) free(blocks[i]);
}

// `live` bytes are held by the program; pages that also hold freed blocks are `shared`.
static void second_after_peak(const char *shape, size_t shared) {
    Random random = {7};
    if (idle) sleep_ms(1000);
    for (int tick = 0; !idle && tick < 100; tick++) be_busy(&random);
    size_t over = (live / 8 > 32 * MIB ? live / 8 : 32 * MIB), rss_kb = (size_t)status_kb("VmRSS:");
    // On a machine with more to do than it can, the second of a thread that is not let run is longer.
    for (int late = 0; late < 10 && rss_kb > base_kb + ((live + shared + over) >> 10); late++) {
        if (idle) sleep_ms(100);
        for (int tick = 0; !idle && tick < 10; tick++) be_busy(&random);
        rss_kb = (size_t)status_kb("VmRSS:");
        put_line(1, "note: late\n");
    }
    put_line(1, "note: %s, %s: %zu MiB of %zu\n", shape, idle ? "idle" : "busy", (rss_kb - base_kb) >> 10, (live + shared + over) >> 20);
    CHECK(rss_kb <= base_kb + ((live + shared + over) >> 10));
}

struct link {
    struct link *next;
    char rest[];
};
static struct link *fill(size_t bytes, size_t low, size_t high, uint64_t seed) {
    Random random = {seed};
    struct link *first = NULL;
    while (bytes > 0) {
        size_t size = random_between(&random, low, high);
        struct link *block = malloc(size);
        CHECK(block);
        for (size_t at = sizeof *block; at < size; at += 4096) ((char *)block)[at] = 1;
        ((char *)block)[size - 1] = 1;
        block->next = first;
        first = block;
        bytes -= size < bytes ? size : bytes;
    }
    return first;
}
static void drop(struct link *first) {
    while (first) {
        struct link *next = first->next;
        free(first);
        first = next;
    }
}

struct job {
    pthread_t thread;
    size_t bytes, low, high;
    struct link *blocks;
    ATOMIC(int) freed, leave;
    int stays;
};
static void *fill_and_free(void *arg) {
    struct job *job = arg;
    drop(fill(job->bytes, job->low, job->high, (uintptr_t)job));
    job->freed = 1;
    while (job->stays && !job->leave) sleep_ms(5);
    return NULL;
}
static void *fill_only(void *arg) {
    struct job *job = arg;
    job->blocks = fill(job->bytes, job->low, job->high, (uintptr_t)job);
    job->freed = 1;
    while (job->stays && !job->leave) sleep_ms(5);
    return NULL;
}
static struct job jobs[16];
static void start(void *(*run)(void *), int stays, size_t bytes, size_t low, size_t high) {
    for (size_t i = 0; i < COUNT(jobs); i++) {
        memset(&jobs[i], 0, sizeof jobs[i]);
        jobs[i].bytes = bytes / COUNT(jobs), jobs[i].low = low, jobs[i].high = high, jobs[i].stays = stays;
        jobs[i].thread = start_thread(run, &jobs[i]);
    }
    for (size_t i = 0; i < COUNT(jobs); i++)
        while (!jobs[i].freed) sleep_ms(1);
}
static void end(void) {
    for (size_t i = 0; i < COUNT(jobs); i++) jobs[i].leave = 1;
    for (size_t i = 0; i < COUNT(jobs); i++) join_thread(jobs[i].thread);
}

int main(int argc, char **argv) {
    idle = argc > 1 && strcmp(argv[1], "idle") == 0;
    free(malloc(100));
    base_kb = (size_t)status_kb("VmRSS:");

    drop(fill(1 * GIB, 100, 100, 1));
    second_after_peak("1 GiB in blocks of 100 bytes", 0);

    drop(fill(512 * MIB, 64 * KIB, 4 * MIB, 2));
    second_after_peak("512 MiB in blocks of 64 KiB to 4 MiB", 0);

    for (int round = 0; round < 5; round++) drop(fill(128 * MIB, 64 * KIB, 4 * MIB, 3)); // this earns allowance
    second_after_peak("128 MiB, five times", 0);

    struct link *kept = fill(400 * MIB, 64 * KIB, 4 * MIB, 4);
    live = 400 * MIB;
    for (int round = 0; round < 5; round++) drop(fill(200 * MIB, 64 * KIB, 1 * MIB, 5));
    second_after_peak("200 MiB beside 400 that are live, five times", 400 * MIB / 64); // a tail of each block's last granule
    live = 0;
    drop(kept);

    start(fill_and_free, 1, 256 * MIB, 16, 3000);
    second_after_peak("256 MiB by 16 threads that sleep", COUNT(jobs) * 10 * MIB); // their magazines and batches
    end();
    second_after_peak("the same, when they have ended", 0);

    start(fill_only, 1, 256 * MIB, 200, 200);
    for (size_t i = 0; i < COUNT(jobs); i++) drop(jobs[i].blocks);
    second_after_peak("256 MiB of 16 threads that sleep, freed by another", COUNT(jobs) * 2 * MIB); // inboxes, records
    end();

    start(fill_only, 0, 256 * MIB, 64, 9000);
    end();
    for (size_t i = 0; i < COUNT(jobs); i++) drop(jobs[i].blocks);
    second_after_peak("256 MiB of dead threads, freed by another", 0);
    return 0;
}
