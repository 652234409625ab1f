// Under a 200 MB address-space limit malloc gives NULL and ENOMEM in the end, at every size, having used at least half of
// it; older blocks are intact, a failed realloc keeps its block, and after freeing everything as much can be allocated again.
// (Under such a limit snmalloc, rpmalloc and hz3 get next to nothing; Scudo and hz8 abort.)
// run: ulimit -v 204800; for n in 100 5000 100000 10485760; do $RUN $n || exit 1; done
#include "check.h"

typedef struct Node {
    struct Node *next;
    uintptr_t mark;
} Node;

int main(int argc, char **argv) {
    CHECK(argc == 2);
    size_t n = strtoul(argv[1], NULL, 10), first = 0;
    for (int round = 0; round < 3; round++) {
        Node *list = NULL;
        size_t count = 0;
        for (;; count++) {
            errno = 0;
            Node *node = malloc(n);
            if (!node) break;
            node->next = list;
            node->mark = (uintptr_t)node ^ n;
            ((unsigned char *)node)[n - 1] = 0xE7;
            list = node;
        }
        CHECK(errno == ENOMEM);
        CHECK(count * n >= 100 * MIB);
        if (round == 0) first = count;
        else CHECK(count >= first - first / 5);
        errno = 0;
        CHECK(calloc(n, 100000000 / n) == NULL && errno == ENOMEM);
        errno = 0;
        CHECK(realloc(list, 100000000) == NULL && errno == ENOMEM);
        errno = 0;
        CHECK(aligned_alloc(4096, 100000000) == NULL && errno == ENOMEM);
        while (list) {
            CHECK(list->mark == ((uintptr_t)list ^ n) && ((unsigned char *)list)[n - 1] == 0xE7);
            Node *next = list->next;
            free(list);
            list = next;
            count--;
        }
        CHECK(count == 0);
        use_all_sizes(1); // and other sizes get that memory too
    }
    return 0;
}
