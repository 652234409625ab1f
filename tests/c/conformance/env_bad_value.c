// A value that cannot be read is named once on stderr, the default is used, and the program works.
// env: HAKMEM_DECAY_MS=abc
// expect-stderr: ^hakmem: .*HAKMEM_DECAY_MS
// expect-stderr: HAKMEM_DECAY_MS
#include "check.h"

int main(void) {
    use_all_sizes(1);
    return 0;
}
