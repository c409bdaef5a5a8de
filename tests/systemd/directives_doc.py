#!/usr/bin/python3
"""directives_doc.py [--write] - docs/DIRECTIVES.md from the directive table and the differential.

For each directive: what is done with it here (launcher/load/table.c), in how many cases its effect
was compared with systemd's (cases_*.py), and where the two differ on purpose, with the reason.
Without --write it only looks whether the file is up to date, and exits 1 when it is not.
"""

import collections
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE.parents[1]
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parent / "lint")]

import cases_accept  # noqa: E402
import cases_life  # noqa: E402
import cases_service  # noqa: E402
import cases_socket  # noqa: E402
import cases_unit  # noqa: E402
import directives  # noqa: E402  (tests/lint)
from support.compare import REASONS  # noqa: E402

DOC = SOURCE / "docs" / "DIRECTIVES.md"
CASES = [*cases_socket.CASES, *cases_service.CASES, *cases_unit.CASES, *cases_accept.CASES,
         *cases_life.CASES]
# They stand in nearly every case; a case is about them only when it is about nothing else.
ORDINARY = {"Socket.ListenStream", "Socket.ListenDatagram", "Service.User", "Service.ExecStart",
            "Socket.Accept", "Service.StandardInput", "Service.Type"}
INHERITED = {"CapabilityBoundingSet": "bounding", "NoNewPrivileges": "no-new-privs"}

HEAD = """\
# Directives: here and under systemd

Made by `tests/systemd/directives_doc.py` from the directive table (`launcher/load/table.c`) and the
cases of the comparison with systemd (`tests/systemd/cases_*.py`); do not edit. Each case runs the
same unit files under Debian's systemd and under `sallyport run`, and compares what the server found
at its first instruction, field by field.

**Here**: *enforced* does what it says; *noted* is harmless where it is missing, and ignored;
*refused* would protect or change what runs, so the unit does not start (`--unenforced=NAME` accepts
that). **Cases**: how many cases have it, in brackets those that are about it.

## What differs in every service

| | why |
|---|---|
"""


def used(text):
    """Section.Name of each directive in a unit file."""
    found, section = set(), ""
    for line in text.splitlines():
        head = re.match(r"\s*\[(\w+)\]", line)
        if head:
            section = head[1]
        elif re.match(r"\s*\w+\s*=", line):
            found.add(f"{section}.{line.split('=')[0].strip()}")
    return found


def collect():
    """({directive: cases}, {directive: cases about it}, {directive: {reason: [case]}})."""
    having, about = collections.Counter(), collections.Counter()
    why = collections.defaultdict(lambda: collections.defaultdict(list))
    for case in CASES:
        names = set().union(*(used(t) for t in case.unit_files().values()))
        subjects = names - ORDINARY or names & ORDINARY
        having.update(names)
        about.update(subjects)
        reasons = [r for r in (*case.differ.values(), case.refused and f"refused: {case.refused}",
                               case.pending and f"for now: {case.pending}") if r]
        for name in subjects:
            for reason in reasons:
                why[name][reason].append(case.name)
    return having, about, why


def cell(text):
    return text.replace("|", "\\|").replace("\n", " ")


def table(section, rows, having, about, why):
    out = [f"\n## [{section}]\n", "| directive | here | cases | what it does, or why not | "
           "deviation from systemd, and why |", "|---|---|---|---|---|"]
    for _, kind, name, text in rows:
        key = f"{section}.{name}"
        here = next(c for c, kinds in directives.CLASSES.items() if kind in kinds)
        deviations = [f"{r} (`{'`, `'.join(dict.fromkeys(c))}`)" for r, c in why[key].items()]
        if name in INHERITED:
            deviations.insert(0, REASONS[INHERITED[name]])
        if kind == "STRICT":
            here += ", strict"
        count = f"{having[key]} ({about[key]})" if having[key] else ""
        out.append(f"| {name} | {here} | {count} | {cell(directives.sentence(text))} | "
                   f"{cell('; '.join(deviations))} |")
    return "\n".join(out) + "\n"


def document():
    text = (SOURCE / directives.TABLE).read_text(encoding="utf-8")
    rows = directives.rows(directives.expand(text))
    having, about, why = collect()
    body = HEAD + "".join(f"| {name} | {cell(reason)} |\n" for name, reason in REASONS.items())
    for section in dict.fromkeys(r[0] for r in rows):
        body += table(section, [r for r in rows if r[0] == section], having, about, why)
    return body + f"\n{len(CASES)} cases, {len(rows)} directives.\n"


def main():
    made = document()
    if "--write" in sys.argv[1:]:
        DOC.write_text(made, encoding="utf-8")
    elif not DOC.exists() or DOC.read_text(encoding="utf-8") != made:
        print(f"{DOC.relative_to(SOURCE)}: not up to date: run {sys.argv[0]} --write")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
