// Frees a block, gets it again for somebody else, frees it through the old pointer: exit status 3 when two get it then.
#include "check.h"

int main(void) {
    char *fresh[2000], *old = malloc(64), *again = NULL;
    CHECK(old);
    free(old);
    for (size_t i = 0; i < COUNT(fresh) && again != old; i++) again = fresh[i] = malloc(64);
    if (again != old) return 0; // it does not come back so soon: nothing happened
    free(launder(old));
    for (size_t i = 0; i < COUNT(fresh); i++)
        if ((fresh[i] = malloc(64)) == again) _exit(3); // `again` is in use
    return 0;
}
