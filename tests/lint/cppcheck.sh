#!/bin/sh
# cppcheck.sh ROOT - cppcheck over the product; each suppression has its reason here.
set -eu
cd "$1"
command -v cppcheck >/dev/null || { echo 'cppcheck.sh: no cppcheck'; exit 77; }
folders=
for f in common launcher worker signer; do
	[ -d "$f" ] && folders="$folders $f"
done
# missingIncludeSystem: it is told nothing about /usr/include, the compiler is.
# memleak, resourceLeak: it does not know that _cleanup_ variables release themselves; ASan looks.
# unusedFunction is not asked for: libraries serve tests too.
# normalCheckLevelMaxBranches, checkersReport: talk about cppcheck itself.
# shellcheck disable=SC2086 # a list of words
cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr \
	--suppress=missingIncludeSystem --suppress=memleak --suppress=resourceLeak \
	-D_GNU_SOURCE -I. -j "$(nproc)" \
	--template='{file}:{line}: {id}: {message}' --error-exitcode=1 $folders
echo "cppcheck.sh:$folders"
