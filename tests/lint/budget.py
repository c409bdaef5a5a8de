#!/usr/bin/python3
"""budget.py ROOT - how much code runs as root, and how much of it stays.

Ever root: launcher/{main.c,start,monitor,enter,unit}, and of common/ each file of which they reach a
           function, with its header; comments included, without pure data. launcher/load/ runs in
           a child that has given root up first; so does launcher/user/, unless the operator
           allowed root services.
Resident:  monitor/, and of common/ and unit/ the functions it reaches.

Reached is decided by name. Names are unique (names.py), so it can be too much, never too little.
"""
import os
import re
import sys

from lintlib import Report, functions, sources

EVER_MAX, RESIDENT_MAX = 8000, 1500
ROOT = ("launcher/unit/", "launcher/start/", "launcher/monitor/", "launcher/enter/",
        "launcher/main.c")
DATA = ("launcher/start/denied.c", "launcher/help.c", "launcher/unit/references.c",
        "launcher/enter/sock_table.c", "launcher/enter/result_table.c")  # files that are tables and nothing else


class Graph:
    """Functions of common/ and unit/ by name: which of them does a piece of code reach?"""

    def __init__(self, root, files):
        self.body, self.place = {}, {}
        for path, name, first, last, _ in functions(root, list(files)):
            self.place[path, name] = (first, last)
            if path.startswith(("common/", "launcher/unit/")):
                text = "\n".join(files[path].code.split("\n")[first - 1:last])
                self.body[name] = (path, last - first + 1, text)
        for path in files:  # a macro stands for what it names
            if path.startswith("common/"):
                for name, text in re.findall(r"^#define (\w+)\([^)]*\) *(.*)$", files[path].code, re.M):
                    self.body.setdefault(name, (path, 0, text))

    def reached(self, code):
        found, todo = set(), list(code)
        while todo:
            words = set(re.findall(r"\w+", todo.pop())) & self.body.keys()
            for word in words - found:
                found.add(word)
                todo.append(self.body[word][2])
        return found


def common_files(files, graph, always):
    """The files of common/ that root runs something of, with their headers."""
    found = {graph.body[n][0] for n in graph.reached(files[p].code for p in always)}
    found |= {p[:-2] + ".h" for p in found if p.endswith(".c")}
    return {p for p in found if p.startswith("common/") and p in files}


def main():
    root, report = sys.argv[1], Report()
    files = {s.path: s for s in sources(root, ("common", "launcher"))}
    graph = Graph(root, files)
    always = {p for p in files if p.startswith(ROOT)}
    ever = {p: files[p].lines for p in always | common_files(files, graph, always) if p not in DATA}
    monitor = [p for p in ever if p.startswith("launcher/monitor/")]
    reached = graph.reached(files[p].code for p in monitor)
    called = sum(graph.body[n][1] for n in reached)
    resident = sum(ever[p] for p in monitor) + called

    folders = {}
    for p, n in ever.items():
        folder = os.path.dirname(p) if not p.endswith("main.c") else p
        folders[folder] = folders.get(folder, 0) + n
    print("ever root: %d of %d lines (%s)" % (
        sum(ever.values()), EVER_MAX, ", ".join(f"{f} {n}" for f, n in sorted(folders.items()))))
    print("  of common: " + " ".join(sorted(os.path.basename(p) for p in ever
                                              if p.startswith("common/"))))
    print("resident root: %d of %d lines (monitor %d, what it calls %d in %d functions)" % (
        resident, RESIDENT_MAX, resident - called, called, len(reached)))
    if sum(ever.values()) > EVER_MAX:
        report.add("launcher", 1, f"{sum(ever.values())} lines ever run as root, at most {EVER_MAX}")
    if resident > RESIDENT_MAX:
        report.add("launcher/monitor", 1, f"{resident} lines stay as root, at most {RESIDENT_MAX}")
    report.done(f"{len(ever)} files")


if __name__ == "__main__":
    main()
