// An aligned new that the C++ runtime serves, once the new-handler found memory, may have a rounded size: its sized delete is
// no misuse.
// env: HAKMEM_HARDENED=1
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
    constexpr size_t size = 2 * MIB + 8;
    constexpr std::align_val_t align{64};
    rlim_t limit = rlim_t(status_kb("VmSize:")) * 1024 + 300 * MIB;
    struct rlimit address_space = {limit, limit};
    CHECK(setrlimit(RLIMIT_AS, &address_space) == 0);
    for (void *&part : reserve) CHECK(part = malloc(6 * MIB));
    std::set_new_handler(give_back);
    static void *taken[1000];
    size_t count = 0;
    while (calls == 0) CHECK(taken[count++] = ::operator new(size, align)); // the last one came after the handler
    CHECK(count > 20 && calls == 1); // each has 2 MiB of closed addresses around it
    for (size_t i = 0; i < count; i++) ::operator delete(taken[i], size, align);
    ::operator delete(::operator new(100, align), 100, align);
    return 0;
}
