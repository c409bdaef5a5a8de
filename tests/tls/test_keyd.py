"""sallyport-keyd by itself: what it signs, what it refuses, and that no client can stop it."""
import json
import os
import random
import signal
import struct
import subprocess
import time

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding

import rig

JWT = b"eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJyb290In0"
KIND = {"rsa": 1, "p256": 2, "p384": 3, "ed25519": 4}


@pytest.fixture
def keyd(pki, where):
    for name, kind in (("rsa", "rsa2048"), ("p256", "p256"), ("p384", "p384"), ("ed", "ed25519")):
        pki.leaf(name, kind, name + ".test")
    daemon = rig.Keyd(where, pki.keys).start()
    yield daemon
    assert daemon.stop() == 0, daemon.log()


def test_log_as_json(pki, where):
    pki.leaf("ed", "ed25519", "ed.test")
    daemon = rig.Keyd(where, pki.keys, "--log-format=json")
    rig.Daemon.start(daemon)
    daemon.wait_log('keys"')
    assert daemon.stop() == 0
    lines = [json.loads(line) for line in daemon.log().splitlines()]
    assert lines and all({"time", "level", "program", "message"} <= set(line) for line in lines)


def tls13(hash_bytes=32):
    return rig.TLS13 + os.urandom(hash_bytes)


def tls12():
    return os.urandom(64) + bytes([3, 0, 29, 32]) + os.urandom(32)


def by_kind(client):
    return {kind: (ident, serialization.load_der_public_key(spki))
            for ident, kind, spki in client.keys()[0]}


def test_lists_and_signs_both_shapes_with_every_key(keyd):
    c = rig.SignClient(keyd.path)
    keys = by_kind(c)
    assert sorted(keys) == [1, 2, 3, 4]
    pss = lambda h: (padding.PSS(padding.MGF1(h), h.digest_size), h)  # noqa: E731
    sha256, sha384, sha512 = hashes.SHA256(), hashes.SHA384(), hashes.SHA512()
    for kind, scheme, args, shapes in (
            (KIND["p256"], 0x0403, (ec.ECDSA(sha256),), (tls13(), tls12())),
            (KIND["p384"], 0x0503, (ec.ECDSA(sha384),), (tls13(48), tls12())),
            (KIND["p256"], 0x0603, (ec.ECDSA(sha512),), (tls12(),)),
            (KIND["rsa"], 0x0804, pss(sha256), (tls13(), tls12())),
            (KIND["rsa"], 0x0806, pss(sha512), (tls13(48), tls12())),
            (KIND["rsa"], 0x0401, (padding.PKCS1v15(), sha256), (tls12(),)),
            (KIND["ed25519"], 0x0807, (), (tls13(), tls12()))):
        ident, public = keys[kind]
        for text in shapes:
            status, sig = c.sign(ident, scheme, text)
            assert status == rig.OK
            public.verify(sig, text, *args)  # raises when it is not a signature of this text


def test_refuses_what_is_no_server_handshake(keyd):
    c = rig.SignClient(keyd.path)
    keys = by_kind(c)
    p256, rsa = keys[KIND["p256"]][0], keys[KIND["rsa"]][0]
    client_cv = tls13().replace(b"server", b"client")
    for label, key, scheme, text, want in (
            ("text of a JWT", p256, 0x0403, JWT, rig.REFUSED_SHAPE),
            ("bare digest", p256, 0x0403, os.urandom(32), rig.REFUSED_SHAPE),
            ("bare digest, RSA", rsa, 0x0401, os.urandom(32), rig.REFUSED_SHAPE),
            ("client CertificateVerify", p256, 0x0403, client_cv, rig.REFUSED_SHAPE),
            ("one byte short", p256, 0x0403, tls13()[:-1], rig.REFUSED_SHAPE),
            ("one byte long", p256, 0x0403, tls13() + b"x", rig.REFUSED_SHAPE),
            ("unknown key", bytes(32), 0x0403, tls13(), rig.UNKNOWN_KEY),
            ("PKCS#1 in TLS 1.3", rsa, 0x0401, tls13(), rig.REFUSED_SCHEME),
            ("SHA-1", rsa, 0x0201, tls12(), rig.REFUSED_SCHEME),
            ("scheme of another key", rsa, 0x0403, tls13(), rig.REFUSED_SCHEME),
            ("wrong curve for TLS 1.3", p256, 0x0503, tls13(), rig.REFUSED_SCHEME)):
        status, sig = c.sign(key, scheme, text)
        assert (status, sig) == (want, b""), label
    assert c.sign(p256, 0x0403, tls13())[0] == rig.OK  # the client was not dropped for it
    assert keyd.log().count("refused to sign") == 11


def test_drops_what_is_no_message(keyd):
    good = rig.msg_sign(bytes(32), 0x0403, tls13())
    for label, message in (
            ("another version", rig.msg_list(version=2)),
            ("version 0", rig.msg_list(version=0)),
            ("id 0", rig.msg_list(ident=0)),
            ("a byte short", good[:-1]),
            ("a byte long", good + b"\0"),
            ("header only", good[:8]),
            ("half a header", good[:5]),
            ("a reply", struct.pack("=HHIHH512sI", 1, rig.SIGNATURE, 1, 0, 64, b"x" * 64, 0)),
            ("unknown type", struct.pack("=HHIII", 1, 3, 1, 0, 0)),
            ("tbs_len beyond the field", rig.msg_sign(bytes(32), 0x0403, tls13(), tbs_len=213)),
            ("tbs_len 0", rig.msg_sign(bytes(32), 0x0403, b"", tbs_len=0)),
            ("bytes behind the text", rig.msg_sign(bytes(32), 0x0403, tls13(), tbs_len=10)),
            ("64 KB", b"x" * 65536)):
        assert rig.SignClient(keyd.path).dropped_by(message), label
    assert len(rig.SignClient(keyd.path).keys()[0]) == 4


def test_survives_10000_random_messages(keyd):
    rng = random.Random(5)
    good = rig.SignClient(keyd.path)
    bad = rig.SignClient(keyd.path)
    pid = keyd.proc.pid
    sizes = (16, 256, 256, 256, 0, 8, 600)
    for i in range(10000):
        size = rng.choice(sizes)
        message = bytearray(rng.randbytes(size))
        if size >= 8 and i % 3:  # past the first checks
            message[0:8] = struct.pack("=HHI", 1, rng.choice((1, 2)), rng.getrandbits(32))
        try:
            bad.sock.send(message)
            if size == 0 or bad.sock.recv(4096) == b"":
                raise ConnectionResetError
        except (ConnectionResetError, BrokenPipeError):
            bad.sock.close()
            bad = rig.SignClient(keyd.path)
    assert keyd.proc.poll() is None and keyd.proc.pid == pid
    assert len(good.keys()[0]) == 4  # a client that behaved never noticed


def test_floods_and_idlers_do_not_lock_others_out(keyd):
    c = rig.SignClient(keyd.path)
    key = by_kind(c)[KIND["ed25519"]][0]
    flood = rig.SignClient(keyd.path)
    flood.sock.setblocking(False)
    message = rig.msg_sign(key, 0x0807, tls13())
    sent = 0
    try:
        while sent < 100000:
            flood.sock.send(message)  # and never reads a reply
            sent += 1
    except BlockingIOError:
        pass
    assert 0 < sent < 100000
    start = time.monotonic()
    for _ in range(100):
        assert c.sign(key, 0x0807, tls13())[0] == rig.OK
    assert time.monotonic() - start < 2
    crowd = [rig.SignClient(keyd.path) for _ in range(100)]  # more than it takes
    assert c.sign(key, 0x0807, tls13())[0] == rig.OK
    keyd.wait_log("turned away")
    for other in crowd:
        other.sock.close()
    time.sleep(0.2)
    assert rig.SignClient(keyd.path).sign(key, 0x0807, tls13())[0] == rig.OK


def test_rate_limit_slows_one_client_down_and_refuses_nothing(pki, where):
    pki.leaf("ed", "ed25519", "a.test")
    keyd = rig.Keyd(where, pki.keys, "--rate", "50:10").start()
    c = rig.SignClient(keyd.path)
    key = c.keys()[0][0][0]
    start = time.monotonic()
    for _ in range(60):
        assert c.sign(key, 0x0807, tls13())[0] == rig.OK
    took = time.monotonic() - start
    assert 0.8 < took < 3, took  # 61 requests, 10 at once, 50 a second
    assert keyd.log().count("slowed down") >= 1
    other = rig.SignClient(keyd.path)
    start = time.monotonic()
    assert len(other.keys()[0]) == 1
    assert time.monotonic() - start < 0.2
    assert keyd.stop() == 0


def test_reload_swaps_keys_without_dropping_a_signature(keyd, pki):
    c, watcher = rig.SignClient(keyd.path), rig.SignClient(keyd.path)
    old, generation = by_kind(c)[KIND["p256"]], c.keys()[1]
    watcher.keys()
    pki.leaf("p256", "p256", "p256.test")
    keyd.proc.send_signal(signal.SIGHUP)
    for _ in range(200):  # across the reload, with the old key
        c.sock.send(rig.msg_sign(old[0], 0x0403, tls13()))
        reply = c.sock.recv(4096)
        if struct.unpack_from("=HH", reply)[1] == rig.CHANGED:
            reply = c.sock.recv(4096)
        assert struct.unpack_from("=HHIH", reply)[3] == rig.OK
    keyd.wait_log("reloaded: 4 keys, 1 replaced ones")
    note = struct.unpack("=HHIQ", watcher.sock.recv(4096))
    assert note[1:3] == (rig.CHANGED, 0) and note[3] != generation
    new = by_kind(watcher)[KIND["p256"]]
    assert new[0] != old[0] and watcher.sign(new[0], 0x0403, tls13())[0] == rig.OK


def test_a_bad_reload_changes_nothing(keyd, pki):
    c = rig.SignClient(keyd.path)
    before = c.keys()
    with open(os.path.join(pki.keys, "broken.key"), "w", encoding="ascii") as f:
        f.write("-----BEGIN PRIVATE KEY-----\nbm90IGEga2V5\n-----END PRIVATE KEY-----\n")
    pki.own()
    keyd.proc.send_signal(signal.SIGHUP)
    keyd.wait_log("keys not reloaded")
    assert "broken.key" in keyd.log() and c.keys() == before


def test_a_replaced_key_is_wiped_in_the_end(pki, where):
    pki.leaf("ed", "ed25519", "a.test")
    keyd = rig.Keyd(where, pki.keys, "--retire-sec", "1").start()
    c = rig.SignClient(keyd.path)
    old = c.keys()[0][0][0]
    pki.leaf("ed", "ed25519", "a.test")
    keyd.proc.send_signal(signal.SIGHUP)
    keyd.wait_log("were wiped")
    c = rig.SignClient(keyd.path)
    assert c.sign(old, 0x0807, tls13())[0] == rig.UNKNOWN_KEY
    assert keyd.stop() == 0


def status_of(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)


def test_process_has_nothing_but_its_keys(keyd):
    rig.need_plain_build()
    pid = keyd.proc.pid
    s = status_of(pid)
    assert set(s["Uid"].split()) == {str(rig.pwd.getpwnam(rig.KEYD_USER).pw_uid)}
    assert (s["CapPrm"], s["CapEff"], s["CapAmb"]) == ("0" * 16,) * 3
    assert (s["NoNewPrivs"], s["Seccomp"]) == ("1", "2")
    with open(f"/proc/{pid}/limits", encoding="ascii") as f:
        assert "Max core file size        0                    0 " in f.read()
    assert os.stat(f"/proc/{pid}/mem").st_uid == 0  # not dumpable: its own user may not look
    assert int(s["VmLck"].split()[0]) >= 5 * 1024  # secure heap, heap, stack
    for path in (f"/proc/{pid}/fd", f"/proc/{pid}/mem", f"/proc/{pid}/root"):
        r = subprocess.run(["setpriv", "--reuid", rig.HTTPD_USER, "--clear-groups",
                            "head", "-c1", path + "/" if path.endswith("fd") else path],
                           capture_output=True, text=True, check=False)
        assert r.returncode != 0 and "Permission denied" in r.stderr, path


def test_only_the_workers_group_may_connect(keyd):
    code = ("import socket,sys; s=socket.socket(socket.AF_UNIX,socket.SOCK_SEQPACKET);"
            "s.connect(sys.argv[1])")
    run = lambda user: subprocess.run(  # noqa: E731
        ["setpriv", "--reuid", user, "--regid", user, "--clear-groups", "/usr/bin/python3", "-c",
         code, keyd.path], capture_output=True, text=True, check=False)
    assert run(rig.HTTPD_USER).returncode == 0
    assert "PermissionError" in run("daemon").stderr


def run_keyd(user, *options, env=None):
    return subprocess.run(
        ["setpriv", "--reuid", user, "--regid", user, "--clear-groups", rig.KEYD, *options],
        capture_output=True, text=True, check=False, env=dict(os.environ, **(env or {})))


def test_refuses_to_start(pki, where):
    key = os.path.join(pki.keys, "ed.key")
    pki.leaf("ed", "ed25519", "a.test")
    r = subprocess.run([rig.KEYD, "--key", key], capture_output=True, text=True, check=False)
    assert r.returncode == 77 and "is 0" in r.stderr  # EX_NOPERM: root
    r = subprocess.run(
        ["setpriv", "--reuid", rig.KEYD_USER, "--regid", rig.KEYD_USER, "--clear-groups",
         "--inh-caps", "+net_bind_service", "--ambient-caps", "+net_bind_service", rig.KEYD,
         "--key", key], capture_output=True, text=True, check=False)
    assert r.returncode == 77 and "capabilities" in r.stderr
    r = run_keyd(rig.KEYD_USER, "--key", key)
    assert r.returncode == 71 and "no socket was passed" in r.stderr
    r = run_keyd(rig.KEYD_USER, env={"CREDENTIALS_DIRECTORY": os.path.dirname(pki.ca)})
    assert r.returncode == 78 and "no private key found" in r.stderr
    assert run_keyd(rig.KEYD_USER, "--frobnicate").returncode == 64
    assert "usage:" in run_keyd(rig.KEYD_USER, "--help").stdout


@pytest.mark.parametrize("kind,text", [("rsa1024", "RSA of 1024"), ("p521", "EC of 521")])
def test_refuses_keys_that_tls_should_not_use(pki, kind, text):
    path = os.path.join(pki.keys, "x.key")
    rig.make_key(path, kind)
    pki.own()
    r = run_keyd(rig.KEYD_USER, "--key", path, "--check")
    assert r.returncode == 78 and text in r.stderr


def test_encrypted_keys_want_their_password(pki):
    path = os.path.join(pki.keys, "x.key")
    rig.make_key(path, "p256", "-aes256", "-pass", "pass:geheim")
    pki.own()
    check = lambda: run_keyd(rig.KEYD_USER, "--check",  # noqa: E731
                             env={"CREDENTIALS_DIRECTORY": pki.keys})
    assert "is encrypted" in check().stderr
    for password, code, text in (("falsch", 78, "password does not open it"), ("geheim", 0, "")):
        with open(path + ".pass", "w", encoding="ascii") as f:
            f.write(password + "\n")
        pki.own()
        r = check()
        assert r.returncode == code and text in r.stderr, r.stderr
        os.unlink(path + ".pass")


def test_sigterm_answers_what_was_asked(pki, where):
    pki.leaf("rsa", "rsa4096", "a.test")
    keyd = rig.Keyd(where, pki.keys).start()
    c = rig.SignClient(keyd.path)
    key = c.keys()[0][0][0]
    for i in range(40):
        c.sock.send(rig.msg_sign(key, 0x0804, tls13(), ident=i + 1))
    keyd.proc.send_signal(signal.SIGTERM)
    got = [struct.unpack_from("=HHIH", c.sock.recv(4096))[2:] for _ in range(40)]
    assert got == [(i + 1, rig.OK) for i in range(40)]
    assert c.sock.recv(4096) == b"" and keyd.proc.wait(5) == 0


def test_notifies_its_manager(pki, where):
    pki.leaf("ed", "ed25519", "a.test")
    notify = rig.socket.socket(rig.socket.AF_UNIX, rig.socket.SOCK_DGRAM)
    notify.bind(os.path.join(where, "notify"))
    os.chmod(os.path.join(where, "notify"), 0o666)
    notify.settimeout(5)
    keyd = rig.Keyd(where, pki.keys)
    keyd.env.update(NOTIFY_SOCKET=os.path.join(where, "notify"), WATCHDOG_USEC="400000")
    keyd.start()
    assert b"READY=1" in notify.recv(4096)
    assert notify.recv(4096) == b"WATCHDOG=1"  # with no traffic at all
    keyd.proc.send_signal(signal.SIGHUP)
    seen = b""
    while b"READY=1" not in seen:
        seen += notify.recv(4096) + b"\n"
    assert b"RELOADING=1" in seen and b"MONOTONIC_USEC=" in seen
    assert keyd.stop() == 0
    while b"STOPPING=1" not in seen:
        seen += notify.recv(4096) + b"\n"
