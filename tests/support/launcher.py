"""`sallyport run` under test, and the proof that nothing of it stays."""

import contextlib
import os
import signal
import subprocess
import threading

from support.box import LAUNCHER, alive, assert_sane, wait_for

READY = "sallyport: ready"


def stop_all(launchers, **how):
    """The end of a fixture: whoever still runs leaves in order."""
    for launcher in launchers:
        if launcher.process.poll() is None:
            assert launcher.stop(**how) == 0, launcher.log


class Launcher:
    """Runs units in a box.

        with box.launcher("web.socket", units={"web.socket": "...", "web.service": "..."}) as l:
            ...                         # stopped at the end, and checked: see stop()

    `units` are installed below /etc/systemd/system first and removed afterwards. `wrapper` is put
    in front of the command line, `before` runs in the child before exec: for dirty environments.
    """

    folder = "/etc/systemd/system"

    def __init__(self, box, names, units=None, args=(), wrapper=(), before=None, env=None,
                 cwd="/", ready=True, cgroup="/launcher", runtime_dir="/run/sallyport"):
        self.box = box
        self.units = units or {}
        self.runtime_dir = runtime_dir
        self.argv = [*wrapper, LAUNCHER, "run", "--runtime-dir", runtime_dir, *args, *names]
        self.popen_options = {"before": before, "env": env, "cwd": cwd, "cgroup": cgroup}
        self.cgroup = cgroup
        self.want_ready = ready
        self.lines = []
        self.process = None
        self._seen = threading.Condition()
        self._before = None

    # -- life --

    def start(self):
        for name, text in self.units.items():
            self.box.write(f"{self.folder}/{name}", text)
        self._before = self.box.sockets()
        self.process = self.box.popen(self.argv, stdin=subprocess.DEVNULL,
                                      stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                      **self.popen_options)
        threading.Thread(target=self._read, daemon=True).start()
        if self.want_ready:
            try:
                self.wait_line(READY)
            except BaseException:
                self.kill()
                self._remove_units()
                raise
        return self

    def _read(self):
        for line in self.process.stderr:
            with self._seen:
                self.lines.append(line.decode(errors="replace").rstrip("\n"))
                self._seen.notify_all()
        with self._seen:
            self.lines.append(None)
            self._seen.notify_all()

    def wait_line(self, text, timeout=10.0):
        """The first log line that has text in it."""
        def found():
            return next((x for x in self.lines if x is None or text in x), "")

        with self._seen:
            self._seen.wait_for(lambda: found() != "", timeout)
            line = found()
        if not line:
            raise AssertionError(f"no {text!r} in the log:\n{self.log}")
        return line

    def wait_ready(self, timeout=10.0):
        """True when it is ready, False when it ended instead."""
        def known():
            return None in self.lines or any(READY in x for x in self.lines)

        with self._seen:
            self._seen.wait_for(known, timeout)
            assert known(), f"neither ready nor gone:\n{self.log}"
            return any(READY in x for x in self.lines if x is not None)

    @property
    def log(self):
        return "\n".join(x for x in self.lines if x is not None)

    @property
    def pid(self):
        return self.process.pid

    def stop(self, signo=signal.SIGTERM, timeout=15):
        """Stops it and proves that no process, socket or file of it is left. Its exit code."""
        self.process.send_signal(signo)  # nothing happens if it left already
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"does not stop:\n{self.log}") from None
        finally:
            self._remove_units()
        with self._seen:  # to its end: the pipe is closed when nobody is left to write
            self._seen.wait_for(lambda: None in self.lines, 2)
        assert_sane(self.log)
        wait_for(lambda: not self.box.processes(self.cgroup), 2,
                 f"an empty cgroup, not {self.box.processes(self.cgroup)}")
        left = self.box.sockets() - self._before
        assert not left, f"sockets left: {left}\n{self.log}"
        files = [str(p) for p in self.box.path(self.runtime_dir).rglob("*")] \
            if self.box.path(self.runtime_dir).exists() else []
        assert not files, f"files left: {files}\n{self.log}"
        return code

    def kill(self):
        """No questions: after a failure."""
        for pid, _ in self.box.processes(self.cgroup):
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        if self.process and self.process.poll() is None:
            self.process.kill()
        if self.process:
            self.process.wait()
        self.box.remove(self.runtime_dir)

    def _remove_units(self):
        for name in self.units:
            self.box.remove(f"{self.folder}/{name}")

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, *_):
        if kind is not None:
            print(self.log)  # pytest shows it with the failure
            self.kill()
            self._remove_units()
        elif self.process.poll() is None:
            assert self.stop() == 0, self.log
        return False

    # -- the two halves --

    def halves(self):
        """{"monitor": pid, "manager": pid}, pids as seen from outside."""
        found = {}
        for pid, line in self.box.processes(self.cgroup):
            for half in ("monitor", "manager"):
                if line.startswith(f"sallyport: {half}"):
                    found[half] = pid
        found.setdefault("monitor", self.pid)
        return found

    def services(self):
        """Everything in the launcher's cgroup that is not the launcher."""
        return [(pid, line) for pid, line in self.box.processes(self.cgroup)
                if not line.startswith("sallyport: ") and pid != self.pid]


__all__ = ["Launcher", "READY", "alive"]
