// A process that has only 512 KiB to 8 MiB of addresses left (RLIMIT_AS) before its first block, or its second: a third of that can be
// had in blocks of any size up to a sixteenth of it, one size after the other; and what a growing
// block needs to be copied is not lost in trying to move it.
// cflags: -O1
#include "check.h"
#include <sys/resource.h>
#include <sys/wait.h>

static void set_limit(size_t bytes) {
    struct rlimit limit;
    CHECK(getrlimit(RLIMIT_AS, &limit) == 0);
    limit.rlim_cur = bytes;
    CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
}

static size_t fill(size_t size) {
    struct link {
        struct link *next;
    } *first = NULL, *block;
    size_t bytes = 0;
    errno = 0;
    while ((block = malloc(size))) {
        memset(block, 1, size);
        block->next = first;
        first = block;
        bytes += size;
    }
    CHECK(errno == ENOMEM);
    while (first) {
        block = first->next;
        free(first);
        first = block;
    }
    return bytes;
}

static void child(size_t left, int warm) {
    if (warm) free(malloc(100));
    size_t before = (size_t)status_kb("VmSize:") * KIB;
    set_limit(before + left);
    static const size_t sizes[] = {16, 100, 1000, 4000, 20000, 30000, 60000, 100000, 200000, 500000, 30000, 400, 5000, 16};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        if (sizes[i] > left / 16) continue;
        size_t bytes = fill(sizes[i]);
        if (bytes < left / 3) {
            put_line(2, "%zu KiB of %zu KiB left in blocks of %zu\n", bytes / KIB, left / KIB, sizes[i]);
            CHECK(!"too few");
        }
    }
    set_limit(RLIM_INFINITY);
    // Nothing was lost on the way.
    malloc_trim(0);
    CHECK((size_t)status_kb("VmSize:") * KIB <= before + left);
    char *block = malloc(64 * MIB);
    CHECK(block);
    free(block);
}

// A block grows and would be moved, for which the kernel counts what is missing twice: that room is not there, a block of the new size has.
static void grows(void) {
    char *block = malloc(8 * MIB);
    for (size_t mib = 9; mib < 20; mib++) {
        stamp(block, (mib - 1) * MIB, 1);
        set_limit((size_t)status_kb("VmSize:") * KIB + mib * MIB + 300 * KIB);
        CHECK((block = realloc(block, mib * MIB)) && stamped_up_to(block, (mib - 1) * MIB, 1, (mib - 1) * MIB));
        set_limit(RLIM_INFINITY);
        malloc_trim(0);
    }
}

int main(void) {
    if (is_hardened()) SKIP("hardened, closed addresses count as well where the limit comes after the start");
    static const size_t lefts[] = {512, 700, 1024, 1500, 2048, 3000, 4096, 5000, 8192};
    for (size_t i = 0; i < 2 * COUNT(lefts); i++) {
        pid_t pid = fork();
        if (pid == 0) {
            child(lefts[i / 2] * KIB, i % 2);
            _exit(0);
        }
        int status;
        CHECK(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0);
    }
    grows();
    return 0;
}
