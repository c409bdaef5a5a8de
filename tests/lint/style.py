#!/usr/bin/python3
"""style.py ROOT - the rules of the house style that a formatter does not know."""
import os
import re
import sys

from lintlib import PRODUCT, Report, sources

BANNED = {
    **dict.fromkeys(("strcpy", "strcat", "strncpy", "strncat", "sprintf", "vsprintf", "stpcpy"),
                    "use common/buf.h or str_copy()"),
    **dict.fromkeys(("atoi", "atol", "atoll", "strtol", "strtoul", "strtoll", "strtoull", "sscanf",
                     "strtod"), "use common/num.h"),
    **dict.fromkeys(("strtok", "strtok_r"), "walk a struct span"),
    **dict.fromkeys(("alloca", "strdupa"), "unbounded stack"),
    **dict.fromkeys(("gets", "tmpnam", "mktemp", "system", "popen"), "never"),
    **dict.fromkeys(("getpwnam", "getpwuid", "getgrnam", "getgrgid"),
                    "use the _r form, in the resolving child only"),
    "pthread_create": "one loop per process",
}
# file: names allowed there, and why
ONE_QUESTION = ("getpwnam", "getpwuid", "getgrnam", "getgrgid")
EXCEPT = {
    "launcher/load/resolve.c": ONE_QUESTION,  # it is that child, and has one thread
    "tests/unit/test_resolve.c": ONE_QUESTION,
    "tests/bench/http/floor.c": ("atoi",),  # stands alone, to be compared with
    "tests/bench/http/load.c": ("atoi", "atof", "strtoul"),  # a tool that stands alone, too
    "tests/unit/test_sock_open.c": ("system",),
}
FIELDS = ("Runs as:", "Tests:")
DEFINITION = re.compile(r"^(?:static |extern |_Noreturn |inline )*(?:const )?(?:struct |enum |union )?"
                        r"\w+[ \*]+(?:\w+)\s*\(", re.M)
CALL = re.compile(r"(?<![\w.>])(" + "|".join(BANNED) + r")\s*\(")
PROTOTYPE = re.compile(
    r"^(?!static|typedef|return|else|#)(?:_\w+_ |extern |_Noreturn )*(?:const )?"
    r"(?:struct |enum |union |unsigned )?\w+ +\**(\w+)\((?:[^;{}]|\n)*?\)[^;{}]*;", re.M)


def check_header_comment(s, report, root):
    name = os.path.basename(s.path)
    m = re.match(r"/\*\n \* (\S+) - (?:see (\S+)|.+)", s.text)
    if not m or m.group(1) != name:
        report.add(s.path, 1, f"must open with a comment: {name} - what it is for")
        return
    head = s.text[:s.text.index("*/")]
    head = s.text[:s.text.index("*/")]
    also = re.search(r"\b[Ss]ee (\w+\.h)", head)
    if m.group(2) or (also and s.path.endswith(".c")):
        see = (m.group(2) or also.group(1)).rstrip(".:;,")
        if not os.path.exists(os.path.join(root, os.path.dirname(s.path), see)):
            report.add(s.path, 2, f"see {see}: there is no such header beside it")
        return
    for field in FIELDS:
        if field == "Tests:" and s.path.endswith(".c"):
            continue  # the header that it belongs to says it
        if field not in head:
            report.add(s.path, 1, f'the opening comment lacks "{field}"')
    for path in re.findall(r"\btests/[\w./-]+", head):
        if not os.path.exists(os.path.join(root, path.rstrip("./"))):
            report.add(s.path, 1, f"names a test that is not there: {path}")


def check_documented(s, report):
    """Each prototype stands in a paragraph that a comment opens or precedes. What x_free() and
    x_done() do is said by the house style."""
    for m in PROTOTYPE.finditer(s.code):
        if m.group(1).endswith(("_free", "_done", "_unref")):
            continue
        start = s.text.rfind("\n\n", 0, m.start())
        if not s.text[start:m.start()].lstrip().startswith("/*"):
            report.add(s.path, s.line_of(m.start()), f"{m.group(1)} is not documented")
    for m in re.finditer(r"/\*[\s*]*\*/", s.text):
        report.add(s.path, s.line_of(m.start()), "an empty comment")


def main():
    root, report = sys.argv[1], Report()
    files = sources(root, PRODUCT + ("tests",))
    for s in files:
        product = s.path.startswith(PRODUCT)
        for at in s.line_comments:
            report.add(s.path, s.line_of(at), "// comment: write /* */")
        for m in CALL.finditer(s.code):
            if m.group(1) not in EXCEPT.get(s.path, ()):
                report.add(s.path, s.line_of(m.start()),
                           f"{m.group(1)}() is banned: {BANNED[m.group(1)]}")
        for m in re.finditer(r"\b(XXX|TODO|FIXME)\b(?! #\d+)", s.text):
            report.add(s.path, s.line_of(m.start()), f"{m.group(1)} without an issue: XXX #N")
        for m in re.finditer(r"^typedef (?:struct|union|enum)\b|^typedef .*\*\w+;", s.code, re.M):
            report.add(s.path, s.line_of(m.start()), "no typedef of structs or pointers")
        if not product:
            continue
        check_header_comment(s, report, root)
        if s.path.endswith(".h"):
            if "#pragma once" not in s.text:
                report.add(s.path, 1, "lacks #pragma once")
            check_documented(s, report)
        else:
            own = s.path[:-2] + ".h"
            first = re.search(r'^#\s*include [<"]([^>"]+)[>"]', s.text, re.M)
            if os.path.exists(os.path.join(root, own)) and (not first or first.group(1) != own):
                report.add(s.path, s.line_of(first.start()) if first else 1,
                           f"includes its own header {own} first")
    report.done(f"{len(files)} files")


if __name__ == "__main__":
    main()
