"""A real browser loads a page over TLS: what was spoken, and that it looked at the certificate."""
import base64
import hashlib
import json
import os
import subprocess

import pytest

import rig


@pytest.fixture
def browse(where):
    rig.need_tool("chromium")

    def run(port, *options):
        """(page as Chromium has it, its network log)."""
        log = os.path.join(where, "net.json")
        r = subprocess.run(
            ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
             f"--user-data-dir={where}/profile", "--host-resolver-rules=MAP a.test 127.0.0.1",
             f"--log-net-log={log}", "--virtual-time-budget=2000", *options, "--dump-dom",
             f"https://a.test:{port}/"], capture_output=True, text=True, timeout=90, check=False)
        with open(log, encoding="utf-8") as f:
            return r.stdout, json.load(f)

    return run


def ssl_connects(log):
    kind = log["constants"]["logEventTypes"]["SSL_CONNECT"]
    return [e["params"] for e in log["events"]
            if e["type"] == kind and "version" in e.get("params", {})]


def test_chromium(pki, where, browse):
    cert = pki.leaf("a", "p256", "a.test")
    keyd = rig.Keyd(where, pki.keys).start()
    worker = rig.Worker(where, keyd.path, [cert]).start()
    spki = rig.openssl("x509", "-in", cert, "-noout", "-pubkey")
    der = base64.b64decode(b"".join(spki.split(b"-----")[2].split()))
    pin = base64.b64encode(hashlib.sha256(der).digest()).decode()
    page, log = browse(worker.port, "--ignore-certificate-errors-spki-list=" + pin)
    assert "sallyport" in page
    said = ssl_connects(log)
    assert said and all(p["version"] == "TLS 1.3" for p in said), said
    assert any(p.get("next_proto") == "http/1.1" for p in said), said
    page, _ = browse(worker.port)  # no pin, and an authority that it does not know
    assert "sallyport" not in page.replace("sallyport-error", "")
    assert worker.stop() == 0 and keyd.stop() == 0
