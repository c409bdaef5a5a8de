"""Where the private keys are: the memory of every process, searched for them.

Each key in each form that it takes in memory: integers big-endian (files, wires) and little-endian
(OpenSSL's limbs), the seed of Ed25519, the text of the PEM file. A server that holds its key itself
is the positive control: a scan that does not find it there proves nothing.
"""
import base64
import os
import signal
import subprocess
import time

import pytest
from cryptography.hazmat.primitives import serialization as ser
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

import rig


def pem_piece(pem, secret):
    """Base64 text of one line of the file, of bytes of the secret only (a DER has public ones too)."""
    lines = pem.split(b"-----")[2].split()
    start = base64.b64decode(b"".join(lines)).index(secret)
    best = b""
    for i, line in enumerate(lines):  # 48 bytes a line, 3 bytes in 4 characters
        first = max(start - 48 * i, 0)
        last = min(start + len(secret) - 48 * i, 48)
        if last > first:
            best = max(best, line[-(-first // 3) * 4:last // 3 * 4], key=len)
    assert len(best) >= 16
    return best


def numbers(key):
    """{name: number} that are secret of a key."""
    n = key.private_numbers()
    return {"d": n.private_value} if isinstance(key, ec.EllipticCurvePrivateKey) else {
        "d": n.d, "p": n.p, "q": n.q, "dmp1": n.dmp1, "dmq1": n.dmq1, "iqmp": n.iqmp}


def patterns(path):
    """{name: bytes} of a PEM private key."""
    with open(path, "rb") as f:
        pem = f.read()
    key = ser.load_pem_private_key(pem, None)
    if isinstance(key, ed25519.Ed25519PrivateKey):
        seed = key.private_bytes(ser.Encoding.Raw, ser.PrivateFormat.Raw, ser.NoEncryption())
        return {"seed": seed, "PEM text": pem_piece(pem, seed)}
    out = {}
    for name, value in numbers(key).items():
        size = (value.bit_length() + 7) // 8
        middle = slice(size // 4, size // 4 + min(32, size // 2))  # half a copy counts too
        out[name + " big-endian"] = value.to_bytes(size, "big")[middle]
        out[name + " little-endian"] = value.to_bytes(size, "little")[middle]
    value = numbers(key)["d"]
    out["PEM text"] = pem_piece(pem, value.to_bytes((value.bit_length() + 7) // 8, "big"))
    return out


def found_in(pid, wanted):
    """Which of the patterns are in the memory of a process."""
    hits = set()
    try:
        with open(f"/proc/{pid}/maps", encoding="ascii") as f:
            maps = f.readlines()
        mem = open(f"/proc/{pid}/mem", "rb", 0)
    except (FileNotFoundError, ProcessLookupError):
        return hits  # it has ended
    with mem:
        for line in maps:
            span, rights = line.split()[:2]
            if "r" not in rights or "[v" in line:  # vvar, vsyscall
                continue
            start, end = (int(x, 16) for x in span.split("-"))
            mem.seek(start)
            try:
                data = mem.read(end - start)
            except OSError:
                continue
            hits |= {name for name, pattern in wanted.items() if pattern in data}
    return hits


def scan(*args):
    """(exit code, lines) of our own verb."""
    r = subprocess.run([os.path.join(rig.BUILD, "bin/sallyport"), "audit", *map(str, args)],
                       capture_output=True, text=True, check=False)
    return r.returncode, r.stdout.splitlines(), r.stderr


@pytest.fixture
def can_scan():
    rig.need_root()
    rig.need_plain_build()
    with open("/proc/self/status", encoding="ascii") as f:
        rights = int(next(line for line in f if line.startswith("CapEff")).split()[1], 16)
    if not rights >> 19 & 1:
        pytest.skip("needs CAP_SYS_PTRACE to read other processes' memory")


KINDS = {"ec": "p256", "rsa": "rsa2048", "ed": "ed25519"}


def test_keys_are_in_the_signer_and_nowhere_else(can_scan, pki, where):
    certs = [pki.leaf(name, kind, name + ".test") for name, kind in KINDS.items()]
    keyd = rig.Keyd(where, pki.keys).start()
    worker = rig.Worker(where, keyd.path, certs).start()
    for name in KINDS:
        for _ in range(20):
            client = rig.TlsClient(worker.port, host=name + ".test")
            assert client.get()[0] == 200
            client.close()
    for name in KINDS:
        wanted = patterns(os.path.join(pki.keys, name + ".key"))
        assert found_in(keyd.proc.pid, wanted), f"{name}: not in the signer, so this proves nothing"
        for pid in rig.family(worker.proc.pid):
            assert found_in(pid, wanted) == set(), name
    assert worker.stop() == 0 and keyd.stop() == 0


def controls(key, cert, where):
    """Servers that hold their key themselves: (the port of each, [(name, argv)])."""
    port = rig.tcp_listener(rig.LOOSE_PORTS)
    number = port.getsockname()[1]
    port.close()
    out = [("openssl s_server", ["openssl", "s_server", "-accept", f"127.0.0.1:{number}", "-key",
                                 key, "-cert", cert, "-quiet"])]
    if rig.shutil.which("nginx"):
        conf = os.path.join(where, "nginx.conf")
        with open(conf, "w", encoding="ascii") as f:
            f.write(f"daemon off; user nobody nogroup; pid {where}/nginx.pid; error_log {where}/nginx.err;"
                    "events {} http { access_log off; server { "
                    f"listen 127.0.0.1:{number} ssl; ssl_certificate {cert};"
                    f"ssl_certificate_key {key}; }} }}\n")
        out.append(("nginx", ["nginx", "-e", f"{where}/nginx.err", "-c", conf]))
    return number, out


def connected(port, host):
    """A client of a server that is just starting."""
    for _ in range(200):
        try:
            return rig.TlsClient(port, host=host)
        except OSError:
            time.sleep(0.05)
    return rig.TlsClient(port, host=host)


@pytest.mark.parametrize("name", KINDS)
def test_the_scan_finds_keys_in_servers_that_hold_them(can_scan, pki, where, name):
    cert = pki.leaf(name, KINDS[name], name + ".test")
    key = os.path.join(pki.keys, name + ".key")
    number, servers = controls(key, cert, where)
    for label, argv in servers:
        # s_server may leave at the end of its standard input
        with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as proc:
            try:
                client = connected(number, name + ".test")
                for pid in rig.family(proc.pid):  # nginx: master and every worker
                    assert found_in(pid, patterns(key)), (label, pid)
                client.close()
            finally:
                proc.terminate()


def test_a_replaced_key_leaves_no_trace_even_in_the_signer(can_scan, pki, where):
    for kind in KINDS.items():
        pki.leaf(*kind, kind[0] + ".test")
    keyd = rig.Keyd(where, pki.keys, "--retire-sec", "1").start()
    client = rig.SignClient(keyd.path)
    for ident, kind, _ in client.keys()[0]:
        scheme = {1: 0x0804, 2: 0x0403, 4: 0x0807}[kind]
        assert client.sign(ident, scheme, rig.TLS13 + bytes(32))[0] == rig.OK
    old = {name: patterns(os.path.join(pki.keys, name + ".key")) for name in KINDS}
    for kind in KINDS.items():
        pki.leaf(*kind, kind[0] + ".test")
    keyd.proc.send_signal(signal.SIGHUP)
    keyd.wait_log("were wiped")
    rig.SignClient(keyd.path).keys()  # buffers on the stack are used again
    for name, wanted in old.items():
        assert found_in(keyd.proc.pid, wanted) == set(), name
        assert found_in(keyd.proc.pid, patterns(os.path.join(pki.keys, name + ".key")))
    assert keyd.stop() == 0


FORMS = {"ec": ("scalar", 3), "rsa": ("d", 13), "ed": ("scalar", 3)}


def whole(pem):
    """A key in every form, as bytes."""
    key = ser.load_pem_private_key(pem, None)
    if isinstance(key, ed25519.Ed25519PrivateKey):
        big = [key.private_bytes(ser.Encoding.Raw, ser.PrivateFormat.Raw, ser.NoEncryption())]
    else:
        big = [n.to_bytes((n.bit_length() + 7) // 8, "big") for n in numbers(key).values()]
    return [pem, *big, *(b[::-1] for b in big)]


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("pkcs1", [False, True])
def test_the_verb_finds_each_form(can_scan, pki, where, name, pkcs1):
    """A process that holds a key in every form; its twin holds none."""
    pki.leaf(name, KINDS[name], name + ".test")
    key = os.path.join(pki.keys, name + ".key")
    if pkcs1 and name != "ed":
        rig.openssl(name, "-in", key, "-out", key + ".old", *["-traditional"] * (name == "rsa"))
        os.rename(key + ".old", key)
    with open(key, "rb") as f:
        pem = f.read()
    code = "import sys, time; data = sys.stdin.buffer.read(); print('.', flush=True); time.sleep(99)"
    procs = []
    for parts in (whole(pem), [b"nothing"]):
        p = subprocess.Popen(["/usr/bin/python3", "-c", code], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE)
        procs.append(p)
        p.stdin.write(b"\n".join(parts) * 3000)  # some MB: over the ends of blocks too
        p.stdin.close()
        p.stdout.readline()
    code, lines, said = scan("--scan-memory", key, *[x for p in procs for x in ("--pid", p.pid)])
    for p in procs:
        p.kill()
        p.wait()
    assert code == 1 and len(lines) == 1, (lines, said)
    found = lines[0].split(": ")
    assert found[:2] == [key, f"pid {procs[0].pid}"]
    assert len(found[2].split(", ")) == FORMS[name][1] and f"{FORMS[name][0]} big" in found[2]


def test_the_verb_and_servers(can_scan, pki, where):
    certs = [pki.leaf(name, kind, name + ".test") for name, kind in KINDS.items()]
    with open(os.path.join(pki.keys, "README"), "w", encoding="ascii") as f:
        f.write("no key\n")
    keyd = rig.Keyd(where, pki.keys).start()
    worker = rig.Worker(where, keyd.path, certs).start()
    for name in KINDS:
        rig.TlsClient(worker.port, host=name + ".test").close()
    pids = [x for pid in rig.family(worker.proc.pid) for x in ("--pid", pid)]
    code, lines, _ = scan("--scan-memory", pki.keys, *pids)
    assert code == 0 and len(lines) == 3 and all("in none of 2 processes" in x for x in lines)
    code, lines, _ = scan("--scan-memory", pki.keys, *pids, "--pid", keyd.proc.pid)
    assert code == 1 and len(lines) == 3
    assert all(f"pid {keyd.proc.pid}: " in x for x in lines)
    assert worker.stop() == 0 and keyd.stop() == 0
    number, servers = controls(os.path.join(pki.keys, "rsa.key"), certs[1], where)
    for label, argv in servers:
        with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as proc:
            for _ in range(100):
                try:
                    rig.TlsClient(number, host="rsa.test").close()
                    break
                except OSError:
                    time.sleep(0.05)
            code, lines, _ = scan("--scan-memory", os.path.join(pki.keys, "rsa.key"), "--pid",
                                  proc.pid)
            proc.terminate()
            assert code == 1 and f"pid {proc.pid}: " in lines[0], label


def test_what_the_verb_cannot_do(can_scan, where):
    key = os.path.join(where, "a.key")
    rig.openssl("genpkey", "-algorithm", "ED25519", "-aes128", "-pass", "pass:x", "-out", key)
    for path, text in ((key, "is encrypted"), ("/nonexistent", "No such file"),
                       (rig.BUILD / "CMakeCache.txt", "no private key")):
        code, _, said = scan("--scan-memory", path, "--pid", os.getpid())
        assert code == 66 and text in said, said
    rig.make_key(key, "p256")
    code, _, said = scan("--scan-memory", key, "--pid", 4194305)
    assert code == 1 and "cannot be read" in said


ATTEMPTS = """
import ctypes, os, sys
pid, key = int(sys.argv[1]), sys.argv[2]
libc = ctypes.CDLL(None, use_errno=True)
def attempt(name, call):
    try:
        call()
    except OSError as e:
        print(name, e.errno)
    else:
        print(name, "succeeded")
def syscall(*args):
    if libc.syscall(*(ctypes.c_long(a) for a in args)) < 0:
        raise OSError(ctypes.get_errno(), "")
attempt("key", lambda: open(key, "rb"))
attempt("keys", lambda: os.listdir(os.path.dirname(key)))
attempt("mem", lambda: open(f"/proc/{pid}/mem", "rb"))
attempt("fd", lambda: os.listdir(f"/proc/{pid}/fd"))
attempt("ptrace", lambda: syscall(101, 16, pid, 0, 0))  # PTRACE_ATTACH
buf = ctypes.create_string_buffer(8)
iov = (ctypes.c_size_t * 2)(ctypes.addressof(buf), 8)
at = ctypes.addressof(iov)
attempt("vm_readv", lambda: syscall(310, pid, at, 1, at, 1, 0))
pidfd = os.pidfd_open(pid)
attempt("pidfd_getfd", lambda: syscall(438, pidfd, 3, 0))
attempt("kill", lambda: os.kill(pid, 9))
"""


def test_the_workers_user_cannot_get_at_the_signer(pki, where):
    if os.uname().machine != "x86_64":
        pytest.skip("system call numbers of x86_64")
    pki.leaf("ec", "p256", "a.test")
    keyd = rig.Keyd(where, pki.keys).start()
    r = subprocess.run(
        ["setpriv", "--reuid", rig.HTTPD_USER, "--regid", rig.HTTPD_USER, "--clear-groups",
         "/usr/bin/python3", "-c", ATTEMPTS, str(keyd.proc.pid),
         os.path.join(pki.keys, "ec.key")], capture_output=True, text=True, check=True)
    lines = dict(line.split() for line in r.stdout.splitlines())
    assert len(lines) == 8
    for name, result in lines.items():
        assert result in ("1", "13"), (name, result)  # EPERM, EACCES
    assert keyd.stop() == 0
