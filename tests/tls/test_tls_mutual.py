"""Certificates of clients: by site, in logs and routes; and tickets that try other sites' doors."""
import json
import os
import signal
import time

import pytest

import rig

CONFIG = """
access-log = fd:2
access-format = "%v %s [%c] %C"
certificates = { CERTS/a.pem }
site "open.test" { root = ROOT }
site "opt.test" {
    root = ROOT
    client-ca = CERTS/ca.pem
    client-auth = optional
    route "/any/" { respond = "x" client-subjects = { "any" } }
    route "/jo/" { respond = "x" client-subjects = { "CN=other", "CN=jo" } }
    route "/other/" { respond = "x" client-subjects = { "CN=other" } }
}
site "req.test" { root = ROOT client-ca = CERTS/ca.pem
    route "/.well-known/acme-challenge/" { respond = "token" } }
site "twin.test" { root = ROOT client-ca = CERTS/ca.pem }
site "req2.test" { root = ROOT client-ca = CERTS/ca2.pem }
"""
VERSIONS = ["-tls1_2", "-tls1_3"]


class Site:
    def __init__(self, pki, where):
        self.where, self.pki = where, pki
        pki.leaf("a", "p256", "a.test", "*.test")
        self.cert = self.client("jo", pki)
        other = os.path.join(where, "other")
        os.mkdir(other)
        self.other_pki = rig.Pki(other)
        self.other = self.client("other", self.other_pki)
        rig.shutil.copy(self.other_pki.ca, os.path.join(pki.certs, "ca2.pem"))
        self.keyd = rig.Keyd(where, pki.keys).start()
        self.worker = rig.Worker(where, self.keyd.path, [],
                                 config=CONFIG.replace("CERTS", pki.certs)).start()

    def client(self, name, pki):
        """What s_client wants to have of a client certificate."""
        cert = pki.leaf(name, "p256", usage="clientAuth")
        key = os.path.join(self.where, name + ".key")
        os.rename(os.path.join(pki.keys, name + ".key"), key)
        return ["-cert", cert, "-key", key]

    def ask(self, sni, *args, host=None, path="/1k"):
        """Status of an answer, or what went wrong; and whether the session was resumed."""
        _, out = rig.s_client(self.worker.port, "-servername", sni, *args,
                              send=f"GET {path} HTTP/1.0\r\nHost: {host or sni}\r\n\r\n")
        status = int(out.split("HTTP/1.1 ")[1][:3]) if "HTTP/1.1 " in out else None
        return status, "Reused, TLS" in out


@pytest.fixture
def site(pki, where):
    s = Site(pki, where)
    yield s
    assert s.worker.stop() == 0 and s.keyd.stop() == 0


@pytest.mark.parametrize("version", VERSIONS)
def test_who_is_let_in(site, version):
    for sni, args, status in (
            ("open.test", [], 200), ("opt.test", [], 200), ("opt.test", site.cert, 200),
            ("req.test", [], None), ("req.test", site.cert, 200), ("req.test", site.other, None),
            ("opt.test", site.other, None), ("req2.test", site.cert, None),
            ("req2.test", site.other, 200)):
        assert site.ask(sni, version, *args)[0] == status, (sni, args)
    for path, args, status in (
            ("/any/", [], 403), ("/any/", site.cert, 200), ("/jo/", site.cert, 200),
            ("/jo/", [], 403), ("/other/", site.cert, 403)):
        assert site.ask("opt.test", version, *args, path=path)[0] == status, (path, args)
    for line in ("open.test 200 [-] none", "opt.test 200 [CN=jo] ok", "req.test 200 [CN=jo] ok",
                 "opt.test 403 [CN=jo] ok", "opt.test 403 [-] none"):
        site.worker.wait_log(line)
    assert site.worker.stop() == 0  # the log is whole now
    assert "req.test 200 [-]" not in site.worker.log()


@pytest.mark.parametrize("version", VERSIONS)
def test_a_ticket_opens_only_doors_like_its_own(site, version):
    """Each ticket at each site, by a client that shows no certificate any more."""
    tickets = {"open.test": [], "opt.test": [], "opt.test ok": site.cert, "req.test": site.cert,
               "req2.test": site.other}
    for name, args in tickets.items():
        status, _ = site.ask(name.split()[0], version, *args, "-sess_out",
                             os.path.join(site.where, name))
        assert status == 200
    policy = {"open.test": 0, "opt.test": 1, "req.test": 2, "twin.test": 2, "req2.test": 3}
    for name in tickets:
        for sni, its in policy.items():
            for host in sni, "twin.test", "req2.test":
                status, reused = site.ask(sni, version, "-sess_in", os.path.join(site.where, name),
                                          host=host)
                where = (name, sni, host)
                same = policy[name.split()[0]] == its
                assert reused == same, where
                if its >= 2 and not same:
                    assert status is None, where  # a full handshake, and it has no certificate
                elif host == sni or policy[host] == 0:
                    assert status == 200, where
                else:  # twin.test is a group of its own
                    assert status == 421, where
    # What the certificate was is still known.
    assert site.ask("req.test", "-sess_in", os.path.join(site.where, "req.test"), version,
                    host="opt.test", path="/jo/") == (421, True)
    for name, path, status in (("opt.test ok", "/jo/", 200), ("opt.test", "/jo/", 403),
                               ("opt.test", "/any/", 403)):
        assert site.ask("opt.test", version, "-sess_in", os.path.join(site.where, name),
                        path=path) == (status, True)
    site.worker.wait_log("req.test 200 [CN=jo] ok")


def test_another_authority_ends_the_old_tickets(site):
    ticket = os.path.join(site.where, "session")
    assert site.ask("req.test", *site.cert, "-sess_out", ticket)[0] == 200
    assert site.ask("req.test", "-sess_in", ticket) == (200, True)
    new = os.path.join(site.pki.certs, "new.pem")
    rig.shutil.copy(site.other_pki.ca, new)
    os.rename(new, site.pki.ca)
    site.worker.proc.send_signal(signal.SIGHUP)
    site.worker.wait_log("generation 2")
    assert site.ask("req.test", "-sess_in", ticket) == (None, False)
    assert site.ask("req.test", *site.cert)[0] is None
    assert site.ask("req.test", *site.other)[0] == 200


def test_another_authority_without_a_configuration_file(pki, where):
    pki.leaf("a", "p256", "a.test")
    old, new = os.path.join(where, "old.pem"), os.path.join(where, "new.pem")
    rig.shutil.copy(pki.ca, old)
    key = os.path.join(where, "n.key")
    rig.make_key(key, "p256")
    rig.openssl("req", "-x509", "-new", "-key", key, "-subj", "/CN=other", "-days", "3", "-addext",
                "basicConstraints=critical,CA:TRUE", "-out", new)
    pki.leaf("jo", "p256", usage="clientAuth")
    jo = ["-cert", os.path.join(pki.certs, "jo.pem"), "-key", os.path.join(pki.keys, "jo.key")]
    keyd = rig.Keyd(where, pki.keys).start()
    worker = rig.Worker(where, keyd.path, [os.path.join(pki.certs, "a.pem")], "--client-ca",
                        old).start()
    ticket = os.path.join(where, "ticket")
    _, out = rig.s_client(worker.port, *jo, "-sess_out", ticket)
    assert "200 OK" in out and "CN = test root" in out
    os.rename(new, old)
    worker.proc.send_signal(signal.SIGHUP)
    worker.wait_log("certificates loaded")
    for args in jo, ["-sess_in", ticket]:
        _, out = rig.s_client(worker.port, *args)
        assert "200 OK" not in out and "CN = other" in out, args
    assert worker.stop() == 0 and keyd.stop() == 0


def test_plain_http(site):
    for host, path, status in (("req.test", "/1k", 403), ("opt.test", "/1k", 200),
                               ("req.test", "/.well-known/acme-challenge/x", 200),
                               ("opt.test", "/any/", 403)):
        with rig.socket.create_connection(("127.0.0.1", site.worker.http_port), 5) as s:
            s.sendall(f"GET {path} HTTP/1.0\r\nHost: {host}\r\n\r\n".encode())
            assert int(s.recv(64).split()[1]) == status, (host, path)
    site.worker.wait_log("opt.test 200 [-] -")


def test_a_subject_is_escaped(site):
    key, cert = (os.path.join(site.where, "odd." + x) for x in ("key", "pem"))
    rig.make_key(key, "p256")
    csr = rig.openssl("req", "-new", "-utf8", "-key", key, "-multivalue-rdn", "-subj",
                      r'/O=Käse, "Brot" \+ co/CN=a' + "\n" + r"b\\c")
    with open(cert, "wb") as f:
        f.write(rig.openssl("x509", "-req", "-CA", site.pki.ca, "-CAkey", site.pki.ca_key, "-days",
                            "2", "-set_serial", "77", input=csr))
    worker = site.worker
    with open(worker.config, encoding="ascii") as f:
        text = f.read()
    worker.configure(text.replace('access-format = "%v %s [%c] %C"', "access-format = json"))
    worker.proc.send_signal(signal.SIGHUP)
    worker.wait_log("generation 2")
    assert site.ask("req.test", "-cert", cert, "-key", key)[0] == 200
    assert site.ask("open.test")[0] == 200
    time.sleep(1)
    lines = [json.loads(x) for x in worker.log().splitlines() if x.startswith("{")]
    assert [(x["client_subject"], x["client_verified"]) for x in lines] == [
        (r'CN=a\0Ab\\c,O=K\C3\A4se\, \"Brot\" \+ co', "ok"), (None, "none")]
