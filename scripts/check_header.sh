#!/usr/bin/env bash
# include/hakmem.h is what build.rs makes of src/abi/hak.rs, and C and C++ compilers take it as it is.
set -euo pipefail
cd "$(dirname "$0")/.."

diff -u include/hakmem.h "$(scripts/header_path.sh)" || { echo "include/hakmem.h is stale: run make"; exit 1; }
gcc -std=c99 -Wall -Wextra -Werror -pedantic -fsyntax-only -x c include/hakmem.h
g++ -std=c++11 -Wall -Wextra -Werror -pedantic -fsyntax-only -x c++ include/hakmem.h
echo "header ok"
