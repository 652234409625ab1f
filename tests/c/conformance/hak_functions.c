// hak_version gives a text, and hak_stats_print writes its report to stderr.
// expect-stderr-any: .
#include "check.h"
#include <dlfcn.h>

int main(void) {
    const char *(*version)(void) = (const char *(*)(void))dlsym(RTLD_DEFAULT, "hak_version");
    void (*stats)(void) = (void (*)(void))dlsym(RTLD_DEFAULT, "hak_stats_print");
    CHECK(version && stats);
    CHECK(version() && version()[0]);
    void *p = malloc(100);
    stats();
    free(p);
    return 0;
}
