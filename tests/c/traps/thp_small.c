// Where the system gives huge pages to every mapping, a small program does not get 2 MB for its first block.
// The kernel's note on the mapping is looked at, so this holds whatever the system is set to. With HAKMEM_HARDENED=1 none is asked for: the pages that are open
// at once are fewer than a huge page has.
// run: env -u HAKMEM_THP $RUN && HAKMEM_THP=always $RUN ask
#include "check.h"

int main(int argc, char **argv) {
    if (access("/sys/kernel/mm/transparent_hugepage", F_OK) != 0) SKIP("a kernel without huge pages");
    char *block = malloc(100);
    static char line[4096];
    FILE *maps = fopen("/proc/self/smaps", "r");
    CHECK(maps);
    int inside = 0, seen = 0;
    unsigned long from = 0, to = 0;
    const char *flag = argc > 1 ? " hg" : " nh"; // MADV_HUGEPAGE, MADV_NOHUGEPAGE
    while (fgets(line, sizeof line, maps)) {
        unsigned long first, last;
        if (sscanf(line, "%lx-%lx ", &first, &last) == 2) {
            from = first, to = last;
            inside = (unsigned long)block >= from && (unsigned long)block < to;
        }
        const char *hardened = getenv("HAKMEM_HARDENED");
        if (inside && argc > 1 && hardened && strcmp(hardened, "1") == 0) {
            seen = 1;
            CHECK(to - from < 2 * MIB);
        } else if (inside && strncmp(line, "VmFlags:", 8) == 0) {
            seen = 1;
            CHECK(strstr(line, flag));
        }
    }
    if (!seen) SKIP("no VmFlags in smaps");
    fclose(maps);
    free(block);
    return 0;
}
