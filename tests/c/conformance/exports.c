// The library exports the malloc family, the C++ operators and hak_*, all of them, and nothing else: half a family corrupts,
// and anything more (__malloc_hook, rust_eh_personality) gets into somebody's way.
// run: nm -D --defined-only "$LIB" | $EMULATOR $BIN
#include "check.h"

static const char *const family[] = {
    "malloc", "free", "calloc", "realloc", "reallocarray", "posix_memalign", "aligned_alloc", "memalign", "valloc", "pvalloc",
    "malloc_usable_size", "free_sized", "free_aligned_sized", "cfree", "malloc_trim", "mallopt", "mallinfo", "mallinfo2",
    "malloc_info", "malloc_stats", "__libc_malloc", "__libc_calloc", "__libc_realloc", "__libc_free", "__libc_cfree", "__libc_memalign",
    "__libc_valloc", "__libc_pvalloc", "__posix_memalign", "dlopen", "dlmopen", "dlsym", "unshare", "setns",
};
static const char *const operators[] = {
    "_Znwm", "_Znam", "_ZnwmRKSt9nothrow_t", "_ZnamRKSt9nothrow_t", "_ZnwmSt11align_val_t", "_ZnamSt11align_val_t",
    "_ZnwmSt11align_val_tRKSt9nothrow_t", "_ZnamSt11align_val_tRKSt9nothrow_t", "_ZdlPv", "_ZdaPv", "_ZdlPvm", "_ZdaPvm",
    "_ZdlPvRKSt9nothrow_t", "_ZdaPvRKSt9nothrow_t", "_ZdlPvSt11align_val_t", "_ZdaPvSt11align_val_t", "_ZdlPvmSt11align_val_t",
    "_ZdaPvmSt11align_val_t", "_ZdlPvSt11align_val_tRKSt9nothrow_t", "_ZdaPvSt11align_val_tRKSt9nothrow_t",
};
static const char *const own[] = {
    "hak_version", "hak_version_number", "hak_stats_get", "hak_stats_print", "hak_stats_text", "hak_stats_json", "hak_stats_prometheus",
    "hak_trim", "hak_thread_flush", "hak_is_ours", "hak_usable_size", "hak_good_size", "hak_malloc_at_least", "hak_expand", "hak_free_sized", "hak_option_get", "hak_option_set", "hak_heap_walk",
    "hak_policy_print", "hak_prof_start", "hak_prof_stop", "hak_prof_dump",
    "hak_arena_new", "hak_arena_new_in", "hak_arena_malloc", "hak_arena_calloc", "hak_arena_aligned_alloc", "hak_arena_realloc", "hak_arena_free", "hak_arena_reset",
    "hak_arena_destroy", "hak_arena_stats", "hak_arena_of", "hak_arena_walk",
};
static int seen_family[COUNT(family)], seen_operators[COUNT(operators)], seen_own[COUNT(own)];

static int find(const char *const *names, size_t count, const char *name, int *seen) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0) return seen[i] = 1;
    return 0;
}

int main(void) {
    char line[4096], type, name[2048];
    int wrong = 0, lines = 0;
    while (fgets(line, sizeof line, stdin)) {
        if (sscanf(line, "%*s %c %2047s", &type, name) != 2) continue;
        lines++;
        name[strcspn(name, "@")] = 0;
        if (type == 'A' && strncmp(name, "HAKMEM", 6) == 0) continue; // a version node
        if (find(family, COUNT(family), name, seen_family)) continue;
        if (find(operators, COUNT(operators), name, seen_operators)) continue;
        if (find(own, COUNT(own), name, seen_own)) continue;
        if (strncmp(name, "hak_", 4) == 0 || strncmp(name, "_Zn", 3) == 0 || strncmp(name, "_Zd", 3) == 0) continue;
        wrong++;
        if (wrong == 1) put_line(2, "exported, but should not be: %s\n", name);
    }
    CHECK(lines > 0);
    for (size_t i = 0; i < COUNT(family); i++)
        if (!seen_family[i]) wrong++, put_line(2, "not exported: %s\n", family[i]);
    for (size_t i = 0; i < COUNT(operators); i++)
        if (!seen_operators[i]) wrong++, put_line(2, "not exported: %s\n", operators[i]);
    for (size_t i = 0; i < COUNT(own); i++)
        if (!seen_own[i]) wrong++, put_line(2, "not exported: %s\n", own[i]);
    return wrong != 0;
}
