// Four threads, each interrupted every 100 us by a timer of its own, at any instruction. The handler does not allocate; where
// it did not interrupt the allocator it leaves by siglongjmp now and then. No block loses a byte.
#include "check.h"
#include <setjmp.h>
#include <signal.h>
#include <sys/syscall.h>

typedef struct {
    sigjmp_buf back;
    volatile sig_atomic_t inside, signals, jumps;
    volatile size_t at;
    struct {
        unsigned char *volatile at;
        volatile size_t size;
    } blocks[300];
} State;
static State states[4];
static __thread State *mine;

static void on_timer(int signal) {
    char scratch[256];
    memset(scratch, (int)++mine->signals, sizeof scratch);
    errno = EINTR;
    if (!mine->inside && mine->signals % 8 == 0) {
        mine->jumps++;
        siglongjmp(mine->back, 1);
    }
}

static void *work(void *state) {
    mine = (State *)state;
    Random random = {(uintptr_t)(mine - states) + 3};
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR1};
    event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
    timer_t timer;
    mine->inside = 1;
    CHECK(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
    struct itimerspec every = {{0, 100000}, {0, 100000}};
    CHECK(timer_settime(timer, 0, &every, NULL) == 0);
    sigsetjmp(mine->back, 1); // comes back here in the middle of a check or a stamp: both may be done again
    int most = few_of(4000);
    while (mine->signals < most) {
        mine->inside = 1;
        size_t i = random_between(&random, 0, COUNT(mine->blocks) - 1), size = (size_t)1 << random_between(&random, 2, 18);
        unsigned char *p = mine->blocks[i].at;
        mine->inside = 0;
        CHECK(!p || stamped(p, mine->blocks[i].size, (unsigned)i));
        mine->inside = 1;
        if (next_random(&random) % 3) free(p), p = (unsigned char *)malloc(size);
        else p = (unsigned char *)realloc(p, size);
        CHECK(p);
        stamp(p, size, (unsigned)i);
        mine->blocks[i].at = p, mine->blocks[i].size = size;
        mine->inside = 0;
    }
    mine->inside = 1;
    timer_delete(timer);
    return NULL;
}

int main(void) {
    struct sigaction action = {.sa_handler = on_timer, .sa_flags = SA_NODEFER};
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    pthread_t threads[COUNT(states)];
    int jumps = 0;
    for (size_t i = 0; i < COUNT(states); i++) threads[i] = start_thread(work, &states[i]);
    for (size_t i = 0; i < COUNT(states); i++) join_thread(threads[i]), jumps += states[i].jumps;
    NOTE("%d jumps out of handlers", jumps);
    CHECK(jumps > 0);
    return 0;
}
