// With HAKMEM_HARDENED=1 the blocks of a class come in no order, and in another one in a child of fork.
// env: HAKMEM_HARDENED=1
#include "check.h"
#include <sys/wait.h>

static size_t draw_few(void) { // fewer than have the stock filled
    size_t hash = 0;
    for (size_t i = 0; i < 8; i++) hash = hash * 31 + ((uintptr_t)malloc(1000) >> 4);
    return hash;
}

static size_t draw(void) { // what order 64 new blocks come in, as a number
    char *blocks[64];
    size_t hash = 0, ascending = 0;
    for (size_t i = 0; i < COUNT(blocks); i++) {
        CHECK(blocks[i] = malloc(1000));
        if (i) ascending += blocks[i] > blocks[i - 1];
        hash = hash * 31 + ((uintptr_t)blocks[i] >> 4);
    }
    CHECK(ascending > 10 && ascending < 53);
    for (size_t i = 0; i < COUNT(blocks); i++) free(blocks[i]);
    return hash;
}

int main(void) {
    static char stack[1];
    (void)stack;
    draw();
    // The stock is full now: what a child takes first was there before it.
    free(malloc(1000));
    int pipes[2];
    CHECK(pipe(pipes) == 0);
    for (int child = 0; child < 2; child++) {
        pid_t pid = fork();
        CHECK(pid >= 0);
        if (pid == 0) {
            size_t seen[2] = {draw_few()};
            seen[1] = draw() ^ draw();
            CHECK(write(pipes[1], seen, sizeof seen) == sizeof seen);
            _exit(0);
        }
        int status;
        CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    }
    size_t one[2], other[2];
    CHECK(read(pipes[0], one, sizeof one) == sizeof one && read(pipes[0], other, sizeof other) == sizeof other);
    CHECK(one[0] != other[0] && one[1] != other[1]);
    return 0;
}
