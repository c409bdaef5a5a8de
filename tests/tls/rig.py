"""What the TLS tests share: a little certificate authority, and signer and worker as two users."""
import atexit
import os
import pwd
import re
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time

import pytest

from support.paths import BUILD, sanitized

HERE = os.path.dirname(os.path.abspath(__file__))
STAGE = tempfile.mkdtemp(prefix="sp-tls-bin-")
os.chmod(STAGE, 0o755)
atexit.register(shutil.rmtree, STAGE, True)


def program(name):
    """A copy that other users may execute, wherever the build is (in /root, say)."""
    built, copy = os.path.join(BUILD, name), os.path.join(STAGE, os.path.basename(name))
    if os.path.exists(built):
        shutil.copy(built, copy)
    return copy


KEYD = program("bin/sallyport-keyd")
HTTPD = program("bin/sallyport-httpd")
KEYD_USER, HTTPD_USER = "sallyport-keyd", "sallyport-httpd"


def need_root():
    """Two users are the point of these tests."""
    if os.getuid() != 0:
        pytest.skip("needs root: signer and worker run as different users")
    for user in KEYD_USER, HTTPD_USER:
        try:
            pwd.getpwnam(user)
        except KeyError:
            pytest.skip(f"user {user} is missing (packaging/sysusers.d)")


def need_tool(*names):
    for name in names:
        if not shutil.which(name):
            pytest.skip(f"{name} is not installed")


def need_plain_build():
    if sanitized():
        pytest.skip("not with sanitizers")


def openssl(*args, **kw):
    return subprocess.run(["openssl", *args], check=True, capture_output=True, **kw).stdout


KEY_ARGS = {
    "p256": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
    "p384": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
    "rsa2048": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
    "rsa4096": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:4096"],
    "rsa1024": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"],
    "p521": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"],
    "ed25519": ["-algorithm", "ED25519"],
}


def make_key(path, kind, *more):
    openssl("genpkey", *KEY_ARGS[kind], *more, "-out", path)


class Pki:
    """A root and leaf certificates; keys readable by the signer's user only."""

    def __init__(self, folder):
        self.dir = folder
        self.keys = os.path.join(folder, "keys")
        self.certs = os.path.join(folder, "certs")
        os.mkdir(self.keys, 0o700)
        os.mkdir(self.certs, 0o755)
        self.ca = os.path.join(self.certs, "ca.pem")
        self.ca_key = os.path.join(folder, "ca.key")
        make_key(self.ca_key, "p256")
        openssl("req", "-x509", "-new", "-key", self.ca_key, "-subj", "/CN=test root",
                "-days", "30", "-addext", "basicConstraints=critical,CA:TRUE", "-out", self.ca)
        self.own()

    def own(self):
        if os.getuid() == 0:
            who = pwd.getpwnam(KEYD_USER)
            os.chown(self.keys, who.pw_uid, who.pw_gid)
            for name in os.listdir(self.keys):
                path = os.path.join(self.keys, name)
                os.chown(path, who.pw_uid, who.pw_gid)
                os.chmod(path, 0o400)

    def leaf(self, name, kind, *dns, usage="serverAuth", new_key=True):
        """Certificate certs/NAME.pem, key keys/NAME.key. Returns the certificate's path."""
        key = os.path.join(self.keys, name + ".key")
        cert = os.path.join(self.certs, name + ".pem")
        if new_key:
            if os.path.exists(key):
                os.unlink(key)
            make_key(key, kind)
        sign_leaf(self, key, cert, name, dns, usage)
        self.own()
        return cert


def sign_leaf(pki, key, cert, name, dns, usage):
    ext = cert + ".ext"
    with open(ext, "w", encoding="ascii") as f:
        f.write("basicConstraints=CA:FALSE\nextendedKeyUsage=%s\n" % usage)
        if dns:
            f.write("subjectAltName=%s\n" % ",".join("DNS:" + d for d in dns))
    csr = openssl("req", "-new", "-key", key, "-subj", "/CN=%s" % name)
    pem = openssl("x509", "-req", "-CA", pki.ca, "-CAkey", pki.ca_key, "-days", "20",
                  "-set_serial", str(int.from_bytes(os.urandom(8), "big")),
                  "-extfile", ext, input=csr)
    os.unlink(ext)
    with open(cert + ".new", "wb") as f:
        f.write(pem)
    os.rename(cert + ".new", cert)


def folder():
    path = tempfile.mkdtemp(prefix="sp-tls-test-")
    os.chmod(path, 0o755)
    return path


class Daemon:
    """A program started by activate.py; its log goes to a file."""

    running = []  # whatever a test that failed has left: see conftest.py

    def __init__(self, where, name, user, sockets, command, env=None):
        self.name, self.user, self.sockets, self.command = name, user, sockets, command
        self.log_path = os.path.join(where, name + ".log")
        self.env = dict(os.environ, **(env or {}))
        for var in "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID":
            if var not in (env or {}):
                self.env.pop(var, None)
        self.proc = None
        self.stopping = False

    def start(self):
        names = ",".join(f"{n}={s.fileno()}" for n, s in self.sockets)
        fds = [s.fileno() for _, s in self.sockets]
        with open(self.log_path, "ab") as log:
            self.proc = subprocess.Popen(
                [sys.executable, "-B", os.path.join(HERE, "activate.py"), self.user, names,
                 *self.command], pass_fds=fds, env=self.env, stdout=log, stderr=log,
                stdin=subprocess.DEVNULL)
        self.note()
        return self

    def note(self):
        """Called once per process, so that nothing outlives its test."""
        Daemon.running = [p for p in Daemon.running if p.poll() is None] + [self.proc]

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as f:
            return f.read()

    def wait_log(self, text, timeout=10):
        end = time.monotonic() + timeout
        while text not in self.log():
            if time.monotonic() > end:
                raise AssertionError(f"{self.name}: no {text!r} in the log:\n{self.log()}")
            if self.proc.poll() is not None and text not in self.log():
                raise AssertionError(f"{self.name} left with {self.proc.returncode}:\n{self.log()}")
            time.sleep(0.02)

    def stop(self, sig=signal.SIGTERM, timeout=10):
        self.stopping = True
        if self.proc and self.proc.poll() is None:
            self.proc.send_signal(signal.SIGCONT)
            self.proc.send_signal(sig)
            try:
                self.proc.wait(timeout)
            except subprocess.TimeoutExpired:
                self.proc.kill()
                self.proc.wait()
                raise
        return self.proc.returncode if self.proc else None


class Keyd(Daemon):
    """sallyport-keyd on a socket that only the worker's group may use."""

    def __init__(self, where, keys, *options):
        self.path = os.path.join(where, "sign.sock")
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.listener.bind(self.path)
        self.listener.listen(128)
        if os.getuid() == 0:
            os.chown(self.path, pwd.getpwnam(KEYD_USER).pw_uid, pwd.getpwnam(HTTPD_USER).pw_gid)
        os.chmod(self.path, 0o660)
        super().__init__(where, "keyd", KEYD_USER, [("sign", self.listener)], [KEYD, *options],
                         {"CREDENTIALS_DIRECTORY": keys,
                          # LeakSanitizer looks by ptrace(2), which is what keyd forbids
                          "ASAN_OPTIONS": "detect_leaks=0"})

    def start(self):
        super().start()
        self.wait_log(" keys\n")
        return self

    def supervise(self):
        """Restart=always: a thread that starts it again whenever it has died."""
        def run():
            while not self.stopping:
                if self.proc.poll() is not None and not self.stopping:
                    Daemon.start(self)
                time.sleep(0.02)
        threading.Thread(target=run, daemon=True).start()
        return self


# The signing protocol once more, in another language: signer/proto.h, docs/PROTOCOLS.md.
VERSION, LIST, SIGN, KEY, SIGNATURE, CHANGED = 1, 0x01, 0x02, 0x81, 0x82, 0x83
OK, UNKNOWN_KEY, REFUSED_SHAPE, REFUSED_SCHEME = 0, 1, 2, 3
TBS_MAX = 212
TLS13 = b" " * 64 + b"TLS 1.3, server CertificateVerify\0"


def msg_list(index=0, ident=1, version=VERSION):
    return struct.pack("=HHIII", version, LIST, ident, index, 0)


def msg_sign(key, scheme, tbs, ident=1, version=VERSION, tbs_len=None):
    return struct.pack(f"=HHI32sHH{TBS_MAX}s", version, SIGN, ident, key, scheme,
                       len(tbs) if tbs_len is None else tbs_len, tbs)


class SignClient:
    """Speaks to the signer as the worker's process would, or worse."""

    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.sock.settimeout(5)
        self.sock.connect(path)

    def ask(self, message):
        self.sock.send(message)
        return self.sock.recv(4096)

    def dropped_by(self, message):
        """True if the signer closes instead of answering."""
        try:
            return self.ask(message) == b""
        except (ConnectionResetError, BrokenPipeError):
            return True

    def keys(self):
        """[(id, kind, spki)] and the generation."""
        out, total, index, generation = [], 1, 0, 0
        while index < total:
            r = struct.unpack("=HHIQII32sHH568sI", self.ask(msg_list(index)))
            generation, total = r[3], r[5]
            if total:
                out.append((r[6], r[7], r[9][:r[8]]))
            index += 1
        return out, generation

    def sign(self, key, scheme, tbs):
        """(status, signature)"""
        r = struct.unpack("=HHIHH512sI", self.ask(msg_sign(key, scheme, tbs)))
        return r[3], r[5][:r[4]]


LOOSE_PORTS = range(26900, 27000)  # for who must close the socket: no other test takes it then


def tcp_listener(ports=range(26000, 26900)):
    """A listening socket on a free port of 127.0.0.1, from our range."""
    for port in ports:
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind(("127.0.0.1", port))
            sock.listen(512)
            return sock
        except OSError:
            sock.close()
    raise RuntimeError("no free port")


class Worker(Daemon):
    """sallyport-httpd with one https and one http socket, serving a small site."""

    def __init__(self, where, keyd_path, certs, *options, name="httpd", env=None, https=None,
                 program=HTTPD, config=None):
        root = os.path.join(where, "site")
        if not os.path.exists(root):
            os.mkdir(root)
            for file, size in (("index.html", 20), ("1k", 1024), ("100k", 102400),
                               ("1m", 1 << 20)):
                with open(os.path.join(root, file), "wb") as f:
                    f.write((b"sallyport " * (size // 10 + 1))[:size])
        self.https, self.http = https or tcp_listener(), tcp_listener()
        self.admin = tcp_listener()
        self.port, self.http_port, self.admin_port = (
            s.getsockname()[1] for s in (self.https, self.http, self.admin))
        self.config, what = os.path.join(where, name + ".conf"), ["--root", root]
        if config is not None:  # a text with ROOT in it
            self.configure(config.replace("ROOT", root))
            what = ["--config", self.config]
        command = [program, "--workers", "1", *what, "--keyd", keyd_path, *options]
        for cert in certs:
            command += ["--cert", cert]
        super().__init__(where, name, HTTPD_USER, [("https", self.https), ("http", self.http),
                                                 ("admin", self.admin)],
                         command, {"ASAN_OPTIONS": "detect_leaks=1", **(env or {})})

    def figures(self):
        """{name with labels: value} of /metrics."""
        with socket.create_connection(("127.0.0.1", self.admin_port), 10) as s:
            s.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
            data = b""
            while more := s.recv(65536):
                data += more
        return {k: float(v) for k, v in re.findall(r"^sallyport_(\S+) (\S+)$", data.decode(), re.M)}

    def configure(self, text):
        with open(self.config, "w", encoding="ascii") as f:
            f.write(text)

    def start(self):
        super().start()
        self.wait_log("serving https")
        return self


def s_client(port, *args, send="GET /1k HTTP/1.0\r\nHost: a.test\r\n\r\n", timeout=20):
    """openssl s_client: returns (exit code, everything it printed)."""
    r = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-ign_eof", *args],
                       input=send.encode(), capture_output=True, timeout=timeout, check=False)
    return r.returncode, r.stdout.decode("latin-1") + r.stderr.decode("latin-1")


def tls_context(ca=None, **attributes):
    """A client context of Python's ssl: verifies if a CA is given."""
    ctx = ssl.create_default_context(cafile=ca) if ca else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if not ca:
        ctx.check_hostname, ctx.verify_mode = False, ssl.CERT_NONE
    for name, value in attributes.items():
        setattr(ctx, name, value)
    return ctx


class TlsClient:
    """One connection; get() asks over it."""

    def __init__(self, port, ctx=None, host="a.test", timeout=30, session=None):
        raw = socket.create_connection(("127.0.0.1", port), timeout)
        try:
            self.sock = (ctx or tls_context()).wrap_socket(raw, server_hostname=host,
                                                           session=session)
        except BaseException:
            raw.close()
            raise

    def get(self, path="/1k"):
        self.sock.sendall(f"GET {path} HTTP/1.1\r\nHost: a.test\r\n\r\n".encode())
        data = b""
        while b"\r\n\r\n" not in data:
            more = self.sock.recv(65536)
            if not more:
                raise ConnectionError("closed")
            data += more
        head, _, body = data.partition(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        while len(body) < length:
            body += self.sock.recv(65536)
        return int(head.split()[1]), body

    def cert(self):
        return self.sock.getpeercert(binary_form=True)

    def close(self):
        self.sock.close()


def family(pid):
    """A process and all that came from it."""
    out = [pid]
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
        for child in f.read().split():
            out += family(int(child))
    return out


def rss_kb(pid):
    """Of a process and its children: the first process of the worker holds no connection."""
    total = 0
    for each in family(pid):
        with open(f"/proc/{each}/status", encoding="ascii") as f:
            total += int(next(line for line in f if line.startswith("VmRSS")).split()[1])
    return total


HTTPD_HOOKS = program("tests/sallyport-httpd-hooks")
