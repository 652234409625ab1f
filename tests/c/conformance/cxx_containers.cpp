// vector, map, unordered_map, string, list and shared_ptr in four threads that hand their containers to each other.
// cflags: -O1
#include "check.h"
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

using Bag = std::map<int, std::vector<std::string>>;
static std::mutex lock;
static std::list<std::shared_ptr<Bag>> shelf;

static void work(unsigned seed) {
    Random random = {seed + 1};
    std::unordered_map<uint64_t, std::string> words;
    for (int round = 0; round < 300; round++) {
        auto bag = std::make_shared<Bag>();
        for (int i = 0; i < 40; i++) {
            std::string s(random_between(&random, 0, 300), char('a' + i % 26));
            words[next_random(&random) % 500] = s;
            (*bag)[i % 7].push_back(std::move(s));
        }
        std::shared_ptr<Bag> other;
        {
            std::lock_guard<std::mutex> guard(lock);
            shelf.push_back(bag);
            if (shelf.size() > 20) other = shelf.front(), shelf.pop_front();
        }
        if (other)
            for (auto &[key, strings] : *other)
                for (size_t i = 0; i < strings.size(); i++)
                    CHECK(strings[i].find_first_not_of(char('a' + (key + 7 * i) % 26)) == std::string::npos);
        std::vector<int> grown;
        for (int i = 0; i < 3000; i++) grown.push_back(i);
        CHECK(grown[2999] == 2999);
    }
}

int main() {
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < 4; i++) threads.emplace_back(work, i);
    for (auto &thread : threads) thread.join();
    return 0;
}
