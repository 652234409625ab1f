// Exceptions thrown and caught in eight threads at once while they allocate, bad_alloc from the library among them.
// cflags: -O1
#include "check.h"
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

static volatile size_t huge = SIZE_MAX / 2 + 1;

static size_t fail(int depth, std::vector<std::string> held) {
    std::string more(size_t(depth) * 50 + 1, 'y');
    held.push_back(more);
    if (depth == 0) throw std::runtime_error("thrown with " + std::to_string(held.size()) + " strings and a text that is long");
    return fail(depth - 1, held) + more.size();
}

int main() {
    std::vector<std::thread> threads;
    for (int t = 0; t < 8; t++)
        threads.emplace_back([] {
            int runtime = 0, memory = 0;
            for (int i = 0; i < 400; i++) {
                try {
                    fail(i % 8, {});
                } catch (const std::exception &e) {
                    runtime += std::string(e.what()).size() > 20;
                }
                try {
                    std::vector<std::string> held(10, std::string(100, 'z'));
                    launder(i % 2 ? ::operator new(huge) : ::operator new(huge, std::align_val_t{64}));
                } catch (const std::bad_alloc &) {
                    memory++;
                }
            }
            CHECK(runtime == 400 && memory == 400);
        });
    for (auto &thread : threads) thread.join();
    return 0;
}
