// The background thread: not there by default nor before main, one thread named hakmem when asked for; in an idle process
// it gives nearly all of what is free back, also after a long rest, and then sleeps without waking up.
// run: $RUN none && env HAKMEM_BACKGROUND=1 HAKMEM_DECAY_MS=200 $RUN
// cflags: -O1
#include "check.h"
#include <dirent.h>

static int threads, in_constructor = -1;
static long switches;

// Counts this process's threads, and looks up how often the one named hakmem has slept.
static void look(void) {
    DIR *directory = opendir("/proc/self/task");
    CHECK(directory);
    threads = 0;
    for (struct dirent *entry; (entry = readdir(directory));) {
        char path[300], text[2048];
        if (entry->d_name[0] == '.') continue;
        threads++;
        snprintf(path, sizeof path, "/proc/self/task/%s/status", entry->d_name);
        int fd = open(path, O_RDONLY);
        ssize_t n = read(fd, text, sizeof text - 1);
        close(fd);
        text[n > 0 ? n : 0] = 0;
        if (strncmp(text, "Name:\thakmem\n", 13) == 0) switches = atol(strstr(text, "\nvoluntary_ctxt_switches:") + 25);
    }
    closedir(directory);
}
__attribute__((constructor)) static void early(void) {
    look();
    in_constructor = threads;
}

static void *blocks[400000];
static void peak(void) {
    for (size_t i = 0; i < COUNT(blocks); i++) memset(blocks[i] = malloc(500), 1, 500);
    CHECK(rss_mb() > 180);
    for (size_t i = 0; i < COUNT(blocks); i++) free(blocks[i]);
}

int main(int argc, char **argv) {
    CHECK(in_constructor <= 2);
    peak();
    look();
    if (argc > 1) {
        CHECK(threads == 1);
        return 0;
    }
    CHECK(threads == 2 && switches > 0);
    for (int round = 0; round < 2; round++) {
        sleep_ms(1500); // many decay times: all of it goes
        for (int late = 0; late < 30 && rss_mb() >= 20; late++) sleep_ms(100); // on a machine with more to do than it can
        NOTE("RSS %ld MB", rss_mb());
        CHECK(rss_mb() < 20);
        long before = -1;
        for (int late = 0; late < 5 && switches != before; late++) {
            look();
            before = switches;
            sleep_ms(1000);
            look();
        }
        CHECK(switches == before);
        peak();
    }
    return 0;
}
