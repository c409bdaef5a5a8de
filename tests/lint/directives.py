#!/usr/bin/python3
"""directives.py ROOT [BUILD] [--write] - the directive table, the manual and the fuzzers' dictionary
say the same.

The lists of sallyport.unit(5) stand between markers in docs/man/sallyport.unit.5 and are made from
launcher/load/table.c; so is tests/fuzz/fuzz_unit_file.dict. --write makes them anew.
"""
import os
import re
import subprocess
import sys

from lintlib import Report

TABLE, MANUAL, DICTIONARY = ("launcher/load/table.c", "docs/man/sallyport.unit.5",
                             "tests/fuzz/fuzz_unit_file.dict")
WORD = r'(?:"(?:[^"\\]|\\.)*" ?)+'  # a string literal, maybe in several pieces
ROW = re.compile(r'\{ SECTION_(\w+), DIRECTIVE_(\w+), (%s), .*?(%s)\}' % (WORD, WORD), re.S)
SECTIONS = {"UNIT": "Unit", "SOCKET": "Socket", "SERVICE": "Service", "EXEC": "Service",
            "INSTALL": "Install"}
CLASSES = {"enforced": ("ENFORCED", "STRICT"), "noted": ("NOTED",), "refused": ("REFUSED", "PENDING")}


def expand(text):
    """The table without its macros; what they need of headers stays as it is written."""
    text = re.sub(r"^#include.*$", "", text, flags=re.M)
    return subprocess.run(["cc", "-E", "-P", "-w", "-"], input=text, text=True, check=True,
                          stdout=subprocess.PIPE).stdout


def literal(text):
    return "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', text)).replace('\\"', '"')


def rows(text):
    """[(section, class, name, text)] in the order of the table."""
    found = []
    for section, kind, name, said in ROW.findall(text):
        if kind == "PENDING":
            said = '"is not enforced yet"'
        found.append((SECTIONS[section], kind, literal(name), literal(said)))
    return found


def sentence(text):
    if re.match(r"(is|needs|talks|wants) ", text):
        text = "It " + text
    elif not re.match(r"\w+[(_]", text):  # not chdir(2), TCP_NODELAY
        text = text[0].upper() + text[1:]
    return text.rstrip(".").replace(". ", ".\n") + "."  # mdoc: a sentence, a line


def manual_list(table, want):
    """mdoc: enforced ones with a sentence each, the others gathered by their common reason."""
    out = []
    for section in dict.fromkeys(SECTIONS.values()):
        mine = [r for r in table if r[0] == section and r[1] in CLASSES[want]]
        if not mine:
            continue
        out += [".Pp"] * bool(out) + [f".Li [{section}]", ".Bl -tag -width Ds"]
        if want == "enforced":
            for _, kind, name, text in mine:
                out += [f".It Cm {name}=", sentence(text)]
                if kind == "STRICT":
                    out += [".Pq strict"]
        else:
            for text in dict.fromkeys(r[3] for r in mine):
                names = [r[2] for r in mine if r[3] == text]
                out += [".It " + " , ".join(f"Cm {n}=" for n in names), sentence(text)]
        out += [".El"]
    return "\n".join(out) + "\n"


def manual(text, table):
    for want in CLASSES:
        begin, end = f'.\\" begin {want}\n', f'.\\" end {want}\n'
        if begin not in text or end not in text:
            sys.exit(f"{MANUAL}: lacks the markers for {want}")
        text = text[:text.index(begin) + len(begin)] + manual_list(table, want) \
            + text[text.index(end):]
    return text


def dictionary(table):
    names = dict.fromkeys([f"[{s}]" for s in SECTIONS.values()] + [r[2] + "=" for r in table])
    return "# Made by tests/lint/directives.py --write\n" + "".join(f'"{n}"\n' for n in names)


def main():
    root, report = sys.argv[1], Report()

    def read(path):
        try:
            with open(os.path.join(root, path), encoding="utf-8") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    text = expand(read(TABLE))
    table = rows(text)
    n_rows = text.count("{ SECTION_")
    if not table or n_rows != len(table):
        report.add(TABLE, 1, f"{len(table)} of {n_rows} rows can be read by this lint")
    seen = set()
    for section, _, name, said in table:
        if (section, name) in seen:
            report.add(TABLE, 1, f"[{section}] {name}= has two rows")
        if said in ("", "?"):
            report.add(TABLE, 1, f"[{section}] {name}= does not say what it does here")
        seen.add((section, name))
    made = {MANUAL: manual(read(MANUAL), table), DICTIONARY: dictionary(table)}
    for path, want in made.items():
        if "--write" in sys.argv:
            with open(os.path.join(root, path), "w", encoding="utf-8") as f:
                f.write(want)
        elif read(path) != want:
            have, new = read(path).split("\n"), want.split("\n")
            line = next((i for i, (a, b) in enumerate(zip(have, new)) if a != b),
                        min(len(have), len(new)))
            report.add(path, line + 1, "is not what the table says: "
                       "tests/lint/directives.py . --write")
    report.done(f"{len(table)} directives")


if __name__ == "__main__":
    main()
