#!/usr/bin/python3
"""count.py NAME=JUNIT.xml... - what the ctest reports of several builds say, summed. A build that
failed has no report: NAME=broken.

A ctest may hold many tests (a pytest file, a cmocka program): those are counted, not the ctest.
Every skip is printed with its reason. With CI=true a skip that tests/skips.txt does not expect is
a failure: a test that stopped running must not look like one that passed. Exit 1 on any failure.
"""
import os
import re
import sys
import xml.etree.ElementTree as ET

PYTEST = re.compile(r"^=*\s*((?:\d+ (?:passed|failed|skipped|errors?|xfailed|xpassed|deselected|"
                    r"warnings?)(?:, )?)+) in [\d.]+s", re.M)
PYTEST_SKIP = re.compile(r"^SKIPPED \[(\d+)\] (.*)$", re.M)
CMOCKA_RAN = re.compile(r"^\[=+\] (?:.*: )?(\d+) test\(s\) run\.", re.M)
CMOCKA_SKIP = re.compile(r"^\[ RUN      \] (\w+)\n((?:(?!\[ ).*\n)*)\[  SKIPPED \]", re.M)
CMOCKA_FAIL = re.compile(r"^\[  FAILED  \] (\w+)$", re.M)


def expected_skips(path):
    """Regular expressions, one a line, '#' for the reason."""
    with open(path, encoding="utf-8") as f:
        lines = [line.split(" #")[0].strip() for line in f if not line.startswith("#")]
    return [re.compile(line) for line in lines if line]


def count(case):
    """(passed, failed, [reason of a skip...]) of one ctest."""
    out = "".join(e.text or "" for e in case.iter("system-out"))
    status = case.get("status")
    if status in ("notrun", "disabled"):
        return 0, 0, [case.find("skipped").get("message", "not run")
                      if case.find("skipped") is not None else "not run"]
    pytest, cmocka = PYTEST.findall(out), CMOCKA_RAN.findall(out)
    if pytest:
        n = {"passed": 0, "failed": 0, "error": 0}
        for number, what in re.findall(r"(\d+) ([a-z]+)", pytest[-1]):
            n[what.rstrip("s") if what.startswith("error") else what] = int(number)
        skips = [why for k, why in PYTEST_SKIP.findall(out) for _ in range(int(k))]
        passed, failed = n["passed"], n["failed"] + n["error"]
    elif cmocka:
        skips = [" ".join(f"{name}: {why}".split()) for name, why in CMOCKA_SKIP.findall(out)]
        failed = len(set(CMOCKA_FAIL.findall(out)))
        passed = sum(map(int, cmocka)) - failed - len(skips)
    else:
        skips, failed, passed = [], 0, 1
    if status == "fail" and failed == 0:  # it crashed or timed out, whatever it printed before
        failed, passed = 1, max(passed - 1, 0)
    return passed, failed, skips


def main():
    args = [a for a in sys.argv[1:] if a != "--print"]
    here = os.path.dirname(os.path.abspath(__file__))
    expected = expected_skips(os.path.join(here, "skips.txt"))
    strict = os.environ.get("CI") == "true"
    total = [0, 0, 0]
    for arg in args:
        name, path = arg.split("=", 1)
        sums = [0, 0, 0]
        if path == "broken":
            print(f"FAILED  {name}: did not build")
            total[1] += 1
            continue
        for case in ET.parse(path).getroot().iter("testcase"):
            passed, failed, skips = count(case)
            if failed:
                print(f"FAILED  {name}: {case.get('name')}")
            if "--print" in sys.argv:
                print("".join(e.text or "" for e in case.iter("system-out")).rstrip())
            for why in skips:
                known = any(e.search(why) for e in expected)
                bad = strict and not known
                print(f"skipped {name}: {case.get('name')}: {why}"
                      + (" (unexpected: a failure)" if bad else ""))
                failed += bad
                sums[2] += not bad
            sums[0] += passed
            sums[1] += failed
        print(f"{name}: {sums[0]} passed, {sums[1]} failed, {sums[2]} skipped")
        total = [a + b for a, b in zip(total, sums)]
    if total[0] == 0:
        print("count.py: nothing passed, so nothing was tested")
        total[1] += 1
    print(f"{total[0]} passed, {total[1]} failed, {total[2]} skipped")
    sys.exit(1 if total[1] else 0)


if __name__ == "__main__":
    main()
