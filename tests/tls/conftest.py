"""Fixtures of the TLS tests; the machinery is in rig.py."""
import os
import shutil
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import rig  # noqa: E402


@pytest.fixture
def where():
    path, others = rig.folder(), list(rig.Daemon.running)
    yield path
    for proc in rig.Daemon.running:  # of a test that failed before it could stop them
        if proc.poll() is None and proc not in others:
            proc.terminate()
            try:
                proc.wait(5)
            except rig.subprocess.TimeoutExpired:
                proc.kill()
                proc.wait()
    shutil.rmtree(path)


@pytest.fixture
def pki(where):
    rig.need_root()
    return rig.Pki(where)
