"""Starts sallyport-httpd the way a launcher does: sockets from 3 up, LISTEN_*, no rights.

The sockets are ours, so a client may connect at once: what comes early waits in the backlog.
"""
import atexit
import os
import pathlib
import shutil
import signal
import socket
import tempfile
import time

from support.paths import BUILD, SOURCE, sanitized  # noqa: F401  (the tests take them from here)

NOBODY = 65534
READ_TIMEOUT = 10


def world_readable_dir():
    """A temporary directory that the server's user may look into."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="sp-http-"))
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    path.chmod(0o755)
    return path


def program(name="bin/sallyport-httpd"):
    """A copy of the program where nobody may execute it, wherever the build is."""
    directory = world_readable_dir()
    copy = directory / os.path.basename(name)
    shutil.copy(BUILD / name, copy)
    copy.chmod(0o755)
    return copy


def listen_tcp(host="127.0.0.1"):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    s = socket.socket(family, socket.SOCK_STREAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((host, 0))
    s.listen(1024)
    return s


class Httpd:
    """The running server. `sockets` is a list of (name, socket); default one TCP socket, http."""

    def __init__(self, *args, sockets=None, hooks=None, env=None, drop=None, fds=True, keep=()):
        self.own = sockets is None
        self.sockets = sockets if sockets is not None else [("http", listen_tcp())]
        name = "tests/sallyport-httpd-hooks" if hooks else "bin/sallyport-httpd"
        self.path = program(name)
        self.stderr_path = self.path.parent / "stderr"
        self.status = None
        self.keep = keep
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify_path = self.path.parent / "notify"
        self.notify.bind(str(self.notify_path))
        self.notify_path.chmod(0o666)
        self.notify.settimeout(READ_TIMEOUT)
        environ = {"PATH": "/usr/bin:/bin", "NOTIFY_SOCKET": str(self.notify_path),
                   "ASAN_OPTIONS": "detect_leaks=1"}
        if hooks:
            environ["SALLYPORT_HOOK"] = hooks
        environ.update(env or {})
        self.pid = os.fork()
        if self.pid == 0:
            try:
                self._child([str(self.path), *map(str, args)], environ, drop, fds)
            finally:
                os._exit(127)

    def _child(self, argv, environ, drop, fds):
        err = os.open(self.stderr_path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        null = os.open("/dev/null", os.O_RDWR)
        # Out of the way first: a target number may be the source of another.
        high = [os.dup2(s.fileno(), 500 + i, True) for i, (_, s) in enumerate(self.sockets)]
        os.dup2(null, 0), os.dup2(err, 1), os.dup2(err, 2)
        if fds:
            for i, fd in enumerate(high):
                os.dup2(fd, 3 + i, True)
            environ["LISTEN_FDS"] = str(len(high))
            environ["LISTEN_PID"] = str(os.getpid())
            environ["LISTEN_FDNAMES"] = ":".join(n for n, _ in self.sockets)
        for fd in range(3 + (len(high) if fds else 0), 600):
            if fd not in self.keep:
                os.closerange(fd, fd + 1)
        (drop or drop_all)()
        os.execve(argv[0], argv, environ)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop(signal.SIGKILL)
        shutil.rmtree(self.path.parent, ignore_errors=True)

    @property
    def address(self):
        return self.sockets[0][1].getsockname()

    @property
    def port(self):
        return self.address[1]

    def wait_ready(self):
        try:
            said = self.notify.recv(4096)
        except TimeoutError:
            said = b"nothing"
        assert b"READY=1" in said, f"said {said}, and: {self.stderr()}"

    def stderr(self):
        return self.stderr_path.read_text(errors="replace") if self.stderr_path.exists() else ""

    def wait(self, timeout=READ_TIMEOUT):
        """The exit code (negative: the signal), within timeout."""
        end = time.monotonic() + timeout
        while self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
            elif time.monotonic() > end:
                raise TimeoutError(self.stderr())
            else:
                time.sleep(0.01)
        return self.status

    def stop(self, signo=signal.SIGTERM, timeout=READ_TIMEOUT):
        if self.status is None:
            os.kill(self.pid, signo)
            self.wait(timeout)
        if self.own:
            for _, s in self.sockets:
                s.close()
        self.notify.close()
        return self.status

    def connect(self):
        family = self.sockets[0][1].family
        s = socket.socket(family, socket.SOCK_STREAM)
        s.settimeout(READ_TIMEOUT)
        s.connect(self.address)
        return s

    def raw(self, data):
        """Sends data, returns everything until the server closes or falls silent for a second."""
        with self.connect() as s:
            s.sendall(data)
            s.settimeout(1)
            got = b""
            try:
                while chunk := s.recv(65536):
                    got += chunk
            except TimeoutError:
                pass
            return got


def drop_all():
    """Become nobody if we are root; else we are nobody enough."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)


class Reply:
    """One response read off a file-like socket."""

    def __init__(self, f, head_only=False):
        line = f.readline()
        if not line:
            raise EOFError
        self.version, code, _, = (line.decode().rstrip("\r\n") + "  ").split(" ", 2)
        self.status = int(code)
        self.fields = []
        while (line := f.readline()) not in (b"\r\n", b""):
            name, value = line.decode("latin-1").rstrip("\r\n").split(": ", 1)
            self.fields.append((name.lower(), value))
        length = self.get("content-length")
        no_body = head_only or self.status in (204, 304) or self.status < 200
        self.body = b"" if no_body or length is None else f.read(int(length))

    def get(self, name):
        values = [v for n, v in self.fields if n == name]
        assert len(values) <= 1, self.fields
        return values[0] if values else None


def replies(data, methods=None):
    """All responses in a byte string. methods tells which are answers to HEAD."""
    import io
    f, out = io.BytesIO(data), []
    while f.tell() < len(data):
        head = bool(methods) and len(out) < len(methods) and methods[len(out)] == "HEAD"
        out.append(Reply(f, head))
    return out


def request(target="/", *lines, method="GET", version="HTTP/1.1", host="a"):
    head = [f"{method} {target} {version}"] + ([f"Host: {host}"] if host is not None else [])
    return "\r\n".join([*head, *lines, "", ""]).encode("latin-1")
