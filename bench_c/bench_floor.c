// The floor: an allocator that does nothing it could leave out. No checks, no statistics, nothing ever
// goes back to the system. What a benchmark costs on it is the benchmark and the hardware; a real
// allocator's distance to it is what safety and thrift cost. Not for use.
//
// A class has a LIFO list per thread. Blocks are cut from slabs, whose first word holds the class and
// is found by masking the pointer. Lists beyond a batch go to a shared depot, and a dying thread's heap
// to the next one born: without these two, larson and prodcons would grow without end.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define EXPORT __attribute__((visibility("default")))
#define COLD __attribute__((cold, noinline))

enum { FINE_CLASSES = 64, FINE_MAX = 1024, FINE_SHIFT = 10, MAX_SHIFT = 40 };
enum { CLASSES = FINE_CLASSES + 4 * (MAX_SHIFT - FINE_SHIFT), SLAB = 1 << 20, MANY_IN_SLAB = 128 << 10 };
#define MAX_SIZE (1ull << MAX_SHIFT)
#define RESERVED (1ull << 42) // address space only

struct block {
    struct block *next, *next_batch;
};

struct bin {
    struct block *active, *spare; // spare: empty or a whole batch
    unsigned count;
    char *bump, *limit;
};

struct heap {
    struct heap *next_idle;
    struct bin bins[CLASSES];
};

static __thread struct heap *heap __attribute__((tls_model("initial-exec")));
static struct heap *idle;
static struct block *depot[CLASSES];
static char *fresh;
static pthread_key_t at_exit;
static atomic_bool has_key;
static atomic_flag locked = ATOMIC_FLAG_INIT;

static void lock(void)
{
    while (atomic_flag_test_and_set_explicit(&locked, memory_order_acquire)) // pairs with unlock
        sched_yield(); // the holder may be waiting for this very core
}

static void unlock(void) { atomic_flag_clear_explicit(&locked, memory_order_release); }

// 16-byte steps up to 1 KiB, then four classes a doubling; alone in their slab, powers of two only, as
// pages nobody writes cost nothing and fewer classes find a warm block more often.
static inline unsigned class_of(size_t size)
{
    if (__builtin_expect(size <= FINE_MAX, 1))
        return (unsigned)((size - (size != 0)) / 16);
    unsigned shift = 63 - (unsigned)__builtin_clzll(size - 1);
    unsigned quarter = size > MANY_IN_SLAB ? 3 : (unsigned)((size - 1) >> (shift - 2) & 3);
    return FINE_CLASSES + (shift - FINE_SHIFT) * 4 + quarter;
}

static inline size_t size_of(unsigned class)
{
    if (class < FINE_CLASSES)
        return (class + 1) * 16ul;
    unsigned k = class - FINE_CLASSES;
    return (size_t)(k % 4 + 5) << (k / 4 + FINE_SHIFT - 2);
}

static inline unsigned batch_of(unsigned class)
{
    return class < FINE_CLASSES ? 256 : size_of(class) <= 32 << 10 ? 16 : 1;
}

struct slab {
    uint32_t class, batch; // batch too, so that free() need not work it out
};

static inline struct slab *slab_of(void *block) { return (struct slab *)((uintptr_t)block & ~(uintptr_t)(SLAB - 1)); }

// Caller holds the lock. The end of the reservation is not watched.
static char *reserve(size_t bytes)
{
    if (!fresh) {
        char *all = mmap(NULL, RESERVED, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (all == MAP_FAILED)
            return NULL;
        fresh = (char *)slab_of(all + SLAB - 1);
    }
    char *piece = fresh;
    fresh += (bytes + SLAB - 1) & ~(size_t)(SLAB - 1);
    return piece;
}

static void retire(void *dying)
{
    heap = NULL;
    lock();
    ((struct heap *)dying)->next_idle = idle;
    idle = dying;
    unlock();
}

// The main thread may allocate before this; it needs no key, as it dies with the process.
__attribute__((constructor)) static void make_key(void) { has_key = !pthread_key_create(&at_exit, retire); }

COLD static struct heap *adopt(void)
{
    lock();
    struct heap *found = idle;
    if (found)
        idle = found->next_idle;
    else
        found = (struct heap *)reserve(sizeof *found);
    unlock();
    heap = found;
    if (found && has_key)
        pthread_setspecific(at_exit, found);
    return found;
}

COLD static void *refill(struct bin *bin, unsigned class)
{
    struct block *batch = bin->spare;
    bin->spare = NULL;
    if (!batch) {
        lock();
        if ((batch = depot[class]))
            depot[class] = batch->next_batch;
        unlock();
    }
    if (batch) {
        bin->active = batch->next;
        bin->count = batch_of(class) - 1;
        return batch;
    }
    size_t size = size_of(class);
    if (bin->bump + size > bin->limit || !bin->bump) {
        // Starting at the size's own alignment makes every power of two aligned to itself: memalign.
        size_t start = size & -size;
        start = start < 64 ? 64 : start > SLAB / 2 ? SLAB / 2 : start;
        lock();
        char *slab = reserve(size <= MANY_IN_SLAB ? SLAB : start + size);
        unlock();
        if (!slab)
            return NULL;
        *(struct slab *)slab = (struct slab) { class, batch_of(class) };
        bin->bump = slab + start;
        bin->limit = size <= MANY_IN_SLAB ? slab + SLAB : bin->bump + size;
    }
    void *block = bin->bump;
    bin->bump += size;
    return block;
}

COLD static void flush(struct bin *bin, unsigned class)
{
    struct block *full = bin->spare;
    bin->spare = bin->active;
    bin->active = NULL;
    bin->count = 0;
    if (!full)
        return;
    lock();
    full->next_batch = depot[class];
    depot[class] = full;
    unlock();
}

COLD static void *out_of_memory(void)
{
    errno = ENOMEM;
    return NULL;
}

EXPORT void *malloc(size_t size)
{
    struct heap *mine = heap;
    if (__builtin_expect(!mine, 0) && !(mine = adopt()))
        return out_of_memory();
    if (__builtin_expect(size > MAX_SIZE, 0))
        return out_of_memory();
    unsigned class = class_of(size);
    struct bin *bin = &mine->bins[class];
    struct block *block = bin->active;
    if (__builtin_expect(!block, 0)) {
        void *fetched = refill(bin, class);
        return fetched ? fetched : out_of_memory();
    }
    bin->active = block->next;
    bin->count--;
    return block;
}

EXPORT void free(void *memory)
{
    struct heap *mine = heap;
    if (!memory || (__builtin_expect(!mine, 0) && !(mine = adopt())))
        return;
    struct slab *slab = slab_of(memory);
    struct bin *bin = &mine->bins[slab->class];
    struct block *block = memory;
    block->next = bin->active;
    bin->active = block;
    if (__builtin_expect(++bin->count == slab->batch, 0))
        flush(bin, slab->class);
}

EXPORT size_t malloc_usable_size(void *memory) { return memory ? size_of(slab_of(memory)->class) : 0; }

EXPORT void *calloc(size_t count, size_t size)
{
    size_t bytes;
    void *memory = __builtin_mul_overflow(count, size, &bytes) ? out_of_memory() : malloc(bytes);
    return memory ? memset(memory, 0, bytes) : NULL;
}

EXPORT void *realloc(void *old, size_t size)
{
    size_t had = malloc_usable_size(old);
    if (old && size <= had)
        return old;
    void *memory = malloc(size);
    if (memory && old) {
        memcpy(memory, old, had);
        free(old);
    }
    return memory;
}

EXPORT void *memalign(size_t alignment, size_t size)
{
    if (alignment <= 16)
        return malloc(size);
    if (alignment > SLAB / 2 || size > MAX_SIZE)
        return out_of_memory();
    size_t power = alignment;
    while (power < size)
        power *= 2;
    return malloc(power);
}

EXPORT void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }
EXPORT void *valloc(size_t size) { return memalign(4096, size); }
EXPORT void *pvalloc(size_t size) { return memalign(4096, (size + 4095) & ~4095ul); }

EXPORT int posix_memalign(void **result, size_t alignment, size_t size)
{
    if (alignment < sizeof(void *) || alignment & (alignment - 1))
        return EINVAL;
    void *memory = memalign(alignment, size);
    if (!memory)
        return ENOMEM;
    *result = memory;
    return 0;
}

EXPORT const char *bench_floor_version(void);
const char *bench_floor_version(void) { return "floor 1"; }
