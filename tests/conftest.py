"""What every pytest file finds: the support package, and where the build is."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from support import box as box_module  # noqa: E402  (needs the path above)


@pytest.fixture(scope="module")
def box():
    """A machine of its own for one test file; see support/box.py."""
    with box_module.open_or_skip(box_module.Box) as opened:
        yield opened


@pytest.fixture(scope="module")
def systemd_box():
    """The same with Debian's systemd as its PID 1; see support/systemd.py."""
    from support.systemd import SystemdBox

    with box_module.open_or_skip(SystemdBox) as opened:
        yield opened
