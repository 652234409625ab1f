// Destructors of C++ thread_locals allocate and free, in 400 threads and at the main thread's exit.
// (A heap torn down before them is rebuilt and lost in mimalloc 2 and 3.)
#include "check.h"
#include <string>
#include <thread>
#include <vector>

static ATOMIC(int) destroyed;

struct Noisy {
    std::vector<std::string> held{std::string(100, 'a'), std::string(1000, 'b')};
    ~Noisy() {
        CHECK(held[0].back() == 'a' && held[1].back() == 'b');
        for (size_t n = 1; n < 200000; n = n * 2 + 1) held.push_back(std::string(n, 'c'));
        held.clear();
        destroyed++;
    }
};
static thread_local Noisy first;
static thread_local std::string second;
static thread_local Noisy third;

int main() {
    for (int i = 0; i < 100; i++) {
        std::vector<std::thread> threads;
        for (int t = 0; t < 4; t++)
            threads.emplace_back([] {
                second.assign(5000, 'x');
                CHECK(first.held.size() + third.held.size() == 4);
            });
        for (auto &thread : threads) thread.join();
    }
    CHECK(destroyed == 800);
    CHECK(first.held.size() + third.held.size() == 4); // destroyed after main
    CHECK(peak_mb() < 100);
    return 0;
}
