#!/usr/bin/python3
"""CPU time per request of sallyport-httpd, nginx, h2o, lighttpd, and of a bare epoll loop.

usage: bench.py [--build DIR] [--quick] [--rounds N] [--rows NAME,...] [--wrk] [--markdown FILE]

Every server has one process on one CPU, and the client (load.c) the other. The client must cost
less than every server: else the faster ones sleep and are woken between requests, which is charged
to them and not to those that never get that far. So it is not wrk, unless asked for. Servers
alternate within a round; the median over the rounds counts, and of the ratios of two servers the
median of the rounds' ratios. Many short turns tell more than a few long ones: what the machine does
meanwhile is then the same for all. CPU time is the scheduler's own figure (/proc/PID/schedstat), so
that what the client does, and idle time, do not count. Access logs are off and file caches on, for
everybody (ABOUT). A server that is not installed is left out.
"""
import argparse
import dataclasses
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import report  # noqa: E402

NOBODY = 65534
TREE = 100_000


def make_site(top, with_tree):
    site = top / "site"
    site.mkdir()
    for name, size in (("1k.bin", 1024), ("100k.bin", 100 * 1024), ("10m.bin", 10 << 20)):
        (site / name).write_bytes(os.urandom(size))
    tree = site / "tree"
    for d in range(100 if with_tree else 0):
        (tree / f"{d:02}").mkdir(parents=True)
        for f in range(TREE // 100):
            page = tree / f"{d:02}" / f"{f:03}.html"
            page.write_bytes(b"x" * (500 + f))
            # A time of access not after the change's is set, and paid for, by the first reader.
            os.utime(page, (time.time() + 60, time.time()))
    subprocess.run(["chmod", "-R", "a+rX", top], check=True)
    return site


def listener():
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("127.0.0.1", 0))
    s.listen(4096)
    s.set_inheritable(True)
    return s


def drop():
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)


class Server:
    """One server under test, on CPU 0."""

    def __init__(self, name, argv, port, top, fd=None, env=None, user=True):
        self.name, self.port = name, port
        log = open(top / f"{name}.log", "wb")

        def child():
            os.sched_setaffinity(0, {0})
            if user and os.geteuid() == 0:
                drop()
            if fd is not None and env and "LISTEN_FDS" in env:
                os.dup2(fd, 3)
        self.process = subprocess.Popen(argv, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                        preexec_fn=child, env={"PATH": "/usr/sbin:/usr/bin:/bin",
                                                               **(env or {})},
                                        pass_fds=[] if fd is None else [3, fd])
        end = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                if time.monotonic() > end:
                    sys.exit(f"{name} does not start: see {top}/{name}.log")
                time.sleep(0.05)
        time.sleep(0.3)

    def pids(self):
        todo, out = [self.process.pid], []
        while todo:
            pid = todo.pop()
            out.append(pid)
            try:
                for task in os.listdir(f"/proc/{pid}/task"):
                    with open(f"/proc/{pid}/task/{task}/children") as f:
                        todo += [int(p) for p in f.read().split()]
            except OSError:
                pass
        return out

    def cpu_ns(self):
        total = 0
        for pid in self.pids():
            for task in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{task}/schedstat") as f:
                    total += int(f.read().split()[0])
        return total

    def private_bytes(self):
        total = 0
        for pid in self.pids():
            with open(f"/proc/{pid}/smaps_rollup") as f:
                total += sum(int(line.split()[1]) for line in f if line.startswith("Private_"))
        return total * 1024

    def busiest(self):
        """The process that does the work: the one that has used most CPU time."""
        return max(self.pids(), key=lambda p: int(open(f"/proc/{p}/schedstat").read().split()[0]))

    def stop(self):
        for pid in self.pids():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def start_ours(top, site, build):
    s = listener()
    conf = top / "ours.conf"
    conf.write_text(f"""workers = 1
requests-per-connection = 1000000000
connections = 100000
cache-files = {TREE}
cache-bytes = 256M
site "bench" {{ root = {site} }}
""")
    binary = top / "sallyport-httpd"
    shutil.copy(build / "bin/sallyport-httpd", binary)
    binary.chmod(0o755)
    shell = ["/bin/sh", "-c", 'LISTEN_PID=$$ exec "$0" "$@"', str(binary), "--config", str(conf)]
    return Server("ours", shell, s.getsockname()[1], top, s.fileno(),
                  {"LISTEN_FDS": "1", "LISTEN_FDNAMES": "http"})


def start_floor(top, build, size):
    s = listener()
    binary = top / "floor"
    shutil.copy(build / "tests/bench_http_floor", binary)
    binary.chmod(0o755)
    return Server("floor", [str(binary), str(s.fileno()), str(size)], s.getsockname()[1], top,
                  s.fileno())


def start_nginx(top, site, _build):
    port = free_port()
    conf = top / "nginx.conf"
    conf.write_text(f"""daemon off; worker_processes 1; pid {top}/nginx.pid; error_log stderr;
worker_rlimit_nofile 100000;
events {{ worker_connections 50000; }}
http {{
  types {{ text/html html; application/octet-stream bin; }}
  access_log off; sendfile on; tcp_nopush on; tcp_nodelay on;
  keepalive_requests 1000000000; keepalive_timeout 300s;
  open_file_cache max=10000 inactive=300s; open_file_cache_valid 1s;
  client_body_temp_path {top}/nginx-b; proxy_temp_path {top}/nginx-p;
  fastcgi_temp_path {top}/nginx-f; uwsgi_temp_path {top}/nginx-u; scgi_temp_path {top}/nginx-s;
  server {{ listen 127.0.0.1:{port} backlog=4096; root {site}; }}
}}
""")
    return Server("nginx", ["nginx", "-p", str(top), "-c", str(conf), "-e", "stderr"], port, top)


def start_lighttpd(top, site, _build):
    port = free_port()
    conf = top / "lighttpd.conf"
    conf.write_text(f"""server.document-root = "{site}"
server.port = {port}
server.bind = "127.0.0.1"
server.max-fds = 20000
server.max-connections = 9000
server.max-keep-alive-requests = 1000000000
server.max-keep-alive-idle = 300
server.listen-backlog = 4096
server.stat-cache-engine = "simple"
etag.use-inode = "disable"
mimetype.assign = ( ".html" => "text/html", "" => "application/octet-stream" )
""")
    binary = shutil.which("lighttpd") or os.environ.get("LIGHTTPD", "lighttpd")
    modules = ["-m", os.environ["LIGHTTPD_MODULES"]] if "LIGHTTPD_MODULES" in os.environ else []
    return Server("lighttpd", [binary, "-D", "-f", str(conf), *modules], port, top)


def start_h2o(top, site, _build):
    port = free_port()
    conf = top / "h2o.conf"
    conf.write_text(f"""num-threads: 1
max-connections: 50000
http1-request-timeout: 300
listen:
  host: 127.0.0.1
  port: {port}
hosts:
  default:
    paths:
      /:
        file.dir: {site}
""")
    return Server("h2o", ["h2o", "-c", str(conf)], port, top)


STARTERS = {"ours": start_ours, "nginx": start_nginx, "lighttpd": start_lighttpd, "h2o": start_h2o}

@dataclasses.dataclass
class Load:
    """What is asked of every server, and how ours is to do: beside the best peer, and the floor."""

    name: str
    path: str
    connections: int
    fields: tuple = ()
    random: bool = False  # digits for the path's '#'
    anew: bool = False  # a connection for each request
    is_304: bool = False
    turns: int = 1  # how much longer than others a turn is, for so few requests a second
    floor: bool = False
    peer_bar: float = 1.0
    floor_bar: float = 1.15


LOADS = [
    Load("1 KB, keep-alive, 64 connections", "/1k.bin", 64, floor=True, peer_bar=0.88),
    Load("1 KB, keep-alive, 1,000 connections", "/1k.bin", 1000, floor=True, peer_bar=0.88),
    Load("1 KB, new connection each", "/1k.bin", 64, ("Connection: close",), anew=True),
    Load("100 KB", "/100k.bin", 64),
    Load("10 MB", "/10m.bin", 8, turns=2),
    Load("304 Not Modified", "/1k.bin", 64, is_304=True),
    Load("range of 1,000 bytes", "/100k.bin", 64, ("Range: bytes=5000-5999",)),
    Load("tree of 100,000 files", "/tree/##/###.html", 64, random=True),
]


def fields_of(server, row):
    if not row.is_304:
        return row.fields
    out = subprocess.run(["curl", "-sI", f"http://127.0.0.1:{server.port}{row.path}"],
                         capture_output=True, text=True, check=True).stdout
    return ["If-None-Match: " + re.search(r"^etag: (.*?)\r?$", out, re.M | re.I).group(1)]


class Failure(Exception):
    """A server answered with errors: what that costs is no figure."""


def load(server, row, fields, seed, args, seconds):
    """Answers that came, and the nanoseconds that they took the server: without its connections."""
    argv = [str(args.build / "tests/bench_http_load"), "-w"]
    if row.anew:
        argv.append("-c")
    if row.random:
        argv += ["-t", str(seed)]
    for f in fields:
        argv += ["-H", f]
    with subprocess.Popen(["taskset", "-c", "1", *argv, str(server.port), row.path,
                           str(row.connections), str(seconds)], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True) as client:
        client.stdout.readline()  # "open"
        before = server.cpu_ns()
        client.stdin.write("\n")
        client.stdin.flush()
        said = client.stdout.readline()
        ns = server.cpu_ns() - before
    done, bad = map(int, re.fullmatch(r"(\d+) requests, (\d+) bad\n", said).groups())
    if bad:
        raise Failure(f"{server.name}: {bad} answers of {done} are errors")
    return done, ns


WRK_TREE = """math.randomseed(%d)
request = function()
  return wrk.format("GET", string.format("/tree/%%02d/%%03d.html", math.random(0, 99), math.random(0, 999)))
end
"""


def wrk(server, row, fields, seed, _args, seconds):
    """The same, by wrk; its connections count."""
    before = server.cpu_ns()
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        argv = ["taskset", "-c", "1", "wrk", "-t1", f"-c{row.connections}",
                f"-d{max(1, round(seconds))}s"]
        if row.random:
            script.write(WRK_TREE % seed)
            script.flush()
            argv += ["-s", script.name]
        for f in fields:
            argv += ["-H", f]
        out = subprocess.run([*argv, f"http://127.0.0.1:{server.port}{row.path.replace('#', '0')}"],
                             capture_output=True, text=True, check=True).stdout
    errors = None if row.is_304 else re.search(r"Non-2xx.*", out)
    if errors:
        raise Failure(f"{server.name}: {errors.group(0)}")
    return int(re.search(r"(\d+) requests in", out).group(1)), server.cpu_ns() - before


def cost(server, row, r, args):
    """Microseconds of CPU time per request, in one turn of round r."""
    ask = wrk if args.wrk else load
    fields = fields_of(server, row)
    if r == 0:
        ask(server, row, fields, r, args, 1)
    n, ns = ask(server, row, fields, r, args, row.turns * args.seconds)
    if n == 0:
        sys.exit(f"{server.name} does not answer {row.path}")
    return ns / n / 1000


def bench_row(servers, floor, row, args):
    """What each took in each of the rounds, in which the servers take turns."""
    got, failed = {}, set()
    todo = list(servers) + ([floor] if row.floor and floor else [])
    for r in range(args.rounds):
        for server in todo[r % len(todo):] + todo[:r % len(todo)]:
            if server.name in failed:
                continue
            try:
                got.setdefault(server.name, []).append(cost(server, row, r, args))
            except Failure as failure:
                if server.name == "ours":
                    raise
                print(f"  {failure}", file=sys.stderr)
                failed.add(server.name)
    return {k: v for k, v in got.items() if k not in failed}


def latency_p99(servers, per_second, build, args):
    """Microseconds, asked at a rate that does not depend on the answers."""
    got = {}
    for r in range(args.rounds):
        for server in servers[r % len(servers):] + servers[:r % len(servers)]:
            out = subprocess.run(["taskset", "-c", "1", str(build / "tests/bench_http_load"), "-r",
                                  str(per_second), str(server.port), "/1k.bin", "64",
                                  str(args.seconds)], capture_output=True, text=True,
                                 check=True).stdout
            got.setdefault(server.name, []).append(int(re.search(r"p99 (\d+)", out).group(1)))
    return got


def syscalls_per_request(server, args, seconds=2):
    pid = server.busiest()
    with tempfile.NamedTemporaryFile() as out:
        trace = subprocess.Popen(["strace", "-c", "-f", "-p", str(pid), "-o", out.name],
                                 stderr=subprocess.DEVNULL)
        time.sleep(0.5)
        n, _ = load(server, LOADS[0], [], 0, args, seconds)
        trace.send_signal(signal.SIGINT)
        trace.wait()
        total = re.search(r"^100\.00\s+\S+\s+\S+\s+(\d+)", out.read().decode(), re.M)
    return int(total.group(1)) / n


def idle_bytes(server, count=5000):
    """Private memory of each connection that has had its answer and waits."""
    conns = []

    def add(n):
        for i in range(n):
            s = socket.socket()
            s.bind((f"127.0.{2 + i // 250}.{1 + i % 250}", 0))
            s.connect(("127.0.0.1", server.port))
            s.sendall(b"GET /1k.bin HTTP/1.1\r\nHost: a\r\n\r\n")
            s.recv(65536)
            conns.append(s)
    add(200)
    time.sleep(0.3)
    before = server.private_bytes()
    add(count)
    time.sleep(0.5)
    after = server.private_bytes()
    for s in conns:
        s.close()
    time.sleep(0.5)
    return (after - before) / count


def measure(servers, floor, args):
    """Rows of the report."""
    peers = [s.name for s in servers if s.name != "ours"]
    rows, first = [], None
    for asked in LOADS:
        if args.rows and not any(r in asked.name for r in args.rows.split(",")):
            continue
        row = report.Row.of_rounds(f"{asked.name}, us", bench_row(servers, floor, asked, args))
        first = first or row.values
        print(asked.name, {k: round(v, 2) for k, v in row.values.items()}, flush=True)
        rows.append(row.to_best(asked.peer_bar, peers).to("floor", asked.floor_bar))
    if args.skip_counts:
        return rows
    rate = int(0.5e6 / first["ours"]) // 1000 * 1000
    rows.append(report.Row.of_rounds(f"p99 at {rate:,} requests a second, us",
                                     latency_p99(servers, rate, args.build, args), form="{:.0f}")
                .to_best(1.0, peers))
    if shutil.which("strace"):
        got = {s.name: syscalls_per_request(s, args) for s in servers}
        rows.append(report.Row("system calls per request, 64 connections", got).absolute(2.2))
    got = {s.name: idle_bytes(s) for s in servers}
    rows.append(report.Row("private memory of an idle connection, bytes", got, form="{:.0f}")
                .absolute(600))
    return rows


ABOUT = """CPU time of one server process on one CPU, for each request, by the scheduler's own
account. The client has the other CPU and costs less than any of the servers, so that they are busy
all the time: with one that does not keep up, such as wrk, the faster of them fall asleep between
requests, and pay for being woken (`--wrk` shows it). Access logs are off and file caches on for
everybody: nginx
keeps 10,000 files open, of the 20,000 descriptors that a process gets here; ours keeps the tree in
256 MB of memory, without descriptors; h2o has no such cache. A server that answers a row with errors
has no figure there: lighttpd keeps each file of the tree open, and says 403 when it has no descriptor
left. The floor reads a request, does not look at it, and sends a fixed answer. p99 is at a fixed
rate for everybody, half of what ours can do, each request's time counted from when it was due. A bar
is the median of the rounds' ratios, which is not quite the ratio of the medians shown.
sallyport-httpd is confined by Landlock and seccomp, which nobody else is.

{where}. {versions}; {rounds} rounds of {seconds} s.

{table}

Again: `sudo tests/bench/http/bench.py --markdown docs/PERFORMANCE.md`, with strace, nginx, h2o
and lighttpd installed; of the servers those that are."""


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    p.add_argument("--build", type=pathlib.Path,
                   default=pathlib.Path(os.environ.get("SALLYPORT_BUILD", HERE.parents[2] / "build")))
    p.add_argument("--seconds", type=float)
    p.add_argument("--rounds", type=int, default=22)
    p.add_argument("--quick", action="store_true", help="half a second a turn instead of three")
    p.add_argument("--rows", default="", help="parts of their names, with commas between")
    p.add_argument("--skip-counts", action="store_true",
                   help="no latency, memory and system calls")
    p.add_argument("--wrk", action="store_true", help="with wrk as the client")
    p.add_argument("--markdown", type=pathlib.Path, help="write our section of this file")
    args = p.parse_args()
    args.seconds = args.seconds or (0.5 if args.quick else 3)
    for tool in ("taskset", "wrk") if args.wrk else ("taskset",):
        if not shutil.which(tool):
            sys.exit(f"{tool} is needed")
    machine = report.where()
    top = pathlib.Path(tempfile.mkdtemp(prefix="sp-bench-"))
    top.chmod(0o777)
    servers, floor = [], None
    try:
        site = make_site(top, not args.rows or any(r in LOADS[-1].name for r in
                                                   args.rows.split(",")))
        for name, start in STARTERS.items():
            if name in ("ours",) or shutil.which(name) or name.upper() in os.environ:
                servers.append(start(top, site, args.build))
        floor = start_floor(top, args.build, 1024)
        text = report.table(measure(servers, floor, args))
        print(text)
        if args.markdown:
            report.write(args.markdown, "http", "HTTP", ABOUT.format(
                where=machine, versions=report.versions(("nginx", "h2o", "lighttpd")),
                rounds=args.rounds, seconds=args.seconds,
                table=text))
    finally:
        for s in servers + ([floor] if floor else []):
            s.stop()
        shutil.rmtree(top, ignore_errors=True)


if __name__ == "__main__":
    main()
