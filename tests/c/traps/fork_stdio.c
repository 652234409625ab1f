// forms: preload first last archive static
// One thread forks, one holds a stream's lock while it allocates (getline), one the list of streams (fflush): fork takes that list after the prepare handlers
#include "check.h"
#include <sys/wait.h>

static atomic_long lines, flushes;
static atomic_int stop;

static void *reads(void *path) {
    static char *kept[20000]; // many live, so that magazines miss now and then
    for (long at = 0; !stop;) {
        FILE *file = fopen(path, "r");
        char *line = NULL;
        size_t room = 0;
        while (getline(&line, &room, file) > 0) {
            free(kept[at]);
            kept[at] = line;
            at = (at * 7 + lines++) % 20000;
            line = NULL, room = 0;
        }
        free(line);
        fclose(file);
    }
    return NULL;
}

static void *flush(void *unused) {
    while (!stop) fflush(NULL), flushes++;
    return unused;
}

int main(int n, char **arg) {
    char path[] = "/tmp/fork-stdio-XXXXXX";
    FILE *file = fdopen(mkstemp(path), "w");
    for (int i = 1; i < 2000; i++) fprintf(file, "%*d\n", i, i);
    fclose(file);
    pthread_t reader, flusher;
    CHECK(!pthread_create(&reader, NULL, reads, path) && !pthread_create(&flusher, NULL, flush, NULL));
    int forks = 0;
    for (time_t end = time(NULL) + (n > 1 ? atoi(arg[1]) : 2); time(NULL) < end; forks++) {
        alarm(30); // a fork that takes so long never comes back
        pid_t child = fork();
        if (!child) {
            free(malloc(5000));
            _exit(0);
        }
        int status;
        CHECK(waitpid(child, &status, 0) == child && status == 0);
    }
    alarm(30), stop = 1;
    pthread_join(reader, NULL), pthread_join(flusher, NULL), unlink(path);
    NOTE("%d forks, %ld lines", forks, (long)lines);
    return 0;
}
