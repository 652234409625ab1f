// The arguments of a benchmark: options first, which are taken out, then positional ones. What is wrong with them ends it with status 2.
#ifndef BENCH_ARGS_H
#define BENCH_ARGS_H

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *bench_synopsis;
static char **bench_argv;
static int bench_argc;

__attribute__((noreturn, format(printf, 1, 2))) static inline void bench_usage(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vfprintf(stderr, format, list);
    va_end(list);
    fprintf(stderr, "\nusage: %s %s\n", program_invocation_short_name, bench_synopsis);
    exit(2);
}

static inline void bench_args(int argc, char **argv, const char *synopsis)
{
    bench_synopsis = synopsis;
    bench_argv = argv;
    bench_argc = argc;
}

// Only digits: strtoull alone would take "-1", " 7" and "+3".
static inline uint64_t bench_parse(const char *text, uint64_t low, uint64_t high)
{
    char *end = NULL;
    errno = 0;
    uint64_t value = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0')
        bench_usage("not a number: '%s'", text);
    if (errno || value < low || value > high)
        bench_usage("out of range: %s (%llu..%llu)", text, (unsigned long long)low, (unsigned long long)high);
    return value;
}

static inline void bench_remove_args(int at, int count)
{
    for (int i = at; i + count < bench_argc; i++)
        bench_argv[i] = bench_argv[i + count];
    bench_argc -= count;
}

static inline bool bench_flag(const char *name)
{
    for (int i = 1; i < bench_argc; i++) {
        if (!strcmp(bench_argv[i], name)) {
            bench_remove_args(i, 1);
            return true;
        }
    }
    return false;
}

static inline uint64_t bench_option(const char *name, uint64_t otherwise, uint64_t low, uint64_t high)
{
    for (int i = 1; i < bench_argc; i++) {
        if (strcmp(bench_argv[i], name))
            continue;
        if (i + 1 == bench_argc)
            bench_usage("%s needs a number", name);
        uint64_t value = bench_parse(bench_argv[i + 1], low, high);
        bench_remove_args(i, 2);
        return value;
    }
    return otherwise;
}

// Call after the options are taken out: what is left over is positional, an unknown option included.
static inline void bench_positionals(int least, int most)
{
    if (bench_argc - 1 < least)
        bench_usage("too few arguments");
    if (bench_argc - 1 > most)
        bench_usage("too many arguments");
}

static inline uint64_t bench_number(int index, uint64_t low, uint64_t high)
{
    return bench_parse(bench_argv[index], low, high);
}

static inline uint64_t bench_number_or(int index, uint64_t otherwise, uint64_t low, uint64_t high)
{
    return index < bench_argc ? bench_number(index, low, high) : otherwise;
}

// Fractions are allowed, so that a smoke test need not last a second.
static inline double bench_seconds(int index, bool zero_allowed)
{
    const char *text = bench_argv[index];
    if (!*text || strspn(text, "0123456789.") != strlen(text) || *text == '.')
        bench_usage("not a number of seconds: '%s'", text);
    char *end = NULL;
    double value = strtod(text, &end);
    if (*end != '\0' || value > 86400 || (value <= 0 && !zero_allowed))
        bench_usage("out of range: %s seconds", text);
    return value;
}

#endif
