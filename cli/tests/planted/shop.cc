// 300 strings of 200 characters and a null, by a member of a template.
#include <string>

namespace store {
template <class T> struct Shelf {
    T items[300];
    __attribute__((noinline)) void fill() {
        for (T &item : items)
            item = T(200, 'x');
    }
};
} // namespace store

int main() {
    static auto *shelf = new store::Shelf<std::string>;
    shelf->fill();
}
