// Under gdb (breakpoint in a thread, backtrace out of malloc), strace and perf, as far as they are installed and permitted.
// run: exec sh "$here/traps/under_tools.sh" $BIN
#include "check.h"

__attribute__((noinline)) void reached(void *block) { launder(block); }

static void *work(void *unused) {
    use_sizes_up_to(MIB, 1);
    void *p = malloc(100);
    reached(p);
    free(p);
    return unused;
}

int main(void) {
    join_thread(start_thread(work, NULL));
    return 0;
}
