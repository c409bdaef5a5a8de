#!/usr/bin/python3
"""Starts one program as a service manager would: other user, no capability, sockets from 3 up.

usage: activate.py USER[+GROUP] NAME=FD[,NAME=FD...] COMMAND...

Independent of our launcher on purpose: what is tested here is the signer and the worker.
"""
import grp
import os
import pwd
import sys

user, names, command = sys.argv[1], sys.argv[2], sys.argv[3:]
pairs = [p.split("=") for p in names.split(",") if p]
moved = [os.dup2(int(fd), 100 + i) for i, (_, fd) in enumerate(pairs)]
for i, fd in enumerate(moved):
    os.dup2(fd, 3 + i)
os.closerange(3 + len(moved), 4096)
os.environ.update(LISTEN_FDS=str(len(moved)), LISTEN_PID=str(os.getpid()),
                  LISTEN_FDNAMES=":".join(name for name, _ in pairs))
if os.getuid() == 0:
    name, _, more = user.partition("+")
    who = pwd.getpwnam(name)
    os.setgroups([grp.getgrnam(more).gr_gid] if more else [])
    os.setresgid(who.pw_gid, who.pw_gid, who.pw_gid)
    os.setresuid(who.pw_uid, who.pw_uid, who.pw_uid)
os.execv(command[0], command)
