// With HAKMEM_HARDENED=1 closed pages take a quarter of the process's mappings at most (vm.max_map_count): large blocks beyond go without, and are counted.
// env: HAKMEM_HARDENED=1 HAKMEM_GUARD_RATE=0
// hakmem
#include "check.h"
#include "hakmem.h"

static long number_in(const char *path, int lines) { // the number in a file, or how many lines it has
    static char text[65536];
    long count = 0;
    ssize_t n;
    int fd = open(path, O_RDONLY);
    if (fd < 0) return 65530;
    while ((n = read(fd, text, sizeof text - 1)) > 0) {
        text[n] = 0;
        if (!lines) return close(fd), atol(text);
        for (char *at = text; (at = strchr(at, '\n')); at++) count++;
    }
    close(fd);
    return count;
}

int main(void) {
    long most = number_in("/proc/sys/vm/max_map_count", 0);
    if (most > 200000) SKIP("the kernel allows %ld mappings", most);
    long blocks = most / 8 + 3000;
    char **all = malloc((size_t)blocks * sizeof *all);
    hak_stats stats;
    CHECK(all);
    for (long i = 0; i < blocks; i++) CHECK(all[i] = malloc(70000));
    CHECK(hak_stats_get(&stats, sizeof stats) == 0);
    CHECK(stats.closed_mappings <= (uint64_t)most / 4 && stats.closed_mappings > (uint64_t)most / 4 - 64);
    CHECK(stats.closed_missing > 2000 && number_in("/proc/self/maps", 1) < most / 4 + 2000);
    for (long i = 0; i < blocks; i++) free(all[i]);
    malloc_trim(0);
    CHECK(hak_stats_get(&stats, sizeof stats) == 0 && stats.closed_mappings < 1000);
    use_all_sizes(1);
    return 0;
}
