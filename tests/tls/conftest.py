"""Fixtures of the TLS tests; the machinery is in rig.py."""
import os
import shutil
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import rig  # noqa: E402


@pytest.fixture
def where():
    path = rig.folder()
    yield path
    shutil.rmtree(path)


@pytest.fixture
def pki(where):
    rig.need_root()
    return rig.Pki(where)
