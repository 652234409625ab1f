// Swings a little longer than a magazine are learned, said once with their evidence, and a saved policy starts from there.
// Swings beyond any magazine change nothing. Without learning nothing is said.
// env: HAKMEM_HARDENED=0 HAKMEM_GUARD_RATE=0 HAKMEM_TINY_HEAP_V2=1
// stderr: any
// run: set -e; HAKMEM_LEARN_LOG=1 $RUN 1000 2>log >&2; grep -q '^hakmem: learn: C19 depth [0-9]*: the last swings needed [0-9]*, the default is 128$' log; [ "$(grep -c learn: log)" = 1 ]; P=$(grep '^HAKMEM_POLICY=C19=[0-9]*$' log); env HAKMEM_LEARN_LOG=1 $P $RUN 1000 2>log2; ! grep -q learn: log2; grep -q "^$P$" log2; HAKMEM_LEARN_LOG=1 $RUN 9000 2>log3; ! grep -q learn: log3; HAKMEM_LEARN_LOG=1 HAKMEM_LEARN=0 $RUN 1000 2>log4; ! grep -q learn: log4; grep -q '^HAKMEM_POLICY=$' log4; HAKMEM_POLICY=C19=700,C100=3,x $RUN 10 2>log5; [ "$(grep -c 'HAKMEM_POLICY: .* left out' log5)" = 2 ]; grep -q '^HAKMEM_POLICY=C19=700$' log5
#include "check.h"
#include <dlfcn.h>

static char *blocks[10000];

int main(int argc, char **argv) {
    size_t swing = argc > 1 ? (size_t)atoi(argv[1]) : 1000;
    for (int round = 0; round < 20; round++) {
        for (size_t i = 0; i < swing; i++) {
            CHECK(blocks[i] = malloc(1000));
            stamp(blocks[i], 1000, (unsigned)i);
        }
        for (size_t i = 0; i < swing; i++) {
            CHECK(stamped(blocks[i], 1000, (unsigned)i));
            free(blocks[i]);
        }
    }
    void (*print)(void) = (void (*)(void))dlsym(RTLD_DEFAULT, "hak_policy_print");
    CHECK(print);
    print();
    return 0;
}
