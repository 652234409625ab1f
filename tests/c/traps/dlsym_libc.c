// Python's ctypes, Ruby's Fiddle and others take malloc, free and their kin from libc's handle: what they get there is the malloc that libc's
// functions use. All else dlsym says as ever: other names, other libraries' functions, another namespace's libc, RTLD_NEXT as seen by
// who asks, errors; and a tool that replaces dlsym too is still asked; where it stands before the library, it asks libc's.
// plugin
// forms: preload first last
// run: ${CC:-gcc} -shared -fPIC -DHOOK -D_GNU_SOURCE -I"$here" "$here/traps/dlsym_libc.c" -o hook.so || exit 1; $RUN - "$build/traps/dlsym_libc.so" || exit 1; [ "${FORM:-preload}" = preload ] || exit 0; for order in "$LIB:./hook.so" "./hook.so:$LIB"; do env ${EMULATOR:+$EMULATOR -E} LD_PRELOAD=$order $BIN - "$build/traps/dlsym_libc.so" "$order" || exit 1; done; [ -z "$EMULATOR" ] && command -v python3 >/dev/null || exit 0; LD_PRELOAD=$LIB python3 -c 'import ctypes as c; l = c.CDLL("libc.so.6"); l.strdup.restype = c.c_void_p; l.free.argtypes = [c.c_void_p]; [l.free(l.strdup(b"hello" * n)) for n in range(1000)]; l.malloc_trim(0)'
#include "check.h"
#include <dlfcn.h>

#if defined HOOK
int hooked;
void *dlsym(void *handle, const char *name) { // as overlays for games do
    static void *(*real)(void *, const char *);
    if (!real) *(void **)&real = dlvsym(RTLD_NEXT, "dlsym", "GLIBC_2.34");
    if (!real) *(void **)&real = dlvsym(RTLD_NEXT, "dlsym", "GLIBC_2.2.5");
    hooked++;
    return real(handle, name);
}
#elif defined PLUGIN
pid_t getpid(void) { // stands before libc's, for who is linked so
    pid_t (*next)(void) = (pid_t(*)(void))dlsym(RTLD_NEXT, "getpid");
    return next();
}
void *plug_next(const char *name) {
    void *volatile found = dlsym(RTLD_NEXT, name);
    return found;
}
int malloc_trim(size_t pad) { return 4711; } // its own, whatever libc's is
#else
static int is_libcs(void *code) {
    Dl_info info;
    return code && dladdr(code, &info) && strstr(info.dli_fname, "libc.so");
}

int main(int argc, char **argv) {
    static const char *const family[] = {"malloc", "free", "calloc", "realloc", "memalign", "aligned_alloc", "posix_memalign", "valloc",
        "pvalloc", "reallocarray", "malloc_usable_size", "mallinfo2", "malloc_info", "malloc_stats", "mallopt"};
    void *libc = dlopen("libc.so.6", RTLD_LAZY), *plugin = dlopen(argv[2], RTLD_NOW);
    CHECK(argc > 2 && libc && plugin);
    for (int round = 0; round < 2; round++) {
        void *handle = round ? plugin : libc; // the plug-in's leads to libc as well
        if (argc > 3 && argv[3][0] == '.') break;
        for (size_t i = 0; i < COUNT(family); i++) CHECK(dlsym(handle, family[i]) == dlsym(RTLD_DEFAULT, family[i]) && !is_libcs(dlsym(handle, family[i])));
        void (*release)(void *) = (void (*)(void *))dlsym(handle, "free");
        void *(*get)(size_t) = (void *(*)(size_t))dlsym(handle, "malloc");
        for (size_t n = 1; n < 3 * MIB; n *= 3) release(malloc(n)), free(get(n));
        release(strdup("hello"));
        release(realpath("/tmp", NULL));
        CHECK(is_libcs(dlsym(handle, "strdup")) && is_libcs(dlsym(handle, "dlopen")) && !dlsym(handle, "no such function"));
        CHECK(strstr(dlerror(), "no such function") && !dlerror());
    }
    int (*trim)(size_t) = (int (*)(size_t))dlsym(plugin, "malloc_trim");
    CHECK(trim(0) == 4711);
    void *(*next)(const char *) = (void *(*)(const char *))dlsym(plugin, "plug_next");
    pid_t (*id)(void) = (pid_t(*)(void))dlsym(plugin, "getpid");
    CHECK((void *)id == dlsym(plugin, "getpid") && is_libcs(next("getpid")) && !next("plug_next"));
    CHECK(id() > 1);
    void *other = dlmopen(LM_ID_NEWLM, "libc.so.6", RTLD_NOW);
    CHECK(!other || dlsym(other, "free") != dlsym(RTLD_DEFAULT, "free"));
    if (argc > 3) CHECK(*(int *)dlsym(RTLD_DEFAULT, "hooked") > 5);
    return 0;
}
#endif
