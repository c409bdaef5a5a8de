"""sslscan and testssl.sh have nothing to say about what is ours.

testssl.sh looks at everything only with SALLYPORT_SLOW=1: that takes two minutes.
"""
import os
import re
import subprocess

import pytest

import rig


@pytest.fixture
def port(pki, where):
    certs = [pki.leaf("ec", "p256", "localhost"), pki.leaf("rsa", "rsa2048", "localhost")]
    keyd = rig.Keyd(where, pki.keys).start()
    worker = rig.Worker(where, keyd.path, certs).start()
    yield worker.port
    assert worker.stop() == 0 and keyd.stop() == 0


def test_sslscan(port):
    rig.need_tool("sslscan")
    out = subprocess.run(["sslscan", "--no-colour", f"127.0.0.1:{port}"], capture_output=True,
                         text=True, timeout=60, check=True).stdout
    for line in ("SSLv2     disabled", "SSLv3     disabled", "TLSv1.0   disabled",
                 "TLSv1.1   disabled", "TLSv1.2   enabled", "TLSv1.3   enabled",
                 "Server supports TLS Fallback SCSV", "renegotiation not supported"):
        assert line in out, out
    suites = re.findall(r"(?:Preferred|Accepted)\s+(\S+)\s+\d+ bits\s+(\S+)", out)
    assert len(suites) == 9
    assert all(s.startswith(("TLS_", "ECDHE-")) and ("GCM" in s or "CHACHA20" in s)
               for _, s in suites), suites
    groups = set(re.findall(r"TLSv1\.[23]\s+\d+ bits\s+(\w+)", out.split("Exchange Group")[1]))
    assert groups == {"x25519", "secp256r1", "secp384r1"}


# What is about the test's own certificates.
NOT_OURS = ("neither CRL nor OCSP URI provided", "Chain of trust", "self-signed", "self signed")


def test_testssl(port, pki):
    rig.need_tool("testssl")
    what = [] if os.environ.get("SALLYPORT_SLOW") else ["-p", "-s", "-f", "-P"]
    out = subprocess.run(["testssl", "--color", "0", "--quiet", "--warnings", "batch", "--add-ca",
                          pki.ca, *what, f"localhost:{port}"], capture_output=True, text=True,
                         timeout=280, check=False).stdout
    assert " Done " in out and "TLS 1.3" in out, out
    bad = [line for line in out.splitlines()
           if re.search(r"NOT ok|VULNERABLE|offered \(deprecated\)", line)
           and "not vulnerable" not in line and not any(n in line for n in NOT_OURS)]
    assert bad == [], "\n".join(bad)
