// The background thread never keeps a process alive, nor is it the one to end it: main ends by pthread_exit, and the last
// worker's end ends the process, with its exit handlers on that worker's stack. One that is started anew works again. Where all
// pthread keys are taken, so that nobody is told which thread is the last, there is none.
// env: HAKMEM_BACKGROUND=1 HAKMEM_DECAY_MS=20
// run: $RUN; [ $? = 7 ] || exit 1; $RUN threads; [ $? = 7 ] || exit 1; $RUN heapless; [ $? = 7 ] || exit 1; $RUN keys; [ $? = 7 ]
#include "check.h"
#include <sys/syscall.h>

static pid_t last;
static int by_worker;

static void at_end(void) {
    if (by_worker) CHECK((pid_t)syscall(SYS_gettid) == last);
    _exit(7);
}

static void churn(void) {
    static __thread void *blocks[3000];
    for (size_t i = 0; i < COUNT(blocks); i++) CHECK(blocks[i] = malloc(1000));
    for (size_t i = 0; i < COUNT(blocks); i++) free(blocks[i]);
}
// However long main takes to its pthread_exit: a zombie is what is left of it then.
static void outlive_main(void) {
    char path[64], text[512], *name;
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", getpid());
    do {
        sleep_ms(100);
        int fd = open(path, O_RDONLY);
        ssize_t n = read(fd, text, sizeof text - 1);
        close(fd);
        CHECK(n > 0), text[n] = 0;
        CHECK(name = strrchr(text, ')'));
    } while (name[2] != 'Z');
}
static void *work(void *unused) {
    churn();
    outlive_main();
    churn();
    last = (pid_t)syscall(SYS_gettid);
    return unused;
}
// Ends last, and has never allocated.
static void *only_sleeps(void *unused) {
    sleep_ms(400);
    last = (pid_t)syscall(SYS_gettid);
    return unused;
}
// Starts the next one when the heaps of all before it are given up.
static void *relay(void *left) {
    churn();
    if ((uintptr_t)left > 0) {
        pthread_t next;
        CHECK(pthread_create(&next, NULL, relay, (void *)((uintptr_t)left - 1)) == 0 && pthread_detach(next) == 0);
    }
    last = (pid_t)syscall(SYS_gettid);
    return NULL;
}

static void take_all_keys(int argc, char **argv) {
    pthread_key_t key;
    while (argc > 1 && argv[1][0] == 'k' && pthread_key_create(&key, NULL) == 0) {}
}
__attribute__((section(".preinit_array"), used)) static void (*first)(int, char **) = take_all_keys;

int main(int argc, char **argv) {
    CHECK(atexit(at_end) == 0);
    churn();
    pthread_t thread;
    by_worker = 1;
    if (argc > 1 && argv[1][0] == 'h') CHECK(pthread_create(&thread, NULL, only_sleeps, NULL) == 0);
    if (argc > 1 && argv[1][0] == 't') CHECK(pthread_create(&thread, NULL, relay, (void *)50) == 0);
    CHECK(pthread_create(&thread, NULL, argc > 1 && argv[1][0] != 'k' ? relay : work, NULL) == 0);
    if (argc > 1 && argv[1][0] == 't') by_worker = 0; // two relays: whoever is last
    pthread_exit(NULL);
}
