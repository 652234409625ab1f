// forms: preload static
// A handler that interrupts malloc, realloc and free every 100 us allocates, reallocates and frees, of classes that what it interrupts does not use, and keeps
// blocks from one signal to the next: no block is lost, handed out twice or changed, and nobody waits for himself
#include "check.h"
#include <signal.h>
#include <sys/time.h>

typedef struct {
    unsigned char *at;
    size_t size;
} Kept;

static Kept mine[400], theirs[60];
static volatile sig_atomic_t signals;
static Random chance = {9}, within = {11};

static void change(Kept *kept, size_t size, unsigned mark, int grow) {
    CHECK(!kept->at || stamped(kept->at, kept->size, mark));
    if (grow) kept->at = realloc(kept->at, size);
    else free(kept->at), kept->at = mark % 2 ? malloc(size) : calloc(size, 1);
    CHECK(kept->at);
    stamp(kept->at, kept->size = size, mark);
}

// Of the classes from 64 KiB to 1 MiB nothing: what is at hand of them one takes from another.
static void interrupt(int unused) {
    (void)unused;
    int before = errno;
    signals++;
    for (int i = 0; i < 4; i++) {
        size_t k = random_between(&within, 0, COUNT(theirs) - 1);
        change(&theirs[k], (size_t)3 << (signals % 64 ? random_between(&within, 4, 14) : 20), 1000 + (unsigned)k, signals % 3 == 0);
    }
    errno = before;
}

// From here on no class of the handler's is served by another's, as one is of which little was asked for.
static void earn_classes(void) {
    for (size_t size = 48; size <= (size_t)3 << 14; size *= 2) {
        for (int i = 0; i < 1000; i++) {
            void *block = malloc(size);
            CHECK(block);
            free(block);
        }
    }
}

int main(void) {
    use_all_sizes(100);
    earn_classes();
    struct sigaction action = {.sa_handler = interrupt, .sa_flags = SA_RESTART};
    struct itimerval often = {{0, 100}, {0, 100}}, never = {{0, 0}, {0, 0}};
    CHECK(sigaction(SIGALRM, &action, NULL) == 0 && setitimer(ITIMER_REAL, &often, NULL) == 0);
    for (unsigned step = 0; signals < few_of(20000); step++) {
        size_t k = random_between(&chance, 0, COUNT(mine) - 1);
        change(&mine[k], (size_t)1 << random_between(&chance, 4, step % 64 ? 14 : 20), (unsigned)k, step % 5 == 0);
    }
    CHECK(setitimer(ITIMER_REAL, &never, NULL) == 0);
    for (size_t k = 0; k < COUNT(mine); k++) change(&mine[k], 1, (unsigned)k, 0), free(mine[k].at);
    for (size_t k = 0; k < COUNT(theirs); k++) change(&theirs[k], 1, 1000 + (unsigned)k, 0), free(theirs[k].at);
    use_all_sizes(1);
    NOTE("%d signals", (int)signals);
    return 0;
}
