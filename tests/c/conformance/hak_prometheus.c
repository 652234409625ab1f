// hak_stats_prometheus is Prometheus text 0.0.4: HELP and TYPE once before each metric's samples, names hakmem_*, counters
// and only they end in _total, label values quoted, no sample twice, a whole number each, a newline at the end.
// hakmem
#include "check.h"
#include <ctype.h>
#include <hakmem.h>

static char text[1 << 18], *lines[4000];

static int is_name(const char *at, size_t length) {
    for (size_t i = 0; i < length; i++)
        if (!islower((unsigned char)at[i]) && !isdigit((unsigned char)at[i]) && at[i] != '_') return 0;
    return length > 7 && strncmp(at, "hakmem_", 7) == 0 && at[length - 1] != '_';
}

int main(void) {
    use_all_sizes(1);
    size_t length = hak_stats_prometheus(text, sizeof text), count = 0, samples = 0, metrics = 0;
    CHECK(length < sizeof text && text[length - 1] == '\n');
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) CHECK(count < COUNT(lines)), lines[count++] = line;
    const char *metric = "";
    size_t metric_length = 0;
    for (size_t i = 0; i < count; i++) {
        const char *line = lines[i];
        if (strncmp(line, "# HELP ", 7) == 0) {
            metric = line + 7, metric_length = strcspn(metric, " "), metrics++;
            CHECK(is_name(metric, metric_length) && strlen(metric) > metric_length + 10 && !strchr(metric, '\\'));
            for (size_t j = 0; j < i; j++) CHECK(strncmp(lines[j], line, 8 + metric_length) != 0);
            const char *type = lines[++i];
            int counter = metric_length > 6 && strncmp(metric + metric_length - 6, "_total", 6) == 0;
            CHECK(i < count && strncmp(type, "# TYPE ", 7) == 0 && strncmp(type + 7, metric, metric_length) == 0);
            CHECK(strcmp(type + 7 + metric_length, counter ? " counter" : " gauge") == 0);
            continue;
        }
        CHECK(line[0] != '#' && metric_length > 0 && strncmp(line, metric, metric_length) == 0);
        const char *at = line + metric_length;
        for (char before = '{'; *at == before; before = ',') {
            at += 1 + strspn(at + 1, "abcdefghijklmnopqrstuvwxyz_");
            CHECK(at[0] == '=' && at[1] == '"' && at[2] != '"' && (at = strchr(at + 2, '"')));
            at += 1 + (at[1] == '}');
            if (at[-1] == '}') break;
        }
        CHECK(at[0] == ' ' && strlen(at) > 1 && strspn(at + 1, "0123456789") == strlen(at + 1));
        for (size_t j = 0; j < i; j++) CHECK(strncmp(lines[j], line, (size_t)(at - line) + 1) != 0);
        samples++;
    }
    CHECK(metrics > 60 && samples > metrics);
    return 0;
}
