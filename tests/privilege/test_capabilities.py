"""AmbientCapabilities=: only by the operator's leave, only those, and said by the audit."""

from support.box import PROBE
from support.ctl import audit, wait_state
from support.probe import client, records

UNITS = {
    "binds.socket": "[Socket]\nListenStream=80\n",
    "binds.service": "[Service]\nUser=svc\nAmbientCapabilities=CAP_NET_BIND_SERVICE\n"
                     f"ExecStart={PROBE} --serve\n",
    "plain.service": f"[Service]\nUser=other\nExecStart={PROBE} --out /tmp/plain --hang\n",
}
CLOSED = ("setuid 0", "setgid 0", "setgroups 0", "chroot /tmp", "mount /tmp", "unshare 131072")
NET_BIND_SERVICE, CHOWN = 1 << 10, 1 << 0


def test_refused_without_leave(box):
    run = box.launcher("binds.service", units=UNITS, ready=False).start()
    assert not run.wait_ready()
    assert run.process.wait(10) == 78
    assert "/etc/systemd/system/binds.service:3" in run.log
    assert "AmbientCapabilities" in run.log and "--allow-capabilities" in run.log
    run.stop()


def test_root_services_are_another_matter(box):
    run = box.launcher("binds.service", units=UNITS, ready=False,
                       args=("--allow-root-services",)).start()
    assert not run.wait_ready()
    run.process.wait(10)
    run.stop()


def test_those_and_no_more(box):
    with box.launcher("binds.socket", "plain.service", units=UNITS,
                      args=("--allow-capabilities",)) as run, client(box, "127.0.0.1:80") as c:
        wait_state(box, "plain.service", "running")
        assert c.ask("try bind 79") == "ok"
        assert [c.ask(f"try {attempt}") for attempt in CLOSED] == ["EPERM"] * len(CLOSED)
        assert [n for n in range(41) if c.ask(f"try capability {n}") != "EPERM"] == [10]
        code, found = audit(box)
        by_unit = {p["unit"]: p for p in found.values() if p.get("unit")}
        binds = by_unit["binds.service"]
        assert code == 1 and any("NET_BIND_SERVICE" in r.upper() for r in binds["reasons"]), binds
        assert not by_unit["plain.service"]["reasons"]
        plain = records(box, "/tmp/plain")[-1]["capabilities"]
        assert {k: int(v, 16) for k, v in plain.items()} == dict.fromkeys(plain, 0)
        status = {half: box.run(["cat", f"/proc/{box.inside_pid(pid)}/status"]).stdout
                  for half, pid in run.halves().items()}
        held = {half: int(text.split("CapPrm:")[1].split()[0], 16) for half, text in status.items()}
        assert held["monitor"] & NET_BIND_SERVICE and not held["monitor"] & CHOWN
        assert held["manager"] == 0
