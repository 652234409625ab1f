// new that fails throws bad_alloc, after the new-handler, in programs that have the C++ runtime in them: -static, -static-pie,
// -static-libstdc++, with the archive and, the last, with the shared library; nothrow forms return null; what catches only exceptions of any kind, too.
// run: [ -f "${LIB%.so}.a" ] || { echo "no static library"; exit 77; }; for way in "-static" "-static-pie" "-static-libstdc++ -static-libgcc" "-static-libstdc++ -static-libgcc -DSHARED_LIBRARY" ""; do lib=${LIB%.so}.a; case $way in *SHARED*) lib="$LIB -Wl,-rpath,${LIB%/*}" ;; esac; ${CXX:-g++} $way -std=c++17 -w -pthread -D_GNU_SOURCE -I"$here" "$here/traps/static_new.cpp" $lib -o linked && $EMULATOR ./linked || { echo "$way"; exit 1; }; ${CXX:-g++} $way -w -DLITTLE "$here/traps/static_new.cpp" $lib -o little && $EMULATOR ./little || { echo "little $way"; exit 1; }; done
#ifdef LITTLE // nothing of the runtime but what catching needs
#include <stdlib.h>
int main() {
    volatile size_t huge = (size_t)1 << 62;
    try {
        char *p = new char[huge];
        p[0] = 1;
    } catch (...) {
        return 0;
    }
    return 1;
}
#else
#include "check.h"
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

static int handled;
static void handler() {
    if (++handled == 3) std::set_new_handler(nullptr);
}
static void throwing() { throw std::runtime_error("handler"); }

template <class F> static bool throws(F &&f) {
    try {
        f();
    } catch (std::bad_alloc &) {
        return true;
    }
    return false;
}

struct alignas(128) Wide {
    char c[256];
};

extern "C" __attribute__((weak)) const char *hak_version(void);

int main() {
    CHECK(hak_version && hak_version());
    volatile size_t huge = (size_t)1 << 62;
    for (int round = 0; round < 2; round++) {
        CHECK(throws([&] { launder(new char[huge]); }));
        CHECK(throws([&] { launder(::operator new(huge)); }));
        CHECK(throws([&] { launder(new Wide[huge / 256]); }));
        CHECK(throws([&] { std::vector<int> v; v.resize(huge / 8); }));
        CHECK(throws([&] { std::string s; s.resize(huge / 2); }));
        CHECK(!launder(new (std::nothrow) char[huge]) && !launder(new (std::nothrow) Wide[huge / 256]));
    }
    std::set_new_handler(handler);
    CHECK(throws([&] { launder(::operator new(huge)); }) && handled == 3);
    std::set_new_handler(throwing);
    bool seen = false;
    try {
        launder(::operator new(huge));
    } catch (std::runtime_error &) {
        seen = true;
    }
    CHECK(seen);
    std::set_new_handler(nullptr);
    bool there = false;
    std::thread([&] { there = throws([&] { launder(new char[huge]); }); }).join();
    CHECK(there);
    Wide *wide = new Wide[10];
    CHECK(aligned_to(wide, 128));
    delete[] wide;
    return 0;
}
#endif
