// free_sized with a size that is not the block's (C23): 4096 for 64 bytes.
#include "check.h"
#include <dlfcn.h>

int main(void) {
    void (*its_free_sized)(void *, size_t) = (void (*)(void *, size_t))dlsym(RTLD_DEFAULT, "free_sized");
    if (!its_free_sized) SKIP("no free_sized");
    void *p = malloc(64);
    CHECK(p);
    its_free_sized(p, 4096);
    static char *later[500];
    for (size_t i = 0; i < COUNT(later); i++) {
        CHECK(later[i] = malloc(i % 2 ? 4096 : 64));
        memset(later[i], (int)i, i % 2 ? 4096 : 64);
    }
    for (size_t i = 0; i < COUNT(later); i++)
        if (!all_bytes_are(later[i], i % 2 ? 4096 : 64, (unsigned char)i)) _exit(3);
    return 0;
}
