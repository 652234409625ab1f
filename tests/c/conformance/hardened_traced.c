// With HAKMEM_TRACE=1 the report of each kind of misuse, in either hardened form, small block or large, names the block, and says where it was allocated, and, if it is free, where it was freed.
// run: for MODE in light 1; do for SIZE in 100 5000 300000; do for KIND in double realloc size overflow before write; do case $MODE$SIZE$KIND in light*before|*300000before|*300000write) continue;; esac; HAKMEM_HARDENED=$MODE $RUN $KIND $SIZE 2>$TMP/said >$TMP/block; [ $? -ne 0 ] && grep -q "^hakmem: .*($(cat $TMP/block))$" $TMP/said && [ $(grep -c '^  here:$' $TMP/said) = 1 ] && [ $(grep -c '^  allocated:$' $TMP/said) = 1 ] && case $KIND in double|realloc|write) [ $(grep -c '^  freed:$' $TMP/said) = 1 ];; esac && [ $(grep -c '/hardened_traced+0x' $TMP/said) -ge 2 ] || { echo "$MODE $KIND $SIZE:"; cat $TMP/block $TMP/said; exit 1; }; done; done; done
// env: HAKMEM_TRACE=1 HAKMEM_GUARD_RATE=0
#include "check.h"
#include <dlfcn.h>

int main(int argc, char **argv) {
    CHECK(argc == 3);
    size_t size = (size_t)atol(argv[2]);
    char kind = argv[1][0], *before = malloc(size), *p = malloc(size);
    // Before a span's first block nobody looks.
    while (kind == 'b' && (uintptr_t)p % (64 * KIB) == 0) p = malloc(size);
    CHECK(before && p);
    printf("%p\n", (void *)p);
    fflush(stdout);
    if (kind == 'o') p[size] = 1;
    if (kind == 'b') p[-1] = 1;
    if (kind == 'd' || kind == 'r' || kind == 'w') free(p);
    if (kind == 'w') {
        // Found when it is handed out again, by `light` at once, or by `1` when the process ends.
        p[0] = 1;
        return malloc(size) == NULL;
    }
    if (kind == 's' && argv[1][1] == 'i') {
        void (*free_sized)(void *, size_t) = (void (*)(void *, size_t))dlsym(RTLD_DEFAULT, "free_sized");
        CHECK(free_sized);
        free_sized(p, size - 1);
    }
    if (kind == 'r') p = realloc(p, 2 * size);
    free(p);
    return 0;
}
