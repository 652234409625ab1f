// How many pages does a forked child copy when it frees some of its parent's blocks? Redis' snapshots and preforking servers
// share all memory with their parent until somebody writes; an allocator that links its free blocks through themselves, or
// keeps its records beside them, writes to a page for each. The child frees one block of each `every`, at a random place.
#include "bench.h"
#include <sys/wait.h>

// What the child found; shared with it.
struct outcome {
    uint64_t frees, copied_kib, faults;
    double seconds;
};

// What this process alone has written to: right after fork nearly nothing. Raw read(2): fopen mallocs.
static uint64_t private_kib(void)
{
    static const char field[] = "\nPrivate_Dirty:";
    char text[4096];
    size_t length = 0;
    int file = open("/proc/self/smaps_rollup", O_RDONLY | O_CLOEXEC);
    if (file < 0)
        bench_die("cannot open /proc/self/smaps_rollup: %s", strerror(errno));
    for (ssize_t n; length < sizeof text - 1 && (n = read(file, text + length, sizeof text - 1 - length)) > 0;)
        length += (size_t)n;
    close(file);
    text[length] = '\0';
    const char *line = strstr(text, field);
    if (!line)
        bench_die("no Private_Dirty in /proc/self/smaps_rollup");
    return strtoull(line + sizeof field - 1, NULL, 10);
}

static void child(void **blocks, uint64_t count, uint64_t every, uint32_t draw, struct outcome *outcome)
{
    uint64_t before = private_kib(), faults = bench_faults(), begin = bench_now();
    for (uint64_t i = 0; i + every <= count; i += every, outcome->frees++)
        free(blocks[i + bench_draw(&draw) % every]);
    outcome->seconds = bench_elapsed(begin, bench_now());
    outcome->faults = bench_faults() - faults;
    uint64_t after = private_kib();
    outcome->copied_kib = after > before ? after - before : 0;
}

int main(int argc, char **argv)
{
    bench_args(argc, argv, "blocks size every [seed]");
    bench_positionals(3, 4);
    uint64_t count = bench_number(1, 1, BENCH_MAX_SLOTS), size = bench_number(2, 1, BENCH_MAX_SIZE);
    uint64_t every = bench_number(3, 1, count), seed = bench_number_or(4, 42, 0, BENCH_MAX_SEED);

    void **blocks = bench_map(count, sizeof *blocks);
    struct outcome *outcome = mmap(NULL, sizeof *outcome, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (outcome == MAP_FAILED)
        bench_die("cannot map: %s", strerror(errno));
    for (uint64_t i = 0; i < count; i++)
        blocks[i] = memset(bench_must(malloc(size), size), (int)i, size);

    pid_t pid = fork();
    if (pid < 0)
        bench_die("cannot fork: %s", strerror(errno));
    if (pid == 0) {
        child(blocks, count, every, bench_stream(seed, 0), outcome);
        _exit(0);
    }
    int status;
    if (waitpid(pid, &status, 0) != pid || status)
        bench_die("the child ended with status %d", status);
    bench_report((double)outcome->frees, outcome->seconds,
        "blocks=%llu size=%llu every=%llu frees=%llu copied_kib=%llu child_faults=%llu", (unsigned long long)count,
        (unsigned long long)size, (unsigned long long)every, (unsigned long long)outcome->frees,
        (unsigned long long)outcome->copied_kib, (unsigned long long)outcome->faults);
}
