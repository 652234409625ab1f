// A load of which all is known, in C++: what each function allocated and what is live of it at the end, for tests/c/pprof.py.
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#define SITE(name) \
    extern "C" char __start_at_##name[], __stop_at_##name[]; \
    extern "C" __attribute__((noinline, section("at_" #name)))
#define SAY(name, size, allocated, live) \
    printf(#name " %zx %zx %zu %zu %zu\n", (size_t)__start_at_##name, (size_t)__stop_at_##name, (size_t)(size), (size_t)(allocated), (size_t)(live))

constexpr int THREADS = 8, EACH = 3000;
static volatile int never;
#define KEEP(what) auto block = what; if (never) abort(); return block
SITE(node) char *node() { KEEP(new char[24]); }
SITE(array) int *array() { KEEP(new int[300]); }
SITE(nothing_thrown) char *nothing_thrown() { KEEP(new (std::nothrow) char[5000]); }
struct alignas(128) Wide { char bytes[256]; };
SITE(wide) Wide *wide() { KEEP(new Wide); }
SITE(big) char *big() { KEEP(new char[700000]); }
SITE(grown) void grown(std::vector<char> &bytes) { bytes.reserve(bytes.capacity() * 2); if (never) abort(); }
SITE(brief) char *brief() { KEEP(new char[700]); }

static std::vector<char *> handed[THREADS];

int main() {
    std::vector<char *> nodes;
    nodes.reserve(20000);
    for (int i = 0; i < 20000; i++) nodes.push_back(node());
    for (int i = 0; i < 20000; i += 4) delete[] nodes[i];
    for (int i = 0; i < 6000; i++) if (auto block = array(); i % 3) delete[] block;
    for (int i = 0; i < 2000; i++) nothing_thrown();
    for (int i = 0; i < 8000; i++) if (auto block = wide(); i % 2) delete block;
    for (int i = 0; i < 40; i++) if (auto block = big(); i % 2) delete[] block;
    std::vector<std::thread> threads;
    for (int t = 0; t < THREADS; t++)
        threads.emplace_back([t] {
            for (int i = 0; i < EACH; i++) delete[] brief();
            handed[t].reserve(EACH);
            for (int i = 0; i < EACH; i++) handed[t].push_back(brief());
        });
    for (auto &thread : threads) thread.join();
    std::thread([] { // frees what others made
        for (auto &blocks : handed) for (int i = 0; i < EACH; i += 2) delete[] blocks[i];
    }).join();
    auto chain = new std::vector<char>(16);
    while (chain->capacity() < 4 << 20) grown(*chain);
    SAY(node, 24, 20000, 15000), SAY(array, 1200, 6000, 2000), SAY(nothing_thrown, 5000, 2000, 2000), SAY(wide, 256, 8000, 4000);
    SAY(big, 700000, 40, 20), SAY(brief, 700, 2 * THREADS * EACH, THREADS * EACH / 2);
    fflush(stdout);
}
