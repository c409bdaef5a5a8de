"""The probe server is the witness of all other tests: does it see what is there?

Each case arranges one thing by hand, without any activator, and looks for it in the record.
"""

import fcntl
import json
import os
import resource
import signal
import socket
import subprocess

import pytest

from support.paths import TOOLS
from support.probe import Client, Record

PROBE = TOOLS / "probe"


def record(before=None, env=None, fds=(), cwd="/", argv=()):
    """The record of a probe started by hand, with `fds` as 3, 4, ..."""
    def enter():
        for number, fd in enumerate(fds, 3):
            os.dup2(fd, number + 50)
        for number in range(3, 3 + len(fds)):
            os.dup2(number + 47 + 3, number)
        if before:
            before()

    high = [os.dup(fd) for fd in fds]
    try:
        p = subprocess.run(
            ["/bin/bash", "-c", 'export LISTEN_PID=$$; exec "$@"', "bash", PROBE, "--out",
             "-", *argv],
            env=env or {}, cwd=cwd, preexec_fn=enter if before or fds else None,
            pass_fds=range(3, 3 + len(fds)) if fds else (), stdout=subprocess.PIPE, check=True)
    finally:
        for fd in high:
            os.close(fd)
    return Record(p.stdout)


def test_record_is_sorted_and_versioned():
    out = subprocess.run([PROBE, "--out", "-"], stdout=subprocess.PIPE, check=True).stdout
    assert out.count(b"\n") == 1

    def ordered(pairs):
        keys = [k for k, _ in pairs]
        assert keys == sorted(keys)
        return dict(pairs)

    assert json.loads(out, object_pairs_hook=ordered)["version"] == 1


def test_arguments_after_the_script_are_recorded_as_they_are():
    words = ["", " ", "a b", "--exit", "$X", "\"", "\\", "ü", "\t"]
    assert record(argv=["--", *words])["argv"][-len(words):] == words


@pytest.mark.parametrize("name,value", [("NOFILE", (64, 128)), ("CORE", (0, 4096)),
                                        ("STACK", (1 << 20, resource.RLIM_INFINITY))])
def test_rlimit(name, value):
    kind = getattr(resource, f"RLIMIT_{name}")
    got = record(before=lambda: resource.setrlimit(kind, value))["rlimits"][name]
    assert got == ["infinity" if v == resource.RLIM_INFINITY else v for v in value]


def test_signals():
    def arrange():
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(64, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2, 40])

    got = record(before=arrange)["signals"]
    assert got["blocked"] == [signal.SIGUSR2, 40]
    assert signal.SIGHUP in got["ignored"] and 64 in got["ignored"]
    assert got["caught"] == []


def test_umask_directory_nice_session():
    got = record(before=lambda: (os.umask(0o27), os.nice(3), os.setsid()), cwd="/usr/share")
    assert (got["umask"], got["cwd"], got["scheduling"]["nice"]) == ("0027", "/usr/share", 3)
    assert got["session"] == got["pgrp"]


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: changes identity")
def test_every_id_and_capability_set():
    def arrange():
        os.setgroups([4102, 4101])
        os.setresgid(11, 12, 13)
        os.setresuid(21, 0, 23)

    p = subprocess.run([PROBE, "--out", "-"], preexec_fn=arrange, check=True,
                       stdout=subprocess.PIPE)
    got = Record(p.stdout)
    assert got["groups"] == [4101, 4102]
    # execve sets saved and fs ids to the effective ones
    assert got["ids"] == {"egid": 12, "euid": 0, "fsgid": 12, "fsuid": 0, "rgid": 11, "ruid": 21,
                          "sgid": 12, "suid": 0}
    assert int(got["capabilities"]["effective"], 16) != 0
    dropped = subprocess.run(
        ["setpriv", "--reuid", "4001", "--regid", "4001", "--clear-groups", "--inh-caps",
         "+net_bind_service", "--ambient-caps", "+net_bind_service", "--bounding-set",
         "-sys_admin", "--no-new-privs", "--securebits", "+noroot", PROBE, "--out",
         "-"], check=True, stdout=subprocess.PIPE).stdout
    got = Record(dropped)
    bit = f"{1 << 10:016x}"
    for name in ("ambient", "effective", "inheritable", "permitted"):
        assert got["capabilities"][name] == bit, name
    assert not int(got["capabilities"]["bounding"], 16) & 1 << 21
    assert got["no_new_privs"] is True and got["securebits"] == 1


def test_descriptors_of_every_kind(tmp_path):
    fifo, plain = tmp_path / "fifo", tmp_path / "plain"
    os.mkfifo(fifo, 0o640)
    os.chmod(fifo, 0o640)
    plain.write_text("")
    stream, unix = socket.socket(), socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_PRIORITY, 5)
    stream.bind(("127.0.0.1", 0))
    stream.listen()
    address = str(tmp_path / "unix")
    unix.bind(address)
    os.chmod(address, 0o751)
    abstract = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    abstract.bind(f"\0sallyport-test-{os.getpid()}")
    abstract.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
    pair = socket.socketpair()
    fifo_fd = os.open(fifo, os.O_RDWR | os.O_NONBLOCK)
    fcntl.fcntl(fifo_fd, fcntl.F_SETPIPE_SZ, 16384)
    file_fd = os.open(plain, os.O_WRONLY | os.O_APPEND)
    memory = os.memfd_create("x")
    fds = [stream.fileno(), unix.fileno(), abstract.fileno(), pair[0].fileno(), fifo_fd, file_fd,
           memory]
    got = record(fds=fds, env={"LISTEN_FDS": "6", "LISTEN_FDNAMES": "web:ctl::pair:fifo:file"})
    for fd in (fifo_fd, file_fd, memory):
        os.close(fd)
    for s in (stream, unix, abstract, *pair):
        s.close()

    f = got.fds
    assert [f[n]["name"] for n in range(3, 10)] == ["web", "ctl", "", "pair", "fifo", "file", None]
    assert f[3]["socket"]["listening"] and f[3]["socket"]["family"] == "inet"
    assert f[3]["socket"]["address"].startswith("127.0.0.1:")
    options = f[3]["socket"]["options"]
    assert (options["TCP_NODELAY"], options["SO_KEEPALIVE"], options["SO_PRIORITY"]) == (1, 1, 5)
    assert f[4]["socket"]["type"] == "seqpacket" and f[4]["socket"]["address"] == address
    assert f[4]["socket"]["path"]["mode"] == "0751" and not f[4]["socket"]["listening"]
    assert f[5]["socket"]["address"] == f"@sallyport-test-{os.getpid()}"
    assert f[5]["socket"]["options"]["SO_PASSCRED"] == 1
    assert f[6]["socket"]["peer"] == "" and f[6]["socket"]["address"] == ""
    assert f[7]["type"] == "fifo" and f[7]["flags"] == ["NONBLOCK", "RDWR"]
    assert f[7]["pipe_bytes"] == 16384 and f[7]["path"]["mode"] == "0640"
    assert f[8]["flags"] == ["APPEND", "WRONLY"] and f[8]["target"] == str(plain)
    assert f[9]["target"].startswith("/memfd:x")
    assert not any(f[n]["cloexec"] for n in range(3, 10))


def test_names_count_only_for_the_pid_they_were_meant_for():
    listener = socket.create_server(("127.0.0.1", 0))
    with listener:
        p = subprocess.run([PROBE, "--out", "-"], stdout=subprocess.PIPE, check=True,
                           pass_fds=[listener.fileno()],
                           env={"LISTEN_PID": "1", "LISTEN_FDS": "1", "LISTEN_FDNAMES": "x"})
    assert all(f["name"] is None for f in Record(p.stdout)["fds"])


def test_serves_commands_on_a_connection():
    ours, theirs = socket.socketpair()
    with subprocess.Popen([PROBE, "--serve"], stdin=theirs) as p:
        theirs.close()
        with Client(ours) as client:
            assert client.ask("echo hello  world") == "hello  world"
            assert client.ask("pid") == str(p.pid) == str(client.record()["pid"])
            assert client.ask("bytes 100000") == "x" * 100000
            assert client.ask("notify READY=1") == "ENOENT"
            assert client.ask("try open /nowhere") == "ENOENT"
            assert client.ask("what") == "unknown: what"
            client.say("exit 7")
        assert p.wait(5) == 7


def test_attempts_are_really_made(tmp_path):
    """The same attempts that must fail for a service succeed for somebody with the right."""
    if os.geteuid() != 0:
        pytest.skip("needs root: root may do all of it")
    ours, theirs = socket.socketpair()
    with subprocess.Popen([PROBE, "--serve"], stdin=theirs) as p, Client(ours) as client:
        theirs.close()
        other = subprocess.Popen(["sleep", "100"])
        for line in ("setuid 0", "setresuid 0", "setfsuid 4001", "setfsuid 0", "setgid 0",
                     "setgroups 0", "bind 79", "nice 1", f"kill {other.pid} 0",
                     f"open /proc/{other.pid}/mem r", f"ptrace {other.pid}",
                     f"take-fd {other.pid} 0", "run /bin/true", "capability 21"):
            assert client.ask(f"try {line}") == "ok", line
        other.kill()
        other.wait()
        assert client.ask("try run /usr/bin/id -u") == "0"
        client.say("exit 0")
