// As contract_idle.c, without the background thread, in a process that still calls malloc.
// cflags: -O1
// alone
#include "contract_idle.c"
