// What HAKMEM_RECORD writes is what was called, call by call, of one thread and of eight that hand their blocks over; by a child of fork, in a file
// of its own; and all that was called before kill -9. Also with the profiler on, for the baseline, and hardened in both forms.
// run: command -v python3 >/dev/null || { echo "there is no python3"; exit 77; }; for MODE in DECAY_MS=1000 PROF=1 TINY_HEAP_V2=0 HARDENED=1 HARDENED=light; do for WHAT in one eight fork kill; do rm -f *.hkt* said*; env HAKMEM_$MODE HAKMEM_PROF_RATE=4096 HAKMEM_PROF_FILE=%n.pb HAKMEM_RECORD=t.hkt $RUN $WHAT && cat said.* | python3 $here/hkt.py --check t.hkt* >out || { echo "$MODE $WHAT"; cat out; exit 1; }; done; done; [ "$(stat -c %a t.hkt)" = 600 ] && tail -n 1 out
#include "check.h"
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

enum { THREADS = 8, CALLS = 2000, MORE = 9000 /* more than a chunk holds */, KEPT = 400, MARK = 5000000, LINE = 64 };
typedef struct {
    int mark, fd, calls;
    unsigned seed;
    char *text; // what it says, mapped: nothing in here allocates but what is to be recorded
    size_t len;
    void *kept[KEPT];
} Thread;
static Thread all[THREADS + 2];
static ATOMIC(void *) handed[THREADS];

static unsigned draw(Thread *t, unsigned below) {
    t->seed = t->seed * 1664525 + 1013904223;
    return (t->seed >> 8) % below;
}

#define SAY(t, ...) ((t)->len += (size_t)snprintf((t)->text + (t)->len, LINE, __VA_ARGS__))
#define A(p) ((unsigned long)(p))

static size_t draw_size(Thread *t) {
    switch (draw(t, 20)) {
    case 0: return draw(t, 200000);
    case 1: return 1 << 20 | draw(t, 4096);
    default: return draw(t, 2000);
    }
}

static void drop(Thread *t, void *block) {
    if (!block) return;
    SAY(t, "free %lu\n", A(block));
    free(block);
}

static void call(Thread *t) {
    void **slot = &t->kept[draw(t, KEPT)];
    size_t size = draw_size(t);
    switch (draw(t, 8)) {
    case 0:
        drop(t, *slot);
        *slot = calloc(1, size);
        SAY(t, "calloc %zu %lu\n", size, A(*slot));
        break;
    case 1: {
        drop(t, *slot);
        size_t to = (size_t)32 << draw(t, 13);
        CHECK(posix_memalign(slot, to, size) == 0);
        SAY(t, "aligned %zu %zu %lu\n", size, to, A(*slot));
        break;
    }
    case 2: {
        if (!*slot || !size) break;
        void *old = *slot;
        *slot = realloc(old, size);
        SAY(t, "realloc %lu %zu %lu\n", A(old), size, A(*slot));
        break;
    }
    case 3:
        if (draw(t, 50) == 0) {
            CHECK(malloc(SIZE_MAX / 4) == NULL && errno == ENOMEM);
            SAY(t, "failed %zu\n", SIZE_MAX / 4);
        }
        break;
    case 4:
        // To another thread, which frees it.
        *slot = atomic_exchange(&handed[draw(t, THREADS)], *slot);
        break;
    default:
        drop(t, *slot);
        *slot = malloc(size);
        SAY(t, "malloc %zu %lu\n", size, A(*slot));
    }
}

// Says it, as far as it went.
static void finish(Thread *t) {
    CHECK(write(t->fd, t->text, t->len) == (ssize_t)t->len);
    close(t->fd);
}

static Thread *prepare(int n) {
    Thread *t = &all[n];
    t->mark = MARK + 2 * n;
    t->seed = (unsigned)n + 1;
    t->calls = CALLS;
    t->text = mmap(NULL, MORE * 2 * LINE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(t->text != MAP_FAILED);
    char name[] = "said.0";
    name[5] = (char)('0' + n);
    CHECK((t->fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600)) >= 0);
    SAY(t, "thread %d\n", t->mark);
    return t;
}

static void *run(void *thread) {
    Thread *t = thread;
    errno = 4711;
    void *mark = malloc((size_t)t->mark);
    CHECK(errno == 4711);
    for (int i = 0; i < t->calls; i++) call(t);
    free(malloc((size_t)t->mark + 1)), free(mark);
    return NULL;
}

int main(int argc, char **argv) {
    const char *what = argc > 1 ? argv[1] : "one";
    if (!strcmp(what, "eight")) {
        pthread_t threads[THREADS];
        for (int n = 0; n < THREADS; n++) CHECK(pthread_create(&threads[n], NULL, run, prepare(n)) == 0);
        for (int n = 0; n < THREADS; n++) CHECK(pthread_join(threads[n], NULL) == 0), finish(&all[n]);
        return 0;
    }
    int fd = -1;
    if (!strcmp(what, "one")) { // as daemons do: not even the record's own file stays open
        for (fd = 3; fd < 1024; fd++) close(fd);
    }
    Thread *t = prepare(0);
    if (fd > 0) t->calls = MORE;
    run(t);
    finish(t);
    if (!strcmp(what, "fork")) {
        pid_t child = fork();
        CHECK(child >= 0);
        Thread *next = prepare(child ? 1 : 2);
        memcpy(next->kept, t->kept, sizeof t->kept); // both go on with the same blocks
        run(next);
        finish(next);
        int status = 0;
        CHECK(child == 0 || (waitpid(child, &status, 0) == child && status == 0));
    } else if (!strcmp(what, "kill")) {
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            Thread *next = prepare(1);
            memcpy(next->kept, t->kept, sizeof t->kept);
            run(next);
            finish(next);
            kill(getpid(), SIGKILL);
        }
        int status;
        CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status));
    }
    return 0;
}
