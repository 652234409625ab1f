#!/usr/bin/env bash
# include/hakmem.h is what build.rs makes of src/abi/hak.rs, and C and C++ compilers take it as it is. So they do hakmem.hpp and what its test makes of
# it, in each standard that it is for: g++, and clang++ with both runtimes where it is installed.
set -euo pipefail
cd "$(dirname "$0")/.."

diff -u include/hakmem.h "$(scripts/header_path.sh)" || { echo "include/hakmem.h is stale: run make"; exit 1; }
gcc -std=c99 -Wall -Wextra -Werror -pedantic -fsyntax-only -x c include/hakmem.h
g++ -std=c++11 -Wall -Wextra -Werror -pedantic -fsyntax-only -x c++ include/hakmem.h

clang=$(compgen -c clang++ | grep -E '^clang\+\+(-[0-9]+)?$' | head -n 1 || true)
compilers=(g++)
if [ -n "$clang" ]; then
    compilers+=("$clang")
    ! echo '#include <vector>' | $clang -stdlib=libc++ -fsyntax-only -x c++ - 2>/dev/null || compilers+=("$clang -stdlib=libc++")
fi
for compiler in "${compilers[@]}"; do
    for form in -std=c++17 -std=c++20 -std=c++2b '-std=gnu++20 -fno-exceptions -fno-rtti'; do
        $compiler $form -O1 -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wold-style-cast -Werror -Iinclude \
            -fsyntax-only tests/c/conformance/cxx_hakmem_hpp.cpp || { echo "$compiler $form"; exit 1; }
    done
done
echo "header ok, hakmem.hpp with ${compilers[*]}"
