// hakmem.hpp: the standard's containers on hakmem::allocator and on the memory resource, with over-aligned elements, true sizes, and the standard's
// exceptions. scripts/check_header.sh compiles it in each standard from C++17 on, by each compiler that is there, with exceptions and without.
// hakmem
// cflags: -std=c++17 -O1
// run: for e in A=1 HAKMEM_TINY_HEAP_V2=0 HAKMEM_HARDENED=1 HAKMEM_GUARD_RATE=1; do env $e $RUN || exit 1; done
#include <hakmem.hpp>

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <deque>
#include <list>
#include <map>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

// Not check.h's, which is C and converts.
#define CHECK(e) ((e) ? void() : (std::fprintf(stderr, "line %d: CHECK(%s) failed\n", __LINE__, #e), std::_Exit(1)))

static bool aligned_to(const void *block, std::size_t alignment) { return (reinterpret_cast<std::uintptr_t>(block) & (alignment - 1)) == 0; }

template <class T>
using Vector = std::vector<T, hakmem::allocator<T>>;
using String = std::basic_string<char, std::char_traits<char>, hakmem::allocator<char>>;

struct alignas(128) Wide {
    char bytes[128];
};
struct Odd {
    char bytes[5];
};
struct Incomplete;
struct Node { // a container of what is not yet a whole type
    Vector<Node> children;
};

// What a wrong size or a foreign block would make of it, hardened mode reports.
template <class T>
static void true_sizes() {
    hakmem::allocator<T> from, to;
    for (std::size_t n = 0; n < 40000; n += 1 + n / 9) {
        const auto got = from.allocate_at_least(n);
        T *const block = got.ptr;
        const std::size_t count = got.count;
        CHECK(block && count >= n && aligned_to(block, alignof(T)) && hak_usable_size(block) >= count * sizeof(T));
        std::memset(static_cast<void *>(block), 7, count * sizeof(T));
        to.deallocate(block, n & 1 ? n : n + (count - n) / 2); // any count from the asked for to the given one
        T *plain = to.allocate(n);
        CHECK(plain && aligned_to(plain, alignof(T)) && hak_is_ours(plain));
        from.deallocate(plain, n);
    }
}

template <class Map, class Key>
static void fill(Map &map, Key key) {
    for (int i = 0; i < 2000; i++) map[key(i)] = i;
    for (int i = 0; i < 2000; i += 3) map.erase(key(i));
    Map copy = map, moved = std::move(map);
    CHECK(copy == moved && copy.size() == 1333);
    map = std::move(copy);
    CHECK(map == moved);
}

static void containers() {
    Vector<int> numbers;
    for (int i = 0; i < 100000; i++) numbers.push_back(i);
    Vector<int> other(numbers.begin(), numbers.end(), numbers.get_allocator());
    CHECK(numbers == other && hak_is_ours(numbers.data()));
    numbers.shrink_to_fit();
    numbers.swap(other);
    Vector<Wide> wide(100);
    for (const Wide &each : wide) CHECK(aligned_to(&each, 128));
    std::map<int, String, std::less<>, hakmem::allocator<std::pair<const int, String>>> words;
    for (int i = 0; i < 1000; i++) words[i].assign(static_cast<std::size_t>(i), 'x');
    CHECK(words[999].size() == 999 && words[999].get_allocator() == hakmem::allocator<long>());
    std::unordered_map<int, int, std::hash<int>, std::equal_to<>, hakmem::allocator<std::pair<const int, int>>> hashed;
    fill(hashed, [](int i) { return i * 7; });
    std::list<int, hakmem::allocator<int>> list(1000, 5);
    std::deque<int, hakmem::allocator<int>> deque(5000, 5);
    list.sort(), deque.resize(10);
    Node tree{Vector<Node>(3)};
    tree.children[1].children.resize(5);
    const auto shared = std::allocate_shared<Wide>(hakmem::allocator<Wide>());
    CHECK(aligned_to(shared.get(), 128));
    static_assert(std::is_empty_v<hakmem::allocator<int>> && std::allocator_traits<hakmem::allocator<int>>::is_always_equal::value, "");
    static_assert(sizeof(Vector<int>) == sizeof(std::vector<int>), "an allocator without state takes no room");
    static_assert(std::is_nothrow_move_assignable_v<Vector<int>>, "");
    hakmem::allocator<Incomplete> of_incomplete;
    (void)of_incomplete;
#if defined(__cpp_lib_allocate_at_least)
    hakmem::allocator<Odd> odd;
    const std::allocation_result<Odd *> got = std::allocator_traits<hakmem::allocator<Odd>>::allocate_at_least(odd, 3);
    odd.deallocate(got.ptr, got.count);
#endif
}

#if __has_include(<memory_resource>)
static void resources() {
    std::pmr::memory_resource *const resource = hakmem::resource();
    hakmem::memory_resource second;
#if defined(__cpp_rtti)
    CHECK(resource->is_equal(second) && second == *resource);
#endif
    CHECK(resource->is_equal(*hakmem::resource()) && !resource->is_equal(*std::pmr::new_delete_resource()));
    for (std::size_t align = 1; align <= 4096; align *= 2)
        for (std::size_t n = 0; n < 100000; n += 1 + n / 3) {
            void *block = resource->allocate(n, align);
            CHECK(block && aligned_to(block, align) && hak_usable_size(block) >= n);
            std::memset(block, 1, n);
            second.deallocate(block, n, align);
        }
    std::pmr::map<std::pmr::string, int> words(resource);
    fill(words, [](int i) { return std::pmr::string(static_cast<std::size_t>(i % 50), 'a') + std::to_string(i).c_str(); });
    std::pmr::unsynchronized_pool_resource pool(resource);
    std::pmr::vector<std::pmr::string> many(1000, std::pmr::string("longer than what fits into the string itself", &pool), &pool);
    std::pmr::monotonic_buffer_resource bump(hakmem::resource());
    std::pmr::vector<Wide> wide(50, &bump);
    CHECK(aligned_to(wide.data(), 128));
}
#endif

template <class T>
using Placed = std::vector<T, hakmem::arena_allocator<T>>;

static hakmem::arena filled(int n) { // moved out, with all that is in it
    hakmem::arena arena(HAK_ARENA_ZEROED, 0, "filled");
    auto *numbers = static_cast<int *>(arena.allocate(1000 * sizeof(int)));
    CHECK(numbers[0] == 0 && numbers[999] == 0);
    numbers[999] = *arena.create<int>(n);
    return arena;
}

static void arenas() {
    hakmem::arena arena = filled(7), other;
    CHECK(arena.figures().live_blocks == 2 && std::strcmp(arena.figures().name, "filled") == 0);
    other = std::move(arena);
    CHECK(arena.get() == nullptr && other.figures().live_blocks == 2);
    arena = hakmem::arena();
    for (int round = 0; round < 20; round++) {
        {
            Placed<int> numbers(other);
            for (int i = 0; i < 10000; i++) numbers.push_back(i);
            CHECK(hak_arena_of(numbers.data()) == other.get());
            Placed<int> copied(numbers, arena.allocator<int>());
            CHECK(copied == numbers && hak_arena_of(copied.data()) == arena.get());
            copied = std::move(numbers);
            CHECK(hak_arena_of(copied.data()) == other.get() && copied.size() == 10000);
            Placed<Wide> wide(10, Wide{}, other.allocator<Wide>());
            CHECK(aligned_to(wide.data(), 128) && wide.get_allocator() == other.allocator<char>());
            std::map<int, int, std::less<>, hakmem::arena_allocator<std::pair<const int, int>>> map(other);
            fill(map, [](int i) { return i; });
            auto got = other.allocator<double>();
            const auto many = got.allocate_at_least(100);
            CHECK(many.count >= 100 && hak_usable_size(many.ptr) >= many.count * sizeof(double));
            got.deallocate(many.ptr, many.count);
#if __has_include(<memory_resource>)
            hakmem::memory_resource resource(other);
            std::pmr::map<std::pmr::string, int> words(&resource);
            fill(words, [](int i) { return std::pmr::string("long enough not to fit into the string: ") + std::to_string(i).c_str(); });
            std::pmr::vector<Wide> aligned(3, &resource);
            CHECK(aligned_to(aligned.data(), 128) && !resource.is_equal(*hakmem::resource()) && resource.is_equal(resource));
#endif
        }
        CHECK(other.figures().live_blocks == (round == 0 ? 2 : 0)); // what was in it when it was moved
        if (round % 2) CHECK(other.allocate(100) != nullptr);
        other.reset();
    }
    {
        static char memory[1 << 20];
        hakmem::arena given = hakmem::arena::in(memory, sizeof memory, HAK_ARENA_NO_HUGE | HAK_ARENA_ZEROED, 0, "given");
        Placed<int> numbers(given);
        for (int i = 0; i < 10000; i++) numbers.push_back(i);
        const char *const at = static_cast<const char *>(static_cast<void *>(numbers.data()));
        CHECK(at >= memory && at + numbers.size() * sizeof(int) <= memory + sizeof memory && std::strcmp(given.figures().name, "given") == 0);
#if defined(__cpp_exceptions)
        int thrown = 0;
        try {
            given.deallocate(given.allocate(sizeof memory));
        } catch (const std::bad_alloc &) {
            thrown++;
        }
        try {
            hakmem::arena none = hakmem::arena::in(memory, 1000);
        } catch (const std::bad_alloc &) {
            thrown++;
        }
        CHECK(thrown == 2);
#endif
    }
    hakmem::arena shared(HAK_ARENA_SHARED);
    shared.deallocate(shared.allocate(10));
}

#if defined(__cpp_exceptions)
static int calls;
static void give_up() {
    calls++;
    std::set_new_handler(nullptr);
}

template <class Error, class Body>
static bool throws(Body body) {
    try {
        body();
    } catch (const Error &) {
        return true;
    }
    return false;
}

static void errors() {
    const std::size_t most = hakmem::allocator<int>::max_size();
    CHECK(throws<std::bad_array_new_length>([=] { (void)hakmem::allocator<int>().allocate(most + 1); }));
    CHECK(throws<std::bad_array_new_length>([] { (void)hakmem::allocator<Wide>().allocate_at_least(SIZE_MAX / 2); }));
    std::set_new_handler(give_up);
    CHECK(throws<std::bad_alloc>([=] { (void)hakmem::allocator<int>().allocate(most); }) && calls == 1);
    hakmem::arena small(0, 100000);
    CHECK(throws<std::bad_alloc>([&] { (void)Placed<int>(1000000, 1, small); }) && small.figures().refused > 0);
    CHECK(throws<std::bad_array_new_length>([&] { (void)small.allocator<int>().allocate(most + 1); }));
    CHECK(throws<std::length_error>([=] { Vector<int>().reserve(most + 1); }));
#if __has_include(<memory_resource>)
    std::set_new_handler(give_up);
    CHECK(throws<std::bad_alloc>([] { (void)hakmem::resource()->allocate(PTRDIFF_MAX); }) && calls == 2);
    CHECK(throws<std::bad_alloc>([] { (void)hakmem::resource()->allocate(PTRDIFF_MAX, 64); }));
#endif
}
#endif

int main() {
    true_sizes<char>(), true_sizes<Odd>(), true_sizes<double>(), true_sizes<Wide>();
    containers();
    arenas();
#if __has_include(<memory_resource>)
    resources();
#endif
#if defined(__cpp_exceptions)
    errors();
#endif
    return 0;
}
