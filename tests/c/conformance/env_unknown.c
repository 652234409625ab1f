// A HAKMEM_ variable that does not exist is named once on stderr, and the program works.
// env: HAKMEM_NO_SUCH=1
// expect-stderr: ^hakmem: .*HAKMEM_NO_SUCH
// expect-stderr: HAKMEM_NO_SUCH
#include "check.h"

int main(void) {
    use_all_sizes(1);
    return 0;
}
