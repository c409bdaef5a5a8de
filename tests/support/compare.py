"""Where our record may differ from systemd's: the whole list, each with its reason.

normalise() takes both records to what must be equal. A rule either replaces a value by what can be
compared (a pid by "its own pid"), or removes a field on which the two differ on purpose; the latter
are the deviations that docs/DIRECTIVES.md prints.
"""

import copy
import re

HEX128 = re.compile(r"^[0-9a-f]{32}$")

# name: why. The names are those that docs/DIRECTIVES.md prints.
REASONS = {
    "numbers": "pids and inode numbers are handed out by the kernel; what is compared is whether "
               "the service leads its own session and process group",
    "order": "the order of descriptors among several socket units is undefined under systemd; here "
             "it is the plan's",
    "random": "INVOCATION_ID is random; what is compared is that it is there and well-formed",
    "systemd-exec-pid": "SYSTEMD_EXEC_PID says that systemd executed the process; we are not it",
    "locale": "PID 1 hands its own LANG down, ours starts from nothing but PATH",
    "log": "standard output and error go to the journal under systemd, to the launcher's standard "
           "error here; JOURNAL_STREAM therefore is not set",
    "cgroup": "the launcher makes no control groups",
    "keyring": "KeyringMode=: the launcher makes no session keyring",
    "notify-path": "NOTIFY_SOCKET: every service has a socket of its own here",
    "no-new-privs": "NoNewPrivileges= defaults to yes for a service that is not root's",
    "bounding": "CapabilityBoundingSet= defaults to nothing for a service that is not root's",
    "securebits": "noroot is set and locked for a service that is not root's",
    "seccomp": "the launcher's own filter (no mount, no module, no reboot, ...) is inherited",
}


def _relations(record):
    pid = record.pop("pid")
    record["leads"] = {"group": record.pop("pgrp") == pid, "session": record.pop("session") == pid}
    record.pop("ppid")
    return pid


def _environment(record, pid):
    env = dict(e.split("=", 1) for e in record["environment"])
    for name in ("LISTEN_PID", "WATCHDOG_PID"):
        if name in env:
            env[name] = "itself" if env[name] == str(pid) else env[name]
    if "INVOCATION_ID" in env and HEX128.match(env["INVOCATION_ID"]):
        env["INVOCATION_ID"] = "random"
    for name in ("NOTIFY_SOCKET", "MAINPID"):
        if name in env:
            env[name] = "set"
    for name in ("SYSTEMD_EXEC_PID", "LANG", "JOURNAL_STREAM"):
        env.pop(name, None)
    record["environment"] = env


def _is_log(fd, log_inode):
    if fd["number"] not in (1, 2):
        return False
    if fd["type"] == "socket":
        return fd["socket"]["peer"] == "/run/systemd/journal/stdout"
    return fd["type"] == "fifo" and fd["path"]["inode"] == log_inode


def _descriptors(record, log_inode):
    for fd in record["fds"]:
        fd.setdefault("name", None)
        if _is_log(fd, log_inode):
            number = fd["number"]
            fd.clear()
            fd.update(number=number, name=None, log=True)
            continue
        fd.get("path", {}).pop("inode", None)
        fd.get("socket", {}).get("path", {}).pop("inode", None)
        if re.match(r"^(pipe|socket|anon_inode):", fd.get("target") or ""):
            fd["target"] = fd["target"].split(":")[0]


def _sort_passed(record):
    """Descriptors of several socket units: systemd's order among units is undefined."""
    passed = sorted((f for f in record["fds"] if f["name"]),
                    key=lambda f: (f["name"], f["socket"]["address"]))
    numbers = sorted(f["number"] for f in passed)
    for number, fd in zip(numbers, passed):
        fd["number"] = number
    record["fds"] = [f for f in record["fds"] if not f["name"]] + passed
    names = record["environment"]["LISTEN_FDNAMES"].split(":")
    record["environment"]["LISTEN_FDNAMES"] = ":".join(sorted(names))


def normalise(record, service_text, log_inode=None, unordered=False):
    """What must be equal of a record; service_text is the unit it came from."""
    r = copy.deepcopy(dict(record))
    pid = _relations(r)
    _environment(r, pid)
    _descriptors(r, log_inode)
    if unordered:
        _sort_passed(r)
    r.pop("cgroup")
    r.pop("keyring")
    r.pop("seccomp")
    if r["ids"]["euid"] != 0:
        if "NoNewPrivileges=" not in service_text:
            r.pop("no_new_privs")
        if "CapabilityBoundingSet=" not in service_text:
            r["capabilities"].pop("bounding")
        if "SecureBits=" not in service_text:
            r.pop("securebits")
    return r


def _short(value):
    text = repr(value)
    return text if len(text) < 200 else text[:200] + "..."


def compare(theirs, ours, path=""):
    """Every place where two normalised records differ, as text."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        found = []
        for key in sorted(theirs.keys() | ours.keys(), key=str):
            where = f"{path}.{key}" if path else str(key)
            if key not in ours:
                found.append(f"{where}: systemd {_short(theirs[key])}, ours has none")
            elif key not in theirs:
                found.append(f"{where}: systemd has none, ours {_short(ours[key])}")
            else:
                found += compare(theirs[key], ours[key], where)
        return found
    if isinstance(theirs, list) and isinstance(ours, list) and len(theirs) == len(ours):
        found = []
        for i, (a, b) in enumerate(zip(theirs, ours)):
            found += compare(a, b, f"{path}[{i}]")
        return found
    return [] if theirs == ours else [f"{path}: systemd {theirs!r}, ours {ours!r}"]
