// What the background thread finds, it reports: a block freed a second time by another thread, whose batch the idle owner's
// heap takes in only when that thread looks. (It has no open file of its own, and so not the process's stderr either.)
// env: HAKMEM_BACKGROUND=1 HAKMEM_DECAY_MS=100
// expect-signal: 6
// expect-stderr: ^hakmem: free: .* \(0x[0-9a-f]+\)$
#include "check.h"

static void *blocks[60];
static ATOMIC(int) state;

static void *sends(void *unused) {
    while (state == 0) sleep_ms(1);
    for (size_t i = 0; i < COUNT(blocks); i++) free(blocks[i / 2 * 2]); // every second one twice: a full batch, sent
    state = 2;
    while (1) sleep_ms(1000);
    return unused;
}

int main(void) {
    start_thread(sends, NULL);
    static void *others[40000];
    for (size_t i = 0; i < COUNT(others); i++) others[i] = malloc(1000);
    for (size_t i = 0; i < COUNT(blocks); i++) blocks[i] = malloc(100);
    for (size_t i = 0; i < COUNT(others); i++) free(others[i]); // something to purge: the thread is awake
    state = 1;
    while (state != 2) sleep_ms(1);
    for (int i = 0; i < 50; i++) sleep_ms(100);
    return 0;
}
