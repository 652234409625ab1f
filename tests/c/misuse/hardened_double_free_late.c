// With HAKMEM_HARDENED=1 a destructor that frees twice after its thread's heap is gone is reported at once.
// env: HAKMEM_HARDENED=1
// expect-signal: 6
// expect-stderr: ^hakmem: free: block is already free \(double free\) \(0x[0-9a-f]+\)$
#include "check.h"

static pthread_key_t key;
static int round;

static void at_end(void *p) {
    if (++round < 4) {
        pthread_setspecific(key, p);
        return;
    }
    free(p);
    free(p);
    _exit(0);
}

static void *body(void *p) {
    pthread_setspecific(key, p);
    free(malloc(10));
    return NULL;
}

int main(void) {
    CHECK(pthread_key_create(&key, at_end) == 0);
    join_thread(start_thread(body, malloc(100)));
    _exit(0);
}
