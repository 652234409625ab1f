// A sized delete with the wrong size, of which real programs have many, may be reported but does not kill.
// (hardened_malloc kills Telegram over one: tdesktop 16112.)
// stderr: any
// env: HAKMEM_HARDENED=0
#include "check.h"
#include <new>

int main() {
    for (int i = 0; i < 2000; i++) {
        ::operator delete(::operator new(64), size_t(40));
        ::operator delete(::operator new(100), size_t(1000));
        ::operator delete[](::operator new[](5000), size_t(1));
        ::operator delete(::operator new(200000), size_t(16));
    }
    use_all_sizes(1);
    return 0;
}
