// Options that the program defines hold; the environment overrides them; what can't be read is named once, and the others hold.
// hakmem
// cflags: -rdynamic
// env: HAKMEM_THP=always HAKMEM_SUPERSLAB_CACHE=x
// expect-stderr: ^hakmem: hak_options: decay_ms=soon is not in -1\.\.3600000; using 1000$
// expect-stderr: ^hakmem: hak_options: unknown option no_such \(HAKMEM_HELP=1 lists them\)$
// expect-stderr: ^hakmem: HAKMEM_SUPERSLAB_CACHE=x is not in 0\.\.64; using 3$
#include "check.h"
#include "hakmem.h"

const char *hak_options = "soft_limit=64M;no_such=1;decay_ms=soon;superslab_cache=3;thp=never;;policy=C18=1232,C19=1088";

static int is(const char *name, const char *value) {
    char text[64] = "";
    return hak_option_get(name, text, sizeof text) >= 0 && strcmp(text, value) == 0;
}

int main(void) {
    use_all_sizes(1);
    CHECK(is("HAKMEM_SOFT_LIMIT", "67108864"));
    CHECK(is("HAKMEM_SUPERSLAB_CACHE", "3"));
    CHECK(is("HAKMEM_THP", "always"));
    CHECK(is("HAKMEM_DECAY_MS", "1000"));
    CHECK(is("HAKMEM_POLICY", "C18=1232,C19=1088"));
    return 0;
}
