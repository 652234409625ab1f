// forms: preload first archive static
// A program with one thread forks in a signal handler that interrupts malloc and free; child and parent go on with what was interrupted
#include "check.h"
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>

static volatile long forks, grown;
static volatile pid_t child;

static void interrupt(int unused) {
    (void)unused;
    alarm(30);
    pid_t made = fork();
    if (!made) {
        // Some children go on after the handler, as the program would.
        if (forks % 8 == 0) { child = 1, grown = 0; return; }
        _exit(0);
    }
    int status;
    if (waitpid(made, &status, 0) != made || status) _exit(9);
    forks++;
}

int main(void) {
    struct sigaction action = {.sa_handler = interrupt, .sa_flags = SA_RESTART};
    CHECK(sigaction(SIGPROF, &action, NULL) == 0);
    struct itimerval each = {{0, 900}, {0, 900}}, never = {{0, 0}, {0, 0}};
    setitimer(ITIMER_PROF, &each, NULL);
    static void *kept[997];
    unsigned seed = 7;
    long enough = getenv("EMULATOR") ? 0 : few_of(8) / 4; // of the processor's time, which a busy machine gives late
    for (time_t end = time(NULL) + (few_of(8) < 8 ? 1 : 3), now; ((now = time(NULL)) < end || (!child && forks <= enough && now < end + 20)) && grown < 20;) {
        for (int i = 0; i < 1000; i++) {
            int k = rand_r(&seed) % 997;
            free(kept[k]);
            kept[k] = malloc(rand_r(&seed) % 300000);
            if (kept[k]) memset(kept[k], 1, 1);
        }
        grown += child;
    }
    setitimer(ITIMER_PROF, &never, NULL);
    for (int k = 0; k < 997; k++) free(kept[k]);
    CHECK(child || forks > enough);
    if (!child) NOTE("%ld forks", forks);
    return 0;
}
