// examples/cpp/metrics.cpp compiles without a warning and prints a page.
// hakmem
// cflags: -std=c++11 -pedantic -Werror
// run: $RUN >out && grep -qx '# TYPE hakmem_live_bytes gauge' out
#include "../../../examples/cpp/metrics.cpp"
