// Constructors and destructors of every priority allocate, and free what the others allocated, before and after the
// library's own. (mimalloc 317, 357: crashes before main; Valgrind's __libc_freeres frees after all destructors.)
#include "check.h"

static void *blocks[6];
static int order;

static void work(int i) {
    CHECK(blocks[i] = calloc(1, 3000));
    stamp(blocks[i], 3000, (unsigned)i);
    for (size_t n = 1; n < 300000; n *= 3) free(malloc(n));
    if (i > 0) {
        CHECK(stamped(blocks[i - 1], 3000, (unsigned)(i - 1)));
        CHECK(blocks[i - 1] = realloc(blocks[i - 1], 9000));
    }
    order++;
}
__attribute__((constructor(101))) static void c0(void) { work(0); }
__attribute__((constructor(102))) static void c1(void) { work(1); }
__attribute__((constructor(1000))) static void c2(void) { work(2); }
__attribute__((constructor(30000))) static void c3(void) { work(3); }
__attribute__((constructor(65535))) static void c4(void) { work(4); }
__attribute__((constructor)) static void c5(void) {
    CHECK(blocks[5] = malloc(10));
    order++;
}
static void give_back(int i) {
    free(blocks[i]);
    use_all_sizes(1);
}
__attribute__((destructor(101))) static void d0(void) { give_back(0); }
__attribute__((destructor(102))) static void d1(void) { give_back(1); }
__attribute__((destructor(1000))) static void d2(void) { give_back(2); }
__attribute__((destructor(30000))) static void d3(void) { give_back(3); }
__attribute__((destructor(65535))) static void d4(void) { give_back(4); }
__attribute__((destructor)) static void d5(void) { give_back(5); }

int main(void) {
    CHECK(order == 6);
    return 0;
}
