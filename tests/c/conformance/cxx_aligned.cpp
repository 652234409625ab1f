// The aligned forms of operator new honour their alignment up to 4096 and fit all their partners, sized and nothrow.
#include "check.h"
#include <new>

struct alignas(256) Line {
    char bytes[300];
};

int main() {
    for (size_t alignment = 1; alignment <= 4096; alignment *= 2)
        for (size_t n = 0; n < 200000; n = n * 2 + 9) {
            std::align_val_t a{alignment};
            void *p[] = {::operator new(n, a),   ::operator new(n, a),   ::operator new(n, a, std::nothrow),
                         ::operator new[](n, a), ::operator new[](n, a), ::operator new[](n, a, std::nothrow)};
            for (size_t j = 0; j < COUNT(p); j++) {
                CHECK(p[j] && aligned_to(p[j], alignment));
                stamp(p[j], n, (unsigned)j);
            }
            for (size_t j = 0; j < COUNT(p); j++) CHECK(stamped(p[j], n, (unsigned)j));
            ::operator delete(p[0], a);
            ::operator delete(p[1], n, a);
            ::operator delete(p[2], a, std::nothrow);
            ::operator delete[](p[3], a);
            ::operator delete[](p[4], n, a);
            ::operator delete[](p[5], a, std::nothrow);
        }
    for (int i = 0; i < 1000; i++) { // and what the compiler makes of an over-aligned class
        Line *one = new Line, *many = new Line[7];
        CHECK(aligned_to(one, 256) && aligned_to(many, 256));
        delete one;
        delete[] many;
    }
    ::operator delete(nullptr, std::align_val_t{64});
    ::operator delete[](nullptr, 10, std::align_val_t{64});
    return 0;
}
