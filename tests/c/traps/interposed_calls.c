// Another preloaded library has its own syscall, mmap, munmap, madvise, mremap, open, read, write, close, clock_gettime, getpid, sigaction,
// abort and others, which take a lock, allocate under it, and refuse, as torsocks, libfaketime and libuid_wrapper do: memory is
// served and goes back, the options that write and measure work, misuse ends in the kernel's SIGABRT.
// plugin
// forms: preload first last archive
// stderr: of the reports
// run: case $FORM in preload) set "LD_PRELOAD=$BIN.so:$LIB" "LD_PRELOAD=$LIB:$BIN.so" ;; *) set A=1 ;; esac; for order; do for option in A=1 HAKMEM_STATS=text:stats HAKMEM_BACKGROUND=1 HAKMEM_HARDENED=1 HAKMEM_GUARD_RATE=10 HAKMEM_PRESSURE=always; do rm -f stats; timeout 20 env $option "$order" $BIN || exit 1; case $option in HAKMEM_STATS*) grep -q live_bytes stats || exit 1 ;; esac; done; env "$order" timeout 20 $BIN twice; [ $? = 134 ] || exit 1; done
#include "check.h"
#include <dlfcn.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

#ifdef PLUGIN
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; // not recursive: who comes here from malloc hangs
static void *held[64];

static void *next(const char *name) { // as those libraries do: memory, under their lock, then libc's own
    pthread_mutex_lock(&lock);
    static unsigned n;
    for (int i = 0; i < 8; i++, n++) {
        free(held[n % 64]);
        held[n % 64] = malloc(1 + n * 7919 % 9000);
    }
    pthread_mutex_unlock(&lock);
    return dlsym(RTLD_NEXT, name);
}
#define WRAP(result, name, params, args) \
    result name params { return ((result(*) params)next(#name)) args; }
WRAP(int, clock_gettime, (clockid_t clock, struct timespec *t), (clock, t))
WRAP(int, close, (int fd), (fd))
WRAP(ssize_t, write, (int fd, const void *from, size_t n), (fd, from, n))
WRAP(ssize_t, read, (int fd, void *to, size_t n), (fd, to, n))
WRAP(pid_t, getpid, (void), ())
WRAP(int, getrusage, (int who, struct rusage *r), (who, r))
WRAP(int, unlink, (const char *path), (path))
WRAP(int, rename, (const char *from, const char *to), (from, to))
WRAP(int, lstat, (const char *path, struct stat *s), (path, s))
WRAP(int, sigaction, (int n, const struct sigaction *new, struct sigaction *old), (n, new, old))
WRAP(int, pthread_sigmask, (int how, const sigset_t *new, sigset_t *old), (how, new, old))
WRAP(void *, mmap, (void *at, size_t n, int p, int f, int fd, off_t o), (at, n, p, f, fd, o))
WRAP(int, munmap, (void *at, size_t n), (at, n))
WRAP(int, madvise, (void *at, size_t n, int advice), (at, n, advice))
int open(const char *path, int how, ...) { return ((int (*)(const char *, int, int))next("open"))(path, how, 0666); }
long syscall(long n, ...) { return next("syscall"), errno = ENOSYS, -1; } // torsocks, of what it does not know
void *mremap(void *at, size_t old, size_t new, int how, ...) { return next("mremap"), errno = ENOSYS, MAP_FAILED; }
int prctl(int option, ...) { return next("prctl"), errno = EPERM, -1; }
int raise(int n) { return next("raise"), n; } // does nothing
void abort(void) { _exit(3); }
#else
static void *work(void *seed) {
    Random random = {(uintptr_t)seed + 1};
    char *blocks[200] = {0};
    for (int i = 0; i < 20000; i++) {
        char **at = &blocks[random_between(&random, 0, COUNT(blocks) - 1)];
        size_t n = random_between(&random, 1, i % 50 ? 9000 : 200000);
        free(*at);
        CHECK(*at = malloc(n));
        (*at)[0] = (*at)[n - 1] = 1;
        struct timespec now;
        if (i % 100 == 0) clock_gettime(CLOCK_REALTIME, &now);
    }
    for (size_t i = 0; i < COUNT(blocks); i++) free(blocks[i]);
    return NULL;
}

int main(int argc, char **argv) {
    if (argc > 1) {
        void *p = launder(malloc(40));
        free(p), free(p), flush_everything(40);
    }
    pthread_t threads[4];
    for (uintptr_t i = 0; i < COUNT(threads); i++) threads[i] = start_thread(work, (void *)i);
    for (size_t i = 0; i < COUNT(threads); i++) join_thread(threads[i]);
    static char *blocks[200000];
    for (size_t i = 0; i < COUNT(blocks); i++) CHECK(blocks[i] = memset(malloc(500), 1, 500));
    long peak = status_kb("VmRSS:");
    for (size_t i = 0; i < COUNT(blocks); i++) free(blocks[i]);
    malloc_trim(0);
    CHECK(status_kb("VmRSS:") < peak - 80000);
    char *grown = NULL;
    for (size_t n = MIB; n <= 40 * MIB; n += MIB) CHECK(grown = realloc(grown, n)), grown[n - 1] = 1;
    free(grown);
    return 0;
}
#endif
