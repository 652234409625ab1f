// Says who serves malloc. Runs on any malloc: hak_version is weak.
//
//     cc who.c -o who && LD_PRELOAD=libhakmem.so ./who
//     cc who.c -o who $(pkg-config --cflags --libs hakmem)
#include <stdio.h>
#include <stdlib.h>

extern const char *hak_version(void) __attribute__((weak));

int main(void) {
    char *block = malloc(100); // so that the linker sees that malloc is wanted
    if (block == NULL) return 1;
    snprintf(block, 100, "served by %s", hak_version ? hak_version() : "the system's malloc");
    puts(block);
    free(block);
    return 0;
}
