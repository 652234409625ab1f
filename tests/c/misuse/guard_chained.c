// A SIGSEGV handler that was there before the library's gets the signal after the report; a fault elsewhere is only passed on.
// env: HAKMEM_GUARD_RATE=1
// expect-stderr: ^hakmem: access: use after free, at byte 0 of a freed block of 40 bytes \(0x[0-9a-f]+\)$
#include "check.h"
#include <setjmp.h>
#include <signal.h>

static sigjmp_buf back;
static int faults;

static void on_fault(int signal, siginfo_t *info, void *context) {
    CHECK(signal == SIGSEGV && info->si_addr && context);
    faults++;
    siglongjmp(back, 1);
}

static void first_of_all(int argc, char **argv, char **env) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = on_fault;
    action.sa_flags = SA_SIGINFO;
    sigaction(SIGSEGV, &action, NULL);
}
__attribute__((section(".preinit_array"), used)) static void (*preinit)(int, char **, char **) = first_of_all;

int main(void) {
    static char *volatile p;
    p = malloc(40);
    CHECK(p);
    free(p);
    if (!sigsetjmp(back, 1)) p[0] = 1;
    CHECK(faults == 1);
    if (!sigsetjmp(back, 1)) *(volatile char *)16 = 1;
    CHECK(faults == 2);
    return 0;
}
