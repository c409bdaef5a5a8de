#!/usr/bin/python3
"""options.py ROOT BUILD - the manual pages have the long options that the programs have, and no
others: what --help prints is the witness."""
import os
import re
import subprocess
import sys

from lintlib import Report

# program: its verbs; [""] when it has none
PROGRAMS = {"sallyport": None, "sallyport-httpd": [""], "sallyport-keyd": [""]}


def said(*command):
    r = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    return r.stdout + r.stderr


def options(text):
    return set(re.findall(r"(?<![\w-])--([a-z][a-z-]+)", text))


def main():
    root, build, report, n = sys.argv[1], sys.argv[2], Report(), 0
    for name, verbs in PROGRAMS.items():
        program = os.path.join(build, "bin", name)
        page = f"docs/man/{name}.8"
        if not os.path.exists(program):
            continue
        n += 1
        if not os.path.exists(os.path.join(root, page)):
            report.add(page, 1, f"{name} has no manual page")
            continue
        with open(os.path.join(root, page), encoding="utf-8") as f:
            text = f.read()
        have = set(re.findall(r"\bFl Fl ([a-z][a-z-]+)", text))
        want = {"help"}
        if verbs is None:
            verbs = re.findall(r"^\.Cm ([a-z][a-z |-]*)$", text[:text.index(".Sh DESCRIPTION")],
                               re.M)
            verbs = [v for words in verbs for v in words.split(" | ")]
            listed = set(re.findall(r"\b[a-z]+(?:-[a-z]+)*\b", said(program, "--help")))
            for verb in verbs:
                if verb not in listed:
                    report.add(page, 1, f"verb {verb} is not in --help")
            want.add("version")
        for verb in verbs:
            want |= options(said(program, *[v for v in (verb, "--help") if v]))
        for option in sorted(want - have):
            report.add(page, 1, f"does not have --{option}")
        for option in sorted(have - want):
            report.add(page, 1, f"has --{option}, which {name} does not")
    report.done(f"{n} programs")


if __name__ == "__main__":
    main()
