#!/usr/bin/python3
"""budget.py ROOT - how much code runs as root, and how much of it stays.

Ever root: launcher/{main.c,unit,start,monitor,enter} and common/, comments included, without pure data.
Resident:  monitor/, and of common/ and unit/ the functions it can reach, by name. Names are unique
           (names.py), so this can count too much, never too little.
"""
import re
import sys

from lintlib import Report, functions, sources

EVER_MAX, RESIDENT_MAX = 8000, 1500
EVER = ("common/", "launcher/unit/", "launcher/start/", "launcher/monitor/", "launcher/enter/",
        "launcher/main.c")
DATA = ()  # files that are tables and nothing else


def main():
    root, report = sys.argv[1], Report()
    files = {s.path: s for s in sources(root, ("common", "launcher"))}
    ever = {p: s.lines for p, s in files.items() if p.startswith(EVER) and p not in DATA}
    monitor = {p: n for p, n in ever.items() if p.startswith("launcher/monitor/")}

    body = {}  # name: (lines, text); a header's inline function counts as well
    for path, name, first, last, _ in functions(root, [p for p in ever if p not in monitor]):
        if not path.startswith(("common/", "launcher/unit/")):
            continue
        text = "\n".join(files[path].code.split("\n")[first - 1:last])
        body[name] = (last - first + 1, text)
    reached, todo = set(), [files[p].code for p in monitor]
    while todo:
        for word in set(re.findall(r"\w+", todo.pop())) & body.keys() - reached:
            reached.add(word)
            todo.append(body[word][1])
    total = sum(ever.values())
    called = sum(body[name][0] for name in reached)
    resident = sum(monitor.values()) + called
    folders = {}
    for p, n in ever.items():
        folder = p.rsplit("/", 1)[0] if not p.endswith("main.c") else p
        folders[folder] = folders.get(folder, 0) + n
    print("ever root: %d of %d lines (%s)" % (
        total, EVER_MAX, ", ".join(f"{f} {n}" for f, n in sorted(folders.items()))))
    print("resident root: %d of %d lines (monitor %d, what it calls %d in %d functions)" % (
        resident, RESIDENT_MAX, sum(monitor.values()), called, len(reached)))
    if total > EVER_MAX:
        report.add("launcher", 1, f"{total} lines ever run as root, at most {EVER_MAX}")
    if resident > RESIDENT_MAX:
        report.add("launcher/monitor", 1, f"{resident} lines stay as root, at most {RESIDENT_MAX}")
    report.done(f"{len(ever)} files")


if __name__ == "__main__":
    main()
