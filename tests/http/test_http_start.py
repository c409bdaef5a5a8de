"""What the server refuses to be, and what it says about itself."""
import ctypes
import os
import re
import socket
import subprocess
import time

import pytest

import httpd
from httpd import NOBODY, Httpd, request

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to start it wrongly")
CAP_NET_BIND_SERVICE = 10
CAP_SETUID = 7
libc = ctypes.CDLL(None, use_errno=True)


@pytest.fixture(scope="module")
def root():
    path = httpd.world_readable_dir()
    (path / "index.html").write_text("<h1>here</h1>")
    return path


def capset(permitted, inheritable, effective):
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    data = (ctypes.c_uint32 * 6)(effective, permitted, inheritable, 0, 0, 0)
    assert libc.capset(header, data) == 0


def stay_root():
    pass


def root_gid():
    os.setgroups([])
    os.setresuid(NOBODY, NOBODY, NOBODY)


def root_group():
    os.setgroups([0])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)


def saved_uid():
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, 4242)


def saved_gid():
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, 4242)
    os.setresuid(NOBODY, NOBODY, NOBODY)


def real_uid_root():
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(0, NOBODY, NOBODY)


def keep_caps(permitted, inheritable, ambient):
    """nobody, but with these sets at its first instruction."""
    def drop():
        assert libc.prctl(8, 1, 0, 0, 0) == 0  # PR_SET_KEEPCAPS
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
        capset(permitted, inheritable, permitted)
        for cap in range(32):
            if ambient & (1 << cap):
                assert libc.prctl(47, 2, cap, 0, 0) == 0  # PR_CAP_AMBIENT_RAISE
    return drop


BIND = 1 << CAP_NET_BIND_SERVICE


@needs_root
@pytest.mark.parametrize("drop,says", [
    (stay_root, ["the real uid is 0", "the saved gid is 0", "permitted capabilities"]),
    (root_gid, ["the real gid is 0"]),
    (root_group, ["group 0 is among the supplementary"]),
    (real_uid_root, ["the real uid is 0"]),
    (keep_caps(BIND, BIND, BIND), ["permitted capabilities 0x400", "effective capabilities 0x400",
                                   "inheritable capabilities 0x400", "ambient capabilities 0x400"]),
    (keep_caps(BIND, BIND, 0), ["inheritable capabilities 0x400"]),
], ids=["root", "gid 0", "group 0", "real uid 0", "ambient", "inheritable"])
def test_refuses_to_be_somebody(root, drop, says):
    if drop is real_uid_root and httpd.sanitized():
        pytest.skip("LeakSanitizer cannot look at a process of two users")
    with Httpd("--root", root, drop=drop) as h:
        assert h.wait() == 77
        for text in says:
            assert text in h.stderr()


@needs_root
@pytest.mark.parametrize("drop", [saved_uid, saved_gid])
def test_exec_itself_closes_a_saved_id(root, drop):
    """execve(2) copies the effective id over the saved one, so nothing is left to refuse."""
    with Httpd("--root", root, drop=drop) as h:
        h.wait_ready()
        kind = "Uid" if drop is saved_uid else "Gid"
        status = open(f"/proc/{h.pid}/status").read()
        assert re.search(rf"^{kind}:\s+{NOBODY}\s+{NOBODY}\s+{NOBODY}\s+{NOBODY}$", status, re.M)


def test_starts_as_nobody_and_says_ready(root):
    with Httpd("--root", root) as h:
        h.wait_ready()
        assert httpd.replies(h.raw(request("/", "Connection: close")))[0].status == 200
        assert h.stop() == 0
    assert not os.path.exists(h.path)


def test_no_sockets(root):
    with Httpd("--root", root, fds=False) as h:
        assert h.wait() == 69
        assert "no sockets were handed over" in h.stderr()


def test_sockets_for_somebody_else(root):
    """LISTEN_PID of another process: they are not ours."""
    with Httpd("--root", root, fds=False, env={"LISTEN_FDS": "1", "LISTEN_PID": "1"}) as h:
        assert h.wait() == 69


@pytest.mark.parametrize("name", ["ftp", "http2", "HTTP", "sallyport-httpd.socket"])
def test_name_that_is_no_role(root, name):
    with Httpd("--root", root, sockets=[(name, httpd.listen_tcp())]) as h:
        assert h.wait() == 69
        assert f'named "{name}"' in h.stderr()


def test_datagram_socket(root):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("127.0.0.1", 0))
    with Httpd("--root", root, sockets=[("http", s)]) as h:
        assert h.wait() == 69
        assert "not a listening stream socket" in h.stderr()


def test_socket_that_does_not_listen(root):
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    with Httpd("--root", root, sockets=[("http", s)]) as h:
        assert h.wait() == 69


def test_several_sockets_of_each_family(root):
    unix = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    unix.bind(str(root / "sock"))
    (root / "sock").chmod(0o666)
    unix.listen(5)
    sockets = [("http", httpd.listen_tcp()), ("http", httpd.listen_tcp("::1")), ("http", unix)]
    with Httpd("--root", root, sockets=sockets):
        for _, s in sockets:
            with socket.socket(s.family, socket.SOCK_STREAM) as c:
                c.settimeout(5)
                c.connect(s.getsockname())
                c.sendall(request("/", "Connection: close"))
                assert c.recv(4096).startswith(b"HTTP/1.1 200 OK")


def test_holds_nothing_it_was_not_given(root):
    """One listening socket, the root directory, and the kernel objects of the event loop."""
    def held(pid):
        return sorted(os.readlink(f"/proc/{pid}/fd/{n}").split(":")[0].split("[")[0]
                      for n in os.listdir(f"/proc/{pid}/fd") if int(n) > 2)
    with Httpd("--root", root) as h:
        h.wait_ready()
        end = time.monotonic() + 3
        while held(h.pid).count("socket") > 1 and time.monotonic() < end:
            time.sleep(0.02)  # the notification's socket, for a moment
        kinds = held(h.pid)
        assert set(kinds) <= {"socket", "anon_inode", str(root)}
        assert kinds.count("socket") == 1


@pytest.mark.parametrize("args,code,says", [
    ([], 64, "nothing to serve"),
    (["--nonsense"], 64, "unknown option --nonsense"),
    (["--root"], 64, "--root needs a value"),
    (["--check=1", "--root", "/"], 64, "takes no value"),
    (["--check", "--root", "/nonexistent"], 78, "/nonexistent: No such file"),
    (["--check", "--root", "/"], 0, ""),
    (["--version"], 0, "sallyport-httpd "),
    (["--help"], 0, "--root DIR"),
])
def test_command_line(args, code, says):
    p = subprocess.run([str(httpd.BUILD / "bin/sallyport-httpd"), *args], capture_output=True,
                       text=True, timeout=10)
    assert p.returncode == code
    assert says in p.stdout + p.stderr


def test_no_code_that_binds():
    """The image imports neither bind(2) nor listen(2)."""
    out = subprocess.run(["nm", "-D", "--undefined-only", httpd.BUILD / "bin/sallyport-httpd"],
                         capture_output=True, text=True, check=True).stdout
    names = {line.split()[-1].split("@")[0] for line in out.splitlines()}
    assert "accept4" in names
    assert not names & {"bind", "listen", "execve", "execv", "execvp", "posix_spawn", "system",
                        "popen"}
