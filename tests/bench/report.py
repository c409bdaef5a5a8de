"""docs/PERFORMANCE.md: every benchmark writes its own section of it, between its markers.

usage: report.py FILE NAME TITLE PROGRAM... <TABLE   for one that prints its table itself
"""

import datetime
import os
import pathlib
import platform
import re
import statistics
import subprocess
import sys

HEAD = """# Performance

What was measured, by whom it can be measured again, and whether it is as good as it was meant to
be. Every section is written by the benchmark that it names; all of them by `sudo ./do bench`, and
within half an hour by `sudo ./do bench --quick`. Everybody is measured in one run, in turns,
on a machine that does nothing else; medians. Lower is better unless a row says otherwise.
"""


class Row:
    """One line of a table: values by name, in the unit that the name says; "ours" is one of them.

    bars: (what, the figure, what it must not be above, or below if more is better).
    """

    def __init__(self, name, values, bars=(), form="{:.2f}", more=False):
        self.name, self.values, self.bars = name, values, list(bars)
        self.form, self.more, self.rounds = form, more, None

    @classmethod
    def of_rounds(cls, name, rounds, **options):
        """A row of medians over rounds in which everybody had a turn: lists of figures, by name.

        Its ratios are the medians of the rounds' ratios, so that a minute in which the machine was
        slow for everybody does not count.
        """
        row = cls(name, {k: statistics.median(v) for k, v in rounds.items()}, **options)
        row.rounds = rounds
        return row

    def ratio(self, name):
        if not self.rounds:
            return self.values["ours"] / self.values[name]
        pairs = zip(self.rounds["ours"], self.rounds[name], strict=True)
        return statistics.median(ours / other for ours, other in pairs)

    def to_best(self, limit, peers):
        """Adds the bar against the best of the peers that were there."""
        there = {p: self.values[p] for p in peers if p in self.values}
        if there:
            best = (max if self.more else min)(there, key=there.get)
            self.bars.append((f"of {best}", self.ratio(best), limit))
        return self

    def to(self, name, limit):
        """Adds the bar against one that need not be the best."""
        if name in self.values:
            self.bars.append((f"of {name}", self.ratio(name), limit))
        return self

    def absolute(self, limit):
        self.bars.append(("", self.values["ours"], limit))
        return self

    def met(self):
        return all(v >= limit if self.more else v <= limit for _, v, limit in self.bars)

    def cells(self, names):
        word = "at least" if self.more else "at most"
        bars = "; ".join(f"{v:.2f} {what}, {word} {limit:.3g}".replace("  ", " ").replace(" ,", ",")
                         for what, v, limit in self.bars)
        return [self.name, *(self.form.format(self.values[n]) if n in self.values else ""
                             for n in names),
                bars, "" if not self.bars else "yes" if self.met() else "**no**"]


def table(rows):
    """Markdown; a column for everybody who is in any row, in order of appearance."""
    names = list(dict.fromkeys(n for r in rows for n in r.values))
    lines = [["", *names, "bar", "met"], ["---"] * (len(names) + 3)]
    lines += [r.cells(names) for r in rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def versions(programs):
    """"nginx 1.22.1, ..." of those that are installed."""
    found = []
    for program in programs:
        option = {"openssl": "version", "hitch": "--version"}.get(program, "-v")
        try:
            run = subprocess.run([program, option], capture_output=True, text=True, timeout=10,
                                 check=False)
        except (OSError, subprocess.TimeoutExpired):
            continue
        number = re.search(r"\d+\.\d[\w.]*", run.stdout + run.stderr)
        found.append(f"{program} {number.group(0) if number else '?'}")
    return ", ".join(found)


def where():
    """Machine, kernel, day."""
    cpu = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    day = datetime.date.today().isoformat()
    return (f"{day}; {os.cpu_count()} CPUs, {cpu.group(1).strip() if cpu else platform.machine()};"
            f" Linux {platform.release()}; load before the run {os.getloadavg()[0]:.1f}")


def write(path, name, title, text):
    """Replaces a section of the file, or adds it."""
    path = pathlib.Path(path)
    old = path.read_text(encoding="utf-8") if path.exists() else HEAD
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    section = f"{begin}\n## {title}\n\n{text.strip()}\n{end}\n"
    if begin in old:
        new = old[:old.index(begin)] + section + old[old.index(end) + len(end) + 1:]
    else:
        new = old.rstrip() + "\n\n" + section
    path.write_text(new, encoding="utf-8")
    owner = path.parent.stat()
    if os.geteuid() == 0:
        os.chown(path, owner.st_uid, owner.st_gid)


def main():
    path, name, title, *programs = sys.argv[1:]
    write(path, name, title,
          f"{where()}. {versions(programs)}.\n\n{sys.stdin.read()}\nWhat the rows are, and again: "
          f"`tests/bench/{name}`, `sudo ./do bench`.")


if __name__ == "__main__":
    main()
