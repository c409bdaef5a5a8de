"""The worker's TLS as clients see it: openssl s_client and curl, over versions, keys and groups."""
import os
import re
import signal
import socket
import ssl
import subprocess
import time

import pytest

import rig

KEYS = {  # file -> (kind of key, host names)
    "ec": ("p256", ("a.test", "*.w.test")),
    "rsa": ("rsa2048", ("a.test", "rsa.test")),
    "p384": ("p384", ("p384.test",)),
    "ed": ("ed25519", ("ed.test",)),
    "rsa4096": ("rsa4096", ("rsa4096.test",)),
}


class Site:
    """One worker and one signer for all tests of this file; nobody here may break them."""

    def __init__(self):
        rig.need_root()
        rig.need_tool("openssl", "curl")
        self.where = rig.folder()
        self.pki = rig.Pki(self.where)
        certs = [self.pki.leaf(name, kind, *dns) for name, (kind, dns) in KEYS.items()]
        self.keyd = rig.Keyd(self.where, self.pki.keys).start()
        self.worker = rig.Worker(self.where, self.keyd.path, certs).start()
        self.port, self.ca = self.worker.port, self.pki.ca

    def s_client(self, *args, host="a.test", **kw):
        return rig.s_client(self.port, "-CAfile", self.ca, "-verify_return_error",
                            "-verify_hostname", host, "-servername", host, *args, **kw)

    def refused(self, *args, **kw):
        code, out = self.s_client(*args, **kw)
        assert code != 0 and "200 OK" not in out, out
        return out


@pytest.fixture(scope="module")
def site():
    s = Site()
    yield s
    assert s.worker.stop() == 0, s.worker.log()
    assert s.keyd.stop() == 0, s.keyd.log()
    assert "refused to sign" not in s.keyd.log()
    rig.shutil.rmtree(s.where)


SIGNED_BY = {"p256": "ECDSA", "p384": "ECDSA", "ed25519": "ed25519", "rsa2048": "RSA-PSS",
             "rsa4096": "RSA-PSS"}


@pytest.mark.parametrize("group", ["X25519", "P-256", "P-384"])
@pytest.mark.parametrize("version", ["1_2", "1_3"])
@pytest.mark.parametrize("name", KEYS)
def test_every_version_key_and_group(site, name, version, group):
    kind, hosts = KEYS[name]
    host = hosts[-1].replace("*", "x")
    # In TLS 1.2 the list also says on which curves a certificate may be (RFC 8422 5.1.1).
    more = {"p256": ":P-256", "p384": ":P-384"}.get(kind, "").replace(":" + group, "")
    code, out = site.s_client("-tls" + version, "-groups", group + more, host=host,
                              send=f"GET /1k HTTP/1.0\r\nHost: {host}\r\n\r\n")
    assert code == 0 and "HTTP/1.1 200 OK" in out and "Verification: OK" in out, out
    assert f"TLSv{version.replace('_', '.')}, Cipher is" in out
    assert f"Peer signature type: {SIGNED_BY[kind]}" in out, out
    # In TLS 1.3 the client has sent a share of its first; in TLS 1.2 our order decides.
    used = group if version == "1_3" else next(
        g for g in ("X25519", "P-256", "P-384") if g in group + more)
    curve = {"P-256": "ECDH, prime256v1", "P-384": "ECDH, secp384r1"}.get(used, used)
    assert f"Server Temp Key: {curve}" in out


@pytest.mark.parametrize("sigalgs,want", [
    ("RSA+SHA256", "RSA"), ("RSA+SHA512", "RSA"), ("rsa_pss_rsae_sha384", "RSA-PSS"),
    ("ecdsa_secp256r1_sha256", "ECDSA"), ("ECDSA+SHA512", "ECDSA")])
def test_tls12_signature_schemes(site, sigalgs, want):
    code, out = site.s_client("-tls1_2", "-sigalgs", sigalgs)
    assert code == 0 and f"Peer signature type: {want}\n" in out, out


@pytest.mark.parametrize("suite", [
    "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-CHACHA20-POLY1305"])
def test_tls12_suites(site, suite):
    code, out = site.s_client("-tls1_2", "-cipher", suite)
    assert code == 0 and f"Cipher is {suite}" in out


@pytest.mark.parametrize("args", [
    ("-tls1",), ("-tls1_1",), ("-tls1_2", "-cipher", "AES128-GCM-SHA256"),
    ("-tls1_2", "-cipher", "ECDHE-RSA-AES128-SHA"), ("-tls1_2", "-cipher", "DHE-RSA-AES128-GCM-SHA256"),
    ("-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-CCM"), ("-tls1_2", "-sigalgs", "RSA+SHA1"),
    ("-groups", "P-521")], ids=" ".join)
def test_what_is_not_spoken(site, args):
    site.refused(*args, "-cipher", "ALL:@SECLEVEL=0") if len(args) == 1 else site.refused(*args)


def test_our_order_decides_but_chacha_first_means_no_aes(site):
    for version, option, asked, used in (
            ("-tls1_3", "-ciphersuites", "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256",
             "TLS_AES_128_GCM_SHA256"),
            ("-tls1_3", "-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256",
             "TLS_CHACHA20_POLY1305_SHA256"),
            ("-tls1_2", "-cipher", "ECDHE+AES256+AESGCM:ECDHE+AES128+AESGCM",
             "ECDHE-ECDSA-AES128-GCM-SHA256")):
        assert f"Cipher is {used}" in site.s_client(version, option, asked)[1]


def test_names_pick_certificates(site):
    for host, subject in (("a.test", "ec"), ("A.TEST", "ec"), ("x.w.test", "ec"),
                          ("rsa.test", "rsa"), ("p384.test", "p384"), ("ed.test", "ed"),
                          ("nobody.test", "ec"), ("y.x.w.test", "ec"), ("w.test", "ec")):
        _, out = rig.s_client(site.port, "-servername", host)
        assert f"subject=CN = {subject}\n" in out, host
    _, out = rig.s_client(site.port, "-noservername")
    assert "subject=CN = ec\n" in out
    # RSA and ECDSA for one name: the client's algorithms decide.
    for sigalgs, subject in (("rsa_pss_rsae_sha256", "rsa"), ("ecdsa_secp256r1_sha256", "ec")):
        _, out = rig.s_client(site.port, "-servername", "a.test", "-sigalgs", sigalgs)
        assert f"subject=CN = {subject}\n" in out


def test_alpn(site):
    _, out = site.s_client("-alpn", "h2,http/1.1")
    assert "ALPN protocol: http/1.1" in out
    _, out = site.s_client()
    assert "No ALPN negotiated" in out and "200 OK" in out
    out = site.refused("-alpn", "ftp")
    assert "no application protocol" in out


def test_curl(site, tmp_path):
    for version in "1.2", "1.3":
        out = tmp_path / "out"
        r = subprocess.run(
            ["curl", "-sS", "--cacert", site.ca, "--tlsv" + version, "--tls-max", version,
             "--connect-to", f"a.test:443:127.0.0.1:{site.port}", "-o", str(out), "-w",
             "%{http_code} %{ssl_verify_result} %{num_connects}", "https://a.test/1m",
             "https://a.test/1k", "-o", str(tmp_path / "out2")],
            capture_output=True, text=True, check=False)
        assert r.stdout.startswith("200 0 1200 0 0"), (r.stdout, r.stderr)  # one connection for two
        with open(os.path.join(site.where, "site/1m"), "rb") as f:
            assert out.read_bytes() == f.read()


def test_no_early_data_no_renegotiation_no_compression(site, tmp_path):
    sess, early = str(tmp_path / "sess"), str(tmp_path / "early")
    with open(early, "w", encoding="ascii") as f:
        f.write("GET /1k HTTP/1.0\r\n\r\n")
    _, out = site.s_client("-tls1_3", "-sess_out", sess)
    assert "Max Early Data: 0" in out
    _, out = site.s_client("-tls1_3", "-sess_in", sess, "-early_data", early)
    assert "Early data was accepted" not in out
    r = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{site.port}", "-tls1_2"],
                       input=b"R\n", capture_output=True, timeout=20, check=False)
    assert b"no renegotiation" in r.stderr, r.stderr
    assert b"Compression: NONE" in r.stdout and b"Secure Renegotiation IS supported" in r.stdout


def resume(port, version, tmp_path, *more, second=None):
    sess = str(tmp_path / "sess")
    _, out = rig.s_client(port, "-tls" + version, "-sess_out", sess, *more)
    assert "New, TLS" in out, out
    _, out = rig.s_client(second or port, "-tls" + version, "-sess_in", sess, *more)
    return "Reused, TLS" in out


@pytest.mark.parametrize("version", ["1_2", "1_3"])
def test_tickets_resume_without_the_signer(site, version, tmp_path):
    assert resume(site.port, version, tmp_path)
    site.keyd.proc.send_signal(signal.SIGSTOP)  # a resumption needs no signature
    try:
        _, out = rig.s_client(site.port, "-tls" + version, "-sess_in", str(tmp_path / "sess"))
        assert "Reused, TLS" in out and "200 OK" in out
    finally:
        site.keyd.proc.send_signal(signal.SIGCONT)


def test_one_ticket_in_tls13(site):
    _, out = site.s_client("-tls1_3")
    assert out.count("Post-Handshake New Session Ticket arrived") == 1


def client_hello(version=ssl.TLSVersion.TLSv1_3):
    """The bytes with which a client begins, and the object that goes on from there."""
    ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    ctx.check_hostname, ctx.verify_mode = False, ssl.CERT_NONE
    ctx.maximum_version = version
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    obj = ctx.wrap_bio(to_client, to_server, server_hostname="a.test")
    with pytest.raises(ssl.SSLWantReadError):
        obj.do_handshake()
    return to_server.read(), obj, to_client, to_server


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_handshake_byte_by_byte(site, version):
    data, obj, to_client, to_server = client_hello(version)
    with socket.create_connection(("127.0.0.1", site.port)) as s:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        s.settimeout(10)

        def pump(step):
            while True:
                try:
                    result = step()
                    dribble()
                    return result
                except ssl.SSLWantReadError:
                    dribble()
                    to_client.write(s.recv(3))

        def dribble():
            for byte in to_server.read():
                s.send(bytes([byte]))

        for byte in data:
            s.send(bytes([byte]))
        pump(obj.do_handshake)
        obj.write(b"GET /1k HTTP/1.0\r\nHost: a.test\r\n\r\n")
        dribble()
        got = b""
        while b"\r\n\r\n" not in got:
            got += pump(lambda: obj.read(100))
        assert got.startswith(b"HTTP/1.1 200 OK")


def test_truncated_and_foreign_handshakes_hurt_nobody(site):
    data = client_hello()[0]
    for cut in range(0, len(data), 7):
        with socket.create_connection(("127.0.0.1", site.port)) as s:
            s.send(data[:cut])
    for text in (b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n", b"\x16\x03\x01\xff\xff" + b"x" * 5000,
                 b"\x80\x2e\x01\x00\x02", os.urandom(2000)):
        with socket.create_connection(("127.0.0.1", site.port)) as s:
            s.settimeout(10)
            s.send(text)
            s.shutdown(socket.SHUT_WR)
            try:
                while s.recv(4096):
                    pass
            except ConnectionResetError:
                pass
    assert "200 OK" in site.s_client()[1]


def test_large_answers_come_in_small_records_first(site):
    sizes = []
    _, out = site.s_client("-msg", send="GET /1m HTTP/1.0\r\nHost: a.test\r\n\r\n")
    for m in re.finditer(r"<<< TLS 1\.[23], RecordHeader \[length 0005\]\n +17 03 03 (..) (..)",
                         out):
        sizes.append(int(m.group(1) + m.group(2), 16))
    body = [n for n in sizes if n > 1024]
    assert max(body) > 16000, sizes
    assert all(n < 4200 for n in body[:4]) and body[5] > 16000, body[:20]
    assert sum(n > 16000 for n in body) > 50


def test_hostile_clients_do_not_slow_plain_http(site):
    conns = [socket.create_connection(("127.0.0.1", site.port)) for _ in range(200)]
    for c in conns:
        c.send(b"\x16\x03\x01")  # and nothing more
    with socket.create_connection(("127.0.0.1", site.worker.http_port)) as s:
        s.send(b"GET /1k HTTP/1.0\r\nHost: a.test\r\n\r\n")
        start = time.monotonic()
        assert s.recv(12) == b"HTTP/1.1 200" and time.monotonic() - start < 1
    for c in conns:
        c.close()
