// A program built with gcc's AddressSanitizer: linked with the library too it runs on the sanitizer's malloc, and so it does under the preload
// if that names the sanitizer's runtime first; a use after free is found. Linked with the archive it runs on the archive's, which finds none.
// cflags: -fsanitize=address -g
// forms: preload first last archive
// run: asan=$(${CC:-gcc} -print-file-name=libasan.so); [ -f "$asan" ] || { echo "there is no libasan.so"; exit 77; }; export ASAN_OPTIONS=detect_leaks=0; [ "${FORM:-preload}" = preload ] && RUN="env LD_PRELOAD=$asan:$LIB $BIN"; $RUN || exit 1; $RUN wrong >out 2>&1; status=$?; if [ "$FORM" = archive ]; then grep -q unnoticed out; else [ $status = 1 ] && grep -q 'ERROR: AddressSanitizer: heap-use-after-free' out; fi || { cat out >&2; exit 1; }
#include "check.h"

static void *work(void *unused) {
    for (size_t n = 1; n < 3 * MIB; n += n / 3 + 1) {
        void *p = malloc(n), *q = calloc(1, n);
        stamp(p, n, 1);
        CHECK((p = realloc(p, 2 * n)) && stamped(p, n, 1) && all_bytes_are(q, n, 0));
        free(p), free(q);
    }
    char *line = NULL; // libc's own blocks
    size_t room = 0;
    FILE *file = fopen("/proc/self/status", "r");
    while (getline(&line, &room, file) > 0) {
    }
    fclose(file), free(line);
    return unused;
}

int main(int argc, char **argv) {
    work(NULL);
    join_thread(start_thread(work, NULL));
    if (argc > 1) {
        volatile char *p = launder(malloc(100));
        free((void *)p);
        put_line(1, "%d: unnoticed\n", p[argc]);
    }
    return 0;
}
