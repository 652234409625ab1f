// A program that replaces plain operator new and delete over malloc and free keeps its own, whichever allocator serves the
// forms it does not replace.
#include "check.h"
#include <new>
#include <string>
#include <vector>

static int news, deletes;
void *operator new(size_t n) {
    news++;
    void *p = malloc(n);
    if (!p) throw std::bad_alloc();
    return p;
}
void operator delete(void *p) noexcept {
    deletes++;
    free(p);
}
void operator delete(void *p, size_t) noexcept {
    deletes++;
    free(p);
}

int main() {
    std::vector<std::string> strings(100, std::string(200, 's'));
    CHECK(news > 100);
    strings = {};
    CHECK(deletes > 100);
    delete[] new int[50];
    delete new (std::nothrow) int;
    return 0;
}
