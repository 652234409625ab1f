// What libc allocates for its callers goes through the same allocator: strdup, getline, asprintf, realpath, getcwd, open_memstream,
// scandir, glob, regcomp, getpwnam, dlopen, iconv, locales, getaddrinfo, popen, qsort, printf of long doubles, tsearch.
// (Exporting half a family is what corrupts.)
#include "check.h"
#include <dirent.h>
#include <dlfcn.h>
#include <glob.h>
#include <iconv.h>
#include <locale.h>
#include <netdb.h>
#include <pwd.h>
#include <regex.h>
#include <search.h>
#include <wchar.h>

static int compare(const void *a, const void *b) { return memcmp(a, b, 100); }

int main(void) {
    for (int round = 0; round < 3; round++) {
        char *s = strdup("text"), *t = NULL;
        CHECK(s && strcmp(s, "text") == 0);
        free(s);
        CHECK(asprintf(&t, "%500d", 7) == 500);
        free(t);
        t = realpath("/proc/self/../self/exe", NULL);
        CHECK(t && t[0] == '/');
        free(t);
        t = getcwd(NULL, 0);
        CHECK(t && t[0] == '/');
        free(t);
        size_t size = 0;
        FILE *stream = open_memstream(&s, &size);
        CHECK(stream);
        for (int i = 0; i < 10000; i++) fprintf(stream, "%d\n", i);
        CHECK(fclose(stream) == 0 && size == 48890);
        stream = fmemopen(s, size, "r");
        CHECK(stream);
        t = NULL;
        size_t room = 0;
        for (int i = 0; i < 10000; i++) CHECK(getline(&t, &room, stream) > 0 && atoi(t) == i);
        fclose(stream);
        free(s);
        free(t);

        struct dirent **entries;
        int n = scandir("/", &entries, NULL, alphasort);
        CHECK(n > 2);
        while (n--) free(entries[n]);
        free(entries);
        glob_t found;
        CHECK(glob("/*", 0, NULL, &found) == 0 && found.gl_pathc > 2);
        globfree(&found);
        regex_t expression;
        CHECK(regcomp(&expression, "^(a|b)*[[:digit:]]+x{2,5}$", REG_EXTENDED) == 0);
        CHECK(regexec(&expression, "abba42xxx", 0, NULL, 0) == 0);
        regfree(&expression);

        struct passwd *user = getpwnam("root");
        CHECK(!user || user->pw_uid == 0);
        CHECK(getpwnam("no such user at all") == NULL);
        void *math = dlopen("libm.so.6", RTLD_NOW);
        CHECK(math);
        double (*root)(double) = (double (*)(double))dlsym(math, "sqrt");
        CHECK(root && root(9) == 3);
        dlclose(math);
        CHECK(dlopen("no such library", RTLD_NOW) == NULL && dlerror());
        iconv_t converter = iconv_open("UTF-16LE", "UTF-8");
        if (converter != (iconv_t)-1) {
            char in[] = "caf\xc3\xa9", out[16], *from = in, *to = out;
            size_t in_left = 5, out_left = sizeof out;
            CHECK(iconv(converter, &from, &in_left, &to, &out_left) != (size_t)-1 && out_left == 8);
            iconv_close(converter);
        }
        CHECK(setlocale(LC_ALL, round % 2 ? "C.UTF-8" : "C"));
        locale_t locale = newlocale(LC_ALL_MASK, "C", NULL);
        CHECK(locale);
        freelocale(duplocale(locale));
        freelocale(locale);
        struct addrinfo *addresses = NULL, hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
        CHECK(getaddrinfo("127.0.0.1", "80", &hints, &addresses) == 0);
        freeaddrinfo(addresses);
        FILE *pipe = popen("echo hello", "r");
        char word[16] = "";
        CHECK(pipe && fgets(word, sizeof word, pipe) && strcmp(word, "hello\n") == 0 && pclose(pipe) == 0);

        static char many[5000][100];
        for (size_t i = 0; i < COUNT(many); i++) memset(many[i], (int)((i * 7919) % 251), 100);
        qsort(many, COUNT(many), 100, compare);
        for (size_t i = 1; i < COUNT(many); i++) CHECK(memcmp(many[i - 1], many[i], 100) <= 0);
        CHECK(asprintf(&t, "%.4000Lf", 1.0L / 3) == 4002);
        free(t);
        void *tree = NULL;
        for (size_t i = 0; i < COUNT(many); i += 50) CHECK(tsearch(many[i], &tree, compare));
        while (tree) tdelete(*(void **)tree, &tree, compare);
        wchar_t *wide = wcsdup(L"wide");
        CHECK(wide && wcslen(wide) == 4);
        free(wide);
    }
    return 0;
}
