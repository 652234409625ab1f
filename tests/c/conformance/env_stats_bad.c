// A form that does not exist is named once, with the forms that do, and nothing is written.
// env: HAKMEM_STATS=xml:/tmp/x
// expect-stderr: ^hakmem: HAKMEM_STATS=xml:/tmp/x is not in 0\|1\|text:PATH\|json:PATH\|prom:PATH; using 0$
#include "check.h"

int main(void) {
    use_sizes_up_to(5000, 1);
    return 0;
}
