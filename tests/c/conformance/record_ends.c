// What becomes of a record when something is in its way: a limit or a full disk ends it with one line and the program goes on; no folder, one line; what is
// there is not touched, nor a link followed. Five hundred threads do not make five hundred chunks, and a child made behind fork's back writes to a file of
// its own. What a thread does at its very end, when its heap is gone, is recorded, and what a handler does that interrupts a call.
// stderr: any
// run: command -v python3 >/dev/null || { echo "there is no python3"; exit 77; }; fail() { echo "$1"; cat err; exit 1; }; one() { [ "$(grep -c . err)" = 1 ] && grep -q "$1" err; }; (ulimit -f 256; HAKMEM_RECORD=full $RUN many 2>err) && one 'HAKMEM_RECORD: the record ends here (errno 27)' && python3 $here/hkt.py full | tail -n 1 | grep -q '^[0-9]\{5,6\} events' || fail full; HAKMEM_RECORD=no/such/folder/t $RUN many 2>err && one "HAKMEM_RECORD: the record can't be written (errno 2)" || fail folder; echo mine >there && ln -s nowhere link && for F in there link; do HAKMEM_RECORD=$F $RUN few 2>err || fail $F; [ $(ls $F.* | wc -l) = 1 ] && [ ! -s err ] || fail $F; done; [ "$(cat there)" = mine ] && [ ! -e nowhere ] || fail touched; HAKMEM_RECORD=churn $RUN threads 2>err && [ $(stat -c %s churn) -le 524288 ] && [ $(python3 $here/hkt.py churn | grep -c ' end$') = 500 ] || fail churn; HAKMEM_RECORD=raw $RUN raw 2>err >said && python3 $here/hkt.py --check raw raw.* <said || fail raw; for W in late handler; do HAKMEM_RECORD=$W $RUN $W 2>err >said && python3 $here/hkt.py --check $W <said || fail $W; done
#include "check.h"
#include <signal.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>

static char said[1 << 20];
static size_t len;

// Calls that are said, between two blocks of known sizes.
static void some(int mark, int calls) {
    void *blocks[16] = { 0 }, *first = malloc((size_t)mark);
    len = (size_t)sprintf(said, "thread %d\n", mark);
    for (int i = 0; i < calls; i++) {
        void **slot = &blocks[i * 7 % 16];
        if (*slot) {
            len += (size_t)sprintf(said + len, "free %lu\n", (unsigned long)*slot);
            free(*slot);
        }
        *slot = malloc((size_t)i % 1000);
        len += (size_t)sprintf(said + len, "malloc %d %lu\n", i % 1000, (unsigned long)*slot);
    }
    free(malloc((size_t)mark + 1)), free(first);
    CHECK(write(1, said, len) == (ssize_t)len);
}

static void *work(void *unused) {
    for (int i = 0; i < 10; i++) free(malloc(100));
    return unused;
}

static pthread_key_t key;

// Called again and again as far as libc goes: in the last round the thread has no heap.
static void last_rites(void *round) {
    if ((size_t)round < 4) CHECK(pthread_setspecific(key, (char *)round + 1) == 0);
    else some(8000000, 200);
}

static void *leave(void *unused) {
    CHECK(pthread_setspecific(key, (void *)1) == 0);
    return work(unused);
}

static volatile sig_atomic_t came;

static void interrupt(int unused) {
    (void)unused;
    // Both of a size that is at hand, as what it interrupts: neither is in the middle of taking a lock.
    free(malloc(777)), came++;
}

int main(int argc, char **argv) {
    const char *what = argc > 1 ? argv[1] : "few";
    if (!strcmp(what, "many")) {
        errno = 4711;
        for (int i = 0; i < 100000; i++) free(malloc((size_t)i % 1000));
        CHECK(errno == 4711);
    } else if (!strcmp(what, "threads")) {
        for (int i = 0; i < 500; i++) {
            pthread_t thread;
            CHECK(pthread_create(&thread, NULL, work, NULL) == 0 && pthread_join(thread, NULL) == 0);
        }
    } else if (!strcmp(what, "raw")) {
        some(7000000, 1000);
        // No handler of fork's runs: what the child finds is what the kernel hands to it.
        long child = syscall(SYS_clone, 17 /* SIGCHLD */, 0, 0, 0, 0);
        CHECK(child >= 0);
        if (child == 0) {
            some(7000002, 1000);
            _exit(0);
        }
        int status;
        CHECK(waitpid((pid_t)child, &status, 0) == child && status == 0);
        some(7000004, 1000);
    } else if (!strcmp(what, "late")) {
        pthread_t thread;
        CHECK(pthread_key_create(&key, last_rites) == 0);
        CHECK(pthread_create(&thread, NULL, leave, NULL) == 0 && pthread_join(thread, NULL) == 0);
    } else if (!strcmp(what, "handler")) {
        // Wherever it comes: also in the middle of an event.
        struct sigaction action = { .sa_handler = interrupt };
        struct itimerval often = { { 0, 200 }, { 0, 200 } }, never = { { 0, 0 }, { 0, 0 } };
        free(malloc(777)), work(NULL);
        CHECK(sigaction(SIGALRM, &action, NULL) == 0 && setitimer(ITIMER_REAL, &often, NULL) == 0);
        while (came < 60) work(NULL);
        CHECK(setitimer(ITIMER_REAL, &never, NULL) == 0);
        some(7000000, 1000);
    } else {
        work(NULL);
    }
    return 0;
}
