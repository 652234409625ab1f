// The loader ignores LD_PRELOAD for a setuid program, which runs as ever; one that is linked with the library gets it, but
// none of its switches but what it says itself.
// run: [ "$(id -u)" = 0 ] || { echo "needs root"; exit 77; }; exec $EMULATOR $BIN "$BIN" "$LIB" "$here/traps/setuid.c"
#include "check.h"
#include <dlfcn.h>
#include <sys/stat.h>
#include <sys/wait.h>

const char *hak_options = "superslab_cache=3";

static int run(const char *command) {
    int status = system(command);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int main(int argc, char **argv) {
    if (argc == 2) { // the setuid program
        CHECK(geteuid() == 0 && (getuid() == 65534 || argv[1][0] == 'l'));
        CHECK((dlsym(RTLD_DEFAULT, "hak_version") != NULL) == (argv[1][0] == 'l'));
        int (*get)(const char *, char *, size_t) = (int (*)(const char *, char *, size_t))dlsym(RTLD_DEFAULT, "hak_option_get");
        char value[8] = "";
        CHECK(get == NULL || (get("HAKMEM_SUPERSLAB_CACHE", value, sizeof value) >= 0 && strcmp(value, getuid() ? "3" : "5") == 0));
        use_sizes_up_to(100000, 1);
        return 0;
    }
    char command[2048], directory[] = "/tmp/setuid.XXXXXX";
    CHECK(argc == 4 && mkdtemp(directory) && chmod(directory, 0755) == 0);
    snprintf(command, sizeof command,
             "cd %s && cp %s plain && mkdir lib && cp %s lib/libhakmem.so.0 && ln -s libhakmem.so.0 lib/libhakmem.so && "
             "${CC:-gcc} -D_GNU_SOURCE -w -pthread -I$here %s -o linked -Wl,--no-as-needed -Llib -lhakmem -Wl,-rpath,%s/lib && "
             "chown 0:0 plain linked && chmod 4755 plain linked",
             directory, argv[1], argv[2], argv[3], directory);
    CHECK(run(command) == 0);
    snprintf(command, sizeof command, "cd %s && setpriv --reuid=65534 --regid=65534 --clear-groups ./plain no", directory);
    int works = run(command) == 0; // a nosuid /tmp?
    snprintf(command, sizeof command,
             "cd %s && LD_PRELOAD=%s/lib/libhakmem.so setpriv --reuid=65534 --regid=65534 --clear-groups ./plain no >out 2>&1", directory, directory);
    int ignored = run(command);
    snprintf(command, sizeof command,
             "cd %s && HAKMEM_STATS=1 HAKMEM_SUPERSLAB_CACHE=5 HAKMEM_HELP=1 setpriv --reuid=65534 --regid=65534 --clear-groups ./linked linked >out2 2>&1", directory);
    int linked = run(command);
    snprintf(command, sizeof command, "cd %s && HAKMEM_STATS=1 HAKMEM_SUPERSLAB_CACHE=5 ./linked linked 2>&1 | grep -q hakmem", directory);
    CHECK(run(command) == 0); // not setuid: root itself
    snprintf(command, sizeof command, "cd %s && ! grep -a hakmem out2 && rm -rf %s", directory, directory);
    int silent = run(command);
    if (!works) SKIP("setuid programs do not run in /tmp");
    CHECK(ignored == 0);
    CHECK(linked == 0);
    CHECK(silent == 0);
    return 0;
}
