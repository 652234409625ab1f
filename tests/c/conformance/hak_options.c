// Options are read back as they were set; those that are read at start only are refused with EPERM; a change takes effect.
// hakmem
// env: HAKMEM_SUPERSLAB_CACHE=0x20 HAKMEM_STATS_SIGNAL=USR1 HAKMEM_HARDENED=0
// run: $RUN 2>err || exit 1; [ ! -s err ] && python3 -m json.tool out.json >/dev/null 2>&1 || ! command -v python3
#include "check.h"
#include <hakmem.h>

static char value[HAKMEM_OPTION_MAX];
static const char *get(const char *name) {
    CHECK(hak_option_get(name, value, sizeof value) == 0);
    return value;
}

static void *setter(void *text) {
    for (int i = 0; i < 20000; i++) CHECK(hak_option_set("HAKMEM_STATS", text) == 0);
    return NULL;
}

int main(void) {
    CHECK(strcmp(get("HAKMEM_SUPERSLAB_CACHE"), "32") == 0 && strcmp(get("HAKMEM_STATS_SIGNAL"), "USR1") == 0);
    CHECK(strcmp(get("HAKMEM_STATS"), "0") == 0);
    CHECK(hak_option_set("HAKMEM_SUPERSLAB_CACHE", "3") == 0 && strcmp(get("HAKMEM_SUPERSLAB_CACHE"), "3") == 0);
    CHECK(hak_option_set("HAKMEM_SUPERSLAB_CACHE", "65") == EINVAL && strcmp(get("HAKMEM_SUPERSLAB_CACHE"), "3") == 0);
    const char *fixed[] = {"HAKMEM_TINY_HEAP_V2", "HAKMEM_TINY_HEAP_V2_CLASS_MASK", "HAKMEM_HELP", "HAKMEM_REMOTE_NODES", "HAKMEM_STATS_SIGNAL"};
    for (size_t i = 0; i < COUNT(fixed); i++) {
        char before[HAKMEM_OPTION_MAX];
        strcpy(before, get(fixed[i]));
        CHECK(hak_option_set(fixed[i], "1") == EPERM && hak_option_set(fixed[i], "bad") == EPERM);
        CHECK(strcmp(get(fixed[i]), before) == 0);
    }

    // The decay time is asked for at each use: with 0 nothing stays dirty.
    CHECK(hak_option_set("HAKMEM_DECAY_MS", "0") == 0 && strcmp(get("HAKMEM_DECAY_MS"), "0") == 0);
    struct hak_stats stats;
    free(memset(malloc(20 * MIB), 1, 20 * MIB));
    CHECK(hak_stats_get(&stats, sizeof stats) == 0 && stats.large_cached_bytes == 0 && stats.large_purged_bytes >= 20 * MIB);
    CHECK(hak_option_set("HAKMEM_DECAY_MS", "-1") == 0);
    free(memset(malloc(20 * MIB), 1, 20 * MIB));
    CHECK(hak_stats_get(&stats, sizeof stats) == 0 && stats.large_cached_bytes >= 20 * MIB);

    // Texts: whole, whoever else sets them meanwhile.
    char long_text[HAKMEM_OPTION_MAX + 10] = "json:";
    memset(long_text + 5, 'a', 250);
    CHECK(hak_option_set("HAKMEM_STATS", long_text) == 0 && strcmp(get("HAKMEM_STATS"), long_text) == 0);
    memset(long_text + 5, 'a', 251);
    CHECK(hak_option_set("HAKMEM_STATS", long_text) == EINVAL);
    long_text[255] = 0;
    pthread_t one = start_thread(setter, "text:b"), two = start_thread(setter, long_text);
    for (int i = 0; i < 20000; i++) {
        get("HAKMEM_STATS");
        CHECK(strcmp(value, "text:b") == 0 || strcmp(value, long_text) == 0);
    }
    join_thread(one), join_thread(two);
    CHECK(hak_option_set("HAKMEM_STATS", "json:out.json") == 0); // and written at exit, though it was off at start
    return 0;
}
