"""The shipped units, whole: keys by LoadCredential=, port 443, renewal, a signer that is killed.

By `sallyport run` and by systemd from the same files; only the paths of the build are put in.
"""
import os
import pathlib
import re
import signal

import pytest

import rig
from support.box import wait_for

UNITS = ("sallyport-keyd.socket", "sallyport-keyd.service", "sallyport-httpd.socket",
         "sallyport-httpd-tls.socket", "sallyport-httpd.service")
SOCKETS = tuple(u for u in UNITS if u.endswith(".socket"))
KEY, CERT = "/etc/sallyport/private/a.key", "/etc/sallyport/certs/a.pem"


def unit_texts():
    """Of the build, with the programs where the box has them."""
    folder = pathlib.Path(rig.BUILD, "units")
    return {name: re.sub(r"(?m)^(ExecStart=)\S*/(?=sallyport-)", r"\1/opt/sallyport/",
                         re.sub(r"--root \S+", "--root /srv/site", (folder / name).read_text()))
            for name in UNITS}


def hook_text():
    """The ACME hook of the manual."""
    page = (pathlib.Path(rig.HERE) / "../../docs/man/sallyport-keyd.8").read_text()
    text = page[page.index("#!/bin/sh\n# deploy"):]
    return text[:text.index(".Ed")]


@pytest.fixture
def renew(tmp_path):
    """renew(box): a new key and certificate, put in place as an operator would; or, with hook=True,
    as an ACME client would."""
    os.chmod(tmp_path, 0o755)
    pki = rig.Pki(str(tmp_path))

    def put(box, hook=False):
        cert = pki.leaf("a", "p256", "a.test")
        with open(cert, "rb") as c, open(os.path.join(pki.keys, "a.key"), "rb") as k:
            if hook:
                for name, file in ("cert", c), ("key", k):
                    box.write(f"/tmp/acme.{name}", file.read(), 0o600)
                box.write("/tmp/deploy", hook_text(), 0o755)
                box.run(["/usr/bin/env", "PATH=/opt/sallyport:/usr/bin:/bin", "/tmp/deploy", "a",
                         "/tmp/acme.key", "/tmp/acme.cert"])
                return
            box.mkdir("/etc/sallyport/private", 0o700)
            box.write(KEY, k.read(), 0o600)
            box.write(CERT, c.read(), 0o644)
        box.write("/etc/sallyport/ca.pem", pathlib.Path(pki.ca).read_bytes())
        box.write("/etc/sallyport/httpd.env", f"SALLYPORT_HTTPD_OPTIONS=--cert {CERT}\n")
        box.write("/srv/site/index.html", "hello\n")

    yield put


def get(box, scheme="https", check=True):
    """(body, serial of the certificate)."""
    r = box.run(["curl", "-sS", "--cacert", "/etc/sallyport/ca.pem", "--connect-to",
                 "a.test::127.0.0.1:", "--max-time", "10", "-v", f"{scheme}://a.test/"],
                check=check)
    return r.stdout


def serial(box):
    r = box.run(["/bin/sh", "-c", "echo | openssl s_client -connect 127.0.0.1:443 -servername "
                 "a.test 2>/dev/null | openssl x509 -noout -serial"], check=False)
    return r.stdout.strip()


def pid_of(box, name):
    found = [pid for pid, line in box.processes("/") if f"/{name}" in line.split()[0]]
    return found[0] if found else None


def ids(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        s = dict(x.rstrip("\n").split(":\t", 1) for x in f if ":\t" in x)
    return s["Uid"].split()[0], s["CapEff"], s["NoNewPrivs"]


def check_everything(box, renew, reload):
    assert get(box) == "hello\n" and get(box, "http") == "hello\n"
    keyd, httpd = pid_of(box, "sallyport-keyd"), pid_of(box, "sallyport-httpd")
    assert ids(keyd) == ("4005", "0" * 16, "1") and ids(httpd) == ("4004", "0" * 16, "1")
    os.kill(keyd, signal.SIGKILL)
    assert get(box) == "hello\n"  # it comes back by itself, or by the handshake
    wait_for(lambda: pid_of(box, "sallyport-keyd") not in (None, keyd), text="another signer")
    before = serial(box)
    renew(box)
    reload()
    wait_for(lambda: serial(box) not in ("", before), text="the new certificate")
    assert get(box) == "hello\n"


def test_sallyport_run(box, renew):
    renew(box)
    # What the launcher cannot do is accepted by name.
    pending = ["--unenforced", "PrivateNetwork"]
    with box.launcher(*SOCKETS, units=unit_texts(), args=pending) as run:
        assert pid_of(box, "sallyport-keyd") is None  # started by the first handshake, not before

        def reload():
            for unit in "sallyport-keyd.service", "sallyport-httpd.service":
                box.run(["/opt/sallyport/sallyport", "reload", unit])

        check_everything(box, renew, reload)
        if not rig.sanitized():
            check_memory(box)
        before = serial(box)
        renew(box, hook=True)
        wait_for(lambda: serial(box) not in ("", before), text="the certificate by the hook")
        assert sorted(os.listdir(box.path("/etc/sallyport/private"))) == ["a.key"]
        assert "refused to sign" not in run.log


def check_memory(box):
    """The key is in the signer, by the verb that an operator has for this."""
    scan = ["/opt/sallyport/sallyport", "audit", "--scan-memory", "/etc/sallyport/private"]
    r = box.run([*scan, "--holder", "sallyport-keyd.service"], check=False)
    assert r.returncode == 0, (r.stdout, r.stderr)
    assert re.search(r"^a\.key: sallyport-keyd\.service, pid \d+: scalar ", r.stdout), r.stdout
    assert box.run(scan, check=False).returncode == 1


def test_systemd(systemd_box, renew):
    box = systemd_box
    renew(box)
    for name, text in unit_texts().items():
        box.write(f"/etc/systemd/system/{name}", text)
    box.run(["systemctl", "daemon-reload"])
    box.run(["systemctl", "start", *SOCKETS])

    def reload():  # systemd 252 hands credentials over at a start only
        box.run(["systemctl", "restart", "sallyport-keyd.service"])
        box.run(["systemctl", "reload", "sallyport-httpd.service"])

    check_everything(box, renew, reload)
    box.run(["systemctl", "stop", *SOCKETS, "sallyport-keyd.service", "sallyport-httpd.service"])
