#!/bin/sh
# tidy.sh ROOT BUILD - clang-tidy over every product file; .clang-tidy says which checks and why.
set -eu
cd "$1"
tidy=$(command -v clang-tidy-14 || command -v clang-tidy) || { echo 'tidy.sh: no clang-tidy'; exit 77; }
files=$(find common launcher worker signer -name '*.c' 2>/dev/null | sort)
# GCC's flags that clang does not know are no finding.
echo "$files" | xargs -P "$(nproc)" -n 4 "$tidy" -p "$2" --quiet \
	--extra-arg=-Wno-unknown-warning-option 2>/dev/null
echo "tidy.sh: $(echo "$files" | wc -l) files"
