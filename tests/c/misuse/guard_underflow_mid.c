// With HAKMEM_GUARD_RATE=1 a block above a page that starts at the start of its pages faults 8 KiB before, and of one at their end what is
// written before it is found when it is freed.
// env: HAKMEM_GUARD_RATE=1
// expect-signal: 11
// expect-stderr: ^hakmem: access: 8192 bytes before a block of 20000 bytes \(0x[0-9a-f]+\)$
#include "check.h"
#include <signal.h>
#include <sys/wait.h>

int main(void) {
    int freed = 0;
    for (int i = 0; i < 200; i++) {
        volatile char *p = malloc(20000);
        CHECK(p);
        if ((uintptr_t)p % 4096 != 0 && !freed) {
            freed = 1;
            if (fork() == 0) {
                close(2);
                p[-1] ^= 1; // by chance it is 1
                free((void *)p);
                _exit(0);
            }
            int status;
            wait(&status);
            CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
        }
        if ((uintptr_t)p % 65536 == 0 && freed) p[-8192] = 0;
        free((void *)p);
    }
    _exit(0);
}
