#!/bin/sh
# analyzer.sh ROOT BUILD - gcc -fanalyzer over the product, -Werror as always, in a build of its own.
# Leaks are ASan's: gcc 12 loses what is stored in an element of an array.
set -eu
keep=-k # going after an error
if command -v ninja >/dev/null; then
	export CMAKE_GENERATOR=Ninja
	keep=-k0
fi
cmake -S "$1" -B "$2/analyzer" -DCMAKE_C_COMPILER=gcc -DSALLYPORT_TESTS=OFF \
	-DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_FLAGS="-fanalyzer -Wno-analyzer-malloc-leak" >/dev/null
cmake --build "$2/analyzer" -j "$(nproc)" -- "$keep" >"$2/analyzer.log" 2>&1 || {
	grep -E 'error|warning|note' "$2/analyzer.log"
	exit 1
}
echo "analyzer.sh: $(find "$2/analyzer" -name '*.o' | wc -l) files"
