// A plug-in opened with RTLD_DEEPBIND, as php and ldb open theirs: blocks of libc's functions that it frees, of the program that it grows, of
// its own that the program frees are one allocator's; by dlmopen into the program's namespace too. HAKMEM_DEEPBIND=keep leaves the flag. The
// loader still sees who calls: a plug-in is found by the RUNPATH of the library that opens it.
// plugin
// forms: preload first last
// run: p=$PWD/plug.so; cp "$build/traps/deepbind.so" $p && $RUN $p || exit 1; mkdir -p deep && cp $p deep/found.so && ${CC:-gcc} -shared -fPIC -DOPENER -D_GNU_SOURCE -I"$here" "$here/traps/deepbind.c" -o opener.so -ldl "-Wl,--enable-new-dtags,-rpath,\$ORIGIN/deep" && $RUN $p ./opener.so && HAKMEM_DEEPBIND=keep $RUN $p keep
#include "check.h"
#include <dlfcn.h>

#if defined PLUGIN
int plug_libc_result(void) {
    char *s;
    if (asprintf(&s, "pid %d", 42) < 0) return 1;
    int r = strcmp(s, "pid 42");
    free(s);
    return r;
}
void *plug_realloc(void *p, size_t n) { return realloc(p, n); }
void *plug_alloc(size_t n) { return malloc(n); }
void *plug_malloc(void) { return (void *)malloc; }
#elif defined OPENER
void *open_by_name(void) { return dlopen("found.so", RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND); }
#else
static void use(void *plugin, int kept) {
    if (!plugin) put_line(2, "%s\n", dlerror());
    CHECK(plugin);
    void *(*malloc_of)(void) = (void *(*)(void))dlsym(plugin, "plug_malloc");
    void *served = dlsym(RTLD_DEFAULT, "malloc");
    CHECK((malloc_of() == served) == !kept);
    if (kept) return;
    CHECK(((int (*)(void))dlsym(plugin, "plug_libc_result"))() == 0);
    char *p = malloc(10);
    strcpy(p, "hello");
    p = ((void *(*)(void *, size_t))dlsym(plugin, "plug_realloc"))(p, 5000);
    CHECK(p && strcmp(p, "hello") == 0);
    free(p);
    free(((void *(*)(size_t))dlsym(plugin, "plug_alloc"))(100));
}

int main(int argc, char **argv) {
    int keep = argc > 2 && strcmp(argv[2], "keep") == 0;
    if (argc > 2 && !keep) { // its RUNPATH, not ours, leads to the plug-in
        void *opener = dlopen(argv[2], RTLD_NOW);
        CHECK(opener);
        use(((void *(*)(void))dlsym(opener, "open_by_name"))(), 0);
        return 0;
    }
    use(dlopen(argv[1], RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND), keep);
    if (!keep) use(dlmopen(LM_ID_BASE, argv[1], RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND), 0);
    dlerror();
    CHECK(!dlopen("./no such library", RTLD_NOW | RTLD_DEEPBIND) && strstr(dlerror(), "no such library"));
    return 0;
}
#endif
