#!/usr/bin/python3
"""headers.py ROOT BUILD - every header compiles alone, twice included, with the flags of the
build: whoever includes it needs to know nothing else."""
import json
import os
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from lintlib import PRODUCT, Report, paths


def flags(build):
    """What some file of each folder is compiled with."""
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as f:
        commands = json.load(f)
    found = {}
    for c in commands:
        words = shlex.split(c["command"])
        keep = [w for w in words[1:] if w.startswith(("-I", "-D", "-U", "-std", "-W", "-m", "-f"))]
        for i, w in enumerate(words):
            if w == "-isystem":
                keep += words[i:i + 2]
        found.setdefault(os.path.dirname(c["file"]), (words[0], keep))
    return found


def main():
    root, build, report = sys.argv[1], sys.argv[2], Report()
    known = flags(build)
    headers = paths(root, PRODUCT, (".h",))

    def compile_one(path):
        compiler, keep = known.get(os.path.join(root, os.path.dirname(path)),
                                   next(iter(known.values())))
        text = f'#include "{path}"\n#include "{path}"\n'
        return subprocess.run([compiler, *keep, "-fsyntax-only", "-x", "c", "-"], input=text,
                              cwd=root, capture_output=True, text=True)

    with ThreadPoolExecutor(2) as pool:
        for path, r in zip(headers, pool.map(compile_one, headers)):
            if r.returncode:
                report.add(path, 1, "does not compile alone:\n" + r.stderr)
    report.done(f"{len(headers)} headers")


if __name__ == "__main__":
    main()
