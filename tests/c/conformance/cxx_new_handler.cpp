// The new-handler is called again and again until it gives up; its own exception comes through; nullptr means bad_alloc.
#include "check.h"
#include <new>

struct OutOfLuck {
    int calls;
};
static int calls;

template <class Allocate> static void try_form(Allocate allocate) {
    calls = 0;
    std::set_new_handler([] {
        if (++calls == 3) throw OutOfLuck{calls};
    });
    int caught = 0;
    try {
        launder(allocate());
    } catch (const OutOfLuck &luck) {
        caught = luck.calls;
    }
    CHECK(caught == 3 && calls == 3);

    calls = 0;
    std::set_new_handler([] {
        if (++calls == 2) std::set_new_handler(nullptr);
    });
    bool bad = false;
    try {
        launder(allocate());
    } catch (const std::bad_alloc &) {
        bad = true;
    }
    CHECK(bad && calls == 2);
}

int main() {
    volatile size_t huge = SIZE_MAX / 2 + 1;
    try_form([&] { return ::operator new(huge); });
    try_form([&] { return ::operator new[](huge); });
    try_form([&] { return ::operator new(huge, std::align_val_t{128}); });
    try_form([&] { return ::operator new[](huge, std::align_val_t{128}); });
    return 0;
}
