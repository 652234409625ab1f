// The library takes at most 16 bytes of static TLS, which every thread's stack and every late dlopen pays for.
// (hz3 takes 357,632, Scudo 11,072, jemalloc 1,976: "cannot allocate memory in static TLS block".)
// run: readelf -lW "$LIB" >segments && $EMULATOR $BIN <segments
#include "check.h"

int main(void) {
    char line[512];
    int headers = 0;
    while (fgets(line, sizeof line, stdin)) {
        unsigned long offset, address, physical, in_file, in_memory;
        headers += strstr(line, "LOAD") != NULL;
        if (sscanf(line, " TLS %lx %lx %lx %lx %lx", &offset, &address, &physical, &in_file, &in_memory) == 5) {
            NOTE("%lu bytes", in_memory);
            CHECK(in_memory <= 16);
        }
    }
    CHECK(headers > 0);
    return 0;
}
