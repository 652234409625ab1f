// Under valgrind: with the library's malloc replaced by memcheck's (--soname-synonyms), which must then see a block that is
// lost; and with none replaced, where the library serves on valgrind's virtual CPU. (hardened_malloc and Mesh die.)
// run: command -v valgrind >/dev/null || { echo "valgrind is not installed"; exit 77; }; v="valgrind -q --trace-children=yes"; name=$(readelf -d "$LIB" | sed -n 's/.*SONAME.*[[]\(.*\)[]]/\1/p'); env LD_PRELOAD=$LIB $v --leak-check=full --soname-synonyms=somalloc=${name:-NONE} $BIN lose 2>lost; status=$?; grep -q '1,234 bytes in 1 blocks are definitely lost' lost || { cat lost; exit 1; }; [ $status = 0 ] && exec env LD_PRELOAD=$LIB $v --tool=none $BIN
#include "check.h"

static void *work(void *seed) {
    use_sizes_up_to(100000, (unsigned)(uintptr_t)seed);
    return NULL;
}

int main(int argc, char **argv) {
    pthread_t threads[2];
    for (uintptr_t i = 0; i < COUNT(threads); i++) threads[i] = start_thread(work, (void *)i);
    for (size_t i = 0; i < COUNT(threads); i++) join_thread(threads[i]);
    use_sizes_up_to(3 * MIB, 1);
    if (argc > 1) launder(malloc(1234));
    launder(memset(malloc(10), 0, 10)); // overwrites what a register may still hold
    return 0;
}
