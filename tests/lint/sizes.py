#!/usr/bin/python3
"""sizes.py ROOT - a file is one noun (500 lines at most), a function one verb (100 at most, nine
of ten at most 60). What breaks a cap for a good reason has a line in waivers.txt:

    path [function] lines  reason

and is allowed that many lines, no more.
"""
import os
import sys

from lintlib import PRODUCT, Report, functions, sources

FILE_MAX, FUNCTION_MAX, FUNCTION_P90 = 500, 100, 60


def waivers(path):
    found = {}
    with open(path, encoding="utf-8") as f:
        for line in f:
            words = line.split()
            if not words or line.startswith("#"):
                continue
            key = words[0] if words[1].isdigit() else words[0] + " " + words[1]
            rest = words[1:] if words[1].isdigit() else words[2:]
            if len(rest) < 3:
                sys.exit(f"{path}: a waiver without a reason: {line.strip()}")
            found[key] = int(rest[0])
    return found


def main():
    root, report = sys.argv[1], Report()
    allowed = waivers(os.path.join(os.path.dirname(os.path.abspath(__file__)), "waivers.txt"))
    if len(sys.argv) > 3:
        allowed = waivers(sys.argv[3])
    used = set()
    files = sources(root, PRODUCT + ("tests",))

    def check(key, path, line, lines, cap, what):
        if lines <= cap:
            return
        if key in allowed:
            used.add(key)
            cap = allowed[key]
        if lines > cap:
            report.add(path, line, f"{what}: {lines} lines, at most {cap}")

    for s in files:
        check(s.path, s.path, 1, s.lines, FILE_MAX, "file")
    lengths = []
    for path, name, first, last, _ in functions(root, [s.path for s in files]):
        n = last - first + 1
        if path.startswith(PRODUCT):
            lengths.append(n)
        check(f"{path} {name}", path, first, n, FUNCTION_MAX, name)
    for key in sorted(set(allowed) - used):
        report.add("tests/lint/waivers.txt", 1, f"not needed any more: {key}")
    lengths.sort()
    if lengths:
        p50, p90 = lengths[len(lengths) // 2], lengths[len(lengths) * 9 // 10]
        if p90 > FUNCTION_P90:
            report.add("launcher", 1, f"functions: 90th percentile {p90}, at most {FUNCTION_P90}")
        print(f"functions: {len(lengths)}, median {p50}, p90 {p90}, max {lengths[-1]} lines")
    report.done(f"{len(files)} files")


if __name__ == "__main__":
    main()
