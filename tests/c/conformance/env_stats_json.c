// HAKMEM_STATS=json:PATH with %p: a process and its forked child each leave one whole JSON object at exit, with the keys of
// docs/STATISTICS.md and the counters of the header, and nothing else: no temporary file, no line on stderr.
// env: HAKMEM_STATS=json:%p-%%.json
// run: $RUN >pids && set -- $(cat pids) && [ $(ls | grep -c json) = 2 ] && [ -s "$1-%.json" ] && [ -s "$2-%.json" ] && { ! [ -x /usr/bin/python3 ] || /usr/bin/python3 $here/json_stats.py $here/../../include/hakmem.h *.json; }
#include "check.h"
#include <sys/wait.h>

int main(void) {
    use_all_sizes(1);
    put_line(1, "%d\n", (int)getpid());
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        put_line(1, "%d\n", (int)getpid());
        use_all_sizes(2);
        exit(0);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK(open("/dev/null", O_RDONLY) == 3); // nothing of ours is open
    return 0;
}
