// Static objects of C++ allocate before main and free after it, one of them from another thread's memory.
#include "check.h"
#include <iostream>
#include <map>
#include <string>
#include <thread>
#include <vector>

static std::map<int, std::string> before = {{1, std::string(100, 'a')}, {2, std::string(10000, 'b')}};
struct Keeper {
    std::vector<std::string> held;
    ~Keeper() {
        for (auto &s : held) CHECK(s == std::string(s.size(), 'k'));
        held.emplace_back(300000, 'z');
    }
};
static Keeper keeper;

int main() {
    CHECK(before[1].size() == 100 && before[2].back() == 'b');
    std::thread([] {
        for (size_t i = 0; i < 500; i++) keeper.held.emplace_back(i * 10, 'k');
    }).join();
    std::cout << "iostream works " << 4.5 << std::endl;
    return 0;
}
