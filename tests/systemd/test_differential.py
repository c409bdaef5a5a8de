"""Each case under systemd and under `sallyport run`, in one box; the records must be equal.

The cases are data: cases_*.py. What may differ, and why: support/compare.py. A case whose directives
the launcher does not enforce yet is expected to fail, with the launcher's own words.
"""

import fnmatch
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import activators  # noqa: E402
import cases_accept  # noqa: E402
import cases_life  # noqa: E402
import cases_service  # noqa: E402
import cases_socket  # noqa: E402
import cases_unit  # noqa: E402
from support.compare import compare  # noqa: E402

CASES = [*cases_socket.CASES, *cases_service.CASES, *cases_unit.CASES, *cases_accept.CASES,
         *cases_life.CASES]


def test_names_are_unique():
    names = [c.name for c in CASES]
    assert len(names) == len(set(names)) and len(names) >= 120, len(names)


@pytest.fixture(scope="module")
def judged(systemd_box):
    """A box with the unit files of every case, known to systemd."""
    units = {}
    for case in CASES:
        units.update(case.unit_files())
    systemd_box.install(units)
    return systemd_box


def unexpected(case, theirs, ours):
    """Differences that no rule allows."""
    return [d for d in compare(theirs, ours)
            if not any(fnmatch.fnmatch(d.split(":")[0], f"*{where}*") for where in case.differ)]


@pytest.mark.parametrize("case", CASES, ids=[c.name for c in CASES])
def test_same_as_systemd(judged, case):
    theirs = activators.under_systemd(case, judged)
    ours, log = activators.under_sallyport(case, judged)
    why = None if ours["started"] else activators.refusal(case, judged)
    if why:
        pytest.xfail(why)
    if case.pending and unexpected(case, theirs, ours):
        pytest.xfail(case.pending)
    if case.refused:
        assert not ours["started"] and f"error: {case.name}" in log.replace("nosuch-", ""), log
        return
    found = unexpected(case, theirs, ours)
    log = "\n".join(log.splitlines()[-12:])
    if case.records:
        assert theirs["records"] or not theirs["started"], f"systemd gave no record: {theirs}"
    assert not found, "\n".join([case.about, *found, "--- log", log])
