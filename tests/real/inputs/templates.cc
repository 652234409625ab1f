// Compiled (and run) by gxx.sh and clang.sh.
#include <algorithm>
#include <functional>
#include <iostream>
#include <list>
#include <map>
#include <memory>
#include <numeric>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <tuple>
#include <unordered_map>
#include <variant>
#include <vector>

template <int N> struct Fib { static constexpr long value = Fib<N - 1>::value + Fib<N - 2>::value; };
template <> struct Fib<0> { static constexpr long value = 0; };
template <> struct Fib<1> { static constexpr long value = 1; };

template <std::size_t... I> auto table(std::index_sequence<I...>) {
    return std::make_tuple(std::pair<std::string, std::array<int, I + 1>>("t" + std::to_string(I), {})...);
}
struct alignas(64) Wide { long v[8]; };

static long worker(unsigned seed) {
    std::unordered_map<std::string, std::vector<std::shared_ptr<Wide>>> m;
    std::map<unsigned, std::list<std::string>> o;
    unsigned x = seed;
    for (int i = 0; i < 60000; i++) {
        x = x * 1664525u + 1013904223u;
        auto &v = m[std::to_string(x >> 22)];
        v.push_back(std::make_shared<Wide>(Wide{{(long)x}}));
        if (v.size() > 20) v.erase(v.begin(), v.begin() + 10);
        o[x % 997].emplace_back(x % 60, 'a' + x % 26);
        if (x % 5 == 0) o.erase((x >> 8) % 997);
    }
    long s = 0;
    for (auto &[k, v] : m) for (auto &p : v) s += p->v[0] % 1009 + ((unsigned long)p.get() % 16 != 0);
    for (auto &[k, l] : o) for (auto &t : l) s += k * t.size();
    return s;
}

int main() {
    std::cout << Fib<60>::value << ' ' << std::tuple_size_v<decltype(table(std::make_index_sequence<24>{}))> << '\n';
    std::vector<long> r(6);
    std::vector<std::thread> ts;
    for (unsigned i = 0; i < r.size(); i++) ts.emplace_back([&r, i] { r[i] = worker(i + 1); });
    for (auto &t : ts) t.join();
    for (long v : r) std::cout << v << '\n';
    std::ostringstream text;
    for (int i = 0; i < 4000; i++) text << "key" << i * 7919 % 4001 << "=v" << i << (i % 3 ? ";" : ",\n");
    std::string s = text.str();
    std::regex re("(key[0-9]*7)=(v[0-9]+)[;,]");
    std::multiset<std::variant<long, std::string>> set;
    for (std::sregex_iterator i(s.begin(), s.end(), re), e; i != e; ++i) set.emplace((*i)[1].str()), set.emplace(i->position());
    long h = 0;
    for (auto &v : set) h = h * 31 + std::visit([](auto &y) -> long {
        if constexpr (std::is_same_v<std::decay_t<decltype(y)>, long>) return y; else return y.size(); }, v);
    std::vector<std::unique_ptr<std::function<long(long)>>> fs;
    for (long i = 0; i < 1000; i++) fs.push_back(std::make_unique<std::function<long(long)>>([i, pad = std::array<long, 9>{i}](long a) { return a + i * pad[0]; }));
    std::cout << set.size() << ' ' << h << ' ' << std::accumulate(fs.begin(), fs.end(), 0L, [](long a, auto &f) { return (*f)(a); }) << '\n';
    try { (void)std::regex("(["); } catch (const std::regex_error &) { std::cout << "caught\n"; }
}
