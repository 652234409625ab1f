// malloc_info writes well-formed XML that begins <malloc version="1"> and returns 0; for options other than 0 it returns EINVAL.
// run: $RUN >info.xml && { ! command -v python3 >/dev/null || python3 -c 'import xml.dom.minidom; xml.dom.minidom.parse("info.xml")'; }
#include "check.h"

static char text[1 << 20];

// Tags nest and close, attributes are quoted, one root. Enough XML for a machine without python3.
static int well_formed(const char *s) {
    const char *open[64];
    size_t lengths[64], depth = 0, roots = 0;
    while (*s) {
        if (*s != '<') {
            if (*s == '&' && !strchr(s, ';')) return 0;
            if (depth == 0 && !strchr(" \n\r\t", *s)) return 0;
            s++;
            continue;
        }
        int closing = s[1] == '/';
        const char *name = s + 1 + closing;
        size_t length = strcspn(name, " \n/>");
        if (!length) return 0;
        s = name + length;
        while (*s && *s != '>' && *s != '/') {
            s += strspn(s, " \n");
            if (*s == '>' || *s == '/') break;
            s += strcspn(s, "=>");
            if (s[0] != '=' || s[1] != '"') return 0;
            s = strchr(s + 2, '"');
            if (!s++) return 0;
        }
        if (closing) {
            if (!depth-- || lengths[depth] != length || memcmp(open[depth], name, length)) return 0;
        } else {
            roots += depth == 0;
            if (*s == '/') s++;
            else if (depth == COUNT(open)) return 0;
            else open[depth] = name, lengths[depth++] = length;
        }
        if (*s++ != '>') return 0;
    }
    return depth == 0 && roots == 1;
}

int main(void) {
    void *blocks[100];
    for (size_t i = 0; i < COUNT(blocks); i++) blocks[i] = malloc(i * i * 10);
    FILE *file = tmpfile();
    CHECK(file);
    CHECK(malloc_info(1, file) == EINVAL && malloc_info(-1, file) == EINVAL);
    CHECK(fflush(file) == 0 && ftell(file) == 0); // nothing written
    CHECK(malloc_info(0, file) == 0 && fflush(file) == 0);
    rewind(file);
    size_t n = fread(text, 1, sizeof text - 1, file);
    CHECK(n > 0 && strncmp(text, "<malloc version=\"1\">", 20) == 0);
    CHECK(well_formed(text));
    CHECK(!well_formed("<a><b></a>") && !well_formed("<a x=1/>") && well_formed("<a x=\"1\">t<b/></a>\n"));
    for (size_t i = 0; i < COUNT(blocks); i++) free(blocks[i]);
    size_t current, max;
    const char *first = strstr(text, "<system type=\"current\" size=\""), *second = strstr(text, "<system type=\"max\" size=\"");
    CHECK(first && second && sscanf(first, "<system type=\"current\" size=\"%zu", &current) == 1);
    CHECK(sscanf(second, "<system type=\"max\" size=\"%zu", &max) == 1 && max >= current && current > 0);
    CHECK(fwrite(text, 1, n, stdout) == n && fflush(stdout) == 0);
    return 0;
}
