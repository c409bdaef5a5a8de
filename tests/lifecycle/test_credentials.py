"""LoadCredential=: secrets that only root can read reach one service, and nobody else."""

import stat

import pytest

from support.box import wait_for
from support.ctl import ctl, show

FOLDER = "/run/credentials/keys.service"
SHOW = ("/bin/sh -c 'id -un; echo $CREDENTIALS_DIRECTORY; cd $CREDENTIALS_DIRECTORY; "
        "for f in *; do echo $f: $(cat $f); done; touch new 2>/dev/null && echo WRITABLE; "
        "exec sleep 1000'")
UNITS = {
    "keys.service": "[Service]\nUser=svc\nLoadCredential=tls:/etc/keys\n"
                    "LoadCredential=one:/etc/keys/a.pem\n"
                    f"ExecStart={SHOW}\nExecReload=/bin/true\n",
}


@pytest.fixture
def secrets(box):
    box.mkdir("/etc/keys", 0o700)
    box.write("/etc/keys/a.pem", "first", 0o600)
    box.write("/etc/keys/b.pem", "second", 0o600)
    yield
    box.remove("/etc/keys")


def said(run):
    """What the service printed, between the launcher's own lines."""
    run.wait_line("tls_b.pem")
    return [x for x in run.lines if x and not x.startswith("sallyport")]


def test_the_service_reads_them_and_nobody_else(box, secrets):
    with box.launcher("keys.service", units=UNITS) as run:
        assert said(run) == [
            "svc", FOLDER, "one: first", "tls_a.pem: first", "tls_b.pem: second"]
        for path, mode in ((FOLDER, 0o550), (FOLDER + "/one", 0o440)):
            st = box.run(["/usr/bin/stat", "-c", "%u %a", path]).stdout.split()
            assert st == ["0", "%o" % mode]  # the group bits are the mask of the ACL
        other = box.run(["/usr/bin/setpriv", "--reuid", "nobody", "--regid", "4001",
                         "--clear-groups", "/bin/cat", FOLDER + "/one"], check=False)
        assert other.returncode != 0, "a process of the service's group alone could read it"
    assert not stat.S_ISDIR(folder_mode(box)), "still there after the end"


def folder_mode(box):
    r = box.run(["/usr/bin/stat", "-c", "%f", FOLDER], check=False)
    return int(r.stdout, 16) if r.returncode == 0 else 0


def test_a_reload_brings_the_new_ones_into_the_same_folder(box, secrets):
    def inode():
        return box.run(["/usr/bin/stat", "-c", "%i", FOLDER]).stdout

    with box.launcher("keys.service", units=UNITS) as run:
        run.wait_line("tls_b.pem")
        before = inode()
        box.write("/etc/keys/a.pem", "renewed", 0o600)
        ctl(box, "reload", "keys.service", check=True)
        wait_for(lambda: box.run(["/bin/cat", FOLDER + "/one"]).stdout == "renewed",
                 text="the renewed secret")
        assert inode() == before


def test_a_missing_one_keeps_the_service_from_starting(box):
    with box.launcher("keys.service", units=UNITS) as run:
        run.wait_line("hand over credentials: No such file or directory")
        wait_for(lambda: show(box, "keys.service")["ActiveState"] == "failed", text="failed")
        assert show(box, "keys.service")["ExecMainStatus"] == "243"
