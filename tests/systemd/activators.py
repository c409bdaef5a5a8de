"""The two sides of the differential: the same case under systemd and under `sallyport run`."""

import contextlib
import os
import resource
import subprocess

from case import OUT
from support.compare import normalise
from support.box import LAUNCHER, wait_for
from support.probe import Record

# Sockets first, or a stopped service comes back at once; then one by one, the short names before
# the long: in one command they would be separate jobs, and race.
STOP_ALL = """
units=$(systemctl list-units --plain --no-legend --all "$1" | cut -d' ' -f1)
sockets=$(echo "$units" | grep '\\.socket$')
[ -z "$sockets" ] || systemctl stop $sockets
for unit in $(echo "$units" | grep -v '\\.socket$' | awk '{print length, $0}' | sort -n | cut -d' ' -f2)
do systemctl stop "$unit"; done
systemctl reset-failed
"""
NOFILE = (1024, 20000)  # what systemd gives its services on this box, and what our caller has


def prepare(case, box):
    box.remove(OUT)
    box.mkdir(OUT, 0o777)
    for path, what in case.files.items():
        text, mode, owner = what if isinstance(what, tuple) else (what, 0o644, (0, 0))
        if text is None:
            box.mkdir(case.text(path), mode, owner)
        else:
            box.write(case.text(path), case.text(text), mode, owner)
    for action in case.before:
        action(case, box, [])


def look(case, box):
    """What a directory entry looks like: kind, mode, owner, target of a symlink."""
    seen = {}
    for name in case.paths:
        path = box.path(case.text(name))
        try:
            st = path.lstat()
        except OSError:
            seen[name] = None
            continue
        seen[name] = {"kind": oct(st.st_mode >> 12), "mode": oct(st.st_mode & 0o7777),
                      "uid": st.st_uid, "gid": st.st_gid,
                      "target": os.readlink(path) if path.is_symlink() else None}
    return seen


def read_records(case, box):
    found = {}
    for path in sorted(box.path(OUT).iterdir()):
        found[path.name] = [Record(line) for line in path.read_text().splitlines()
                            if line.startswith("{")]
    return found


def count_records(case, box):
    return sum(len(r) for r in read_records(case, box).values())


def act(case, box):
    """What the client does, and what it saw."""
    answers, open_ones = [], []
    try:
        for action in case.client:
            try:
                answers.append(action(case, box, open_ones))
            except (OSError, EOFError) as e:
                # Whether an end is also a reset is a race: was the request there before it?
                ended = isinstance(e, (EOFError, ConnectionResetError))
                answers.append("ended" if ended else type(e).__name__)
        if case.records:
            with contextlib.suppress(AssertionError):  # too few is a difference by itself
                wait_for(lambda: count_records(case, box) >= case.records, 15)
    finally:
        for c in open_ones:
            c.close()
    return answers


def outcome(case, box, started, answers, up, log_inode=None):
    records = {name: [normalise(r, case.service_text(), log_inode, case.unordered) for r in rs]
               for name, rs in read_records(case, box).items()}
    return {"started": started, "answers": answers, "paths": up, "records": records,
            "after": look(case, box),
            "afterwards": [action(case, box, []) for action in case.afterwards]}


def under_systemd(case, box):
    """Its units are installed already."""
    prepare(case, box)
    started = box.systemctl("start", *case.started, check=False).returncode == 0
    up = look(case, box)
    answers = act(case, box) if started else []
    box.run(["/bin/sh", "-c", STOP_ALL, "sh", f"{case.name}*"], cgroup="/harness")
    seen = outcome(case, box, started, answers, up)
    clear(case, box)
    return seen


def clear(case, box):
    """What one side leaves in the file system must not be there for the other."""
    for name in case.paths:
        if name.startswith(("/run/", "/dev/mqueue/")):
            box.remove(case.text(name))


def refusal(case, box):
    """Why `sallyport check` will not have it yet; None when it is all there."""
    r = box.run([LAUNCHER, "check", *case.args, *case.started], check=False, cgroup="/launcher")
    lines = (r.stdout + r.stderr).splitlines()
    return next((x for x in lines if "refused" in x and any(
        w in x for w in ("not enforced yet", "not set yet", "not built yet", "not done here yet", "unknown"))), None)


def under_sallyport(case, box):
    prepare(case, box)
    launcher = box.launcher(
        *case.started, args=case.args, ready=False,
        before=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, NOFILE))
    launcher.start()
    log_inode = os.fstat(launcher.process.stderr.fileno()).st_ino
    started = launcher.wait_ready()
    up = look(case, box)
    answers = act(case, box) if started else []
    if started:
        assert launcher.stop() == 0, launcher.log
    else:
        launcher.process.wait(10)
    seen = outcome(case, box, started, answers, up, log_inode)
    clear(case, box)
    return seen, launcher.log


__all__ = ["refusal", "subprocess", "under_sallyport", "under_systemd"]
