"""One case of the differential: unit files, what a client does, what is looked at."""

import dataclasses
import time

from support.box import PROBE

OUT = "/tmp/out"
PORT = 8080
HERE = f"127.0.0.1:{PORT}"


@dataclasses.dataclass
class Case:
    """`CASE` in any text stands for the case's name.

    socket, service: bodies of [Socket] and [Service] of CASE.socket and CASE.service (or
    CASE@.service with Accept=yes). The service gets User=svc and an ExecStart=, unless it says
    otherwise. units: more files, or others instead, below /run/systemd/system; None leaves one out.
    """

    name: str
    socket: str = f"ListenStream={PORT}"
    service: str = ""
    client: tuple = ()
    units: dict = dataclasses.field(default_factory=dict)
    start: tuple = ("CASE.socket",)
    files: dict = dataclasses.field(default_factory=dict)  # path: text, or (text, mode, owner)
    paths: tuple = ()  # looked at while it runs, and again when it was stopped
    before: tuple = ()  # like client, before anything is started
    afterwards: tuple = ()  # like client, but when everything was stopped
    args: tuple = ()  # for `sallyport run`
    steps: str = "--serve"  # the probe's script after --out
    records: int = 1  # how many are waited for
    about: str = ""  # why the case exists, when the name does not say it
    user: str = "User=svc"
    differ: dict = dataclasses.field(default_factory=dict)  # path in the comparison: why
    refused: str = ""  # systemd goes on, we refuse at load on purpose: why
    pending: str = ""  # known to differ for now: what is missing
    unordered: bool = False  # descriptors of several units: systemd leaves their order open

    def text(self, value):
        return value.replace("CASE", self.name)

    @property
    def accepts(self):
        return "Accept=yes" in self.socket

    def unit_files(self):
        exec_line = "" if "ExecStart=" in self.service else \
            f"ExecStart={PROBE} --out {OUT}/CASE {self.steps}\n"
        files = {
            "CASE.socket": f"[Socket]\n{self.socket}\n",
            f"CASE{'@' if self.accepts else ''}.service":
                f"[Service]\n{self.user}\n{exec_line}{self.service}\n",
        }
        files.update(self.units)
        return {self.text(k): self.text(v) for k, v in files.items() if v is not None}

    @property
    def started(self):
        return tuple(self.text(u) for u in self.start)

    def service_text(self):
        return "\n".join(t for n, t in self.unit_files().items() if ".service" in n)


# -- what clients do: each returns what it saw, which must be the same under both --


def ask(address=HERE, line="echo hello", kind="stream", source=None):
    """One command, one answer."""
    def run(case, box, open_ones):
        from support.probe import client

        with client(box, case.text(address), kind, source=source) as c:
            return c.ask(line)
    return run


def no_answer(address=HERE, source=None):
    """Nobody answers: whether the connection ends or waits in the queue is the activator's way to
    deal with a service that cannot start (ours never gives a socket up for good)."""
    def run(case, box, open_ones):
        from support.probe import client

        try:
            with client(box, case.text(address), timeout=0.7, source=source) as c:
                return c.ask("echo hello")
        except (OSError, EOFError):
            return "no answer"
    return run


def talk(*lines, address=HERE, kind="stream"):
    """Several commands on one connection."""
    def run(case, box, open_ones):
        from support.probe import client

        with client(box, case.text(address), kind) as c:
            return [c.ask(line) for line in lines]
    return run


def hold(address=HERE, source=None):
    """Connects, proves that somebody answers, and stays connected until the end of the case."""
    def run(case, box, open_ones):
        from support.probe import client

        c = client(box, case.text(address), source=source)
        open_ones.append(c)
        try:
            return c.ask("echo held")
        except (EOFError, ConnectionError):
            return "closed"
    return run


def datagram(address=HERE, line="echo datagram"):
    def run(case, box, open_ones):
        from support.probe import ask_datagram

        return ask_datagram(box, case.text(address), line)
    return run


def send_datagram(address, line="echo none"):
    """No answer wanted."""
    def run(case, box, open_ones):
        with box.connect(case.text(address), "dgram") as s:
            s.send(line.encode())
        return None
    return run


def write_file(path, text="echo fifo\n"):
    def run(case, box, open_ones):
        box.run(["/bin/sh", "-c", f"cat > {case.text(path)}"], input=text)
        return None
    return run


def shell(command, status_only=False):
    """Runs a command inside; its output."""
    def run(case, box, open_ones):
        r = box.run(["/bin/sh", "-c", case.text(command)], check=False)
        return r.returncode if status_only else r.stdout
    return run


def verb(word, unit):
    """An operator's: systemctl, or ours. Its exit status."""
    return shell(f"if [ -S /run/sallyport/control ]; then /opt/sallyport/sallyport {word} {unit}; "
                 f"else systemctl {word} {unit}; fi", status_only=True)


def runs(n):
    """How often it ran, once that is at least n; then a moment more, to see that it stops there."""
    def run(case, box, open_ones):
        def count():
            path = box.path(case.text(f"{OUT}/CASE"))
            return path.read_text().count("\n") if path.exists() else 0

        end = time.monotonic() + 5
        while time.monotonic() < end and count() < n:
            time.sleep(0.02)
        time.sleep(0.15)
        return count()
    return run


def wait(seconds):
    def run(case, box, open_ones):
        time.sleep(seconds)
        return None
    return run


def leave(address=HERE, status=0):
    """Makes the service exit with a status, and waits until the connection is gone."""
    def run(case, box, open_ones):
        from support.probe import client

        with client(box, case.text(address)) as c:
            c.say(f"exit {status}")
            return c.sock.recv(1) == b""
    return run
