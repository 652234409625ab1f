// Writes 16 bytes in front of twenty of 200 blocks of 64 bytes, where many keep a header, frees them all and works on.
#include "check.h"

int main(void) {
    char *blocks[200];
    for (size_t i = 0; i < COUNT(blocks); i++) CHECK(blocks[i] = malloc(64));
    for (size_t i = 90; i < 110; i++) memset((char *)launder(blocks[i]) - 16, 0x41, 16);
    for (size_t i = 0; i < COUNT(blocks); i++) free(blocks[i]);
    use_sizes_up_to(1024, 1);
    malloc_trim(0);
    return 0;
}
