// No signal is ever delivered to the background thread: those sent to the process while main blocks them stay pending, and
// handlers run on main only. setuid reaches it (glibc stops each thread for that), and errno is each thread's own.
// env: HAKMEM_BACKGROUND=1 HAKMEM_DECAY_MS=20
#include "check.h"
#include <signal.h>
#include <sys/syscall.h>

static pid_t main_thread;
static ATOMIC(int) handled;

static void handler(int signal) {
    CHECK((pid_t)syscall(SYS_gettid) == main_thread);
    handled++;
}

static void *blocks[20000];
static void churn(void) {
    for (size_t i = 0; i < COUNT(blocks); i++) CHECK(blocks[i] = malloc(1000));
    for (size_t i = 0; i < COUNT(blocks); i++) free(blocks[i]);
}

int main(void) {
    main_thread = (pid_t)syscall(SYS_gettid);
    struct sigaction action = {.sa_handler = handler};
    for (int signal = 1; signal < NSIG; signal++)
        if (signal != SIGKILL && signal != SIGSTOP) sigaction(signal, &action, NULL); // refused for two of glibc's own
    churn();
    CHECK(setuid(getuid()) == 0);
    int sent = 0;
    for (int round = 0; round < 20; round++) {
        churn();
        for (int signal = 1; signal < NSIG; signal++) {
            if (signal == SIGKILL || signal == SIGSTOP || signal == 32 || signal == 33) continue;
            CHECK(kill(getpid(), signal) == 0);
            sent++;
        }
    }
    CHECK(handled == sent);
    sigset_t all, pending;
    sigfillset(&all);
    CHECK(sigprocmask(SIG_BLOCK, &all, NULL) == 0);
    CHECK(kill(getpid(), SIGALRM) == 0 && kill(getpid(), SIGCHLD) == 0);
    sleep_ms(200);
    CHECK(sigpending(&pending) == 0 && sigismember(&pending, SIGALRM) && sigismember(&pending, SIGCHLD));
    CHECK(handled == sent);
    return 0;
}
