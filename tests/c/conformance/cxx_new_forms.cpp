// Every unaligned form of operator new and delete, sized, array and nothrow, fits its partner, at all sizes; 16-aligned.
#include "check.h"
#include <new>

int main() {
    for (size_t i = 0; i < COUNT(all_sizes); i++)
        for (int round = 0; round < 20; round++) {
            size_t n = all_sizes[i];
            void *p[] = {::operator new(n),   ::operator new(n),   ::operator new(n, std::nothrow),   ::operator new(n),
                         ::operator new[](n), ::operator new[](n), ::operator new[](n, std::nothrow), ::operator new[](n)};
            for (size_t j = 0; j < COUNT(p); j++) {
                CHECK(p[j] && aligned_to(p[j], 16) && malloc_usable_size(p[j]) >= n);
                stamp(p[j], n, (unsigned)j);
            }
            for (size_t j = 0; j < COUNT(p); j++) CHECK(stamped(p[j], n, (unsigned)j));
            ::operator delete(p[0]);
            ::operator delete(p[1], n);
            ::operator delete(p[2], std::nothrow);
            ::operator delete(p[3]);
            ::operator delete[](p[4]);
            ::operator delete[](p[5], n);
            ::operator delete[](p[6], std::nothrow);
            ::operator delete[](p[7]);
        }
    ::operator delete(nullptr);
    ::operator delete(nullptr, 10);
    ::operator delete[](nullptr);
    ::operator delete[](nullptr, 10);
    ::operator delete(nullptr, std::nothrow);
    CHECK(peak_mb() < 200);
    return 0;
}
