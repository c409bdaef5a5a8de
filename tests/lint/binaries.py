#!/usr/bin/python3
"""binaries.py ROOT BUILD - what the linker made of it.

`sallyport`, which root runs, needs libc and libseccomp and nothing else: no library of the xz kind
can get in. Every program is hardened as docs/ARCHITECTURE.md promises.
"""
import os
import re
import subprocess
import sys

from lintlib import Report

# Which shared objects a program may need; None: any.
NEEDED = {
    "sallyport": {"libc.so.6", "libseccomp.so.2"},
    "sallyport-httpd": None,
    "sallyport-keyd": None,
}


def readelf(path, *args):
    return subprocess.run(["readelf", "-W", *args, path], check=True, capture_output=True,
                          text=True).stdout


def check_hardened(path, name, report):
    headers, dynamic = readelf(path, "-hl"), readelf(path, "-d")
    symbols = readelf(path, "--dyn-syms")
    stack = re.search(r"GNU_STACK\s+.*?\s(R\w*E?)\s", headers)
    facts = [
        ("is position independent (PIE)", re.search(r"Type:\s+DYN", headers)),
        ("binds all symbols at start (BIND_NOW)", "NOW" in dynamic),
        ("has read-only relocations (RELRO)", "GNU_RELRO" in headers),
        ("has no executable stack", stack is not None and "E" not in stack.group(1)),
        ("has no segment that is writable and executable", not re.search(r"LOAD.* RWE ", headers)),
        ("has no run path", "RUNPATH" not in dynamic and "RPATH" not in dynamic),
        ("has stack protectors", "__stack_chk_fail" in symbols),
        ("is built with _FORTIFY_SOURCE", re.search(r"__\w+_chk\b", symbols.replace(
            "__stack_chk_fail", "")) is not None),
    ]
    for what, true in facts:
        if not true:
            report.add(name, 1, f"not so: {what}")


def check_cet(build, report):
    """Every object of ours is marked. The program is so only if libc's start files are as well,
    which Debian 12's are not."""
    for here, _, names in os.walk(build):
        for name in names:
            if not re.fullmatch(r"libsp_(?!test)\w+\.a", name):
                continue
            path = os.path.join(here, name)
            if "Advanced Micro Devices X86-64" not in readelf(path, "-h"):
                continue
            notes = readelf(path, "-n")
            members, marked = notes.count("\nFile: "), notes.count("IBT, SHSTK")
            if notes.startswith("File: "):
                members += 1
            if members != marked:
                report.add(name, 1, f"{marked} of {members} objects are marked for CET")


def main():
    build, report, n = sys.argv[2], Report(), 0
    with open(os.path.join(build, "CMakeCache.txt"), encoding="utf-8") as f:
        cache = f.read()
    plain = "SALLYPORT_SANITIZE:BOOL=ON" not in cache
    for name, allowed in NEEDED.items():
        path = os.path.join(build, "bin", name)
        if not os.path.exists(path):
            print(f"{name}: not built")
            continue
        n += 1
        needed = set(re.findall(r"\(NEEDED\).*\[(.*)\]", readelf(path, "-d")))
        print(f"{name} needs {', '.join(sorted(needed))}")
        if allowed is not None and plain and needed != allowed:
            report.add(name, 1, "needs %s, should need %s" % (sorted(needed), sorted(allowed)))
        if plain and "CMAKE_BUILD_TYPE:STRING=Debug" not in cache:
            check_hardened(path, name, report)
    if plain:
        check_cet(build, report)
    if n == 0:
        report.add("bin", 1, "no program was built, so nothing was checked")
    report.done(f"{n} programs")


if __name__ == "__main__":
    main()
