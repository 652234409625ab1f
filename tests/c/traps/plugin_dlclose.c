// A plug-in opened with dlopen allocates, is closed and unmapped; the host reads, resizes and frees its blocks.
// plugin
// run: $RUN "$BIN.so"
#include "check.h"
#include <dlfcn.h>

#ifdef PLUGIN
void *make(size_t n);
void *make(size_t n) {
    void *p = malloc(n);
    stamp(p, n, 6);
    return p;
}
#else
int main(int argc, char **argv) {
    static void *blocks[COUNT(all_sizes)];
    CHECK(argc == 2);
    for (int round = 0; round < 20; round++) {
        void *plugin = dlopen(argv[1], RTLD_NOW);
        CHECK(plugin);
        void *(*make)(size_t) = (void *(*)(size_t))dlsym(plugin, "make");
        CHECK(make);
        for (size_t i = 0; i < COUNT(all_sizes); i++) CHECK(blocks[i] = make(all_sizes[i]));
        CHECK(dlclose(plugin) == 0);
        for (size_t i = 0; i < COUNT(all_sizes); i++) {
            CHECK(stamped(blocks[i], all_sizes[i], 6));
            if (i % 2) CHECK(blocks[i] = realloc(blocks[i], all_sizes[i] + 100));
            free(blocks[i]);
        }
    }
    return 0;
}
#endif
