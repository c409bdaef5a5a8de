"""A small machine of its own for a test: tests/support/box.c from Python.

    with Box() as box:
        box.write("/etc/systemd/system/web.socket", "[Socket]...")
        with box.launcher("web.socket"):
            with box.connect("127.0.0.1:80") as client:
                ...

Nothing in it can reach the machine outside: own network, processes, hostname, IPC and cgroups, and
an overlay of `/` that is thrown away. So every test may use port 80, /run/sallyport and the
default paths, whatever else runs on the machine, and leaves nothing behind.
"""

import contextlib
import ctypes
import errno
import os
import pathlib
import re
import shutil
import signal
import socket
import struct
import subprocess
import threading
import time

import pytest

from support.paths import BIN, TOOLS

_libc = ctypes.CDLL(None, use_errno=True)

# Users that exist in every box. The numbers are outside all ranges Debian hands out.
USERS = (
    ("svc", 4001, 4001, "/home/svc", "/bin/sh"),
    ("other", 4002, 4002, "/home/other", "/usr/sbin/nologin"),
    ("sallyport", 4003, 4003, "/", "/usr/sbin/nologin"),
    ("sallyport-httpd", 4004, 4004, "/", "/usr/sbin/nologin"),
    ("sallyport-keyd", 4005, 4005, "/", "/usr/sbin/nologin"),
)
GROUPS = (("svcextra", 4101, "svc"), ("svcmore", 4102, "svc"), ("lonely", 4103, ""))

LAUNCHER = "/opt/sallyport/sallyport"
PROBE = "/opt/tools/probe"


class BoxImpossible(Exception):
    """This machine lets nobody make a box; the text says what is missing."""


IMPOSSIBLE = 77  # exit code of the helper
SANITIZER = re.compile("ERROR: AddressSanitizer|runtime error:")


def _setns(fd):
    if _libc.setns(fd, 0) < 0:
        raise OSError(ctypes.get_errno(), "setns")


def open_or_skip(kind):
    """A box of that class, or a skip that says what this machine lacks."""
    if os.geteuid() != 0:
        pytest.skip("needs root: makes namespaces")
    if not (TOOLS / "box").exists():
        pytest.skip(f"needs {TOOLS}/box: build first")
    made = kind()
    try:
        made.open()
    except BoxImpossible as e:
        made.close()
        pytest.skip(f"no box on this machine: {e}")
    except BaseException:
        made.close()
        raise
    return contextlib.closing(made)


class Box:
    """See the head of this file. `init` is what PID 1 executes; None only reaps."""

    init = ()

    def __init__(self, binds=()):
        self.binds = [(str(BIN), "/opt/sallyport"), (str(TOOLS), "/opt/tools"), *binds]
        self.pid = None
        self._helper = None
        self._ns = {}
        self._root = None
        self._outside = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
        self._lock = threading.RLock()

    # -- life --

    def open(self):
        argv = [str(TOOLS / "box")]
        for source, target in self.binds:
            os.makedirs(source, exist_ok=True)
            argv += ["--bind", source, target]
        if self.init:
            argv += ["--", *self.init]
        self._helper = subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        line = self._helper.stdout.readline()
        if not line:
            why = self._helper.stderr.read().decode().strip()
            raise (BoxImpossible if self._helper.wait() == IMPOSSIBLE else RuntimeError)(why)
        self.pid = int(line)
        for kind in ("pid", "uts", "ipc", "net", "mnt"):
            self._ns[kind] = os.open(f"/proc/{self.pid}/ns/{kind}", os.O_RDONLY | os.O_CLOEXEC)
        # setns(2) leads to the root of the mount namespace. Where these tests themselves run in a
        # chroot, that is not the box's root but the machine's: so the box's own is entered, too.
        self._root = os.open(f"/proc/{self.pid}/root", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        self._add_users()
        self.prepare()
        self._helper.stdin.write(b"\n")
        self._helper.stdin.flush()
        self.booted()
        return self

    def prepare(self):
        """Called while the box stands but nothing runs in it yet."""

    def booted(self):
        """Called when PID 1 has been let go: returns when the box may be used."""

    def close(self):
        for fd in self._ns.values():
            os.close(fd)
        self._ns = {}
        if self._root is not None:
            os.close(self._root)
            self._root = None
        if self._helper:
            self._helper.stdin.close()
            try:
                self._helper.wait(10)
            except subprocess.TimeoutExpired:
                self._helper.kill()
                self._helper.wait()
            self._helper.stdout.close()
            self._helper.stderr.close()
            self._helper = None
        if self._outside is not None:
            os.close(self._outside)
            self._outside = None

    def __enter__(self):
        return self.open()

    def __exit__(self, *_):
        self.close()

    # -- files --

    def path(self, inside):
        """Where a path of the box is seen from outside."""
        return pathlib.Path(f"/proc/{self.pid}/root{inside}")

    def write(self, inside, text, mode=0o644, owner=(0, 0)):
        """A file of the box; directories on the way are made 0755 root."""
        p = self.path(inside)
        p.parent.mkdir(parents=True, exist_ok=True)
        if p.is_symlink() or p.exists():
            p.unlink()
        p.write_bytes(text if isinstance(text, bytes) else text.encode())
        os.chown(p, *owner)
        p.chmod(mode)  # after chown, which clears the setuid bit
        return inside

    def read(self, inside):
        return self.path(inside).read_text()

    def mkdir(self, inside, mode=0o755, owner=(0, 0)):
        p = self.path(inside)
        p.mkdir(parents=True, exist_ok=True)
        p.chmod(mode)
        os.chown(p, *owner)
        return inside

    def remove(self, inside):
        p = self.path(inside)
        if p.is_dir() and not p.is_symlink():
            shutil.rmtree(p)
        elif p.is_symlink() or p.exists():
            p.unlink()

    def _add_users(self):
        passwd, group = self.path("/etc/passwd"), self.path("/etc/group")
        mine = {u[0] for u in USERS} | {g[0] for g in GROUPS}

        def others(f):
            return [x for x in f.read_text().splitlines() if x.split(":")[0] not in mine]

        users = [f"{n}:x:{u}:{g}:test:{home}:{shell}" for n, u, g, home, shell in USERS]
        groups = [f"{n}:x:{g}:" for n, _, g, _, _ in USERS]
        groups += [f"{n}:x:{g}:{members}" for n, g, members in GROUPS]
        passwd.write_text("\n".join(others(passwd) + users) + "\n")
        group.write_text("\n".join(others(group) + groups) + "\n")
        self.mkdir("/home/svc", 0o755, (4001, 4001))

    # -- processes --

    def popen(self, argv, cgroup="/test", cwd="/", env=None, before=None, **kw):
        """subprocess.Popen inside the box. `before` runs in the child just before exec."""
        box_cgroup = self.path(f"/sys/fs/cgroup{cgroup}")
        box_cgroup.mkdir(exist_ok=True, parents=True)
        procs = box_cgroup / "cgroup.procs"
        cgroup_ns = os.open(f"/proc/{self.pid}/ns/cgroup", os.O_RDONLY)

        def enter():
            procs.write_text("0")
            _setns(cgroup_ns)
            for kind in ("uts", "ipc", "net", "mnt"):
                _setns(self._ns[kind])
            os.fchdir(self._root)
            os.chroot(".")
            os.chdir(cwd)
            if before:
                before()

        with self._lock:
            _setns(self._ns["pid"])  # for children of this thread only
            try:
                return subprocess.Popen(
                    [str(a) for a in argv], preexec_fn=enter, start_new_session=True,
                    env=default_environment() if env is None else env, **kw)
            finally:
                _setns(self._outside)
                os.close(cgroup_ns)

    def run(self, argv, check=True, timeout=30, input=None, **kw):
        """Runs to its end; returns CompletedProcess with text."""
        kw.setdefault("stdout", subprocess.PIPE)
        kw.setdefault("stderr", subprocess.PIPE)
        kw.setdefault("stdin", subprocess.PIPE if input is not None else subprocess.DEVNULL)
        p = self.popen(argv, text=True, **kw)
        try:
            out, err = p.communicate(input, timeout)
        except subprocess.TimeoutExpired:
            p.kill()
            out, err = p.communicate()
            raise AssertionError(f"{argv} hangs\n{out}\n{err}") from None
        assert_sane(err or "")
        if check and p.returncode != 0:
            raise AssertionError(f"{argv}: exit {p.returncode}\n{out}\n{err}")
        return subprocess.CompletedProcess(argv, p.returncode, out, err)

    def inside_pid(self, pid):
        """The pid that a process of the box, known by its pid out here, has in there."""
        for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("NSpid:"):
                return int(line.split()[-1])
        raise AssertionError(f"{pid} has no NSpid")

    def processes(self, cgroup="/test"):
        """(pid outside, command line) of all in a cgroup of the box and below."""
        found = []
        top = self.path(f"/sys/fs/cgroup{cgroup}")
        for procs in top.rglob("cgroup.procs") if top.exists() else ():
            for pid in procs.read_text().split():
                with contextlib.suppress(OSError):
                    line = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
                    state = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
                    if state != "Z":
                        found.append((int(pid), line.replace(b"\0", b" ").decode().strip()))
        return found

    # -- network --

    @contextlib.contextmanager
    def network(self):
        """Sockets made by this thread in here belong to the box."""
        here = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        with self._lock:
            _setns(self._ns["net"])
            try:
                yield
            finally:
                _setns(here)
                os.close(here)

    def connect(self, address, kind="stream", timeout=5.0, source=None):
        """A connected socket to "host:port", "[v6]:port", "/path" or "@abstract" of the box."""
        with self.network():
            family, where = self._address(address)
            s = socket.socket(family, {"stream": socket.SOCK_STREAM, "dgram": socket.SOCK_DGRAM,
                                       "seqpacket": socket.SOCK_SEQPACKET}[kind])
            s.settimeout(timeout)
            try:
                if source:  # closed by a reset: no TIME_WAIT is in the way of the next one
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    s.bind(source)
                elif family == socket.AF_UNIX and kind == "dgram":
                    s.bind("")  # a name to answer to
                s.connect(where)
            except BaseException:
                s.close()
                raise
            return s

    def _address(self, address):
        if address.startswith("@"):
            return socket.AF_UNIX, "\0" + address[1:]
        if address.startswith("/"):
            path = self.path(address)
            while path.is_symlink():  # an absolute target would be looked up out here
                path = self.path(os.path.join(os.path.dirname(address), os.readlink(path)))
            return socket.AF_UNIX, str(path)
        host, port = address.rsplit(":", 1)
        if host.startswith("["):
            return socket.AF_INET6, (host[1:-1], int(port))
        return socket.AF_INET, (host, int(port))

    def sockets(self):
        """What is bound in the box's network: (family, type, address), listening or unconnected."""
        found = set()
        for name in ("tcp", "tcp6", "udp", "udp6"):
            for line in self._net(name)[1:]:
                f = line.split()
                if f[3] in ("0A", "07"):  # LISTEN, and CLOSE: an unconnected UDP socket
                    found.add((name, f[1]))
        for line in self._net("unix")[1:]:
            f = line.split(None, 7)
            if len(f) > 7:
                found.add(("unix", f[7]))
        return found

    def _net(self, name):
        return pathlib.Path(f"/proc/{self.pid}/net/{name}").read_text().splitlines()

    # -- what the tests start --

    def launcher(self, *units, **kw):
        from support.launcher import Launcher

        return Launcher(self, units, **kw)


def default_environment():
    env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS"):
        if name in os.environ:
            env[name] = os.environ[name]
    return env


def wait_for(what, timeout=5.0, text="it", step=0.01):
    """Polls what() until it is true; its value. Fails the test at the timeout."""
    end = time.monotonic() + timeout
    while True:
        value = what()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {timeout} s for {text}: {value!r}")
        time.sleep(step)


def assert_sane(text):
    """No sanitizer has spoken up in what a program printed: it may have been restarted since."""
    found = [x for x in text.splitlines() if SANITIZER.search(x)]
    assert not found, "\n".join([*found, "--- all of it", text])


def alive(pid):
    try:
        os.kill(pid, 0)
    except OSError as e:
        return e.errno == errno.EPERM
    with contextlib.suppress(OSError):
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    return False


__all__ = ["Box", "BoxImpossible", "LAUNCHER", "PROBE", "USERS", "alive", "assert_sane", "open_or_skip",
           "signal", "wait_for"]
