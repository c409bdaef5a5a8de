"""test_count.py - the counter of ./do test sees single tests, crashes, and skips nobody expects."""
import os
import subprocess

COUNT = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "count.py")
PYTEST = ("..s.\n=== short test summary info ===\n"
          "SKIPPED [2] tests/x.py:9: needs a kernel of tomorrow\n3 passed, 2 skipped in 0.10s\n")
CMOCKA = ("[==========] Running 3 test(s).\n[ RUN      ] a\n[       OK ] a\n"
          "[ RUN      ] b\n[  ERROR   ] --- [   LINE   ] --- t.c:6: error: Failure!\n"
          "[  FAILED  ] b\n[ RUN      ] c\nneeds root\n[  SKIPPED ] c\n"
          "[==========] 3 test(s) run.\n[  PASSED  ] 1 test(s).\n"
          "[  SKIPPED ] 1 test(s), listed below:\n[  SKIPPED ] c\n\n 1 SKIPPED TEST(S)\n"
          "[  FAILED  ] 1 test(s), listed below:\n[  FAILED  ] b\n\n 1 FAILED TEST(S)\n")


def count(tmp_path, cases, ci=""):
    xml = "".join(f'<testcase name="{n}" status="{s}"><system-out>{o}</system-out></testcase>'
                  for n, s, o in cases)
    path = tmp_path / "tests.xml"
    path.write_text(f"<testsuite>{xml}</testsuite>", encoding="utf-8")
    r = subprocess.run(["/usr/bin/python3", "-B", COUNT, f"gcc={path}"], capture_output=True,
                       text=True, env={**os.environ, "CI": ci})
    return r.returncode, r.stdout


def test_single_tests_are_counted(tmp_path):
    code, out = count(tmp_path, [("py", "run", PYTEST), ("fuzz_x", "run", "9 inputs\n")])
    assert (code, out.splitlines()[-1]) == (0, "4 passed, 0 failed, 2 skipped")
    assert "needs a kernel of tomorrow" in out


def test_a_failed_one_of_three(tmp_path):
    code, out = count(tmp_path, [("c", "fail", CMOCKA)])
    assert (code, out.splitlines()[-1]) == (1, "1 passed, 1 failed, 1 skipped")
    assert "c: needs root" in out


def test_a_crash_is_a_failure_whatever_was_printed(tmp_path):
    code, out = count(tmp_path, [("py", "fail", "5 passed in 0.1s\n"), ("x", "fail", "")])
    assert (code, out.splitlines()[-1]) == (1, "4 passed, 2 failed, 0 skipped")


def test_an_unexpected_skip_fails_in_ci_only(tmp_path):
    cases = [("py", "run", PYTEST)]
    assert count(tmp_path, cases)[0] == 0
    assert count(tmp_path, cases, ci="true")[0] == 1


def test_nothing_ran(tmp_path):
    assert count(tmp_path, [])[0] == 1


def test_a_build_that_failed_is_a_failure():
    r = subprocess.run(["/usr/bin/python3", "-B", COUNT, "clang=broken"], capture_output=True,
                       text=True)
    assert r.returncode == 1 and "clang: did not build" in r.stdout
