// dlsym, dlerror and dlopen from an early constructor: they may call calloc, which must not need dlsym in turn.
#include "check.h"
#include <dlfcn.h>

static int (*early)(const char *);

__attribute__((constructor(101))) static void look_up(void) {
    void *(*next)(size_t) = (void *(*)(size_t))dlsym(RTLD_NEXT, "malloc");
    CHECK(next);
    CHECK(dlsym(RTLD_DEFAULT, "no_such_function_anywhere") == NULL && dlerror() != NULL);
    early = (int (*)(const char *))dlsym(RTLD_DEFAULT, "atoi");
    CHECK(early);
    void *self = dlopen(NULL, RTLD_NOW);
    CHECK(self && dlclose(self) == 0);
    free(next(100));
}

int main(void) {
    CHECK(early("42") == 42);
    return 0;
}
