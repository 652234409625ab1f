// cfree, long gone from glibc's headers but still called by old binaries, is there and is free.
#include "check.h"
#include <dlfcn.h>

int main(void) {
    void (*cfree)(void *) = (void (*)(void *))dlsym(RTLD_DEFAULT, "cfree");
    CHECK(cfree);
    cfree(NULL);
    for (int i = 0; i < 100000; i++) { // 400 MB if it leaked
        void *p = malloc(4000);
        CHECK(p);
        stamp(p, 4000, 1);
        cfree(p);
    }
    CHECK(peak_mb() < 60);
    return 0;
}
