"""At the moment of exec the server image has no root: every exec of the whole tree, watched.

The tracer stops each process at its exec, before the first instruction of the new image.
"""

import subprocess

import pytest

from support.box import LAUNCHER, PROBE, wait_for
from support.probe import client
from support.trace import TRACER, events, violations

SYS_CHROOT = 1 << 18
SVC = {"uid": 4001, "gid": 4001, "groups": {4001, 4101, 4102}}
OTHER = {"uid": 4002, "gid": 4002, "groups": {4002}}
UNITS = {
    "one.socket": "[Socket]\nListenStream=80\n",
    "one.service": f"[Service]\nUser=svc\nExecStart={PROBE} --serve\n",
    "two.socket": "[Socket]\nListenStream=443\nListenStream=/run/two.sock\n",
    "two.service": f"[Service]\nType=notify\nUser=other\n"
                   f"ExecStart={PROBE} --notify READY=1 --serve\n",
    "conn.socket": "[Socket]\nListenStream=82\nAccept=yes\n",
    "conn@.service": f"[Service]\nUser=svc\nStandardInput=socket\n"
                     f"ExecStart={PROBE} --greet\n",
    "around.service": f"[Service]\nUser=other\nRuntimeDirectory=around\n"
                      f"ExecStartPre={PROBE} --exit 0 -- pre\n"
                      f"ExecStart={PROBE} --hang -- main\n"
                      f"ExecStartPost={PROBE} --exit 0 -- post\n"
                      f"ExecStop={PROBE} --exit 0 -- stop\n"
                      f"ExecStopPost={PROBE} --exit 0 -- stop-post\n",
    "three.service": f"[Service]\nUser=svc\nGroup=lonely\nSupplementaryGroups=svcextra\n"
                     f"ExecStart={PROBE} --hang\n",
}


@pytest.fixture(scope="module")
def traced(box):
    """All execs of a run in which every kind of service starts, one of them twice."""
    with box.launcher("one.socket", "two.socket", "three.service", "conn.socket",
                      "around.service", units=UNITS,
                      wrapper=[TRACER, "/tmp/run.trace"]) as run:
        with client(box, "127.0.0.1:80") as c:
            first = c.ask("pid")
            c.say("exit 1")
        with client(box, "/run/two.sock") as c:
            c.ask("pid")
        run.wait_line("one.service: started")
        with client(box, "127.0.0.1:80", timeout=20) as c:
            assert c.ask("pid") != first
        for _ in range(2):
            with box.connect("127.0.0.1:82") as s:
                assert s.recv(1) == b"{"
        wait_for(lambda: sum(PROBE in line for _, line in box.processes("/launcher")) >= 4,
                 text="four services")
    return events(box, "/tmp/run.trace")


def of(traced, *argv):
    return [e for e in traced if e["argv"][:len(argv)] == list(argv)]


def test_every_service_image_starts_without_any_privilege(traced):
    one, two = of(traced, PROBE, "--serve"), of(traced, PROBE, "--notify")
    assert len(one) == 2 and len(two) == 1
    for event in one:
        assert violations(event, **SVC) == []
    assert violations(two[0], **OTHER) == []
    three, = [e for e in of(traced, PROBE, "--hang") if e["argv"][-1] == "--hang"]
    assert violations(three, uid=4001, gid=4103, groups={4103, 4101, 4102}) == []


def test_every_connection_has_an_image_without_privilege(traced):
    found = of(traced, PROBE, "--greet")
    assert len(found) == 2
    for event in found:
        assert violations(event, **SVC) == []


def test_commands_around_a_service_have_no_more_than_it(traced):
    found = {e["argv"][-1]: e for e in traced
             if e["exe"] == PROBE and e["uids"][0] == OTHER["uid"]}
    for word in ("pre", "main", "post", "stop", "stop-post"):
        assert violations(found[word], **OTHER) == [], word


def test_no_service_image_ever_runs_as_root(traced):
    for event in traced:
        if event["exe"] != LAUNCHER:
            assert event["exe"] == PROBE, event
            assert 0 not in event["uids"] + event["gids"] + event["groups"], event


def test_nothing_else_is_ever_executed_but_the_two_halves(traced):
    ours = [e for e in traced if e["exe"] == LAUNCHER]
    assert [e["argv"][0] for e in ours] == [LAUNCHER, "sallyport: manager"]


def test_manager_starts_as_nobody_in_particular(traced):
    manager, = of(traced, "sallyport: manager")
    assert manager["uids"] == [4003] * 4 and manager["gids"] == [4003] * 4
    assert set(manager["groups"]) <= {4003}
    # it may enter its root directory, and drops that before it hears anything
    for name in ("effective", "permitted", "inheritable", "ambient", "bounding"):
        assert manager["cap_" + name] & ~SYS_CHROOT == 0, name
    assert manager["no_new_privs"]


@pytest.mark.parametrize("user,expected", [
    ("svc", SVC), ("other", OTHER), ("svc:lonely", {"uid": 4001, "gid": 4103,
                                                    "groups": {4103, 4101, 4102}})])
def test_exec_verb_leaves_one_process_without_privilege(box, user, expected):
    path = f"/tmp/exec.{user}.trace"
    p = box.popen([TRACER, path, LAUNCHER, "exec", "-l", "127.0.0.1:81", "-u", user, "--",
                   PROBE, "--once", "--serve"], stdin=subprocess.DEVNULL)
    wait_for(lambda: any("0051" in a for k, a in box.sockets() if k == "tcp"), text="port 81")
    with client(box, "127.0.0.1:81") as c:
        assert c.record()["ids"]["suid"] == expected["uid"]
        names = {line.split()[0] for _, line in box.processes("/test")}
        assert names == {TRACER, PROBE}  # nothing of ours stays
    assert p.wait(5) == 0
    seen = events(box, path)
    assert [e["exe"] for e in seen] == [LAUNCHER, PROBE]
    assert violations(seen[1], **expected) == []


# -- the checks can fail: the same tracer over programs that do have something --

SETPRIV = ["setpriv", "--reuid", "4001", "--regid", "4001", "--groups", "4101,4102"]
CLEAN = [*SETPRIV, "--bounding-set", "-all", "--inh-caps", "-all", "--no-new-privs"]
WRONG = [
    ("nothing", CLEAN, []),
    ("one ambient capability",
     [*SETPRIV, "--inh-caps", "-all,+net_raw", "--ambient-caps", "+net_raw", "--no-new-privs"],
     ["ambient", "bounding", "effective", "inheritable", "permitted"]),
    ("only the bounding set", [*SETPRIV, "--inh-caps", "-all", "--no-new-privs"], ["bounding"]),
    ("no_new_privs off", CLEAN[:-1], ["no_new_privs"]),
    ("root's group", ["setpriv", "--reuid", "4001", "--keep-groups", *CLEAN[7:]], ["gids"]),
    ("one group too many", [*CLEAN[:5], "--groups", "4101,4103", *CLEAN[7:]], ["groups"]),
    ("still root", ["setpriv", "--no-new-privs"], ["uids", "gids"]),
]


@pytest.mark.parametrize("label,command,wanted", WRONG, ids=[w[0] for w in WRONG])
def test_tracer_catches(box, label, command, wanted):
    path = "/tmp/wrong." + label.replace(" ", "-").replace("'", "")
    box.run([TRACER, path, *command, PROBE, "--out", "/dev/null"])
    last = events(box, path)[-1]
    assert last["exe"] == PROBE
    found = violations(last, **SVC)
    for word in wanted:
        assert any(word in f for f in found), (word, found)
    if not wanted:
        assert found == []


def test_tracer_follows_forks_and_threads(box):
    box.run([TRACER, "/tmp/forks", "/bin/sh", "-c",
             "(/bin/true) & (exec setpriv --reuid 4001 /bin/true) & wait; /usr/bin/python3 -c '"
             "import subprocess, threading; t = threading.Thread(target=subprocess.run,"
             "args=([\"/bin/true\"],)); t.start(); t.join()'"])
    seen = [(e["exe"].rsplit("/", 1)[1], e["uids"][0]) for e in events(box, "/tmp/forks")]
    assert sorted(seen).count(("true", 0)) == 2 and ("true", 4001) in seen
