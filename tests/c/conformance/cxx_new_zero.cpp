// operator new(0) and new T[0] give unique pointers that are not null.
#include "check.h"
#include <new>
#include <set>

int main() {
    std::set<void *> seen;
    for (int i = 0; i < 1000; i++) {
        void *p[] = {::operator new(0), ::operator new[](0), ::operator new(0, std::nothrow), ::operator new(0, std::align_val_t{64}), new int[launder(nullptr) ? 1 : 0]};
        for (void *each : p) CHECK(each && seen.insert(each).second);
    }
    return 0;
}
