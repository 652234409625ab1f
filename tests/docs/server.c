// What the documents call `./server`: allocates and frees for ten seconds, which are more than any of their blocks takes.
#include <stdlib.h>
#include <string.h>
#include <time.h>

int main(void) {
    char *blocks[256] = {0};
    for (time_t end = time(NULL) + 10; time(NULL) < end;) {
        for (int i = 0; i < 256; i++) free(blocks[i]); // more than a thread keeps at hand
        for (int i = 0; i < 256; i++) {
            blocks[i] = malloc(5000);
            if (blocks[i] == NULL) return 1;
            memset(blocks[i], 1, 5000);
        }
        nanosleep(&(struct timespec){0, 1000000}, NULL);
    }
    return 0;
}
