// A program replaces only plain operator new and delete, with blocks of its own layout. The standard says that the forms it
// leaves alone go through its plain ones; std::stable_sort relies on it (nothrow new, plain delete). A preloaded library
// whose nothrow and array forms allocate by themselves hands the program's delete a block it cannot know.
// (jemalloc, mimalloc and tcmalloc do. One compare of _Znwm's address, as resolved, with our own tells.)
#include "check.h"
#include <algorithm>
#include <new>
#include <vector>

static const size_t magic = 0x5AFEB10C5AFEB10C;
static int live;
void *operator new(size_t n) {
    size_t *p = static_cast<size_t *>(malloc(n + 16));
    if (!p) throw std::bad_alloc();
    p[0] = magic;
    live++;
    return p + 2;
}
void operator delete(void *p) noexcept {
    if (!p) return;
    size_t *base = static_cast<size_t *>(p) - 2;
    CHECK(*base == magic);
    *base = 0;
    live--;
    free(base);
}
void operator delete(void *p, size_t) noexcept { operator delete(p); }

int main() {
    {
        std::vector<int> numbers;
        for (int i = 0; i < 5000; i++) numbers.push_back(i * 7919 % 5003);
        std::stable_sort(numbers.begin(), numbers.end());
        CHECK(std::is_sorted(numbers.begin(), numbers.end()));
        delete new (std::nothrow) int;
        delete[] new int[50];
        delete[] new (std::nothrow) int[50];
    }
    CHECK(live == 0);
    return 0;
}
