// A new-handler that frees its reserve makes the very operator new that failed succeed.
#include "check.h"
#include <new>
#include <sys/resource.h>

static void *reserve[16];
static int calls;

static void give_back() {
    if (calls++) throw std::bad_alloc();
    for (void *&part : reserve) free(part), part = nullptr;
}

int main() {
    try { // the unwinder's own first-time memory
        throw 1;
    } catch (int) {
    }
    rlim_t limit = rlim_t(status_kb("VmSize:")) * 1024 + 300 * MIB;
    struct rlimit address_space = {limit, limit};
    CHECK(setrlimit(RLIMIT_AS, &address_space) == 0);
    for (void *&part : reserve) CHECK(part = malloc(6 * MIB));
    std::set_new_handler(give_back);
    static void *taken[1000];
    size_t count = 0;
    try {
        while (calls == 0) CHECK(taken[count++] = ::operator new(2 * MIB)); // the last one came after the handler
        CHECK(count > 20 && calls == 1); // hardened, each has 2 MiB of closed addresses around it
        for (int more = 0; more < 20; more++) CHECK(taken[count++] = ::operator new(2 * MIB));
        CHECK(calls == 1);
    } catch (const std::bad_alloc &) {
        CHECK(!"the freed reserve was not used");
    }
    for (size_t i = 0; i < count; i++) ::operator delete(taken[i]);
    return 0;
}
