// Run first, by run.sh: is the preloaded library there, and is it what serves malloc? Not a test of its own.
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

int main(void) {
    Dl_info version, memory;
    void *symbol = dlsym(RTLD_DEFAULT, "hak_version");
    if (!symbol) return fprintf(stderr, "no hak_version: the preload did not take\n"), 1;
    void *serving = dlsym(RTLD_DEFAULT, "malloc");
    if (!serving || !dladdr(symbol, &version) || !dladdr(serving, &memory) || strcmp(version.dli_fname, memory.dli_fname) != 0)
        return fprintf(stderr, "hak_version is there, but malloc comes from %s\n", memory.dli_fname), 1;
    return 0;
}
