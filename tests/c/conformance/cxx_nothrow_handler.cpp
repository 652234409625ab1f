// The nothrow forms run the new-handler too, and turn the std::bad_alloc it throws into nullptr (C++ standard).
#include "check.h"
#include <new>

static int calls;

int main() {
    std::set_new_handler([] {
        calls++;
        throw std::bad_alloc();
    });
    volatile size_t huge = SIZE_MAX / 2 + 1;
    CHECK(::operator new(huge, std::nothrow) == nullptr && calls == 1);
    CHECK(::operator new[](huge, std::nothrow) == nullptr && calls == 2);
    CHECK(::operator new(huge, std::align_val_t{64}, std::nothrow) == nullptr && calls == 3);
    CHECK(::operator new[](huge, std::align_val_t{64}, std::nothrow) == nullptr && calls == 4);
    return 0;
}
