// With HAKMEM_HARDENED=1 a size that is not the block's is reported. (C23's free_sized is not in every libc: looked up.)
// env: HAKMEM_HARDENED=1
// expect-signal: 6
// expect-stderr: ^hakmem: free_sized: size does not match, 64 bytes \(0x[0-9a-f]+\)$
#include "check.h"
#include <dlfcn.h>

int main(void) {
    void (*free_sized)(void *, size_t) = (void (*)(void *, size_t))dlsym(RTLD_DEFAULT, "free_sized");
    CHECK(free_sized);
    free_sized(malloc(1000), 1000);
    free_sized(malloc(0), 0);
    free_sized(malloc(64), 40);
    _exit(0);
}
