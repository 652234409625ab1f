// With HAKMEM_HARDENED=light an aligned delete that names another size is reported, also where both are rounded to the same multiple.
// env: HAKMEM_HARDENED=light
// expect-signal: 6
// expect-stderr: ^hakmem: free_sized: size does not match, 16384 bytes \(0x[0-9a-f]+\)$
#include "check.h"
#include <new>

int main() {
    void *p = operator new(16384, std::align_val_t(8192));
    operator delete(p, 16384, std::align_val_t(8192));
    p = operator new(16384, std::align_val_t(8192));
    operator delete(p, 16374, std::align_val_t(8192));
    _exit(0);
}
