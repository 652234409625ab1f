// The nothrow forms of operator new return nullptr where they cannot succeed, and throw nothing.
// (libstdc++ 12's aligned form wraps a size near SIZE_MAX round to 0 and returns a block.)
#include "check.h"
#include <new>

int main() {
    const size_t sizes[] = {SIZE_MAX, SIZE_MAX - 64, SIZE_MAX / 2 + 1, SIZE_MAX / 2, size_t(1) << 60};
    for (size_t n : sizes) {
        CHECK(::operator new(n, std::nothrow) == nullptr);
        CHECK(::operator new[](n, std::nothrow) == nullptr);
        for (size_t alignment = 8; alignment <= 4096; alignment *= 2) {
            CHECK(::operator new(n, std::align_val_t{alignment}, std::nothrow) == nullptr);
            CHECK(::operator new[](n, std::align_val_t{alignment}, std::nothrow) == nullptr);
        }
    }
    return 0;
}
