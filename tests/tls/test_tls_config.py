"""TLS in the configuration file: certificates of sites, policy, tickets, HSTS, redirects, reload."""
import os
import re
import signal
import ssl
import subprocess
import time

import pytest

import rig


@pytest.fixture
def make(pki, where):
    """make(config, *options): signer and worker of a configuration text with ROOT and CERTS in it."""
    made = []

    def start(config, *options, **kw):
        keyd = rig.Keyd(where, pki.keys).start()
        worker = rig.Worker(where, keyd.path, [], *options,
                            config=config.replace("CERTS", pki.certs), **kw)
        made.extend((keyd, worker))
        return worker.start()

    yield start
    for daemon in reversed(made):
        if daemon.proc and daemon.proc.poll() is None:
            assert daemon.stop() == 0, daemon.log()


def rewrite(worker, old, new):
    """Changes the configuration and asks for it."""
    with open(worker.config, encoding="ascii") as f:
        text = f.read()
    assert old in text
    worker.configure(text.replace(old, new))
    worker.proc.send_signal(signal.SIGHUP)


def subject(worker, host, *args):
    _, out = rig.s_client(worker.port, "-servername", host, *args)
    found = re.search(r"^subject=CN = (.*)$", out, re.M)
    return found and found.group(1)


def curl(worker, url, *args):
    """(status, head) of a request; the host may be any."""
    r = subprocess.run(
        ["curl", "-sk", "-D-", "-o/dev/null", "--connect-to", f"::127.0.0.1:{worker.port}"
         if url.startswith("https") else f"::127.0.0.1:{worker.http_port}", *args, url],
        capture_output=True, text=True, check=False, timeout=20)
    head = r.stdout.replace("\r", "")
    return int(head.split()[1]) if head else r.returncode, head


SITES = """
certificates = { CERTS/rest.pem }
site "a.test" {
    root = ROOT
    certificates = { CERTS/a-ec.pem, CERTS/a-rsa.pem }
}
site "b.test" {
    names = { "b.test", "*.b.test" }
    root = ROOT
    certificates = { CERTS/b.pem }
}
site "c.test" { root = ROOT default = yes }
"""


def test_each_site_has_its_own_certificates(make, pki):
    pki.leaf("rest", "p256", "c.test", "a.test")  # a.test is in it, and still not used for it
    pki.leaf("a-ec", "p256", "a.test")
    pki.leaf("a-rsa", "rsa2048", "a.test")
    pki.leaf("b", "ed25519", "b.test")
    worker = make(SITES)
    assert subject(worker, "a.test") == "a-ec"
    assert subject(worker, "A.test", "-sigalgs", "rsa_pss_rsae_sha256") == "a-rsa"
    assert subject(worker, "a.test", "-tls1_2", "-cipher", "aRSA") == "a-rsa"
    assert subject(worker, "b.test") == subject(worker, "x.y.b.test") == "b"
    assert subject(worker, "c.test") == subject(worker, "unknown.test") == "rest"
    _, out = rig.s_client(worker.port, "-noservername")
    assert "subject=CN = rest" in out
    rewrite(worker, "CERTS/b.pem".replace("CERTS", pki.certs), os.path.join(pki.certs, "rest.pem"))
    worker.wait_log("generation 2")
    assert subject(worker, "b.test") == "rest"


POLICY = """
tls-min = 1.3
tls-groups = "P-384"
tls-suites = "TLS_CHACHA20_POLY1305_SHA256"
certificates = { CERTS/a.pem }
site "a.test" { root = ROOT }
"""


def test_policy_and_its_reload(make, pki):
    pki.leaf("a", "p256", "a.test")
    worker = make(POLICY)
    _, out = rig.s_client(worker.port)
    assert "TLSv1.3, Cipher is TLS_CHACHA20_POLY1305_SHA256" in out
    assert "Server Temp Key: ECDH, secp384r1" in out
    _, out = rig.s_client(worker.port, "-groups", "X25519")
    assert "200 OK" not in out
    _, out = rig.s_client(worker.port, "-tls1_2")
    assert "200 OK" not in out
    for bad, said in (('tls-min = "1.1"', "want 1.2 or 1.3"), ('tls-groups = "P-999"', "groups P-999"),
                      ('tls-suites = "X"', "TLS 1.3 suites X"),
                      ("certificates = { /nonexistent }", "No such file"),
                      ("client-auth = required", "it needs a client-ca")):
        os.truncate(worker.log_path, 0)
        rewrite(worker, 'site "a.test"', bad + '\nsite "a.test"')
        worker.wait_log("the old configuration stays")
        assert said in worker.log()
        _, out = rig.s_client(worker.port)
        assert "200 OK" in out
        with open(worker.config, encoding="ascii") as f:
            worker.configure(f.read().replace(bad + "\n", ""))
    os.truncate(worker.log_path, 0)
    rewrite(worker, "tls-min = 1.3", 'tls-ciphers = "ECDHE-ECDSA-AES256-GCM-SHA384"')
    worker.wait_log("reloaded")
    _, out = rig.s_client(worker.port, "-tls1_2", "-groups", "P-384:P-256")
    assert "TLSv1.2, Cipher is ECDHE-ECDSA-AES256-GCM-SHA384" in out


def test_the_security_level(make, pki):
    pki.leaf("a", "rsa2048", "a.test")
    worker = make('certificates = { CERTS/a.pem }\nsite "a.test" { root = ROOT }\n')
    assert subject(worker, "a.test") == "a"
    before = len(worker.log())
    rewrite(worker, "certificates", "tls-security-level = 3\ncertificates")
    worker.wait_log("the old configuration stays")  # RSA of 2048 bits has 112 bits of security
    assert "ee key too small" in worker.log()[before:]
    assert subject(worker, "a.test") == "a"


def test_the_command_line_goes_first(make, pki):
    pki.leaf("a", "p256", "a.test")
    pki.leaf("cli", "p256", "a.test")
    worker = make(POLICY, "--cert", os.path.join(pki.certs, "cli.pem"), "--tls-min", "1.2",
                  "--tls-groups", "P-256:P-384")
    assert subject(worker, "a.test", "-tls1_2", "-groups", "P-256") == "cli"


def test_no_certificate_for_a_tls_socket(make, pki):
    pki.leaf("a", "p256", "a.test")
    with pytest.raises(AssertionError, match="it needs a certificate"):
        make('site "a.test" { root = ROOT }\n')


def test_handshake_timeout(make, pki):
    """From the first byte to the last, however often one comes."""
    pki.leaf("a", "p256", "a.test")
    worker = make('handshake-timeout = 700ms\ncertificates = { CERTS/a.pem }\n'
                  'site "a.test" { root = ROOT }\n')
    hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(512)
    with rig.socket.create_connection(("127.0.0.1", worker.port), 5) as s:
        begin = time.monotonic()
        with pytest.raises(OSError):
            for i in range(50):
                s.sendall(hello[i:i + 1])
                time.sleep(0.1)
        assert 0.6 < time.monotonic() - begin < 2
    assert subject(worker, "a.test") == "a"


def record_sizes(port):
    """Lengths of the application data records of 1 MB, as they come."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    obj = rig.tls_context().wrap_bio(incoming, outgoing, server_hostname="a.test")
    with rig.socket.create_connection(("127.0.0.1", port), 10) as raw:
        while True:
            try:
                obj.do_handshake()
                break
            except ssl.SSLWantReadError:
                raw.sendall(outgoing.read())
                incoming.write(raw.recv(65536))
        obj.write(b"GET /1m HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n")
        raw.sendall(outgoing.read())
        data, sizes = b"", []
        while more := raw.recv(1 << 20):
            data += more
    while len(data) >= 5:
        size = int.from_bytes(data[3:5], "big")
        if data[0] == 23 and size > (19 if sizes else 300):  # tickets first, an alert last
            sizes.append(size - 17)  # tag and type
        data = data[5 + size:]
    return sizes


def test_sizes_of_records(make, pki):
    pki.leaf("a", "p256", "a.test")
    worker = make('tls-first-record = 1K\ncertificates = { CERTS/a.pem }\n'
                  'site "a.test" { root = ROOT }\n')
    sizes = record_sizes(worker.port)
    small = sizes.index(16384)
    assert set(sizes[:small]) == {1024} and sum(sizes[:small]) == 16384
    assert sum(sizes) >= 1 << 20
    rewrite(worker, "tls-first-record = 1K", "")
    worker.wait_log("generation 2")
    assert record_sizes(worker.port)[0] == 4096


def test_tickets_by_a_credential_of_another_name(make, pki, where):
    pki.leaf("a", "p256", "a.test")
    os.mkdir(os.path.join(where, "creds"))
    with open(os.path.join(where, "creds/fleet"), "wb") as f:
        f.write(os.urandom(32))
    worker = make('ticket-credential = fleet\nticket-lifetime = 1h\ncertificates = { CERTS/a.pem }\n'
                  'site "a.test" { root = ROOT }\n',
                  env={"CREDENTIALS_DIRECTORY": os.path.join(where, "creds")})
    ticket = os.path.join(where, "session")
    _, out = rig.s_client(worker.port, "-sess_out", ticket)
    assert "lifetime hint: 3600" in out
    assert worker.stop() == 0
    worker.https.listen(512)
    worker.start()
    _, out = rig.s_client(worker.port, "-sess_in", ticket)
    assert "Reused, TLSv1.3" in out
    rewrite(worker, "1h", "2h")  # keys of another length of life are others
    worker.wait_log("generation 2")
    _, out = rig.s_client(worker.port, "-sess_out", ticket)
    assert "lifetime hint: 7200" in out


KERNEL = """
tls-kernel = yes
certificates = { CERTS/a.pem }
site "a.test" { root = ROOT }
"""


@pytest.mark.parametrize("version", ["--tls-max=1.2", "--tlsv1.3"])
def test_files_whoever_encrypts(make, pki, where, version):
    pki.leaf("a", "p256", "a.test")
    worker = make(KERNEL)
    got = os.path.join(where, "got")
    for name, times in (("1m", 3), ("100k", 1), ("1k", 1)):
        with open(os.path.join(where, "site", name), "rb") as f:
            want = f.read()
        urls = [x for _ in range(times) for x in ("-o", got, f"https://a.test/{name}")]
        subprocess.run(["curl", "-sSfk", "--connect-to", f"::127.0.0.1:{worker.port}",
                        *version.split("="), *urls], check=True, timeout=30)
        with open(got, "rb") as f:
            assert f.read() == want
    with open("/proc/sys/net/ipv4/tcp_available_ulp", encoding="ascii") as f:
        if "tls" not in f.read().split():
            assert worker.figures()["tls_kernel_total"] == 0
            pytest.skip("the kernel has no TLS: only the way without it was seen")
    assert worker.figures()["tls_kernel_total"] == 3


STRICT = """
certificates = { CERTS/a.pem }
site "a.test" {
    root = ROOT
    https-redirect = yes
    hsts = "max-age=63072000; includeSubDomains"
    route "/.well-known/acme-challenge/" { respond = "token" }
}
site "b.test" { root = ROOT https-redirect = yes https-port = 8443 }
site "c.test" { root = ROOT }
"""


def test_redirect_and_hsts(make, pki):
    pki.leaf("a", "p256", "a.test")
    worker = make(STRICT)
    status, head = curl(worker, "http://a.test/x%20y/../z?q=1&r=%2F")
    assert status == 308 and "Location: https://a.test/z?q=1&r=%2F\n" in head
    assert "Strict-Transport" not in head
    status, head = curl(worker, "http://a.test/%0d%0aX:y", "-X", "POST")
    assert status == 308 and "Location: https://a.test/%0D%0AX%3Ay\n" in head, head
    status, head = curl(worker, "http://b.test/")
    assert status == 308 and "Location: https://b.test:8443/\n" in head
    status, head = curl(worker, "http://a.test/", "-0", "-H", "Host:")
    assert status == 308 and "Location: https://a.test/\n" in head
    status, _ = curl(worker, "http://a.test/.well-known/acme-challenge/x")
    assert status == 200
    for path in "/.well-known/acme-challenge/../../1k", "/.well-known/acme-challengex":
        status, _ = curl(worker, "http://a.test" + path, "--path-as-is")
        assert status == 308, path
    for url in "https://a.test/1k", "https://a.test/none":
        status, head = curl(worker, url)
        assert "Strict-Transport-Security: max-age=63072000; includeSubDomains\n" in head
    for url in "https://c.test/1k", "https://b.test/1k", "http://c.test/1k":
        status, head = curl(worker, url)
        assert status == 200 and "Strict-Transport" not in head


@pytest.mark.parametrize("line,said", [
    ("hsts = yes", "max-age=SECONDS"), ('hsts = "max-age=x"', "max-age=SECONDS"),
    ('hsts = "max-age=1; preload"', "max-age=SECONDS"), ("https-port = 0", "out of range"),
    ("client-auth = maybe", "required, optional or none"), ("client-auth = required", "a client-ca"),
    ("client-subjects = { any }", "no client-ca"), ("client-ca = nothing", "an absolute path"), ("certificates = { /nonexistent }", "No such file"),
])
def test_what_a_site_cannot_say(where, line, said):
    file = os.path.join(where, "bad.conf")
    with open(file, "w", encoding="ascii") as f:
        f.write(f'site "a.test" {{\n respond = "x"\n {line}\n}}\n')
    r = subprocess.run([rig.HTTPD, "--check", "--config", file], capture_output=True, text=True,
                       check=False)
    assert r.returncode == 78 and said in r.stderr, r.stderr
