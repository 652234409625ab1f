// Every hak_* function answers null, wrong and senseless arguments with its error code, and crashes for none.
// (Guarded blocks are not among those that the figures count.)
// hakmem
// run: for v in 1 0; do HAKMEM_TINY_HEAP_V2=$v HAKMEM_GUARD_RATE=0 $RUN 2>err || exit 1; done; grep -q 'hakmem: statistics' err
#include "check.h"
#include <hakmem.h>
#include <sys/mman.h>

static char text[1 << 18];

static void texts(size_t (*write_text)(char *, size_t)) {
    size_t needed = write_text(NULL, 0);
    CHECK(needed > 1000);
    CHECK(write_text(NULL, 100) > 1000); // a null buffer has no room, whatever is said of it
    memset(text, 'x', sizeof text);
    CHECK(write_text(text, 0) > 1000 && text[0] == 'x');
    CHECK(write_text(text, 1) > 1000 && text[0] == 0 && text[1] == 'x');
    CHECK(write_text(text, 100) > 1000 && strlen(text) == 99 && text[100] == 'x');
    needed = write_text(text, sizeof text);
    CHECK(needed < sizeof text && strlen(text) == needed && text[needed - 1] == '\n' && text[needed + 1] == 'x');
}

static int stop_at_second(const struct hak_heap_class *entry, void *arg) {
    CHECK(entry->size == sizeof *entry);
    return ++*(int *)arg == 2 ? -7 : 0;
}

int main(void) {
    void *tiny = malloc(100), *mid = malloc(5000), *large = malloc(200000), *huge = malloc(5 * MIB);
    CHECK(tiny && mid && large && huge);

    CHECK(strncmp(hak_version(), "hakmem ", 7) == 0);
    int major, minor, patch;
    CHECK(sscanf(hak_version() + 7, "%d.%d.%d", &major, &minor, &patch) == 3);
    CHECK(hak_version_number() == major * 1000000 + minor * 1000 + patch);
    CHECK(major == HAKMEM_VERSION_MAJOR && minor == HAKMEM_VERSION_MINOR && patch == HAKMEM_VERSION_PATCH);

    struct hak_stats stats;
    CHECK(hak_stats_get(NULL, sizeof stats) == EINVAL && hak_stats_get(NULL, 0) == EINVAL);
    memset(&stats, 0xAA, sizeof stats);
    for (size_t size = 0; size < 16; size++) CHECK(hak_stats_get(&stats, size) == EINVAL);
    CHECK(stats.size == 0xAAAAAAAAAAAAAAAA);
    CHECK(hak_stats_get(&stats, 16) == 0 && stats.size == 16 && stats.live_bytes > 5 * MIB && stats.live_blocks == 0xAAAAAAAAAAAAAAAA);
    memset(&stats, 0xAA, sizeof stats);
    CHECK(hak_stats_get(&stats, 29) == 0 && stats.size == 24); // part of a field is none
    CHECK(stats.live_blocks >= 4 && stats.cached_bytes == 0xAAAAAA0000000000);
    struct { // a program newer than the library
        struct hak_stats known;
        uint64_t more[3], behind;
    } newer;
    memset(&newer, 0xAA, sizeof newer);
    CHECK(hak_stats_get(&newer.known, sizeof newer - sizeof newer.behind) == 0 && newer.known.size == sizeof stats);
    CHECK(newer.more[0] == 0 && newer.more[2] == 0 && newer.behind == 0xAAAAAAAAAAAAAAAA);
    char *odd = text + 1; // not aligned
    CHECK(hak_stats_get((struct hak_stats *)odd, sizeof stats) == 0);

    texts(hak_stats_text);
    texts(hak_stats_json);
    texts(hak_stats_prometheus);
    hak_stats_print();

    CHECK(hak_is_ours(tiny) == 1 && hak_is_ours(mid) == 1 && hak_is_ours(large) == 1 && hak_is_ours(huge) == 1);
    CHECK(hak_usable_size(tiny) >= 100 && hak_usable_size(huge) >= 5 * MIB);
    CHECK(hak_usable_size(mid) == malloc_usable_size(mid) && hak_usable_size(large) == malloc_usable_size(large));
    void *mapped = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(mapped != MAP_FAILED);
    const void *others[] = {NULL, (void *)1, (void *)16, (void *)-1, (void *)0xDEADBEEFDEADBEEF, &stats, text, (void *)main, mapped,
        (char *)tiny + 1, (char *)tiny + 16, (char *)mid + 64, (char *)large + 16, (char *)large + 100000, (char *)huge + 4 * MIB};
    for (size_t i = 0; i < COUNT(others); i++) CHECK(hak_is_ours(others[i]) == 0 && hak_usable_size(others[i]) == 0);

    char value[HAKMEM_OPTION_MAX];
    CHECK(hak_option_get(NULL, value, sizeof value) == EINVAL && hak_option_get("HAKMEM_DECAY_MS", NULL, 10) == EINVAL);
    strcpy(value, "kept");
    CHECK(hak_option_get("HAKMEM_DECAY_MS", value, 0) == ERANGE && strcmp(value, "kept") == 0);
    CHECK(hak_option_get("HAKMEM_DECAY_MS", value, 4) == ERANGE && value[0] == 0 && value[1] != 0);
    CHECK(hak_option_get("HAKMEM_DECAY_MS", value, 5) == 0 && strcmp(value, "1000") == 0);
    const char *unknown[] = {"", "DECAY_MS", "HAKMEM_DECAY", "HAKMEM_DECAY_MS=", "HAKMEM_DECAY_MS ", "hakmem_decay_ms", "PATH"};
    for (size_t i = 0; i < COUNT(unknown); i++) {
        CHECK(hak_option_get(unknown[i], value, sizeof value) == ENOENT && value[0] == 0);
        CHECK(hak_option_set(unknown[i], "1") == ENOENT);
    }
    CHECK(hak_option_set(NULL, "1") == EINVAL && hak_option_set("HAKMEM_DECAY_MS", NULL) == EINVAL && hak_option_set(NULL, NULL) == EINVAL);
    const char *bad[] = {"", "abc", "-2", "3600001", "1 ", " 1", "99999999999999999999", "1K"};
    for (size_t i = 0; i < COUNT(bad); i++) CHECK(hak_option_set("HAKMEM_DECAY_MS", bad[i]) == EINVAL);
    CHECK(hak_option_get("HAKMEM_DECAY_MS", value, sizeof value) == 0 && strcmp(value, "1000") == 0);

    int calls = 0;
    CHECK(hak_heap_walk(NULL, NULL) == EINVAL && hak_heap_walk(NULL, &calls) == EINVAL);
    CHECK(hak_heap_walk(stop_at_second, &calls) == -7 && calls == 2);

    hak_thread_flush();
    hak_thread_flush();
    hak_trim();
    CHECK(hak_trim() == 0); // what went is gone
    free(tiny), free(mid), free(large), free(huge);
    return 0;
}
