"""test_lints.py - a lint that cannot fail protects nothing: each one meets a planted violation, and
the same tree without it."""
import json
import os
import shutil
import subprocess
import textwrap

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(os.path.dirname(HERE))

HEADER = """\
/*
 * thing.h - a thing.
 * Runs as: every process of ours.
 * Tests:   tests/unit/test_thing.c
 */
#pragma once

/* Does it. */
int thing_do(int n);
"""
CODE = """\
/*
 * thing.c - see thing.h.
 */
#include "common/thing.h"

int
thing_do(int n)
{
	return n + 1;
}
"""
BUILD = """\
cmake_minimum_required(VERSION 3.25)
project(x C)
add_compile_options(-Werror)
include_directories(${CMAKE_SOURCE_DIR})
add_library(x STATIC common/thing.c)
"""


@pytest.fixture
def tree(tmp_path):
    """A little project that is in order."""
    put(tmp_path, "common/thing.h", HEADER)
    put(tmp_path, "common/thing.c", CODE)
    put(tmp_path, "launcher/main.c", "/*\n * main.c - it wires.\n * Runs as: root.\n"
        " * Tests:   tests/unit/test_thing.c\n */\nint\nmain(void)\n{\n\treturn 0;\n}\n")
    put(tmp_path, "tests/unit/test_thing.c", "int thing_do(int n);\n")
    put(tmp_path, "docs/man/thing.8", "")
    put(tmp_path, "CMakeLists.txt", BUILD)
    for name in (".clang-format", ".clang-tidy"):
        shutil.copy(os.path.join(SOURCE, name), tmp_path)
    put(tmp_path, "build/compile_commands.json", json.dumps([{
        "directory": str(tmp_path), "file": str(tmp_path / "common/thing.c"),
        "command": f"gcc -I{tmp_path} -std=c11 -Wall -Wextra -Werror -c common/thing.c"}]))
    put(tmp_path, "build/CMakeCache.txt", "")
    put(tmp_path, "docs/man/thing.8", ".Dd January 1, 2026\n.Dt THING 8\n.Os\n.Sh NAME\n.Nm thing\n"
        ".Nd a thing\n.Sh DESCRIPTION\nText.\n")
    return tmp_path


def put(root, path, text):
    full = os.path.join(root, path)
    os.makedirs(os.path.dirname(full), exist_ok=True)
    with open(full, "w", encoding="utf-8") as f:
        f.write(text)


def lint(script, root, *args):
    shell = ["/usr/bin/python3", "-B"] if script.endswith("py") else ["sh"]
    r = subprocess.run([*shell, os.path.join(HERE, script), str(root), str(root / "build"), *args],
                       capture_output=True, text=True)
    return r.returncode, r.stdout + r.stderr


def bad(code):
    return CODE + textwrap.dedent(code)


PLANTED = [
    # script, file, its content, what must be said
    ("includes.py", "common/thing.c", CODE + '#include "launcher/unit/plan.h"\n',
     r"common/thing.c:11: common may not include launcher/unit/plan.h"),
    ("includes.py", "launcher/manager/a.c", '#include "launcher/load/load.h"\n',
     r"launcher/manager may not include launcher/load/load.h"),
    ("includes.py", "launcher/monitor/a.c", "#include <openssl/ssl.h>\n", r"a.c:1: <openssl/ssl.h>"),
    ("includes.py", "common/a.c", "#include <systemd/sd-daemon.h>\n", r"a.c:1: <systemd/"),
    ("includes.py", "worker/a.c", '#include "launcher/unit/plan.h"\n', r"worker may not include"),
    ("sizes.py", "common/long.c", "int\nlong_one(void)\n{\n" + "\n" * 99 + "\treturn 0;\n}\n",
     r"common/long.c:2: long_one: 102 lines|common/long.c:2: long_one: 10\d lines"),
    ("sizes.py", "worker/big.c", "\n" * 501, r"worker/big.c:1: file: 501 lines, at most 500"),
    ("names.py", "worker/x.c", "static int\nthing_do(int n)\n{\n\treturn n;\n}\n",
     r"worker/x.c:2: thing_do is also in common/thing.c:7"),
    ("style.py", "common/thing.c", CODE + "// no\n", r"common/thing.c:11: // comment"),
    ("style.py", "common/thing.c", bad("""
        void f(char *p)
        {
        	strcpy(p, "x");
        }
        """), r"common/thing.c:14: strcpy\(\) is banned"),
    ("style.py", "tests/unit/test_thing.c", "int f(void) { return atoi(\"1\"); }\n", r"atoi\(\)"),
    ("style.py", "common/thing.c", CODE + "/* XXX later */\n", r"thing.c:11: XXX without an issue"),
    ("style.py", "common/thing.h", HEADER.replace("/* Does it. */\n", ""),
     r"common/thing.h:8: thing_do is not documented"),
    ("style.py", "common/thing.h", HEADER.replace(" * Runs as: every process of ours.\n", ""),
     r'common/thing.h:1: the opening comment lacks "Runs as:"'),
    ("style.py", "common/thing.h", HEADER.replace("test_thing.c", "test_gone.c"),
     r"names a test that is not there: tests/unit/test_gone.c"),
    ("style.py", "common/thing.c", CODE.replace("thing.c -", "thong.c -"), r"must open with"),
    ("style.py", "common/thing.c", CODE.replace('#include "', '#include <errno.h>\n#include "'),
     r"includes its own header common/thing.h first"),
    ("style.py", "common/thing.h", HEADER.replace("#pragma once\n", ""), r"lacks #pragma once"),
    ("style.py", "common/thing.c", CODE + "typedef struct thing *thing_p;\n", r"no typedef"),
    ("budget.py", "launcher/start/a.c", "\n" * 8000, r"lines ever run as root, at most 8000"),
    ("budget.py", "launcher/monitor/a.c", "\n" * 1501, r"lines stay as root, at most 1500"),
    ("headers.py", "common/thing.h", HEADER + "/* x */\nint f(size_t n);\n",
     r"common/thing.h:1: does not compile alone"),
    ("format.sh", "common/thing.c", CODE.replace("\treturn", "    return"), r"thing.c:8:2: error"),
    ("manuals.sh", "docs/man/thing.8", ".Dd January 1, 2026\n.Dt THING 8\n.Os\n.Sh NAME\n.Nx\n.Bogus\n",
     r"thing.8:6"),
    ("shell.sh", "do", "#!/bin/sh\nrm $1\n", r"In ./do line 2"),
    ("cppcheck.sh", "common/thing.c", bad("""
        int f(void)
        {
        	int a[2];
        	a[2] = 1;
        	return a[2];
        }
        """), r"common/thing.c:15: arrayIndexOutOfBounds"),
    ("tidy.sh", "common/thing.c", bad("""
        int f(int n);
        int f(int n)
        {
        	return sizeof(n) == sizeof(n);
        }
        """), r"thing.c:15.*misc-redundant-expression"),
    ("analyzer.sh", "common/thing.c", '#include <stdlib.h>\n' + bad("""
        void f(void);
        void f(void)
        {
        	char *p = malloc(1);
        	free(p);
        	free(p);
        }
        """), r"thing.c:18:.*double-"),
]
SCRIPTS = sorted({p[0] for p in PLANTED})


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_tree_in_order_passes(tree, script):
    put(tree, "do", "#!/bin/sh\ntrue\n")
    code, out = lint(script, tree)
    assert code == 0, out


@pytest.mark.parametrize("script,path,text,said", PLANTED,
                         ids=[f"{p[0]}-{i}" for i, p in enumerate(PLANTED)])
def test_a_planted_violation_is_found(tree, script, path, text, said):
    import re
    put(tree, path, text)
    code, out = lint(script, tree)
    assert code not in (0, 77) and re.search(said, out), out


ROWS = """\
#define ROW(sec, class, name, text) { SECTION_##sec, DIRECTIVE_##class, name, NULL, 0, NULL, text }
#define ENFORCED(sec, name, parse, field, text) ROW(sec, ENFORCED, name, text)
#define REFUSED(sec, name, off, text) ROW(sec, REFUSED, name, text)
#define OFF "not built yet"
const struct directive directive_table[] = {
	ENFORCED(SOCKET, "Backlog", parse_u32, unit.socket.backlog, "Queue of listen(2)."),
	REFUSED(SOCKET, "Accept", NULL, OFF),
};
"""


def test_a_directive_without_its_manual_is_found(tree):
    for path in ("docs/man/sallyport.unit.5", "tests/fuzz/fuzz_unit_file.dict"):
        put(tree, path, "".join(f'.\\" begin {c}\n.\\" end {c}\n'
                                for c in ("enforced", "noted", "refused")))
    put(tree, "launcher/load/table.c", ROWS)
    code, out = lint("directives.py", tree)
    assert code == 1 and "docs/man/sallyport.unit.5:2: is not what the table says" in out
    assert "fuzz_unit_file.dict" in out
    assert lint("directives.py", tree, "--write")[0] == 0
    assert lint("directives.py", tree)[0] == 0
    put(tree, "launcher/load/table.c", ROWS.replace("Accept", "MaxConnections"))
    assert lint("directives.py", tree)[0] == 1
    put(tree, "launcher/load/table.c", ROWS.replace("Accept", "Backlog"))
    assert "[Socket] Backlog= has two rows" in lint("directives.py", tree)[1]
    put(tree, "launcher/load/table.c", ROWS.replace('"Accept"', "ACCEPT"))
    assert "1 of 2 rows can be read" in lint("directives.py", tree)[1]


def test_the_budget_counts_what_root_reaches_and_not_what_it_does_not(tree):
    def count():
        return int(lint("budget.py", tree)[1].split("ever root: ")[1].split()[0])

    before = count()
    put(tree, "launcher/load/far.c", "int\nfar_one(void)\n{\n\treturn 0;\n}\n")
    put(tree, "common/near.c", "int\nnear_one(void)\n{\n\treturn 0;\n}\n")
    assert count() == before
    put(tree, "launcher/start/run.c", "int\nrun(void)\n{\n\treturn near_one();\n}\n")
    assert count() == before + 10


def test_waivers_have_to_be_needed_and_have_a_reason(tree):
    put(tree, "worker/big.c", "\n" * 501)
    put(tree, "waivers.txt", "worker/big.c 510 a table of the RFC\n")
    assert lint("sizes.py", tree, str(tree / "waivers.txt"))[0] == 0
    put(tree, "waivers.txt", "worker/big.c 510 a table of the RFC\nworker/x.c 510 it was long\n")
    assert "not needed any more: worker/x.c" in lint("sizes.py", tree, str(tree / "waivers.txt"))[1]
    put(tree, "waivers.txt", "worker/big.c 510\n")
    assert "without a reason" in lint("sizes.py", tree, str(tree / "waivers.txt"))[1]


def test_a_library_too_many_and_a_soft_binary_are_found(tree):
    os.makedirs(tree / "build/bin")
    put(tree, "a.c", "int main(int n, char **v) { (void)v; return n - 1; }\n")
    subprocess.run(["gcc", "-no-pie", "-Wl,--no-as-needed", "-Wl,-z,norelro", "-lm", "-o",
                    tree / "build/bin/sallyport", tree / "a.c"], check=True)
    code, out = lint("binaries.py", tree)
    assert code == 1 and "libm.so.6" in out
    for fact in ("PIE", "BIND_NOW", "RELRO", "stack protectors", "FORTIFY"):
        assert f"({fact})" in out or fact in out, fact


def test_an_option_without_its_manual_is_found(tree):
    program = tree / "build/bin/sallyport-keyd"
    put(tree, "build/bin/sallyport-keyd", "#!/bin/sh\necho '  --key FILE, --help'\n")
    program.chmod(0o755)
    put(tree, "docs/man/sallyport-keyd.8", ".It Fl Fl help\n.It Fl Fl key Ar file\n")
    code, out = lint("options.py", tree)
    assert code == 0, out
    put(tree, "docs/man/sallyport-keyd.8", ".It Fl Fl help\n.It Fl Fl debug\n")
    code, out = lint("options.py", tree)
    assert code == 1 and "does not have --key" in out and "has --debug" in out


def test_no_binary_at_all_is_no_success(tree):
    assert lint("binaries.py", tree)[0] == 1
