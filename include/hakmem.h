/* HAKMEM's own functions; malloc and its family are declared in <stdlib.h> and <malloc.h>. Made by build.rs. */

#ifndef HAKMEM_H
#define HAKMEM_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/*
 The allocator's name and version, "hakmem X.Y.Z": a constant string. Any thread.
 */
const char *hak_version(void);

/*
 Prints statistics to stderr: bytes live, free and mapped, slots by state, counters by class. Any thread.
 Figures of other threads' magazines are right to a block or two each.
 */
void hak_stats_print(void);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* HAKMEM_H */
