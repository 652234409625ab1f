// The library leaves the process as it was: one thread, no file open, no signal handler or mask, no timer, THP not switched
// off for it and its children, dumpable, small VIRT. (A hidden thread breaks setns and unshare.) Hardened, addresses are set aside besides, of which most hold
// nothing: a room for each size in use, and a MiB on both sides of a large block.
// run: for fd in 3 4 5 6 7 8 9; do eval "exec $fd>&-"; done; exec $RUN
#include "check.h"
#include <dirent.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/time.h>

static int entries(const char *path) {
    int n = 0;
    DIR *directory = opendir(path);
    CHECK(directory);
    while (readdir(directory)) n++;
    closedir(directory);
    return n - 2;
}

int main(void) {
    use_all_sizes(1);
    malloc_trim(0);
    CHECK(entries("/proc/self/task") == 1);
    for (int fd = 3; fd < 10; fd++) CHECK(fcntl(fd, F_GETFD) == -1);
    for (int i = 1; i < NSIG; i++) {
        struct sigaction action;
        if (i == SIGSEGV && getenv("HAKMEM_GUARD_RATE")) continue; // asks for one
        if (sigaction(i, NULL, &action) == 0) CHECK(action.sa_handler == SIG_DFL || action.sa_handler == SIG_IGN);
    }
    sigset_t mask, pending;
    CHECK(sigprocmask(SIG_SETMASK, NULL, &mask) == 0 && sigpending(&pending) == 0);
    CHECK(sigisemptyset(&mask) && sigisemptyset(&pending));
    struct itimerval timer;
    CHECK(getitimer(ITIMER_REAL, &timer) == 0 && timer.it_value.tv_sec == 0 && timer.it_value.tv_usec == 0);
    CHECK(prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0) == 0 && prctl(PR_GET_DUMPABLE) == 1);
    NOTE("VIRT %ld MB", status_kb("VmSize:") / 1024);
    const char *hardened = getenv("HAKMEM_HARDENED");
    long most = hardened && strcmp(hardened, "0") != 0 ? 8 << 20 : 256 << 10; // KiB
    CHECK(status_kb("VmPeak:") < most && status_kb("VmRSS:") < 64 << 10);
    return 0;
}
