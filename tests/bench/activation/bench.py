#!/usr/bin/python3
"""bench.py [--rounds N] [--connections N] - what activation costs, beside everybody else.

Connections per second of one process a connection (Accept=yes, inetd's nowait), with a static
server that writes one byte; cold activation: from connect(2) to the first byte with the service not
running; memory and idle wake-ups of the halves; start-up with 1,000 sockets. All in boxes on this
machine in one run, the activators taking turns, so that what else runs here hits all alike.
"""

import argparse
import contextlib
import pathlib
import signal
import statistics
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))

from support import debs  # noqa: E402
from support.box import LAUNCHER, Box, wait_for  # noqa: E402
from support.systemd import SystemdBox  # noqa: E402

NOOP, FLOOR, LOAD = "/opt/tools/bench_noop", "/opt/tools/bench_floor", "/opt/tools/bench_load"
PORT = 8080
LISTEN = f"[Socket]\nListenStream=127.0.0.1:{PORT}\nBacklog=4096\n"
SOCKET = LISTEN + "TriggerLimitIntervalSec=0\nPollLimitIntervalSec=0\n"
ACCEPT = SOCKET + "Accept=yes\nMaxConnections=10000\n"
INSTANCE = (f"[Unit]\nStartLimitIntervalSec=0\n[Service]\nUser=svc\nExecStart={NOOP}\n"
            "StandardInput=socket\nStandardOutput=socket\nStandardError=null\n")
COLD = (f"[Unit]\nStartLimitIntervalSec=0\n[Service]\nUser=svc\nExecStart={NOOP} listen\n"
        "StandardOutput=null\nStandardError=null\n")
XINETD = f"""\
defaults
{{
	instances = UNLIMITED
	per_source = UNLIMITED
	cps = 1000000 1
}}
service bench
{{
	type = UNLISTED
	socket_type = stream
	protocol = tcp
	port = {PORT}
	bind = 127.0.0.1
	wait = no
	user = svc
	server = {NOOP}
}}
"""
INETD = f"127.0.0.1:{PORT} stream tcp nowait.1000000 svc {NOOP} bench_noop\n"


class Rig:
    """One activator in its box; a context manager whose body may connect to PORT."""

    def __init__(self, name, box, argv=None, units=None, peer=True):
        self.name, self.box, self.argv, self.units, self.peer = name, box, argv, units, peer

    @contextlib.contextmanager
    def running(self):
        if self.units and isinstance(self.box, SystemdBox):
            self.box.install(self.units)
            self.box.systemctl("start", "bench.socket")
            yield
            self.box.stop("bench.socket")
            self.box.stop(*[u for u in ("bench.service",) if u in self.units])
            self.box.uninstall(self.units)
        elif self.units:
            with self.box.launcher("bench.socket", units=self.units):
                yield
        else:
            before = self.box.sockets()
            p = self.box.popen(self.argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
            wait_for(lambda: self.box.sockets() - before, text=f"{self.name} to listen")
            yield
            p.send_signal(signal.SIGTERM)
            p.wait(5)


def load(box, connections, concurrency, pause_usec=0, name=""):
    """(microseconds of each connection, seconds of the whole)."""
    out = box.run([LOAD, PORT, connections, concurrency, pause_usec], timeout=120).stdout.split()
    each = [int(x) for x in out[:-1]]
    if -1 in each:
        raise AssertionError(f"{name}: {each.count(-1)} connections ended without an answer")
    return each, int(out[-1]) / 1e6


def fetch_peers(box):
    """The peers' programs, unpacked into the box's overlay: they conflict as packages."""
    for package in ("openbsd-inetd", "xinetd", "ipsvd", "libwrap0"):
        for name in debs.fetch(package):
            if name.startswith((package, "lib")):
                # not straight into /: that would put a folder in the place of the link /lib
                box.run(["/bin/sh", "-ec", "rm -rf /opt/x; mkdir /opt/x; dpkg-deb -x $0 /opt/x; "
                         "for d in usr lib; do [ ! -d /opt/x/$d ] || cp -a /opt/x/$d/. /$d/; done",
                         f"{debs.INSIDE}/{name}"])
    box.write("/etc/xinetd.bench", XINETD)
    box.write("/etc/inetd.bench", INETD)


def rigs(box, systemd):
    units = {"bench.socket": ACCEPT, "bench@.service": INSTANCE}
    return [
        Rig("floor (accept, vfork, exec)", box, [FLOOR, PORT, NOOP], peer=False),
        Rig("sallyport run", box, units=units, peer=False),
        Rig("sallyport exec -a", box, [LAUNCHER, "exec", "-a", "--inetd", "-u", "svc", "-l",
                                       f"127.0.0.1:{PORT}", "--", NOOP], peer=False),
        Rig("systemd-socket-activate", box, ["systemd-socket-activate", "-a", "--inetd", "-l",
                                             f"127.0.0.1:{PORT}", NOOP]),
        Rig("openbsd-inetd", box, ["inetd", "-i", "/etc/inetd.bench"]),
        Rig("xinetd", box, ["xinetd", "-dontfork", "-f", "/etc/xinetd.bench", "-filelog",
                            "/dev/null"]),
        Rig("tcpsvd", box, ["tcpsvd", "-l", "localhost", "-c", "10000", "-b", "4096", "-u", "svc", "127.0.0.1",
                            PORT, NOOP]),
        Rig("systemd", systemd, units=units),
    ]


def bench_accept(all_rigs, connections, rounds, concurrency):
    """{name: best connections per second}; the rigs take turns."""
    rates = {}
    for _ in range(rounds):
        for rig in all_rigs:
            with rig.running():
                load(rig.box, 20, 1, name=rig.name)  # warm
                _, seconds = load(rig.box, connections, concurrency, name=rig.name)
            rates.setdefault(rig.name, []).append(connections / seconds)
    return {name: max(r) for name, r in rates.items()}


def bench_cold(box, systemd, n, rounds):
    """{name: median microseconds from connect to the first byte, the service not running}."""
    units = {"bench.socket": SOCKET, "bench.service": COLD}
    times = {}
    for _ in range(rounds):
        for rig in (Rig("sallyport run", box, units=units), Rig("systemd", systemd, units=units)):
            with rig.running():
                each, _ = load(rig.box, n, 1, 30000)
            times.setdefault(rig.name, []).append(statistics.median(each))
    return {name: min(t) for name, t in times.items()}


def private_dirty_kb(pid):
    lines = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(x.split()[1]) for x in lines if x.startswith("Private_Dirty"))


def wakeups(pid):
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return sum(int(x.split()[1]) for x in lines if "ctxt_switches" in x)


def bench_idle(box, seconds):
    """{half: (private dirty kB, context switches while idle)}."""
    units = {"bench.socket": LISTEN, "bench.service": COLD}
    with box.launcher("bench.socket", units=units) as run:
        load(box, 3, 1, 30000)
        time.sleep(0.5)
        halves = run.halves()
        before = {h: wakeups(p) for h, p in halves.items()}
        time.sleep(seconds)
        return {h: (private_dirty_kb(p), wakeups(p) - before[h]) for h, p in halves.items()}


def bench_sockets(box, counts):
    """{sockets: (seconds to ready, private dirty kB of the monitor, of the manager)}."""
    found = {}
    for n in counts:
        lines = "".join(f"ListenStream=127.0.0.1:{10000 + i}\n" for i in range(n))
        units = {"many.socket": f"[Socket]\n{lines}", "many.service": COLD}
        began = time.monotonic()
        with box.launcher("many.socket", units=units) as run:
            seconds = time.monotonic() - began
            halves = run.halves()
            found[n] = (seconds, *(private_dirty_kb(halves[h]) for h in ("monitor", "manager")))
    return found


def report(title, values, unit, form="{:10.0f}"):
    print(f"\n{title}")
    for name, value in values.items():
        print(f"  {name:32s} {form.format(value)} {unit}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=2000)
    args = parser.parse_args()
    with Box(binds=debs.binds()) as box, SystemdBox() as systemd:
        fetch_peers(box)
        all_rigs = rigs(box, systemd)
        for concurrency in (1, 8):
            rates = bench_accept(all_rigs, args.connections, args.rounds, concurrency)
            report(f"One process a connection, {concurrency} at a time (best of {args.rounds})",
                   rates, "connections/s")
            ours, floor = rates["sallyport run"], rates["floor (accept, vfork, exec)"]
            best = max(rates[r.name] for r in all_rigs if r.peer)
            print(f"  -> {ours / best:.2f} times the best peer; "
                  f"{floor / ours:.2f} times the floor's time per connection")
        cold = bench_cold(box, systemd, 50, args.rounds)
        report("Cold activation, connect to first byte (median)", cold, "us")
        print(f"  -> {cold['sallyport run'] / cold['systemd']:.2f} of systemd's")
        print("\nIdle for 5 s")
        for half, (kb, switches) in bench_idle(box, 5).items():
            print(f"  {half:32s} {kb:10d} kB private dirty, {switches} wake-ups")
        print("\nSockets in one plan")
        for n, (seconds, monitor, manager) in bench_sockets(box, (1, 10, 100, 1000)).items():
            print(f"  {n:6d} {seconds * 1000:26.0f} ms to ready, {monitor} + {manager} kB private "
                  "dirty")


if __name__ == "__main__":
    main()
