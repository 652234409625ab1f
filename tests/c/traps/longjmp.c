// longjmp over frames that hold blocks, from functions called between allocations and from a signal handler raised between
// them: the allocator has no state that a jump could leave behind.
#include "check.h"
#include <setjmp.h>
#include <signal.h>

static jmp_buf back;
static sigjmp_buf from_signal;
static void *volatile held[8];

static void go_down(int depth) {
    held[depth] = malloc((size_t)depth * 1000 + 1);
    CHECK(held[depth]);
    if (depth == 7) longjmp(back, 1);
    go_down(depth + 1);
}
static void on_signal(int signal) { siglongjmp(from_signal, 1); }

int main(void) {
    signal(SIGUSR1, on_signal);
    for (volatile int i = 0; i < 2000; i++) {
        if (setjmp(back) == 0) go_down(0);
        for (size_t j = 0; j < COUNT(held); j++) free(held[j]);
        void *volatile p = malloc((size_t)i);
        if (sigsetjmp(from_signal, 1) == 0) raise(SIGUSR1);
        free(p);
    }
    use_all_sizes(1);
    return 0;
}
