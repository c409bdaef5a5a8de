"""What /metrics and /status say of TLS: each way that a handshake can go, by a client that goes it."""
import json
import os
import signal
import socket
import ssl
import threading
import time
import urllib.request

import pytest

import rig


@pytest.fixture
def made(pki, where):
    """(signer, worker); the handshake's time limit is one second."""
    cert = pki.leaf("a", "p256", "a.test")
    keyd = rig.Keyd(where, pki.keys).start()
    worker = rig.Worker(where, keyd.path, [cert], "--client-ca", pki.ca, "--client-auth", "optional",
                        program=rig.HTTPD_HOOKS, env={"SALLYPORT_HOOK": "short-handshake"}).start()
    yield keyd, worker
    assert worker.stop() == 0 and keyd.stop() == 0


def wait_figure(worker, name, value, timeout=10):
    end = time.monotonic() + timeout
    while worker.figures()[name] != value:
        assert time.monotonic() < end, (name, value, worker.figures()[name])
        time.sleep(0.05)


def failed(reason):
    return f'tls_failed_total{{reason="{reason}"}}'


def try_handshake(port, ctx=None):
    with pytest.raises((ssl.SSLError, ConnectionError)):
        rig.TlsClient(port, ctx).get()


def send(port, data, wait):
    """Bytes that are no handshake, or half of one."""
    with socket.create_connection(("127.0.0.1", port), 10) as s:
        s.sendall(data)
        while wait and s.recv(4096):
            pass


def hello():
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    obj = rig.tls_context().wrap_bio(incoming, outgoing, server_hostname="a.test")
    with pytest.raises(ssl.SSLWantReadError):
        obj.do_handshake()
    return outgoing.read()


def test_what_clients_do_wrong(made, pki, where):
    _, worker = made
    rig.openssl("req", "-x509", "-newkey", "ed25519", "-nodes", "-subj", "/CN=stranger", "-keyout",
                os.path.join(where, "s.key"), "-out", os.path.join(where, "s.pem"))
    stranger = ["-cert", os.path.join(where, "s.pem"), "-key", os.path.join(where, "s.key")]
    ways = {
        "closed": lambda: send(worker.port, hello()[:50], False),
        "alert": lambda: try_handshake(worker.port, ssl.create_default_context()),
        "not_tls": lambda: send(worker.port, b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n", True),
        "version": lambda: rig.s_client(worker.port, "-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"),
        "nothing_shared": lambda: rig.s_client(worker.port, "-tls1_3", "-groups", "P-521"),
        "alpn": lambda: rig.s_client(worker.port, "-alpn", "h9"),
        "client_certificate": lambda: rig.s_client(worker.port, *stranger),
        "protocol": lambda: send(worker.port, b"\x16\x03\x01\x00\x04\x05\x00\x00\x00", True),
        "time": lambda: send(worker.port, hello()[:50], True),
    }
    for reason, way in ways.items():
        before = worker.figures()
        way()
        wait_figure(worker, failed(reason), before[failed(reason)] + 1)
        wait_figure(worker, "tls_handshakes", 0)
        after = worker.figures()
        assert [k for k in after if k.startswith("tls_failed") and after[k] != before[k]] == [
            failed(reason)]
    assert sum(v for k, v in worker.figures().items() if k.startswith("tls_handshakes_total")) == 0


def test_what_goes_well(made, pki, where):
    keyd, worker = made
    pki.leaf("jo", "p256", usage="clientAuth")
    client = ["-cert", os.path.join(pki.certs, "jo.pem"), "-key", os.path.join(pki.keys, "jo.key")]
    ticket = os.path.join(where, "ticket")
    rig.s_client(worker.port, "-tls1_2", "-sess_out", ticket)
    rig.s_client(worker.port, "-tls1_2", "-sess_in", ticket)
    for _ in range(3):
        rig.s_client(worker.port, "-tls1_3", *client)
    end = time.monotonic() + 10
    want = {'tls_handshakes_total{version="1.2"}': 2, 'tls_handshakes_total{version="1.3"}': 3,
            "tls_resumed_total": 1, "tls_client_certificates_total": 3, "tls_signatures_total": 4,
            "tls_signer_up": 1, "tls_signer_connects_total": 1, "tls_signer_refused_total": 0,
            "tls_signer_seconds_count": 4, 'tls_tickets_total{result="made"}': 4}
    while {k: worker.figures()[k] for k in want} != want:
        assert time.monotonic() < end, {k: worker.figures()[k] for k in want}
        time.sleep(0.05)
    assert 0 < worker.figures()["tls_signer_seconds_sum"] < 1
    with urllib.request.urlopen(f"http://127.0.0.1:{worker.admin_port}/status") as r:
        status = json.load(r)
    assert status["tls_handshakes_total_1.3"] == 3 and status["tls_signer_usec"] > 0
    worker.stop()
    worker.https.listen(512)
    worker.start()  # another secret
    rig.s_client(worker.port, "-tls1_2", "-sess_in", ticket)
    wait_figure(worker, 'tls_tickets_total{result="unknown"}', 1)


def test_the_signer_refuses(pki, where):
    """A key that is gone while a signature by it is waited for."""
    cert = pki.leaf("a", "p256", "a.test")
    keyd = rig.Keyd(where, pki.keys).start()
    worker = rig.Worker(where, keyd.path, [cert]).start()
    keyd.proc.send_signal(signal.SIGSTOP)
    thread = threading.Thread(target=try_handshake, args=(worker.port,))
    thread.start()
    wait_figure(worker, "tls_signing", 1)
    pki.leaf("a", "p256", "a.test")
    keyd.proc.kill()
    keyd.proc.wait()
    keyd.start()
    wait_figure(worker, failed("signer"), 1)
    thread.join()
    assert worker.figures()["tls_signer_refused_total"] >= 1
    assert worker.figures()["tls_signer_connects_total"] == 2
    assert worker.stop() == 0 and keyd.stop() == 0


def test_the_signer_away(made):
    keyd, worker = made
    keyd.proc.send_signal(signal.SIGSTOP)
    thread = threading.Thread(target=try_handshake, args=(worker.port,))
    thread.start()
    wait_figure(worker, "tls_signing", 1)
    assert worker.figures()["tls_handshakes"] == 1
    wait_figure(worker, failed("signer_time"), 1)
    thread.join()
    # None at all: handshakes wait before they have chosen a certificate.
    keyd.proc.kill()
    keyd.proc.wait()
    wait_figure(worker, "tls_signer_up", 0)
    thread = threading.Thread(target=try_handshake, args=(worker.port,))
    thread.start()
    wait_figure(worker, "tls_held", 1)
    wait_figure(worker, failed("time"), 1)
    thread.join()
    wait_figure(worker, "tls_held", 0)
    keyd.start()
    wait_figure(worker, "tls_signer_up", 1)
