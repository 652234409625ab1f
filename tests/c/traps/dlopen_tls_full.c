// Opened late, when other libraries with initial-exec TLS have left 16 bytes of the room the loader keeps for such.
// ("cannot allocate memory in static TLS block": jemalloc 937, 1237, mimalloc 147.)
// run: ${CC:-gcc} -w -shared -fPIC -DPLUGIN "$here/traps/dlopen_tls_full.c" -o plugin.so && $EMULATOR $BIN "$LIB"
#ifdef PLUGIN
__thread long room[2] __attribute__((tls_model("initial-exec")));
long *use(void) { return room; }
#else
#include "check.h"
#include <dlfcn.h>
#include <sys/wait.h>

// Opens copies of the plug-in until there is no more room, or `most`. Says how many.
static int fill(int most) {
    int count = 0;
    for (; count < most; count++) {
        char command[128], name[64];
        snprintf(name, sizeof name, "./full%d.so", count);
        snprintf(command, sizeof command, "cp plugin.so %s", name);
        CHECK(system(command) == 0);
        if (!dlopen(name, RTLD_NOW | RTLD_LOCAL)) {
            CHECK(strstr(dlerror(), "static TLS"));
            break;
        }
    }
    return count;
}

int main(int argc, char **argv) {
    CHECK(argc == 2);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) _exit(fill(250));
    int status;
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status));
    int fit = WEXITSTATUS(status);
    CHECK(fit > 1 && fit < 250);
    CHECK(fill(fit - 1) == fit - 1);
    NOTE("%d plug-ins of 16 bytes fill it", fit);
    void *library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    if (!library) put_line(2, "%s\n", dlerror());
    CHECK(library);
    void *(*its_malloc)(size_t) = (void *(*)(size_t))dlsym(library, "malloc");
    void (*its_free)(void *) = (void (*)(void *))dlsym(library, "free");
    CHECK(its_malloc && its_free);
    for (size_t n = 1; n < 10 * MIB; n *= 3) {
        void *p = its_malloc(n);
        CHECK(p);
        stamp(p, n, 1);
        its_free(p);
    }
    return 0;
}
#endif
