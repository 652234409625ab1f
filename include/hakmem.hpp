// HAKMEM for C++17 and later: an allocator for containers, a memory resource for std::pmr, and arenas, over the functions of hakmem.h.
//
// A program that only wants a faster malloc needs none of this: linked with HAKMEM, `new` and std::allocator are served by it as they are. This is
// for who wants to know how many bytes a block really holds, or chooses container by container. Link with -lhakmem.
//
// What can't be had is reported as the standard's own allocator does it: the new-handler is called, and when there is none std::bad_alloc is thrown, or
// std::bad_array_new_length for more elements than there are addresses. With -fno-exceptions the program is aborted instead.
#ifndef HAKMEM_HPP
#define HAKMEM_HPP

#if !defined(__cplusplus) || __cplusplus < 201703L
#error "hakmem.hpp needs C++17"
#endif

#include <hakmem.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>
#if __has_include(<memory_resource>)
#include <memory_resource>
#endif

namespace hakmem {

namespace detail {

// What every block is aligned to. More is asked for by operator new, so that any alignment comes from where the program's own `new` gets it.
inline constexpr std::size_t natural = 16;

[[noreturn]] inline void out_of_memory() {
#if defined(__cpp_exceptions)
    throw std::bad_alloc();
#else
    std::abort();
#endif
}

[[noreturn]] inline void too_long() {
#if defined(__cpp_exceptions)
    throw std::bad_array_new_length();
#else
    std::abort();
#endif
}

// Calls `attempt` until it returns a block, with the new-handler between.
template <class Attempt>
[[nodiscard]] inline void *insist(Attempt attempt) {
    for (;;) {
        if (void *block = attempt()) return block;
        if (const std::new_handler handler = std::get_new_handler()) {
            handler();
        } else {
            out_of_memory();
        }
    }
}

// At least `bytes`, and in `*got`, unless that is null, how many there are.
[[nodiscard]] inline void *obtain(std::size_t bytes, std::size_t align, std::size_t *got) {
    if (align <= natural) return insist([=] { return hak_malloc_at_least(bytes, got); });
    void *const block = ::operator new(bytes, std::align_val_t(align));
    if (got != nullptr) {
        const std::size_t usable = hak_usable_size(block); // 0 of another's, where the program replaces the aligned forms
        *got = usable > bytes ? usable : bytes;
    }
    return block;
}

// One try in an arena.
[[nodiscard]] inline void *from(hak_arena *arena, std::size_t bytes, std::size_t align) noexcept {
    return align <= natural ? hak_arena_malloc(arena, bytes) : hak_arena_aligned_alloc(arena, align, bytes);
}

// `bytes`: what was asked for, or got, or between.
inline void give_back(void *block, std::size_t bytes, std::size_t align) noexcept {
    if (align <= natural) {
        hak_free_sized(block, bytes);
    } else {
        ::operator delete(block, std::align_val_t(align)); // without the size, which may be between
    }
}

} // namespace detail

// What allocate_at_least returns: the standard's own type where there is one.
#if defined(__cpp_lib_allocate_at_least)
template <class Pointer, class Size = std::size_t>
using allocation_result = std::allocation_result<Pointer, Size>;
#else
template <class Pointer, class Size = std::size_t>
struct allocation_result {
    Pointer ptr;
    Size count;
};
#endif

// For containers: std::vector<T, hakmem::allocator<T>>. Without state: all are equal, and any frees what another allocated.
template <class T>
class allocator {
    static_assert(!std::is_const_v<T> && !std::is_volatile_v<T>, "containers hold what can be changed");

  public:
    using value_type = T;
    using size_type = std::size_t;
    using difference_type = std::ptrdiff_t;
    using propagate_on_container_move_assignment = std::true_type;
    using is_always_equal = std::true_type;

    constexpr allocator() noexcept = default;
    template <class U>
    constexpr allocator(const allocator<U> &) noexcept {}

    // Memory for `count` elements.
    [[nodiscard]] T *allocate(size_type count) {
        return static_cast<T *>(detail::obtain(bytes_of(count), alignof(T), nullptr));
    }

    // Memory for `count` elements at least, and for how many there is room: in all standards, and what C++23's containers ask for.
    [[nodiscard]] allocation_result<T *, size_type> allocate_at_least(size_type count) {
        size_type got = 0;
        void *const block = detail::obtain(bytes_of(count), alignof(T), &got);
        return {static_cast<T *>(block), got / sizeof(T)};
    }

    // `count`: what was asked for, or what allocate_at_least returned, or between.
    void deallocate(T *block, size_type count) noexcept { detail::give_back(block, count * sizeof(T), alignof(T)); }

    [[nodiscard]] static constexpr size_type max_size() noexcept {
        return static_cast<size_type>(std::numeric_limits<difference_type>::max()) / sizeof(T);
    }

  private:
    [[nodiscard]] static size_type bytes_of(size_type count) {
        if (count > max_size()) detail::too_long();
        return count * sizeof(T);
    }
};

template <class T, class U>
[[nodiscard]] constexpr bool operator==(const allocator<T> &, const allocator<U> &) noexcept {
    return true;
}
template <class T, class U>
[[nodiscard]] constexpr bool operator!=(const allocator<T> &, const allocator<U> &) noexcept {
    return false;
}

template <class T>
class arena_allocator;

// A heap of its own, whose blocks are all freed at once: by reset, or by its end. It can be moved, and handed to another thread; it is one thread's at a
// time, unless it is made with HAK_ARENA_SHARED: arena(HAK_ARENA_SHARED). Containers on it must be gone, or not touched again, when it is reset
// or destroyed.
class arena {
  public:
    arena() : arena(0) {}

    // `flags`: HAK_ARENA_SHARED, HAK_ARENA_ZEROED, added up. `limit`: bytes of all blocks, as they are rounded; 0: none. `name`: for reports.
    explicit arena(std::uint64_t flags, std::size_t limit = 0, const char *name = nullptr) {
        const hak_arena_options options = options_for(flags, limit, name);
        handle_ = static_cast<hak_arena *>(detail::insist([&] { return static_cast<void *>(hak_arena_new(&options)); }));
    }

    // One whose blocks all lie in the `bytes` bytes at `memory`, which stay the caller's: see hak_arena_new_in. `flags` may have HAK_ARENA_HUGE or
    // HAK_ARENA_NO_HUGE besides. What that function refuses is std::bad_alloc; no new-handler is asked.
    [[nodiscard]] static arena in(void *memory, std::size_t bytes, std::uint64_t flags = 0, std::size_t limit = 0, const char *name = nullptr) {
        const hak_arena_options options = options_for(flags, limit, name);
        hak_arena *const handle = hak_arena_new_in(memory, bytes, &options);
        if (handle == nullptr) detail::out_of_memory();
        return arena(made{}, handle);
    }

    arena(arena &&other) noexcept : handle_(other.release()) {}
    arena &operator=(arena &&other) noexcept {
        if (this != &other) {
            hak_arena_destroy(handle_);
            handle_ = other.release();
        }
        return *this;
    }
    ~arena() { hak_arena_destroy(handle_); }

    // Frees all blocks. Nothing is destroyed: what lies in them must have been, or need no destructor.
    void reset() noexcept { hak_arena_reset(handle_); }

    [[nodiscard]] void *allocate(std::size_t bytes, std::size_t align = detail::natural) {
        return detail::insist([this, bytes, align] { return detail::from(handle_, bytes, align); });
    }
    void deallocate(void *block) noexcept { hak_arena_free(handle_, block); }

    // An object that goes with the arena and is never destroyed.
    template <class T, class... Arguments>
    [[nodiscard]] T *create(Arguments &&...arguments) {
        static_assert(std::is_trivially_destructible_v<T>, "an arena destroys nothing");
        return ::new (allocate(sizeof(T), alignof(T))) T(std::forward<Arguments>(arguments)...);
    }

    // For containers: std::vector<int, hakmem::arena_allocator<int>> numbers(an_arena);
    template <class T>
    [[nodiscard]] arena_allocator<T> allocator() const noexcept {
        return arena_allocator<T>(*this);
    }

    [[nodiscard]] hak_arena_figures figures() const noexcept {
        hak_arena_figures figures{};
        hak_arena_stats(handle_, &figures, sizeof figures);
        return figures;
    }

    // For the functions of hakmem.h; null once it was moved from.
    [[nodiscard]] hak_arena *get() const noexcept { return handle_; }
    [[nodiscard]] hak_arena *release() noexcept { return std::exchange(handle_, nullptr); }

  private:
    struct made {};
    arena(made, hak_arena *handle) noexcept : handle_(handle) {}

    [[nodiscard]] static hak_arena_options options_for(std::uint64_t flags, std::size_t limit, const char *name) noexcept {
        hak_arena_options options{};
        options.size = sizeof options;
        options.name = name;
        options.limit = limit;
        options.flags = flags;
        return options;
    }

    hak_arena *handle_;
};

// Keeps to an arena, wherever that is moved. Two are equal that keep to the same.
template <class T>
class arena_allocator {
    static_assert(!std::is_const_v<T> && !std::is_volatile_v<T>, "containers hold what can be changed");

  public:
    using value_type = T;
    using size_type = std::size_t;
    using difference_type = std::ptrdiff_t;
    // What is moved or swapped keeps its blocks; a copy stays in the arena of what it is copied to.
    using propagate_on_container_move_assignment = std::true_type;
    using propagate_on_container_swap = std::true_type;
    using is_always_equal = std::false_type;

    arena_allocator(const arena &from) noexcept : handle_(from.get()) {}
    template <class U>
    arena_allocator(const arena_allocator<U> &other) noexcept : handle_(other.get()) {}

    [[nodiscard]] T *allocate(size_type count) {
        const size_type bytes = bytes_of(count);
        return static_cast<T *>(detail::insist([this, bytes] { return detail::from(handle_, bytes, alignof(T)); }));
    }

    [[nodiscard]] allocation_result<T *, size_type> allocate_at_least(size_type count) {
        T *const block = allocate(count);
        return {block, hak_usable_size(block) / sizeof(T)};
    }

    void deallocate(T *block, size_type) noexcept { hak_arena_free(handle_, block); }

    [[nodiscard]] static constexpr size_type max_size() noexcept { return hakmem::allocator<T>::max_size(); }
    [[nodiscard]] hak_arena *get() const noexcept { return handle_; }

  private:
    [[nodiscard]] static size_type bytes_of(size_type count) {
        if (count > max_size()) detail::too_long();
        return count * sizeof(T);
    }

    hak_arena *handle_;
};

template <class T, class U>
[[nodiscard]] bool operator==(const arena_allocator<T> &a, const arena_allocator<U> &b) noexcept {
    return a.get() == b.get();
}
template <class T, class U>
[[nodiscard]] bool operator!=(const arena_allocator<T> &a, const arena_allocator<U> &b) noexcept {
    return a.get() != b.get();
}

#if defined(__cpp_lib_memory_resource) || (defined(__GLIBCXX__) && __has_include(<memory_resource>))
// For std::pmr: std::pmr::vector<T>(hakmem::resource()), or std::pmr::set_default_resource(hakmem::resource()). Over an arena, and then it keeps to that
// wherever it is moved: hakmem::memory_resource resource(an_arena).
class memory_resource : public std::pmr::memory_resource {
  public:
    memory_resource() noexcept = default;
    explicit memory_resource(const arena &from) noexcept : handle_(from.get()) {}

  protected:
    void *do_allocate(std::size_t bytes, std::size_t align) override {
        if (handle_ == nullptr) return detail::obtain(bytes, align, nullptr);
        return detail::insist([this, bytes, align] { return detail::from(handle_, bytes, align); });
    }

    void do_deallocate(void *block, std::size_t bytes, std::size_t align) override {
        if (handle_ == nullptr) {
            detail::give_back(block, bytes, align);
        } else {
            hak_arena_free(handle_, block);
        }
    }

    // Those of one arena are equal, and those of none, as far as types can be compared.
    [[nodiscard]] bool do_is_equal(const std::pmr::memory_resource &other) const noexcept override {
#if defined(__cpp_rtti)
        const auto *const same = dynamic_cast<const memory_resource *>(&other);
        return same != nullptr && same->handle_ == handle_;
#else
        return this == &other;
#endif
    }

  private:
    hak_arena *handle_ = nullptr;
};

// The one of malloc's heap: it is never destroyed, so that what is static may keep to it.
[[nodiscard]] inline memory_resource *resource() noexcept {
    struct Kept {
        union {
            memory_resource it;
        };
        Kept() noexcept : it() {}
        ~Kept() {}
    };
    static Kept kept;
    return &kept.it;
}
#endif

} // namespace hakmem

#endif
