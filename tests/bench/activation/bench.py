#!/usr/bin/python3
"""bench.py [--quick] [--rounds N] [--connections N] [--markdown FILE] - what activation costs, beside everybody else.

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

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1]), str(HERE.parent)]

import report as document  # noqa: E402

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


ABOUT = """Connections a second with one process for each (`Accept=yes`, inetd's nowait), the server
being a static one that writes one byte: the best round of {rounds}, the activators taking turns in
boxes of their own. Cold: from connect(2) to the first byte while the service is not running, the
median. Private dirty memory of the two resident halves, and how often they woke up in 5 idle seconds.

{where}.

{table}

Again: `sudo tests/bench/activation/bench.py --markdown docs/PERFORMANCE.md`; it fetches the other
activators from Debian's archive and installs nothing."""


def short(values, peers):
    """Names as they fit a column: ours, the floor, and the peers."""
    names = {"sallyport run": "ours", "floor (accept, vfork, exec)": "floor"}
    return {names.get(n, n): v for n, v in values.items() if n in names or n in peers}


def markdown(path, args, machine, rates, cold, idle, sockets, peers):
    rows = []
    for concurrency, found in rates.items():
        row = document.Row(f"connections/s, {concurrency} at a time; more is better",
                           short(found, peers), form="{:.0f}", more=True)
        row.to_best(1.5, peers)
        rows.append(row.to("floor", 1 / 1.3))
    rows.append(document.Row("cold activation, us", short(cold, peers), form="{:.0f}")
                .to("systemd", 0.5))
    for half, (kb, switches) in idle.items():
        row = document.Row(f"{half}, idle: private dirty memory, kB", {"ours": kb}, form="{:.0f}")
        rows.append(row.absolute(150) if half == "monitor" else row)
        rows.append(document.Row(f"{half}, idle: wake-ups in 5 s", {"ours": switches},
                                 form="{:.0f}").absolute(0))
    for n, (seconds, monitor, manager) in sockets.items():
        rows.append(document.Row(f"plan of {n:,} sockets: start to ready, ms",
                                 {"ours": seconds * 1000}, form="{:.0f}"))
        rows.append(document.Row(f"plan of {n:,} sockets: both halves, kB",
                                 {"ours": monitor + manager}, form="{:.0f}"))
    document.write(path, "activation", "Activation", ABOUT.format(
        rounds=args.rounds, where=machine, table=document.table(rows)))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=2000)
    parser.add_argument("--quick", action="store_true", help="three rounds of 1,000 connections")
    parser.add_argument("--markdown", help="write our section of this file")
    args = parser.parse_args()
    if args.quick:
        args.rounds, args.connections = 3, 1000
    machine, all_rates = document.where(), {}
    with Box(binds=debs.binds()) as box, SystemdBox() as systemd:
        fetch_peers(box)
        all_rigs = rigs(box, systemd)
        for concurrency in (1, 8):
            rates = bench_accept(all_rigs, args.connections, args.rounds, concurrency)
            all_rates[concurrency] = rates
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
        idle = bench_idle(box, 5)
        for half, (kb, switches) in idle.items():
            print(f"  {half:32s} {kb:10d} kB private dirty, {switches} wake-ups")
        print("\nSockets in one plan")
        sockets = bench_sockets(box, (1, 10, 100, 1000))
        for n, (seconds, monitor, manager) in sockets.items():
            print(f"  {n:6d} {seconds * 1000:26.0f} ms to ready, {monitor} + {manager} kB private "
                  "dirty")
    if args.markdown:
        markdown(args.markdown, args, machine, all_rates, cold, idle, sockets,
                 [r.name for r in all_rigs if r.peer])


if __name__ == "__main__":
    main()
