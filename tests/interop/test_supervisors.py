"""The files of packaging/ for where there is no systemd: each under its own supervisor, with the
project installed as a package would do it."""

import subprocess

import pytest

from support import debs, stage
from support.box import Box, open_or_skip, wait_for
from support.paths import SOURCE

# How to install what packaging/NAME has, to supervise it, to stop it, and to end the supervisor.
WAYS = {
    "runit": ("cp -a NAME/sallyport /etc/sv-runit", "exec runsv /etc/sv-runit",
              "sv -w 10 down /etc/sv-runit", "sv exit /etc/sv-runit"),
    "s6": ("cp -a NAME/sallyport /etc/sv-s6", "exec s6-supervise /etc/sv-s6",
           "s6-svc -wD -T 10000 -d /etc/sv-s6", "s6-svc -xd /etc/sv-s6"),
    "openrc": ("cp NAME/sallyport /etc/init.d/ && mkdir -p /run/openrc && touch /run/openrc/softlevel",
               "exec rc-service -D sallyport start", "rc-service -D sallyport stop", ":"),
}
PACKAGING = "/opt/packaging"


@pytest.fixture(scope="module")
def box(tmp_path_factory):
    names = debs.fetch(*WAYS)
    binds = [*debs.binds(), *stage.binds(tmp_path_factory.mktemp("stage")),
             (str(SOURCE / "packaging"), PACKAGING)]
    with open_or_skip(lambda: Box(binds=binds)) as opened:
        debs.install(opened, names)
        stage.install(opened)
        opened.mkdir("/etc/sallyport")
        yield opened


def status(box):
    with box.connect("127.0.0.1:80") as s:
        s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        return s.makefile("rb").readline()


def answers(box):
    try:
        return status(box)
    except ConnectionRefusedError:
        return None


@pytest.mark.parametrize("name", WAYS)
def test_starts_serves_and_stops(box, name):
    def shell(line):
        return ["/bin/sh", "-c", line.replace("NAME", f"{PACKAGING}/{name}")]

    install, up, down, leave = WAYS[name]
    box.run(shell(install))
    with box.popen(shell(up), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL) as supervisor:
        assert wait_for(lambda: answers(box), text="an answer") == b"HTTP/1.1 200 OK\r\n"
        assert box.run(["/usr/bin/sallyport", "status"]).stdout.count("active") >= 2
        box.run(shell(down))
        assert not [line for _, line in box.processes() if "sallyport:" in line]
        assert answers(box) is None
        box.run(shell(leave))
        supervisor.wait(10)
