#!/bin/sh
# format.sh ROOT - every C file is as .clang-format (made for clang-format 14) would write it.
set -eu
cd "$1"
find common launcher worker signer tests -name '*.[ch]' 2>/dev/null | sort >"${TMPDIR:-/tmp}/format.$$"
trap 'rm -f "${TMPDIR:-/tmp}/format.$$"' EXIT
clang_format=$(command -v clang-format-14 || command -v clang-format) || {
	echo 'format.sh: no clang-format'
	exit 77
}
xargs "$clang_format" --dry-run -Werror <"${TMPDIR:-/tmp}/format.$$"
echo "format.sh: $(wc -l <"${TMPDIR:-/tmp}/format.$$") files"
