// HAKMEM_STATS_SIGNAL: the next slow path after the signal writes the report, errno is kept, system calls go on, a child of
// fork is not asked, and a handler of the program's own takes over. Without HAKMEM_STATS the report is text on stderr.
// env: HAKMEM_STATS_SIGNAL=USR2 HAKMEM_TINY_HEAP_V2=1 HAKMEM_HARDENED=0 HAKMEM_GUARD_RATE=0
// stderr: any
// run: HAKMEM_STATS=json:out.json $RUN 2>err || { cat err >&2; exit 1; }; [ ! -s err ] && rm out.json && $RUN text 2>err && [ "$(grep -c '^hakmem: statistics of process' err)" = 2 ]
#include "check.h"
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

static ATOMIC(int) own_signals;
static void own(int signal) { own_signals++; }

static int exists(void) {
    struct stat file;
    return stat("out.json", &file) == 0 && file.st_size > 1000;
}
static void *slow_paths(void *unused) {
    void *blocks[200];
    for (size_t i = 0; i < COUNT(blocks); i++) blocks[i] = malloc(3000);
    for (size_t i = 0; i < COUNT(blocks); i++) free(blocks[i]);
    return unused;
}
static void *send_soon(void *thread) {
    sleep_ms(50);
    CHECK(pthread_kill(*(pthread_t *)thread, SIGUSR2) == 0);
    sleep_ms(50);
    return NULL;
}

int main(int argc, char **argv) {
    int text = argc > 1;
    free(malloc(64));
    CHECK(!exists() && raise(SIGUSR2) == 0);
    CHECK(!exists()); // the handler writes nothing
    void *p = malloc(64);
    free(p); // hits: nor do they
    CHECK(!exists());
    pid_t child = fork();
    if (child == 0) slow_paths(NULL), _exit(exists());
    int status;
    CHECK(child > 0 && waitpid(child, &status, 0) == child && status == 0);
    errno = 77;
    free(malloc(300000));
    CHECK(errno == 77 && (text || exists()));

    unlink("out.json");
    int ends[2];
    char byte;
    pthread_t self = pthread_self(), sender = start_thread(send_soon, &self);
    CHECK(pipe(ends) == 0);
    pthread_t feeder = start_thread(send_soon, &self); // both signals while we wait; a third thread ends the wait
    child = fork();
    if (child == 0) sleep_ms(200), _exit(write(ends[1], "x", 1) != 1);
    CHECK(read(ends[0], &byte, 1) == 1); // not EINTR
    join_thread(sender), join_thread(feeder);
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    join_thread(start_thread(slow_paths, NULL)); // any thread answers
    CHECK(text || exists());
    unlink("out.json");
    slow_paths(NULL); // once asked, once answered
    CHECK(!exists());

    CHECK(signal(SIGUSR2, own) != SIG_ERR && raise(SIGUSR2) == 0 && own_signals == 1);
    slow_paths(NULL);
    CHECK(!exists());
    return 0;
}
