#!/bin/sh
# manuals.sh ROOT - mandoc has nothing to say about our manual pages.
set -eu
cd "$1"
command -v mandoc >/dev/null || { echo 'manuals.sh: no mandoc'; exit 77; }
status=0
n=0
for page in docs/man/*.[1-9]; do
	[ -e "$page" ] || continue
	n=$((n + 1))
	# A page of ours that is not installed yet, or of Linux that mandoc cannot see, is no error.
	mandoc -T lint -W warning "$page" || status=1
done
[ "$n" -gt 0 ] || status=1
echo "manuals.sh: $n pages"
exit "$status"
