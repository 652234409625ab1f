// A program with one thread of its own gets a user namespace, and enters one, though the background thread is there: that steps
// aside, and is back for the next allocation. Namespaces that are refused to anybody are refused as ever.
// forms: preload first last archive static
// env: HAKMEM_BACKGROUND=1 HAKMEM_DECAY_MS=40
#include "check.h"
#include <dirent.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static int threads(void) {
    DIR *tasks = opendir("/proc/self/task");
    int count = -2; // "." and ".."
    CHECK(tasks);
    while (readdir(tasks)) count++;
    closedir(tasks);
    return count;
}

static void *blocks[20000];
static void work(void) {
    for (size_t i = 0; i < COUNT(blocks); i++) memset(blocks[i] = malloc(3000), 1, 3000);
    for (size_t i = 0; i < COUNT(blocks); i++) free(blocks[i]);
}

static void in_child(void (*run)(void)) {
    pid_t child = fork();
    if (child == 0) {
        run();
        _exit(0);
    }
    int status;
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    if (status >> 8 == 77) _exit(77);
    CHECK(status == 0);
}

static void may_we(void) { // asked without the library's help, before there is a second thread
    if (syscall(SYS_unshare, CLONE_NEWUSER) != 0) SKIP("no user namespaces here");
}

static void write_to(const char *path, const char *format, unsigned id) {
    char line[64];
    int fd = open(path, O_WRONLY), length = snprintf(line, sizeof line, format, id);
    CHECK(fd >= 0 && write(fd, line, (size_t)length) == length);
    close(fd);
}

static void twice(void) {
    for (int i = 0; i < 2; i++) {
        unsigned user = geteuid(), group = getegid();
        work();
        CHECK(threads() == 2);
        CHECK(unshare(CLONE_NEWUSER) == 0);
        // Who is nobody there gets no second one.
        write_to("/proc/self/setgroups", "deny", 0);
        write_to("/proc/self/uid_map", "0 %u 1", user);
        write_to("/proc/self/gid_map", "0 %u 1", group);
    }
    work();
    CHECK(threads() == 2);
}

static void enter(void) {
    int outside = open("/proc/self/ns/user", O_RDONLY);
    int there[2], done[2];
    CHECK(outside >= 0 && pipe(there) == 0 && pipe(done) == 0);
    pid_t child = fork();
    if (child == 0) {
        CHECK(unshare(CLONE_NEWUSER) == 0 && write(there[1], "", 1) == 1);
        char byte;
        close(done[1]);
        _exit(read(done[0], &byte, 1) != 0);
    }
    char byte, path[64];
    CHECK(read(there[0], &byte, 1) == 1);
    snprintf(path, sizeof path, "/proc/%d/ns/user", (int)child);
    int inside = open(path, O_RDONLY);
    work();
    CHECK(threads() == 2);
    CHECK(inside >= 0 && setns(inside, CLONE_NEWUSER) == 0);
    errno = 0;
    CHECK(setns(inside, CLONE_NEWUSER) == -1 && errno == EINVAL); // where we are
    work();
    CHECK(setns(-1, CLONE_NEWUSER) == -1 && errno == EBADF && unshare(-1) == -1 && errno == EINVAL);
    close(done[1]);
    int status;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
}

int main(void) {
    in_child(may_we);
    work();
    in_child(twice);
    in_child(enter);
    return 0;
}
