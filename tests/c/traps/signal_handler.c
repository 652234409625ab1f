// A timer signal every 200 us lands in the middle of allocations; the handler, on a stack of its own, does not allocate.
// Nothing is lost, and errno and system calls the allocator makes survive EINTR.
#include "check.h"
#include <signal.h>
#include <sys/time.h>

static volatile sig_atomic_t signals;
static char stack[32768];

static void on_alarm(int signal) {
    char scratch[512];
    memset(scratch, (int)signals, sizeof scratch);
    signals++;
    errno = EINTR;
}

int main(void) {
    stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
    struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_ONSTACK}; // without SA_RESTART
    struct itimerval every = {{0, 200}, {0, 200}};
    CHECK(sigaltstack(&alternate, NULL) == 0 && sigaction(SIGALRM, &action, NULL) == 0);
    CHECK(setitimer(ITIMER_REAL, &every, NULL) == 0);
    static struct {
        unsigned char *at;
        size_t size;
    } blocks[500];
    Random random = {9};
    int most = few_of(2500);
    for (unsigned step = 0; signals < most; step++) {
        size_t i = random_between(&random, 0, COUNT(blocks) - 1);
        CHECK(!blocks[i].at || stamped(blocks[i].at, blocks[i].size, (unsigned)i));
        size_t size = (size_t)1 << random_between(&random, 2, 19);
        if (step % 3) free(blocks[i].at), blocks[i].at = malloc(size);
        else blocks[i].at = realloc(blocks[i].at, size);
        CHECK(blocks[i].at);
        blocks[i].size = size;
        stamp(blocks[i].at, size, (unsigned)i);
    }
    return 0;
}
