// A thread with a pending cancellation frees what is none, a block twice, a large block twice: the report is made and the process ends. No
// call of the library is a cancellation point.
// forms: preload first archive static late
// stderr: the reports
// run: for option in A=1 HAKMEM_HARDENED=1 HAKMEM_TINY_HEAP_V2=0; do for what in 0 1 2; do env $option $RUN $what 2>said; [ $? = 134 ] && [ "$(grep -c '^hakmem: free: ' said)" = 1 ] || { echo $option $what; cat said; exit 1; }; done; done
#include "check.h"

static pthread_barrier_t gate;
static char area[64];

static void *misuse(void *what) {
    pthread_barrier_wait(&gate);
    void *block = launder(area + 16);
    if (what) free(block = launder(malloc((size_t)what)));
    free(block);
    return NULL;
}

int main(int argc, char **argv) {
    CHECK(argc == 2 && pthread_barrier_init(&gate, NULL, 2) == 0);
    pthread_t thread = start_thread(misuse, (void *)(size_t[]){0, 64, MIB}[atoi(argv[1])]);
    CHECK(pthread_cancel(thread) == 0);
    pthread_barrier_wait(&gate);
    join_thread(thread);
    flush_everything(64);
}
