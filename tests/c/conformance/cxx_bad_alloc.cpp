// A throwing operator new that cannot succeed throws std::bad_alloc through the library's frame, in all four forms.
// libstdc++ 12 wraps an aligned size near SIZE_MAX round to 0, so deferring to its aligned form is not enough.
// (mimalloc's C build aborts, rpmalloc and Scudo return NULL, Mesh crashes.)
#include "check.h"
#include <new>

template <class Allocate> static bool throws(Allocate allocate) {
    try {
        launder(allocate());
    } catch (const std::bad_alloc &) {
        return true;
    }
    return false;
}

int main() {
    const size_t sizes[] = {SIZE_MAX, SIZE_MAX - 64, SIZE_MAX / 2 + 1, SIZE_MAX / 2, size_t(1) << 60};
    for (int round = 0; round < 20; round++)
        for (size_t n : sizes) {
            CHECK(throws([&] { return ::operator new(n); }));
            CHECK(throws([&] { return ::operator new[](n); }));
            for (size_t alignment = 8; alignment <= 4096; alignment *= 2) {
                CHECK(throws([&] { return ::operator new(n, std::align_val_t{alignment}); }));
                CHECK(throws([&] { return ::operator new[](n, std::align_val_t{alignment}); }));
            }
            delete new int; // still well
        }
    return 0;
}
