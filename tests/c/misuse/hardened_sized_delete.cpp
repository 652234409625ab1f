// With HAKMEM_HARDENED=1 a sized delete with the wrong size, as of a class without a virtual destructor, is reported.
// env: HAKMEM_HARDENED=1
// expect-signal: 6
// expect-stderr: ^hakmem: free_sized: size does not match, 100 bytes \(0x[0-9a-f]+\)$
#include "check.h"
#include <new>

int main() {
    ::operator delete(::operator new(64), size_t(64));
    ::operator delete[](::operator new[](5000), size_t(5000));
    ::operator delete(::operator new(100), size_t(60));
    _exit(0);
}
