"""`sallyport exec` beside systemd-socket-activate: the same command lines, the same record.

Both bind the same address in one box, one after the other, and start the same probe; what it finds
must be equal field by field. Then what only ours does: become a user.
"""

import os
import signal
import subprocess

import pytest

from support.box import LAUNCHER, PROBE, default_environment, wait_for
from support.compare import compare, normalise
from support.probe import Client, Record, ask_datagram

THEIRS = ["/usr/bin/systemd-socket-activate"]
OURS = [LAUNCHER, "exec", "--allow-root-services"]
OURS_AS_USER = [LAUNCHER, "exec"]
ALL = "NoNewPrivileges= CapabilityBoundingSet= SecureBits="  # no deviation is allowed here
V4 = "127.0.0.1:8080"
X = "/run/exec.sock"


def listening(box, before):
    return box.sockets() - before


def run(box, command, options, script, act, env=None, wrapper=(), n_records=1, cwd="/",
        fds=(), before=None):
    """One activator from start to end: (answers, records, exit code)."""
    box.remove("/tmp/exec")
    box.mkdir("/tmp/exec", 0o777)
    box.remove(X)
    bound = box.sockets()
    p = box.popen([*wrapper, *command, *options, "--", PROBE, "--out", "/tmp/exec/record",
                   *script], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                  stderr=subprocess.PIPE, env=env, cwd=cwd, pass_fds=fds, before=before)
    try:
        wait_for(lambda: listening(box, bound) or p.poll() is not None, text="a socket")
        answers = act(box) if p.poll() is None else None
        path = box.path("/tmp/exec/record")
        if n_records:
            wait_for(lambda: p.poll() is not None or path.exists() and
                     path.read_text().count("\n") >= n_records, 3, f"{n_records} records")
        text = path.read_text() if path.exists() else ""
    finally:
        code = p.poll()
        if code is None:
            p.send_signal(signal.SIGTERM)
            p.wait(5)
        p.stderr.close()
    found = []
    for line in text.splitlines():
        record = Record(line)
        n = normalise(record, ALL)
        n.update(cgroup=record["cgroup"], keyring=record["keyring"], seccomp=record["seccomp"])
        found.append(n)
    return answers, found, code


def ask(address=V4, kind="stream", line="echo hello"):
    def act(box):
        with Client(box.connect(address, kind)) as c:
            return c.ask(line)
    return act


def ask_each(*addresses):
    def act(box):
        return [ask(a)(box) for a in addresses]
    return act


def from_port(port, address=V4, times=1):
    def act(box):
        answers = []
        for i in range(times):
            with Client(box.connect(address, source=("127.0.0.1", port + i))) as c:
                answers.append(c.ask("echo hello"))
        return answers
    return act


SERVE = ("--serve",)
CASES = {
    "port": (["-l", "8080"], SERVE, ask()),
    "v4": (["-l", V4], SERVE, ask()),
    "v6": (["-l", "[::1]:8080"], SERVE, ask("[::1]:8080")),
    "unix": (["-l", X], SERVE, ask(X)),
    "abstract": (["-l", "@exec"], SERVE, ask("@exec")),
    "long_option": (["--listen", V4], SERVE, ask()),
    "long_option_equals": ([f"--listen={V4}"], SERVE, ask()),
    "several": (["-l", V4, "-l", X, "-l", "@exec"], SERVE, ask_each(V4, X, "@exec")),
    "datagram": (["-d", "-l", V4], SERVE, lambda box: ask_datagram(box, V4, "echo hello")),
    "datagram_unix": (["--datagram", "-l", X], SERVE,
                      lambda box: ask_datagram(box, X, "echo hello")),
    "seqpacket": (["--seqpacket", "-l", X], SERVE, ask(X, "seqpacket")),
    "names": (["-l", V4, "-l", X, "--fdname=a:b"], SERVE, ask()),
    "names_separately": (["-l", V4, "-l", X, "--fdname=a", "--fdname", "b"], SERVE, ask()),
    "names_too_many": (["-l", V4, "--fdname=a:b"], SERVE, ask()),
    "names_too_few": (["-l", V4, "-l", X, "-l", "@exec", "--fdname=a:b"], SERVE, ask()),
    "name_for_all": (["-l", V4, "-l", X, "--fdname=a"], SERVE, ask()),
    "setenv": (["-l", V4, "-E", "A=1", "--setenv=B=2"], SERVE, ask()),
    "setenv_passed_on": (["-l", V4, "-E", "FROM_CALLER", "-E", "NOT_THERE"], SERVE, ask()),
    "setenv_later_wins": (["-l", V4, "-E", "A=1", "-E", "A=2"], SERVE, ask()),
    "inetd": (["--inetd", "-l", V4], SERVE, ask()),
    "inetd_datagram": (["--inetd", "-d", "-l", V4], SERVE,
                       lambda box: ask_datagram(box, V4, "echo hello")),
    "accept": (["-a", "-l", V4], SERVE, from_port(41000)),
    "accept_twice": (["-a", "-l", V4], SERVE, from_port(41010, times=2)),
    "accept_inetd": (["-a", "--inetd", "-l", V4], SERVE, from_port(41020)),
    "accept_named": (["--accept", "--fdname=conn", "-l", V4], SERVE, from_port(41030)),
    "accept_unix": (["-a", "-l", X], SERVE, ask(X)),
    "accept_seqpacket": (["-a", "--seqpacket", "-l", X], SERVE, ask(X, "seqpacket")),
    "greeting": (["-a", "--inetd", "-l", V4], ("--print", "hi\n"),
                 lambda box: box.connect(V4, source=("127.0.0.1", 41040)).recv(10).decode()),
    "bad_address": (["-l", "1.2.3.4"], SERVE, ask()),
    "no_address": ([], SERVE, ask()),
    "accept_datagram": (["-a", "-d", "-l", V4], SERVE, ask()),
    "datagram_and_seqpacket": (["-d", "--seqpacket", "-l", X], SERVE, ask()),
    "unknown_option": (["--no-such-option", "-l", V4], SERVE, ask()),
}
# Case, or part of its name: {field: why it differs on purpose}. "" counts for every case.
MEANT = {
    "accept": {"parent_death_signal": "a connection is served to its end",
               "rlimits.NOFILE": "the caller's limit is left alone"},
    "greeting": {"parent_death_signal": "as above", "rlimits.NOFILE": "as above"},
    "setenv_passed_on": {"environment.NOT_THERE": "a variable that is not there stays so"},
    "names_too": {"LISTEN_FDNAMES": "as many names as descriptors, as the manual has it; theirs is "
                                    "a list that sd_listen_fds_with_names(3) refuses",
                  "].name": "the same"},
}
ENV = {**default_environment(), "HOME": "/root", "USER": "root", "TERM": "dumb", "LANG": "C.UTF-8",
       "FROM_CALLER": "yes", "LISTEN_FDS": "x", "NOTIFY_SOCKET": "/nowhere", "SECRET": "1",
       "WATCHDOG_USEC": "7", "JOURNAL_STREAM": "1:2"}


@pytest.fixture(scope="module", autouse=True)
def needs_theirs():
    if not os.path.exists(THEIRS[0]):
        pytest.skip(f"needs {THEIRS[0]}")


def unexpected(name, theirs, ours, meant=()):
    """Differences that nobody meant."""
    allowed = [field for part, fields in MEANT.items() if part in name for field in fields]
    return [d for d in compare(theirs, ours, "record")
            if not any(field in d.split(": ")[0] for field in [*allowed, *meant])]


def both(box, name, ours=OURS, **kw):
    options, script, act = CASES[name]
    wait_for(lambda: not any(a in str(s) for s in box.sockets() for a in (X, "1F90", "@exec")),
             text="the last case's sockets to close")
    records = 2 if name == "accept_twice" else 1
    theirs = run(box, THEIRS, options, script, act, n_records=records, **kw)
    mine = run(box, ours, options, script, act, n_records=records, **kw)
    return theirs, mine


@pytest.mark.parametrize("name", CASES)
def test_as_root(box, name):
    env = {**ENV}
    env.pop("LISTEN_FDS")
    (answers, theirs, code), (my_answers, mine, my_code) = both(box, name, env=env)
    assert my_answers == answers
    assert unexpected(name, theirs, mine) == []
    assert (my_code in (None, 0)) == (code in (None, 0)), (code, my_code)


@pytest.mark.parametrize("name", ["port", "abstract", "datagram", "accept", "accept_inetd"])
def test_as_a_plain_user(box, name):
    """No root anywhere: high ports, own units, the same record."""
    wrapper = ["setpriv", "--reuid", "4001", "--regid", "4001", "--init-groups"]
    (answers, theirs, _), (my_answers, mine, _) = both(box, name, ours=OURS_AS_USER,
                                                       wrapper=wrapper, env=ENV | {"LISTEN_FDS": ""})
    assert my_answers == answers and theirs
    assert unexpected(name, theirs, mine, ["no_new_privs"]) == []  # ours sets it, always


def test_dirty_caller(box):
    """What the caller had open, blocked, ignored or masked: as systemd-socket-activate leaves it."""
    def dirty():
        os.umask(0o077)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        for fd in range(30, 34):
            os.dup2(0, fd)

    (answers, theirs, _), (my_answers, mine, _) = both(
        box, "port", env={k: v for k, v in ENV.items() if k != "LISTEN_FDS"}, before=dirty,
        cwd="/usr/share")
    assert my_answers == answers
    # theirs hands down what was open and what was ignored; ours starts clean
    assert unexpected("port", theirs, mine, [".fds", "signals.ignored"]) == []
    assert theirs[0]["signals"]["ignored"] == [1] and mine[0]["signals"]["ignored"] == []
    assert [f["number"] for f in mine[0]["fds"]] == [0, 1, 2, 3]


def test_becomes_a_user_and_nothing_stays(box):
    answers, records, _ = run(box, OURS_AS_USER, ["--listen", "80", "--user", "svc"], SERVE,
                              ask("127.0.0.1:80"))
    assert answers == "hello"
    record, = records
    assert set(record["ids"].values()) == {4001}
    assert record["groups"] == [4001, 4101, 4102]
    assert {v for v in record["capabilities"].values()} == {"0" * 16}
    assert record["no_new_privs"] is True and record["environment"]["LISTEN_PID"] == "itself"


def test_refuses_to_run_a_command_as_root_unasked(box):
    r = box.run([*OURS_AS_USER, "-l", V4, "--", PROBE], check=False)
    assert r.returncode != 0 and "--allow-root-services" in r.stderr


def test_takes_over_the_sockets_it_was_given(box):
    """Started by an activator itself: theirs first, in their places, then its own."""
    inner = [LAUNCHER, "exec", "--allow-root-services", "-l", X, "--fdname", "first:second", "--"]
    outer = ["/usr/bin/systemd-socket-activate", "-l", V4]
    theirs_inner = ["/usr/bin/systemd-socket-activate", "-l", X, "--fdname=first:second"]

    def act(box):
        with Client(box.connect(V4)) as c:
            return c.ask("echo hello")

    box.remove(X)
    found = []
    for middle in (theirs_inner, inner):
        box.remove("/tmp/chain")
        box.remove(X)
        bound = box.sockets()
        p = box.popen([*outer, *middle, PROBE, "--out", "/tmp/chain", "--serve"],
                      stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(lambda: box.sockets() - bound, text="a socket")
        assert act(box) == "hello"
        record = Record(box.read("/tmp/chain").splitlines()[0])
        found.append([(f["number"], f["name"], f["socket"]["address"]) for f in record.passed])
        p.terminate()
        p.wait(5)
    assert found[0] == found[1] and len(found[1]) == 2
