// HAKMEM_TRACE=1 in a program that is wholly static: it says that there are no stacks, and goes on.
// run: [ -f "${LIB%.so}.a" ] || { echo "no static library"; exit 77; }; for way in -static -static-pie; do ${CC:-gcc} $way -w -pthread -D_GNU_SOURCE -I"$here" "$here/traps/static_trace.c" "${LIB%.so}.a" -o linked && HAKMEM_TRACE=1 HAKMEM_GUARD_RATE=3 $EMULATOR ./linked 2>said && [ "$(grep -c "no stacks" said)" = 1 ] || { echo "$way"; cat said; exit 1; }; done
#include "check.h"

int main(void) {
    use_all_sizes(1);
    return 0;
}
