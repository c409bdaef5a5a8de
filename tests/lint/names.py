#!/usr/bin/python3
"""names.py ROOT - a function name means one function in all our programs, static ones included, so
that a line of a backtrace names its process."""
import sys

from lintlib import Report, functions, sources


def main():
    root, report, first = sys.argv[1], Report(), {}
    found = functions(root, [s.path for s in sources(root)])
    for path, name, line, _, _ in found:
        if name == "main" or name.startswith("__"):
            continue  # one in each program, because libc or the compiler asks for it by this name
        if name in first and first[name][0] == path:
            continue  # two builds of one function, by #if
        if name in first:
            report.add(path, line, "%s is also in %s:%d" % ((name,) + first[name]))
        else:
            first[name] = (path, line)
    report.done(f"{len(found)} functions")


if __name__ == "__main__":
    main()
