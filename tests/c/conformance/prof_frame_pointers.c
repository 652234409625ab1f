// With HAKMEM_PROF_UNWIND=fp stacks go by frame pointers, of the first thread and of others: through code without unwind information too, where the
// unwinder's end; and on a stack of the program's own it takes over.
// hakmem
// cflags: -fno-omit-frame-pointer
// env: HAKMEM_PROF=1 HAKMEM_PROF_RATE=4096
// run: command -v python3 >/dev/null || { echo "there is no python3"; exit 77; }; HAKMEM_PROF_UNWIND=fp HAKMEM_PROF_FILE=fp.pb $RUN >said && python3 $here/pprof.py fp.pb <said >out || { cat out; exit 1; }; HAKMEM_PROF_FILE=dwarf.pb $RUN >said && ! python3 $here/pprof.py dwarf.pb <said >out && grep -q '^over_bare: alloc_objects 0 ' out || { echo "the unwinder gets by"; cat out; exit 1; }
#include "check.h"
#include <sys/mman.h>
#include <ucontext.h>

#define SITE(name, result, ...) \
    extern char __start_at_##name[], __stop_at_##name[]; \
    __attribute__((noinline, section("at_" #name))) static result name(__VA_ARGS__)
#define SAY(name, size, allocated, live) \
    printf(#name " %zx %zx %zu %zu %zu\n", (size_t)__start_at_##name, (size_t)__stop_at_##name, (size_t)(size), (size_t)(allocated), (size_t)(live))

enum { BLOCKS = 20000 };
static void *kept[3][BLOCKS];
static volatile int never;
static void *(*bare)(void *(*)(size_t), size_t);

// The one that calls is further out than code of which no table tells anything.
SITE(over_bare, void *, void) { void *block = bare(malloc, 100); CHECK(block || never); return block; }
SITE(elsewhere, void *, void) { void *block = bare(malloc, 200); CHECK(block || never); return block; }
SITE(aside, void *, void) { void *block = malloc(300); CHECK(block || never); return block; }

static void *work(void *arg) {
    for (int i = 0; i < BLOCKS; i++) kept[1][i] = elsewhere();
    return arg;
}
static ucontext_t back, other;
static void on_other_stack(void) {
    for (int i = 0; i < BLOCKS; i++) kept[2][i] = aside();
}

int main(void) {
#if defined(__x86_64__)
    // push rbp; mov rbp, rsp; mov rax, rdi; mov rdi, rsi; call rax; pop rbp; ret
    static const unsigned char code[] = {0x55, 0x48, 0x89, 0xe5, 0x48, 0x89, 0xf8, 0x48, 0x89, 0xf7, 0xff, 0xd0, 0x5d, 0xc3};
#elif defined(__aarch64__)
    // stp x29, x30, [sp, #-16]!; mov x29, sp; mov x2, x0; mov x0, x1; blr x2; ldp x29, x30, [sp], #16; ret
    static const unsigned code[] = {0xa9bf7bfd, 0x910003fd, 0xaa0003e2, 0xaa0103e0, 0xd63f0040, 0xa8c17bfd, 0xd65f03c0};
#endif
    void *room = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(room != MAP_FAILED);
    memcpy(room, code, sizeof code);
    CHECK(mprotect(room, 4096, PROT_READ | PROT_EXEC) == 0);
    __builtin___clear_cache(room, (char *)room + sizeof code);
    bare = (void *(*)(void *(*)(size_t), size_t))room;
    for (int i = 0; i < BLOCKS; i++) kept[0][i] = over_bare();
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, work, NULL) == 0 && pthread_join(thread, NULL) == 0);
    static char stack[64 * KIB];
    CHECK(getcontext(&other) == 0);
    other.uc_stack.ss_sp = stack, other.uc_stack.ss_size = sizeof stack, other.uc_link = &back;
    makecontext(&other, on_other_stack, 0);
    CHECK(swapcontext(&back, &other) == 0);
    SAY(over_bare, 100, BLOCKS, BLOCKS), SAY(elsewhere, 200, BLOCKS, BLOCKS), SAY(aside, 300, BLOCKS, BLOCKS);
    return 0;
}
