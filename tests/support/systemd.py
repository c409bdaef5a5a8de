"""Debian's systemd as PID 1 of a box: the judge.

    with SystemdBox() as box:
        box.install({"web.socket": "...", "web.service": "..."})
        box.systemctl("start", "web.socket")

The rules of support/box.c keep it from the machine outside. Inside, nothing of the distribution is
started but what a unit under test pulls in: the *.wants of the packaged units are emptied in the
overlay, generators are gone, udev, sysctl, modules and everything that would set the clock, the
console or the entropy pool is masked. One booted box serves many cases: units come and go.
"""

import shutil
import subprocess
import time

from support.box import Box, BoxImpossible, wait_for

INIT = "/lib/systemd/systemd"
TARGET = """\
[Unit]
Description=Nothing but what a test starts
DefaultDependencies=no
AllowIsolate=yes
"""
MASKED = (
    "systemd-udevd.service", "systemd-udev-trigger.service", "systemd-udev-settle.service",
    "systemd-udevd-control.socket", "systemd-udevd-kernel.socket", "systemd-sysctl.service",
    "systemd-modules-load.service", "systemd-random-seed.service", "systemd-timesyncd.service",
    "systemd-update-utmp.service", "systemd-vconsole-setup.service", "systemd-logind.service",
    "systemd-tmpfiles-setup.service", "systemd-tmpfiles-setup-dev.service",
    "systemd-tmpfiles-clean.timer", "systemd-sysusers.service", "systemd-remount-fs.service",
    "systemd-journal-flush.service", "systemd-firstboot.service", "systemd-networkd.service",
    "getty.target", "timers.target", "swap.target", "cryptsetup.target", "remote-fs.target",
    "dev-hugepages.mount", "dev-mqueue.mount", "sys-fs-fuse-connections.mount",
    "sys-kernel-config.mount", "sys-kernel-debug.mount", "sys-kernel-tracing.mount",
    "proc-sys-fs-binfmt_misc.automount",
)


class SystemdBox(Box):
    """See the head of this file."""

    init = (INIT, "--unit=box.target", "--log-level=info", "--log-target=journal-or-kmsg",
            "--show-status=no", "--crash-reboot=no", "--crash-shell=no")
    folder = "/run/systemd/system"

    def __init__(self, binds=(), journal=True):
        super().__init__(binds)
        self.journal_runs = journal
        self.boot_seconds = None

    def prepare(self):
        if not self.path(INIT).exists():
            raise BoxImpossible(f"no {INIT}")
        for top in ("/usr/lib/systemd/system", "/etc/systemd/system"):
            for wants in self.path(top).glob("*.target.wants"):
                shutil.rmtree(wants)
        for kind in ("system-generators", "system-environment-generators"):
            shutil.rmtree(self.path(f"/usr/lib/systemd/{kind}"), ignore_errors=True)
        self.write("/etc/systemd/system/box.target", TARGET)
        masked = list(MASKED)
        if not self.journal_runs:
            masked += ["systemd-journald.service", "systemd-journald.socket",
                       "systemd-journald-dev-log.socket", "systemd-journald-audit.socket"]
        for unit in masked:
            self.remove(f"/etc/systemd/system/{unit}")
            self.path(f"/etc/systemd/system/{unit}").symlink_to("/dev/null")
        self.write("/etc/machine-id", "5a11790f5a11790f5a11790f5a11790f\n")
        self.write("/etc/systemd/journald.conf", "[Journal]\nStorage=volatile\n"
                   "RuntimeMaxUse=16M\nRateLimitBurst=0\nReadKMsg=no\nAudit=no\n")
        self._began = time.monotonic()

    def booted(self):
        wait_for(lambda: self.path("/run/systemd/private").exists(), 20, "systemd's socket")
        wait_for(lambda: self.systemctl("is-active", "box.target", check=False).stdout.strip()
                 == "active", 20, "box.target", step=0.05)
        if self.journal_runs:  # else a service's output has nowhere to go and becomes /dev/null
            self.systemctl("start", "systemd-journald.socket", "systemd-journald-dev-log.socket")
        self.boot_seconds = time.monotonic() - self._began

    def systemctl(self, *args, check=True, timeout=30):
        return self.run(["systemctl", "--no-pager", *args], check=check, timeout=timeout,
                        cgroup="/harness")

    def show(self, unit, *names):
        """{name: value} of systemctl show."""
        out = self.systemctl("show", "-p", ",".join(names), unit).stdout
        return dict(line.split("=", 1) for line in out.splitlines() if "=" in line)

    def install(self, units, reload=True):
        """Writes unit files, then one daemon-reload."""
        for name, text in units.items():
            self.write(f"{self.folder}/{name}", text)
        if reload:
            self.systemctl("daemon-reload")

    def uninstall(self, names, reload=True):
        for name in names:
            self.remove(f"{self.folder}/{name}")
        if reload:
            self.systemctl("daemon-reload")

    def stop(self, *units):
        """Stops, and forgets that anything failed."""
        self.systemctl("stop", *units, check=False)
        self.systemctl("reset-failed", *units, check=False)

    def journal(self, unit=None):
        args = ["journalctl", "--no-pager", "-o", "short-monotonic"]
        return self.run(args + (["-u", unit] if unit else []), check=False).stdout


__all__ = ["SystemdBox", "subprocess"]
