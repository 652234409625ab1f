// The probes otel_memory, as an agent uses them: it finds them by the notes in the library's file, counts itself in, which starts the sampling in a
// program that was not told to, and traps where they are. Then it sees each sampled block once as it is made and once as it is freed, with figures
// that add up; once it has gone nothing is sampled. No file is written.
// hakmem
// cflags: -Wl,--no-as-needed -lm
// env: HAKMEM_PROF_RATE=4096 HAKMEM_HARD_LIMIT=0
// run: $RUN && ! ls | grep -q hakmem
#include "check.h"
#include <elf.h>
#include <fcntl.h>
#include <hakmem.h>
#include <link.h>
#include <math.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <ucontext.h>

struct probe { uintptr_t at, semaphore; char arguments[64]; };
static struct probe probes[2]; // alloc, free
static uintptr_t bias;

static int find_library(struct dl_phdr_info *info, size_t size, void *path) {
    if (!strstr(info->dlpi_name, "hakmem")) return 0;
    bias = info->dlpi_addr;
    snprintf(path, 500, "%s", info->dlpi_name);
    return 1;
}
static void read_notes(const char *path) {
    int file = open(path, O_RDONLY);
    struct stat stat;
    CHECK(file >= 0 && fstat(file, &stat) == 0);
    const char *elf = mmap(NULL, stat.st_size, PROT_READ, MAP_PRIVATE, file, 0);
    CHECK(elf != MAP_FAILED);
    const Elf64_Ehdr *head = (const void *)elf;
    const Elf64_Shdr *sections = (const void *)(elf + head->e_shoff);
    const char *names = elf + sections[head->e_shstrndx].sh_offset;
    uintptr_t base = 0;
    for (int i = 0; i < head->e_shnum; i++)
        if (strcmp(names + sections[i].sh_name, ".stapsdt.base") == 0) base = sections[i].sh_addr;
    CHECK(base);
    for (int i = 0; i < head->e_shnum; i++) {
        if (strcmp(names + sections[i].sh_name, ".note.stapsdt")) continue;
        CHECK(sections[i].sh_type == SHT_NOTE);
        for (const char *note = elf + sections[i].sh_offset, *end = note + sections[i].sh_size; note < end;) {
            const Elf64_Nhdr *nhdr = (const void *)note;
            const char *says = note + sizeof *nhdr + ((nhdr->n_namesz + 3) & ~3u);
            CHECK(nhdr->n_type == 3 && strcmp(note + sizeof *nhdr, "stapsdt") == 0);
            uint64_t where[3];
            memcpy(where, says, sizeof where);
            const char *provider = says + sizeof where, *name = provider + strlen(provider) + 1, *arguments = name + strlen(name) + 1;
            CHECK(where[1] == base && strcmp(provider, "otel_memory") == 0);
            struct probe *probe = &probes[strcmp(name, "free") == 0];
            CHECK(probe == &probes[1] || strcmp(name, "alloc") == 0);
            CHECK(!probe->at && arguments + strlen(arguments) + 1 <= says + nhdr->n_descsz);
            *probe = (struct probe){.at = bias + where[0], .semaphore = bias + where[2]};
            snprintf(probe->arguments, sizeof probe->arguments, "%s", arguments);
            note = says + ((nhdr->n_descsz + 3) & ~3u);
        }
    }
    munmap((void *)elf, stat.st_size), close(file);
}

#if defined __x86_64__
static const char *const forms[] = {"8@%rdi 8@%rsi 8@%rdx", "8@%rdi"};
static const unsigned char trap[] = {0xCC}, nop[] = {0x90};
#define ARGUMENT(context, n) ((uintptr_t)(context)->uc_mcontext.gregs[(int[]){REG_RDI, REG_RSI, REG_RDX}[n]])
#define PC(context) ((uintptr_t)(context)->uc_mcontext.gregs[REG_RIP] - 1)
#define GO_ON(context)
#else
static const char *const forms[] = {"8@x0 8@x1 8@x2", "8@x0"};
static const unsigned char trap[] = {0, 0, 0x20, 0xD4}, nop[] = {0x1F, 0x20, 0x03, 0xD5};
#define ARGUMENT(context, n) ((uintptr_t)(context)->uc_mcontext.regs[n])
#define PC(context) ((uintptr_t)(context)->uc_mcontext.pc)
#define GO_ON(context) ((context)->uc_mcontext.pc += 4)
#endif

enum { MOST = 20000 };
static struct { uintptr_t block; size_t size, weight; int freed; } seen[MOST];
static volatile int count, frees;
static void on_trap(int number, siginfo_t *info, void *argument) {
    ucontext_t *context = argument;
    if (PC(context) == probes[0].at) {
        if (count < MOST) seen[count].block = ARGUMENT(context, 0), seen[count].size = ARGUMENT(context, 1), seen[count].weight = ARGUMENT(context, 2);
        count++;
    } else {
        int i = count < MOST ? count : MOST;
        while (i-- > 0 && (seen[i].block != ARGUMENT(context, 0) || seen[i].freed)) continue;
        if (PC(context) != probes[1].at || i < 0) abort();
        seen[i].freed = 1, frees++;
    }
    GO_ON(context);
}
static void poke(uintptr_t at, const void *bytes, size_t size) {
    int memory = open("/proc/self/mem", O_WRONLY);
    CHECK(memory >= 0 && pwrite(memory, bytes, size, at) == (ssize_t)size);
    close(memory);
}

enum { BLOCKS = 20000, SIZE = 1000 };
static void *kept[BLOCKS];
static void work(void) {
    for (int i = 0; i < BLOCKS; i++) CHECK((kept[i] = malloc(SIZE)));
    for (int i = 0; i < BLOCKS; i++) free(kept[i]);
    for (int i = 0; i < 50; i++) CHECK((kept[i] = malloc(2 * MIB)));
    for (int i = 0; i < 50; i++) free(kept[i]);
}

int main(void) {
    char path[500] = "";
    CHECK(dl_iterate_phdr(find_library, path));
    read_notes(path);
    for (int i = 0; i < 2; i++) {
        CHECK(probes[i].at && probes[i].semaphore == probes[0].semaphore && strcmp(probes[i].arguments, forms[i]) == 0);
        CHECK(memcmp((void *)probes[i].at, nop, sizeof nop) == 0);
    }
    struct sigaction action = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO};
    CHECK(sigaction(SIGTRAP, &action, NULL) == 0);
    work();
    for (int i = 0; i < 2; i++) poke(probes[i].at, trap, sizeof trap);
    work();
    CHECK(count == 0);
    uint16_t agents = 1;
    poke(probes[0].semaphore, &agents, sizeof agents);
    free(malloc(3 * MIB)); // a slow path sees it
    count = frees = 0;
    memset(seen, 0, sizeof seen);
    work();
    CHECK(count > 1000 && count <= MOST && frees == count);
    double bytes = 0, want = (double)BLOCKS * SIZE + 50.0 * 2 * MIB;
    for (int i = 0; i < count; i++) {
        CHECK(seen[i].size == SIZE || seen[i].size == 2 * MIB);
        CHECK(seen[i].weight >= 4096 && (seen[i].size == SIZE || seen[i].weight == seen[i].size));
        bytes += seen[i].weight;
    }
    double error = SIZE * sqrt(BLOCKS * (1 / -expm1(-SIZE / 4096.0) - 1));
    CHECK(fabs(bytes - want) < 5 * error);
    agents = 0;
    poke(probes[0].semaphore, &agents, sizeof agents);
    work(); // on its way a slow path sees that it has gone
    count = 0;
    work();
    CHECK(count == 0);
    CHECK(hak_prof_start() == 0);
    work();
    CHECK(count == 0); // the program's own sampling is no agent's concern
    CHECK(hak_prof_dump(".") == EEXIST);
    return 0;
}
