"""Debian packages for a box: downloaded once, installed only in there, services not started."""

import os
import pathlib
import subprocess
import tempfile

import pytest

from support.paths import BUILD

CACHE = BUILD / "debs"
INSIDE = "/opt/debs"


def fetch(*packages):
    """Names of the .deb files that this machine lacks for the packages; skips when it cannot."""
    (CACHE / "partial").mkdir(parents=True, exist_ok=True)
    apt = ["apt-get", "-qq", "--no-install-recommends", "-o", "Debug::NoLocking=1"]
    with tempfile.TemporaryDirectory() as empty:  # apt leaves out what it finds in its cache
        os.makedirs(f"{empty}/partial")
        r = subprocess.run([*apt, "-o", f"Dir::Cache::archives={empty}", "--print-uris",
                            "install", *packages], capture_output=True, text=True, check=False)
    if r.returncode != 0:
        pytest.skip(f"apt-get does not know {' '.join(packages)}: {r.stderr.strip()[-200:]}")
    names = [line.split()[1] for line in r.stdout.splitlines() if line.startswith("'")]
    if not all((CACHE / n).exists() for n in names):
        r = subprocess.run([*apt, "-o", f"Dir::Cache::archives={CACHE}", "--yes",
                            "--download-only", "install", *packages], capture_output=True, text=True, check=False)
        if r.returncode != 0:
            pytest.skip(f"no package archive to be reached: {r.stderr.strip()[-200:]}")
    return names


def install(box, names):
    """In the box, which was made with binds=[(CACHE, INSIDE)]; maintainer scripts run, as ever."""
    box.write("/usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n", mode=0o755)
    if names:
        box.run(["dpkg", "--force-unsafe-io", "--no-triggers", "--path-exclude=/usr/share/man/*",
                 "--path-exclude=/usr/share/doc/*", "--install",
                 *(f"{INSIDE}/{n}" for n in names)], timeout=240,
                env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive"})


def binds():
    os.makedirs(CACHE, exist_ok=True)
    return [(str(pathlib.Path(CACHE)), INSIDE)]
