// HAKMEM_STATS in its other forms: text and Prometheus to a file, to stderr as `-` or `stderr`, through a link and into a pipe
// that stay what they are; a report takes the place of an older one. (The pipe is open for reading before the program is there: who
// writes to one that nobody reads is refused.)
// stderr: any
// run: t() { HAKMEM_STATS=$1 $RUN 2>err || exit 1; }; t text:out && grep -q '^hakmem: statistics' out && [ ! -s err ] && t prom:out && grep -q '^# TYPE hakmem_live_bytes gauge' out && ! grep -q '^hakmem: ' out && t json:stderr && grep -q '"totals"' err && t prom:- && grep -q ^hakmem_live_bytes err && t text:- && grep -q live_bytes err && ln -s out link && t json:link && [ -L link ] && grep -q '"totals"' out && mkfifo pipe && exec 3<>pipe 4<pipe && { cat <&4 >piped 3>&- & } && t json:pipe && exec 3>&- && wait && grep -q '"totals"' piped && [ -p pipe ] && ! ls | grep tmp && HAKMEM_STATS=json:none HAKMEM_STATS_SIGNAL=none $RUN -q && [ ! -e none ]
#include "check.h"

int main(int argc, char **argv) {
    use_sizes_up_to(5000, 1);
    if (argc > 1) _exit(0); // no exit, no report
    return 0;
}
