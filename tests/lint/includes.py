#!/usr/bin/python3
"""includes.py ROOT - who may include whom across privilege domains, and which libraries where.

The folders are the privilege domains (docs/ARCHITECTURE.md). A row lists what a domain may include
of the others: whole folders, or single headers where a folder would be too much.
"""
import re
import sys

from lintlib import Report, sources

ALLOWED = {
    "common": [],
    # The plan, and the little that is left to do with names: what root reads.
    "launcher/unit": ["common"],
    # Reads text and writes the plan, in a process that may read and nothing else.
    "launcher/load": ["common", "launcher/unit"],
    # Runs in the child: reads the plan, never a unit file.
    "launcher/enter": ["common", "launcher/unit"],
    # Resident root: the same, so that no parser can be reached from a running monitor.
    "launcher/monitor": ["common", "launcher/unit", "launcher/enter"],
    # Before the monitor is the monitor: starts the reader, opens, confines, hands over.
    "launcher/start": ["common", "launcher/unit", "launcher/enter", "launcher/monitor",
                       "launcher/load/run_plan.h", "launcher/load/exec_plan.h",
                       "launcher/help.h",
                       "launcher/load/caller.h", "launcher/user"],
    # When the last right is gone and nothing was executed yet.
    "launcher/user": ["common", "launcher/unit", "launcher/enter"],
    # The unprivileged half knows the plan and the conversation, nothing of how root does things.
    "launcher/manager": ["common", "launcher/unit", "launcher/monitor/msg.h",
                         "launcher/start/heritage.h", "launcher/enter/enter.h",
                         "launcher/enter/peer.h", "launcher/user/spawn.h"],
    # The operator's verbs: check loads units, the others speak to the manager's control socket.
    "launcher/ctl": ["common", "launcher/unit", "launcher/load", "launcher/manager/control.h"],
    "launcher": ["common", "launcher"],  # main.c wires
    # What worker and signer say to each other is written down once, with neither's code in it.
    "worker": ["common", "signer/proto.h", "signer/scheme.h"],
    "signer": ["common"],
}
# Of libraries: in which folders a system header may appear at all.
LIBRARIES = [
    (re.compile(r"openssl/"), ("worker/tls", "worker/site/auth.c", "signer")),
    (re.compile(r"ev\.h$"), ("worker",)),
    (re.compile(r"systemd/"), ("worker", "signer")),
    (re.compile(r"seccomp\.h$"), ("launcher", "worker", "signer")),
    (re.compile(r"sys/capability\.h$"), ()),  # libcap: capset(2) is one call, see linux/capability.h
]
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:<([^>]+)>|"([^"]+)")', re.M)


def domain_of(path):
    return max((d for d in ALLOWED if path.startswith(d + "/")), key=len, default=None)


def main():
    root, report, n = sys.argv[1], Report(), 0
    for s in sources(root):
        mine = domain_of(s.path)
        for m in INCLUDE.finditer(s.text):
            system, own = m.groups()
            line = s.line_of(m.start())
            n += 1
            for pattern, folders in LIBRARIES:
                if system and pattern.match(system) and not any(
                        s.path == f or s.path.startswith(f + "/") for f in folders):
                    report.add(s.path, line, f"<{system}> may not be used here, only in "
                               + (", ".join(folders) or "no folder"))
            if own is None:
                continue
            if "/" not in own:
                report.add(s.path, line, f'"{own}": write the path from the top folder')
                continue
            theirs = domain_of(own)
            if theirs != mine and not any(
                    own == a or own.startswith(a + "/") for a in ALLOWED[mine]):
                report.add(s.path, line, f"{mine} may not include {own}")
    report.done(f"{n} includes")


if __name__ == "__main__":
    main()
