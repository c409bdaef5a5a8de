"""The probe server's side of a test: its client, and its record as Python."""

import json

from support.box import PROBE, wait_for


class Client:
    """Speaks tests/activation/probe_serve.c's commands: one line there, one line back."""

    def __init__(self, sock):
        self.sock = sock
        self._file = sock.makefile("rb")

    def ask(self, line):
        self.sock.sendall(line.encode() + b"\n")
        answer = self._file.readline()
        if not answer:
            raise EOFError(f"no answer to {line!r}")
        return answer.decode().rstrip("\n")

    def say(self, line):
        self.sock.sendall(line.encode() + b"\n")

    def record(self):
        return Record(self.ask("json"))

    def close(self):
        self._file.close()
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Record(dict):
    """One record. Also: environment as a dict, descriptors by number, those passed by name."""

    def __init__(self, text):
        super().__init__(json.loads(text))

    @property
    def env(self):
        return dict(e.split("=", 1) for e in self["environment"])

    @property
    def fds(self):
        return {f["number"]: f for f in self["fds"]}

    @property
    def passed(self):
        """Descriptors from 3 on, in order."""
        return [f for f in self["fds"] if f["number"] >= 3]

    @property
    def names(self):
        return [f["name"] for f in self.passed]


def client(box, address, kind="stream", **kw):
    return Client(box.connect(address, kind, **kw))


def ask_datagram(box, address, line, **kw):
    """One datagram there, one back."""
    with box.connect(address, "dgram", **kw) as s:
        s.send(line.encode())
        return s.recv(1 << 20).decode()


def records(box, path):
    """All records that processes started with --out PATH left there; waits for the first."""
    wait_for(lambda: box.path(path).exists() and box.read(path).endswith("\n"),
             text=f"a record in {path}")
    return [Record(line) for line in box.read(path).splitlines()]


__all__ = ["Client", "PROBE", "Record", "ask_datagram", "client", "records"]
