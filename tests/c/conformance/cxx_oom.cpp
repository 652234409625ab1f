// Out of memory under an address-space limit: new throws std::bad_alloc, which can be caught, and life goes on, many times.
// run: ulimit -v 204800; $RUN
#include "check.h"
#include <new>
#include <string>
#include <vector>

int main() {
    for (int round = 0; round < 5; round++) {
        bool bad = false;
        std::vector<std::string *> strings;
        try {
            for (;;) strings.push_back(new std::string(30000, 'x'));
        } catch (const std::bad_alloc &) {
            bad = true;
        }
        CHECK(bad && strings.size() > 2000);
        for (std::string *s : strings) {
            CHECK(s->front() == 'x' && s->back() == 'x');
            delete s;
        }
    }
    return 0;
}
