// The same in the light form, which looks at the middle of a block at no other time.
// expect-signal: 6
// expect-stderr: ^hakmem: purge: block was written to after free \(0x[0-9a-f]+\)$
// env: HAKMEM_HARDENED=light HAKMEM_DECAY_MS=-1
#include "hardened_write_after_free_trimmed.c"
