// One misuse a run: `misuse KIND SIZE`. It says on stdout which pointer is misused, and ends as it can: run.py has what is expected. `misuse --list`: the
// kinds, and in words what each does; those marked `once` have no size.
#include "check.h"
#include <algorithm>
#include <alloca.h>
#include <dlfcn.h>
#include <new>
#include <sys/mman.h>
#include <sys/wait.h>
#include <signal.h>

static char statics[4 * MIB];

static void about(const void *block) { put_line(1, "about %p\n", block); }

// Filled, so that what is read of it is known, and a page of it that nobody wrote to is no excuse.
static char *block_of(size_t size) {
    char *p = (char *)launder(malloc(size));
    CHECK(p);
    about(p);
    memset(p, 'x', size);
    return p;
}

// What makes every report come that is still to come: blocks of the size come and go, here and in another thread, and both end.
static void *come_and_go(void *size_of_block) {
    static void *blocks[5000];
    size_t size = *(size_t *)size_of_block, n = 64 * MIB / (size + 1);
    if (n > COUNT(blocks)) n = COUNT(blocks);
    // All at last, so that what comes at random has come.
    for (size_t some = n / 2; some <= n; some += n - n / 2) {
        for (size_t i = 0; i < some; i++) blocks[i] = malloc(size);
        for (size_t i = 0; i < some; i++) free(blocks[i]);
    }
    return NULL;
}
static void settle(size_t size) {
    come_and_go(&size);
    join_thread(start_thread(come_and_go, &size));
}

static void *free_it(void *block) {
    free(block);
    return NULL;
}

template <typename Function> static Function find(const char *name) {
    Function function = (Function)dlsym(RTLD_DEFAULT, name);
    if (!function) SKIP("there is no %s", name);
    return function;
}
static void call_sized(char *p, size_t size) { find<void (*)(void *, size_t)>("free_sized")(p, size); }
static void call_aligned_sized(char *p, size_t align, size_t size) { find<void (*)(void *, size_t, size_t)>("free_aligned_sized")(p, align, size); }

static volatile char seen;

static void write_at(size_t size, ptrdiff_t at, char byte) {
    char *p = block_of(size);
    p[at] = byte && p[at] == byte ? 'z' : byte; // another than the random one that may be there
    free(p);
}

// A neighbour stays: memory that is wholly free may go back to the kernel, and what was written into it is gone then.
static char *freed(size_t size) {
    char *neighbour = (char *)malloc(size), *p = block_of(size);
    CHECK(neighbour);
    free(p);
    return (char *)launder(p);
}
static void write_freed(size_t size, size_t at) { freed(size)[at] = 'y'; }

// The program's own pointer, said before it is used.
static char *said(void *pointer) {
    about(pointer);
    return (char *)launder(pointer);
}
static char *inside(size_t size, size_t at) {
    char *p = (char *)malloc(size);
    CHECK(p);
    return said(p + at);
}
static char *mapped(size_t size) {
    char *p = (char *)mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(p != MAP_FAILED);
    return p;
}

// Another than what lies there.
static void write_past(char *p, size_t at) {
    CHECK(p);
    p[at] = p[at] == 'y' ? 'z' : 'y';
    free(p);
}
// A block among others that nobody was given yet, whatever the order in which they come.
static char *unused(size_t size) {
    static char *blocks[90];
    size_t n = COUNT(blocks), step = SIZE_MAX;
    for (size_t i = 0; i < n; i++) CHECK(blocks[i] = (char *)malloc(size));
    std::sort(blocks, blocks + n);
    for (size_t i = 1; i < n; i++) step = std::min(step, (size_t)(blocks[i] - blocks[i - 1]));
    size_t last = 1;
    while (last < n && blocks[last] - blocks[last - 1] != (ptrdiff_t)(2 * step)) last++;
    return said(blocks[last - 1] + step);
}
// Ends as the child does.
template <typename Work> static void as_child(Work work) {
    int status = 0;
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        work();
        return;
    }
    CHECK(waitpid(child, &status, 0) == child);
    if (WIFSIGNALED(status)) signal(WTERMSIG(status), SIG_DFL), raise(WTERMSIG(status));
    _exit(WEXITSTATUS(status));
}
static char *volatile interrupted;

static const struct {
    const char *name, *words;
    void (*run)(size_t size);
    const char *once;
} kinds[] = {
    { "past_1", "wrote 1 byte past the end of a block, then freed it", [](size_t n) { write_at(n, (ptrdiff_t)n, 'y'); }, "" },
    { "past_8", "wrote the 8th byte past the end", [](size_t n) { write_at(n, (ptrdiff_t)n + 7, 'y'); }, "" },
    { "past_4096", "wrote the 4096th byte past the end", [](size_t n) { write_at(n, (ptrdiff_t)n + 4095, 'y'); }, "" },
    { "past_run", "wrote 64 bytes past the end", [](size_t n) {
         char *p = block_of(n);
         memset(p + n, 'y', 64);
         free(p);
     }, "" },
    { "past_zero", "wrote one 0 past the end, a string's", [](size_t n) { write_at(n, (ptrdiff_t)n, 0); }, "" },
    { "past_lost", "wrote 1 byte past the end of a block that is never freed", [](size_t n) { block_of(n)[n] = 'y'; }, "" },
    { "before_1", "wrote 1 byte before the start of a block, then freed it", [](size_t n) { write_at(n, -1, 'y'); }, "" },
    { "before_8", "wrote the 8th byte before the start", [](size_t n) { write_at(n, -8, 'y'); }, "" },
    { "read_past_1", "read 1 byte past the end", [](size_t n) { seen = block_of(n)[n]; }, "" },
    { "read_past_4096", "read the 4096th byte past the end", [](size_t n) { seen = block_of(n)[n + 4095]; }, "" },
    { "read_freed", "read a block that is free", [](size_t n) { put_line(1, "read %d\n", freed(n)[n / 2]); }, "" },
    { "write_freed", "wrote to the start of a block that is free", [](size_t n) { write_freed(n, 0); }, "" },
    { "write_freed_middle", "wrote to the middle of a block that is free", [](size_t n) { write_freed(n, n / 2); }, "" },
    { "write_freed_end", "wrote to the end of a block that is free", [](size_t n) { write_freed(n, n - 1); }, "" },
    { "write_freed_calloc", "the same, then asked `calloc` for as much", [](size_t n) {
         write_freed(n, n / 2);
         for (int i = 0; i < 16; i++) {
             char *p = (char *)calloc(1, n);
             CHECK(p);
             if (!all_bytes_are(p, n, 0)) put_line(1, "dirty\n");
         }
     }, "" },
    { "double", "freed a block twice in a row", [](size_t n) { free(freed(n)); }, "" },
    { "double_later", "freed a block, another, and the first again", [](size_t n) {
         char *p = block_of(n), *other = (char *)malloc(n);
         free(p), free(other), free(launder(p));
     }, "" },
    { "double_thread", "freed a block in two threads", [](size_t n) { join_thread(start_thread(free_it, freed(n))); }, "" },
    { "double_owned", "freed a block once more after it was handed out again, and then its new owner did", [](size_t n) {
         char *p = freed(n), *owner = NULL;
         for (int i = 0; i < (n < 100000 ? 3000 : 100) && owner != p; i++) owner = (char *)malloc(n);
         free(p), free(launder(p));
     }, "" },
    { "double_realloc", "`realloc` of a block that is free", [](size_t n) { CHECK(realloc(freed(n), 2 * n)); }, "" },
    { "double_moved", "freed what `realloc` had moved elsewhere", [](size_t n) {
         char *p = block_of(n), *fence = (char *)malloc(n), *q = (char *)realloc(p, 8 * n);
         CHECK(q && fence);
         free(q), free(launder(p));
     }, "" },
    { "inside_1", "freed a pointer 1 byte into a block", [](size_t n) { free(inside(n, 1)); }, "" },
    { "inside_16", "freed a pointer 16 bytes into a block", [](size_t n) { free(inside(n, 16)); }, "" },
    { "inside_half", "freed a pointer to a block's middle", [](size_t n) { free(inside(n, (n / 2 + 8) & ~(size_t)15)); }, "" },
    { "inside_realloc", "`realloc` of a pointer into a block", [](size_t n) { CHECK(realloc(inside(n, 16), 2 * n)); }, "" },
    { "stack", "freed an address of the stack", [](size_t n) { free(said(alloca(n))); }, "" },
    { "static", "freed an address of the program's own data", [](size_t n) { free(said(statics + (n & ~(size_t)15))); }, "" },
    { "code", "freed a function's address", [](size_t) { free(said((void *)settle)); }, "once" },
    { "mapped", "freed what `mmap` gave", [](size_t n) { free(said(mapped(n))); }, "" },
    { "unmapped", "freed an address where nothing is mapped", [](size_t n) {
         char *p = mapped(n);
         munmap(p, n);
         free(said(p));
     }, "" },
    { "wild", "freed an address that no process has", [](size_t) { free(said((void *)0xdead00000000beef)); }, "once" },
    { "stack_realloc", "`realloc` of an address of the stack", [](size_t n) { CHECK(realloc(said(alloca(n)), 2 * n)); }, "" },
    { "usable_freed", "asked for the usable size of a block that is free", [](size_t n) { seen = (char)malloc_usable_size(freed(n)); }, "" },
    { "usable_inside", "asked for that of a pointer into a block", [](size_t n) { seen = (char)malloc_usable_size(inside(n, 16)); }, "" },
    { "usable_stack", "asked for that of an address of the stack", [](size_t n) { seen = (char)malloc_usable_size(said(alloca(n))); }, "" },
    { "sized_1", "`free_sized` with 1 byte too many", [](size_t n) { call_sized(block_of(n), n + 1); }, "" },
    { "sized_half", "`free_sized` with half the size", [](size_t n) { call_sized(block_of(n), n / 2); }, "" },
    { "sized_other", "`free_sized` with four times the size", [](size_t n) { call_sized(block_of(n), 4 * n); }, "" },
    { "aligned_sized", "`free_aligned_sized` with half the size", [](size_t n) { call_aligned_sized((char *)said(memalign(64, n)), 64, n / 2); }, "" },
    { "aligned_other", "`free_aligned_sized` with an alignment that the block has not", [](size_t n) {
         char *p = (char *)malloc(n), *q = (char *)malloc(n); // not both of them are at a multiple of that
         call_aligned_sized(said(aligned_to(p, 1 << 21) ? q : p), 1 << 21, n);
     }, "" },
    { "delete_sized", "sized `delete` with half the size", [](size_t n) { ::operator delete(said(::operator new(n)), n / 2); }, "" },
    { "delete_array", "sized `delete[]` with half the size", [](size_t n) { ::operator delete[](said(::operator new[](n)), n / 2); }, "" },
    { "delete_aligned", "sized `delete` of an aligned block with half the size", [](size_t n) {
         ::operator delete(said(::operator new(n, std::align_val_t(64))), n / 2, std::align_val_t(64));
     }, "" },
    { "past_usable", "asked for the usable size, and wrote 1 byte past that", [](size_t n) {
         char *p = block_of(n);
         write_past(p, malloc_usable_size(p));
     }, "" },
    { "past_expanded", "had a block grow by `hak_expand`, and wrote 1 byte past its new end", [](size_t n) {
         char *p = block_of(n);
         write_past(p, find<size_t (*)(void *, size_t, size_t)>("hak_expand")(p, n, n + 8));
     }, "" },
    { "past_shrunk", "had `reallocarray` shorten a block where it is, and wrote into what it gave up", [](size_t n) {
         size_t less = n - n / 8;
         write_past(said(reallocarray(malloc(n), 1, less)), less);
     }, "" },
    { "past_aligned", "wrote 1 byte past the end of a block at a multiple of 4096", [](size_t n) { write_past(said(memalign(4096, n)), n); }, "" },
    { "unused_start", "wrote to the start of a small block that nobody had yet", [](size_t n) { *unused(n) = 'y'; }, "once" },
    { "unused_middle", "wrote to its middle", [](size_t n) { unused(n)[n / 2] = 'y'; }, "once" },
    { "moved_write", "wrote to where a block was that `realloc` had moved elsewhere", [](size_t n) {
         char *p = block_of(n), *fence = (char *)malloc(n);
         CHECK(fence && realloc(p, 8 * n) != p);
         *(char *)launder(p) = 'y';
     }, "" },
    { "double_fork", "freed a block, and its child of `fork` did once more", [](size_t n) {
         char *p = freed(n);
         as_child([p] { free(p); });
     }, "" },
    { "double_signal", "freed a block, and a handler of a signal did once more", [](size_t n) {
         interrupted = freed(n);
         signal(SIGUSR1, [](int) { free(interrupted); });
         raise(SIGUSR1);
     }, "" },
    { "double_arena", "freed an arena's block twice, by `hak_arena_free` and by `free`", [](size_t n) {
         static void *blocks[3000];
         size_t most = n < 100000 ? COUNT(blocks) : 20;
         auto make = find<void *(*)(void *, size_t)>("hak_arena_malloc");
         auto drop = find<void (*)(void *, void *)>("hak_arena_free");
         void *arena = find<void *(*)(const void *)>("hak_arena_new")(NULL), *p = said(make(arena, n));
         drop(arena, p), free(launder(p));
         for (size_t i = 0; i < most; i++) blocks[i] = make(arena, n);
         for (size_t i = 0; i < most; i++) drop(arena, blocks[i]);
     }, "" },
    { "before_free", "freed a pointer to 16 bytes before a block", [](size_t n) {
         char *before = (char *)malloc(n), *p = (char *)malloc(n);
         CHECK(before && p);
         free(said(p - 16));
     }, "" },
    { "sized_none", "`free_sized` with no bytes", [](size_t n) { call_sized(block_of(n), 0); }, "" },
    { "zero_read", "read a byte of a block of no bytes", [](size_t) { seen = *said(malloc(0)); }, "once" },
    { "zero_write", "wrote a byte of a block of no bytes, then freed it", [](size_t) {
         char *p = said(malloc(0));
         *p = 'y';
         free(p);
     }, "once" },
};

int main(int argc, char **argv) {
    if (argc == 2 && !strcmp(argv[1], "--list")) {
        for (const auto &kind : kinds) put_line(1, "%s\t%s\t%s\n", kind.name, kind.once, kind.words);
        return 0;
    }
    if (argc != 3) return 2;
    size_t size = strtoul(argv[2], NULL, 10);
    for (const auto &kind : kinds)
        if (!strcmp(kind.name, argv[1])) {
            kind.run(size);
            settle(*kind.once ? 24 : size);
            return 0;
        }
    return 2;
}
