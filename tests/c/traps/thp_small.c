// Where the system gives huge pages to every mapping, a small program does not get 2 MB for its first block.
// The kernel's note on the mapping is looked at, so this holds whatever the system is set to.
// run: env -u HAKMEM_THP $RUN && HAKMEM_THP=always $RUN ask
#include "check.h"

int main(int argc, char **argv) {
    if (access("/sys/kernel/mm/transparent_hugepage", F_OK) != 0) SKIP("a kernel without huge pages");
    char *block = malloc(100);
    static char line[4096];
    FILE *maps = fopen("/proc/self/smaps", "r");
    CHECK(maps);
    int inside = 0, seen = 0;
    const char *flag = argc > 1 ? " hg" : " nh"; // MADV_HUGEPAGE, MADV_NOHUGEPAGE
    while (fgets(line, sizeof line, maps)) {
        unsigned long from, to;
        if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
            inside = (unsigned long)block >= from && (unsigned long)block < to;
        if (inside && strncmp(line, "VmFlags:", 8) == 0) {
            seen = 1;
            CHECK(strstr(line, flag));
        }
    }
    if (!seen) SKIP("no VmFlags in smaps");
    fclose(maps);
    free(block);
    return 0;
}
