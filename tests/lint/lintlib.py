"""lintlib.py - what the lints share: which files there are, C without its comments, and reports.

Each lint is a program: LINT.py ROOT [BUILD]. It prints `file:line: message` and exits 1, or says
how much it looked at and exits 0.
"""
import os
import re
import subprocess
import sys

PRODUCT = ("common", "launcher", "worker", "signer")
TOKEN = re.compile(r"""//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'""", re.S)


class Source:
    """One C file: `text` as it is, `code` with comments and strings blanked, offsets equal."""

    def __init__(self, root, path):
        self.path = path
        with open(os.path.join(root, path), encoding="utf-8") as f:
            self.text = f.read()
        self.line_comments = []
        self.code = TOKEN.sub(self._blank, self.text)
        self.lines = self.text.count("\n")

    def _blank(self, m):
        t = m.group(0)
        if t.startswith("//"):
            self.line_comments.append(m.start())
        quote = t[0] if t[0] in "\"'" else ""
        return quote + re.sub(r"[^\n]", " ", t[len(quote):len(t) - len(quote)]) + quote

    def line_of(self, offset):
        return self.text.count("\n", 0, offset) + 1


def paths(root, folders, suffixes):
    found = []
    for folder in folders:
        for here, subfolders, names in os.walk(os.path.join(root, folder)):
            subfolders[:] = sorted(d for d in subfolders if not d.startswith((".", "__")))
            found += [os.path.relpath(os.path.join(here, n), root) for n in sorted(names)
                      if n.endswith(suffixes)]
    return found


def sources(root, folders=PRODUCT, suffixes=(".c", ".h")):
    return [Source(root, p) for p in paths(root, folders, suffixes)]


def functions(root, files):
    """[(file, name, first line, last line, is static)] by universal-ctags."""
    if not files:
        return []
    out = subprocess.run(
        ["ctags", "-f", "-", "--language-force=C", "--c-kinds=f", "--fields=+nef-k", "-u",
         *files], cwd=root, check=True, capture_output=True, text=True).stdout
    found = []
    for row in out.splitlines():
        name, path = row.split("\t")[:2]
        tags = dict(t.split(":", 1) for t in row.split('"\t', 1)[1].split("\t") if ":" in t)
        found.append((path, name, int(tags["line"]), int(tags["end"]), "file" in tags))
    return found


class Report:
    def __init__(self):
        self.n = 0

    def add(self, path, line, message):
        print(f"{path}:{line}: {message}")
        self.n += 1

    def done(self, looked_at):
        print(f"{os.path.basename(sys.argv[0])}: {looked_at}, {self.n} findings")
        sys.exit(1 if self.n else 0)
