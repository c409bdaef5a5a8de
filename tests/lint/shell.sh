#!/bin/sh
# shell.sh ROOT - shellcheck over our shell scripts.
set -eu
cd "$1"
command -v shellcheck >/dev/null || { echo 'shell.sh: no shellcheck'; exit 77; }
files=$(find ./do .ci packaging tests -type f 2>/dev/null | while read -r f; do
	head -c 32 "$f" | grep -aqE '^#!.*/(env )?(ba|da)?sh$' && echo "$f"
done | sort)
[ -n "$files" ] || { echo 'shell.sh: found no script'; exit 1; }
echo "$files" | xargs shellcheck
echo "shell.sh: $(echo "$files" | wc -l) scripts"
