// Profiles at exit and on request: named as HAKMEM_PROF_FILE says, for their owner alone, in place of an old one and never through a link; folded by
// their name; what can't be written costs one line on stderr, or an errno, and nothing else. A bad rate is named, and the default used.
// hakmem
// run: cd $TMP && env HAKMEM_PROF=1 HAKMEM_PROF_FILE=p-%p-%n.folded $RUN && [ "$(stat -c %a p-*-*.folded)" = 600 ] && grep -qE 'prof_files\+0x[0-9a-f]+ [0-9]+$' p-*-*.folded && echo kept >other && ln -s other link.pb && ! env HAKMEM_PROF=1 HAKMEM_PROF_FILE=link.pb $RUN 2>err | grep . && [ "$(wc -l <err)" = 1 ] && grep -q '^hakmem: HAKMEM_PROF_FILE=link.pb: ' err && [ "$(cat other)" = kept ] && env HAKMEM_PROF=1 HAKMEM_PROF_FILE=/nowhere/at/all $RUN 2>err && [ "$(wc -l <err)" = 1 ] && env HAKMEM_PROF=1 HAKMEM_PROF_RATE=0 HAKMEM_PROF_FILE=rate.pb $RUN 2>err && [ "$(wc -l <err)" = 1 ] && [ -s rate.pb ] && env HAKMEM_PROF=1 HAKMEM_PROF_FILE=/dev/full $RUN 2>err && [ "$(wc -l <err)" = 1 ] && [ -c /dev/full ] && ! ls *.tmp 2>/dev/null
#include "check.h"
#include <hakmem.h>
#include <sys/stat.h>

int main(void) {
    void *volatile block = malloc(8 * MIB);
    CHECK(block);
    mode_t old = umask(0);
    char name[] = "asked-%p.pb";
    CHECK(hak_prof_dump(name) == 0 && hak_prof_dump(name) == 0);
    umask(old);
    char path[64];
    snprintf(path, sizeof path, "asked-%d.pb", (int)getpid());
    struct stat stat;
    CHECK(lstat(path, &stat) == 0 && (stat.st_mode & 07777) == 0600 && stat.st_size > 200);
    CHECK(hak_prof_dump("/nowhere/at/all.pb") == ENOENT && hak_prof_dump("/proc/self/x.pb") != 0);
    CHECK(hak_prof_dump(".") == EEXIST && hak_prof_dump("/dev/null") == EEXIST);
    CHECK(symlink("nothing", "dangling.pb") == 0 || errno == EEXIST);
    CHECK(hak_prof_dump("dangling.pb") == EEXIST && lstat("nothing", &stat) != 0);
    char much[2000];
    memset(much, 'x', sizeof much - 1), much[sizeof much - 1] = 0;
    CHECK(hak_prof_dump(much) == ENAMETOOLONG);
    CHECK(unlink(path) == 0);
    return 0;
}
