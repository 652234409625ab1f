// With HAKMEM_GUARD_RATE a SIGSEGV that somebody sends is ignored as before if that is what the program had asked for.
// env: HAKMEM_GUARD_RATE=1
#include "check.h"
#include <signal.h>

static void first_of_all(int argc, char **argv, char **env) { signal(SIGSEGV, SIG_IGN); }
__attribute__((section(".preinit_array"), used)) static void (*preinit)(int, char **, char **) = first_of_all;

int main(void) {
    struct sigaction action;
    CHECK(sigaction(SIGSEGV, NULL, &action) == 0 && action.sa_handler != SIG_IGN);
    for (int i = 0; i < 3; i++) CHECK(kill(getpid(), SIGSEGV) == 0);
    free(malloc(10));
    return 0;
}
