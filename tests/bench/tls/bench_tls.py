#!/usr/bin/python3
"""CPU time per TLS handshake, per request and memory per idle connection: ours and its peers.

usage: bench_tls.py [--quick] [--markdown] [--rounds N] [--seconds N] [--json FILE] [ROW...]

One run measures everybody on the same certificates: server processes on one CPU, the client on
another, the servers one after the other and that several times over; medians are printed, and what
they are to the bars they should keep. Each server chooses cipher and group as it does by default
or as its manual advises. Needs root (two users), nginx, hitch and h2o (those that are missing are
left out), openssl, wrk. --quick takes some four minutes; --markdown prints one table to standard
output, and the rest to standard error.

CPU time is /proc/PID/schedstat of every process of a server, in nanoseconds; for ours the worker
(sallyport-httpd) and the total (with sallyport-keyd) are told apart. Handshakes are counted by the
client, and that they were full ones (or resumed ones) is checked by the client's own report.
"""
import argparse
import json
import os
import pwd
import re
import signal
import socket
import ssl
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "../../tls"), os.path.join(HERE, "../..")]
import rig  # noqa: E402

SERVER_CPU, CLIENT_CPU = "0", "1"


def free_ports(n):
    socks = [rig.tcp_listener() for _ in range(n)]
    ports = [s.getsockname()[1] for s in socks]
    for s in socks:
        s.close()
    return ports


class Server:
    """Processes of one server under test."""

    name = "?"

    def __init__(self, where):
        self.where, self.procs = where, []
        self.port, self.back_port = free_ports(2)
        self.plain_port = self.back_port  # HTTP of the same process

    def spawn(self, *argv):
        self.procs.append(subprocess.Popen(["taskset", "-c", SERVER_CPU, *argv],
                                           stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                           stderr=subprocess.DEVNULL))

    def pids(self):
        out = []
        for proc in self.procs:
            out += rig.family(proc.pid)
        return out

    def worker_pids(self):
        return self.pids()

    def stop(self):
        for proc in self.procs:
            proc.terminate()
        for proc in self.procs:
            try:
                proc.wait(5)
            except subprocess.TimeoutExpired:
                proc.kill()
                proc.wait()


class Ours(Server):
    name = "sallyport"

    def __init__(self, where, pki, kinds):
        super().__init__(where)
        self.keyd = rig.Keyd(where, pki.keys, "--rate", "0").start()
        certs = [os.path.join(pki.certs, k + ".pem") for k in kinds]
        https = rig.tcp_listener()  # as sallyport-httpd-tls.socket has it
        https.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 10)
        self.worker = rig.Worker(where, self.keyd.path, certs, https=https).start()
        self.port, self.plain_port = self.worker.port, self.worker.http_port
        for pid in self.pids():
            subprocess.run(["taskset", "-apc", SERVER_CPU, str(pid)], check=True,
                           stdout=subprocess.DEVNULL)

    def pids(self):
        return rig.family(self.worker.proc.pid) + rig.family(self.keyd.proc.pid)

    def worker_pids(self):
        return rig.family(self.worker.proc.pid)

    def stop(self):
        self.worker.stop()
        self.keyd.stop()
        os.unlink(self.keyd.path)


def write(path, text):
    with open(path, "w", encoding="ascii") as f:
        f.write(text)
    return path


def nginx_conf(where, port, tls, name, plain=None):
    return write(f"{where}/{name}.conf", f"""
daemon off; worker_processes 1; user nobody nogroup; pid {where}/{name}.pid; error_log /dev/null crit;
events {{ worker_connections 8192; }}
http {{ access_log off; sendfile on; tcp_nopush on; tcp_nodelay on; keepalive_requests 1000000;
 keepalive_timeout 120s; open_file_cache max=1000 inactive=60s;
 client_body_temp_path {where}/{name}.body; proxy_temp_path {where}/{name}.proxy;
 fastcgi_temp_path {where}/{name}.f; uwsgi_temp_path {where}/{name}.u; scgi_temp_path {where}/{name}.s;
 server {{ listen 127.0.0.1:{port} {"ssl deferred" if tls else ""};
  {f"listen 127.0.0.1:{plain};" if plain else ""} root {where}/site; {tls} }} }}
""")


class Nginx(Server):
    name = "nginx"

    def __init__(self, where, pki, kinds):
        super().__init__(where)
        certs = "".join(f"ssl_certificate {pki.certs}/{k}.pem; ssl_certificate_key {where}/plain/{k}.key;"
                        for k in kinds)
        conf = nginx_conf(where, self.port, certs + "ssl_protocols TLSv1.2 TLSv1.3;"
                          "ssl_ciphers ECDHE+AESGCM:ECDHE+CHACHA20; ssl_session_cache off;"
                          "ssl_ecdh_curve X25519:P-256:P-384; ssl_session_tickets on;", "nginx",
                          self.plain_port)
        self.spawn("nginx", "-e", f"{where}/nginx.err", "-c", conf)


class Hitch(Server):
    name = "hitch"

    def __init__(self, where, pki, kinds):
        super().__init__(where)
        back = self.back_port
        self.backend = subprocess.Popen(
            ["taskset", "-c", CLIENT_CPU, "nginx", "-e", f"{where}/b.err", "-c",
             nginx_conf(where, back, "", "back")], stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        pems = ""
        for k in kinds:
            with open(f"{pki.certs}/{k}.pem", encoding="ascii") as c, \
                    open(f"{where}/plain/{k}.key", encoding="ascii") as p:
                pems += 'pem-file = "%s"\n' % write(f"{where}/hitch-{k}.pem", p.read() + c.read())
        conf = write(f"{where}/hitch.conf", f"""
frontend = "[127.0.0.1]:{self.port}"
backend = "[127.0.0.1]:{back}"
workers = 1
daemon = off
user = "nobody"
group = "nogroup"
quiet = on
tls-protos = TLSv1.2 TLSv1.3
ciphers = "ECDHE+AESGCM:ECDHE+CHACHA20"
{pems}""")
        self.spawn("hitch", "--config", conf)

    def stop(self):
        super().stop()
        self.backend.terminate()
        self.backend.wait()


class H2o(Server):
    name = "h2o"

    def __init__(self, where, pki, kinds):
        super().__init__(where)
        k = kinds[0]
        conf = write(f"{where}/h2o.conf", f"""
user: nobody
num-threads: 1
error-log: /dev/null
hosts:
  default:
    listen:
      port: {self.port}
      host: 127.0.0.1
      ssl:
        certificate-file: {pki.certs}/{k}.pem
        key-file: {where}/plain/{k}.key
        minimum-version: TLSv1.2
        cipher-suite: "ECDHE+AESGCM:ECDHE+CHACHA20"
        ocsp-update-interval: 0
    listen:
      port: {self.plain_port}
      host: 127.0.0.1
    paths:
      /:
        file.dir: {where}/site
""")
        self.spawn("h2o", "-c", conf)


def cpu_ns(pids):
    total = 0
    for pid in pids:
        try:
            for task in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{task}/schedstat", encoding="ascii") as f:
                    total += int(f.read().split()[0])
        except FileNotFoundError:
            pass
    return total


class Meter:
    """CPU time of worker and of everything while a with block runs, in microseconds."""

    def __init__(self, server):
        self.server = server

    def __enter__(self):
        self.worker, self.all = self.server.worker_pids(), self.server.pids()
        self.before = cpu_ns(self.worker), cpu_ns(self.all)
        return self

    def __exit__(self, *_):
        self.worker_us = (cpu_ns(self.worker) - self.before[0]) / 1000
        self.total_us = (cpu_ns(self.all) - self.before[1]) / 1000


def wait_up(server):
    for _ in range(200):
        try:
            rig.TlsClient(server.port, timeout=2).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"{server.name} does not come up")


def handshakes(server, a, new):
    """openssl s_time, several at once: (how many, meter). -new makes each a full handshake; -reuse,
    in TLS 1.2 where the ticket is part of it, resumes the first one."""
    argv = ["taskset", "-c", CLIENT_CPU, "openssl", "s_time", "-connect",
            f"127.0.0.1:{server.port}", "-time", str(a.seconds)]
    argv += ["-new"] if new else ["-reuse", "-tls1_2"]
    with Meter(server) as m:
        clients = [subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
                   for _ in range(a.clients)]
        texts = [c.communicate()[0].decode() for c in clients]
    n = resumed = full = 0
    for text in texts:
        n += int(re.findall(r"(\d+) connections in [\d.]+ real seconds", text)[-1])
        marks = "".join(re.findall(r"^[rt*]+$|^[rt*]+(?=\d)", text, re.M))
        resumed += marks.count("r")
        full += marks.count("*") + marks.count("t")
    if n == 0 or (resumed if new else full) > a.clients * 2:
        raise RuntimeError(f"{server.name}: of {n}, {resumed} resumed and {full} full")
    return n, m


def row_handshake(server, a):
    n, m = handshakes(server, a, True)
    return m.worker_us / n, m.total_us / n


def row_resumed(server, a):
    n, m = handshakes(server, a, False)
    return m.worker_us / n, m.total_us / n


def keepalive(server, a, path, size=None):
    """CPU per request; with a size, per so many bytes: some of the last ones are cut short."""
    with Meter(server) as m:
        r = subprocess.run(["taskset", "-c", CLIENT_CPU, "wrk", "-t1", "-c4" if size else "-c16",
                            f"-d{a.seconds}s", f"https://127.0.0.1:{server.port}/{path}"],
                           capture_output=True, text=True, check=True)
    n, data, unit = re.search(r"(\d+) requests in .*, ([\d.]+)([KMG]?)B read", r.stdout).groups()
    n = float(data) * 1024 ** " KMG".index(unit or " ") / size if size else int(n)
    if "Non-2xx" in r.stdout or n == 0:
        raise RuntimeError(f"{server.name}: {r.stdout}")
    return m.worker_us / n, m.total_us / n


def memory(pids):
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
            text = f.read()
        total += sum(int(v) for v in re.findall(r"Private_(?:Clean|Dirty): +(\d+)", text))
    return total * 1024


def row_idle(server, a, n=500):
    """Private bytes per connection that has had one request and then none."""
    ctx = rig.tls_context()

    def used(count):
        out = []
        for _ in range(count):
            out.append(rig.TlsClient(server.port, ctx))
            out[-1].get()
        return out

    warm = used(50)
    before = memory(server.worker_pids()), memory(server.pids())
    conns = used(n)
    time.sleep(0.5)
    after = memory(server.worker_pids()), memory(server.pids())
    for c in warm + conns:
        c.close()
    return (after[0] - before[0]) / n, (after[1] - before[1]) / n


def plain_get(sock):
    sock.sendall(b"GET /1k HTTP/1.1\r\nHost: a.test\r\n\r\n")
    data = b""
    while b"\r\n\r\n" not in data or len(data) < data.index(b"\r\n\r\n") + 4 + 1024:
        more = sock.recv(65536)
        if not more:
            raise RuntimeError("closed in the middle")
        data += more


def row_p99(server, a, rate=50):
    """Latency of a small plain HTTP request while RSA-4096 handshakes keep the same server busy:
    p99 and median, in microseconds. Requests are due at a fixed rate, so that a server that is slow
    to answer is asked no less often, as long as it keeps up at all."""
    if isinstance(server, Hitch):
        raise RuntimeError("speaks TLS only")
    load = [subprocess.Popen(["taskset", "-c", CLIENT_CPU, "openssl", "s_time", "-connect",
                              f"127.0.0.1:{server.port}", "-new", "-time",
                              str(10 * a.seconds + 20)],
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            for _ in range(4)]
    try:
        with socket.create_connection(("127.0.0.1", server.plain_port), 20) as sock:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            plain_get(sock)
            time.sleep(0.5)
            times, begin = [], time.monotonic()
            for i in range(rate * (a.seconds + 1)):
                time.sleep(max(0, begin + i / rate - time.monotonic()))
                start = time.monotonic()
                plain_get(sock)
                times.append((time.monotonic() - start) * 1e6)
    finally:
        for proc in load:
            proc.terminate()
            proc.wait()
    times.sort()
    return times[int(len(times) * 0.99)], times[len(times) // 2]


WORKER, TOTAL = 0, 1
CPU, KEPT, PEERS = "us CPU: worker, total", ("p256",), ("nginx", "hitch", "h2o")
# name -> keys, function, unit, what it is, bars: (figure, its name, peers, at most so many times)
ROWS = {
    "p256": (KEPT, row_handshake, CPU, "full P-256 handshake",
             [(WORKER, "worker", ("nginx", "hitch"), 1.0), (TOTAL, "total", ("h2o",), 0.9)]),
    "rsa2048": (("rsa2048",), row_handshake, CPU, "full RSA-2048 handshake",
                [(TOTAL, "total", PEERS, None)]),
    "resumed": (KEPT, row_resumed, CPU, "resumed handshake", [(TOTAL, "total", PEERS, None)]),
    "1k": (KEPT, lambda s, a: keepalive(s, a, "1k"), CPU, "1 KB over keep-alive",
           [(TOTAL, "total", PEERS, 0.9)]),
    "100k": (KEPT, lambda s, a: keepalive(s, a, "100k"), CPU, "100 KB over keep-alive",
             [(TOTAL, "total", PEERS, None)]),
    "10m": (KEPT, lambda s, a: keepalive(s, a, "10m", 10 << 20), CPU, "10 MB over keep-alive",
            [(TOTAL, "total", PEERS, None)]),
    "idle": (KEPT, row_idle, "bytes: worker, total", "idle TLS connection",
             [(WORKER, "worker", PEERS, 1.0)]),
    "p99": (("rsa4096",), row_p99, "us: p99, median",
            "small HTTP request under RSA-4096 handshakes",
            [(0, "p99", PEERS, 1.0), (1, "median", PEERS, None)]),
}


def judge(row, got):
    """[(what is compared, ours, {peer: figure}, ratio, bar, met)] for one row's medians."""
    out = []
    for figure, name, peers, bar in ROWS[row][4]:
        theirs = {p: got[p][figure] for p in peers if p in got}
        if Ours.name not in got or not theirs:
            continue
        ours = got[Ours.name][figure]
        ratio = ours / min(theirs.values())
        met = "" if bar is None else "yes" if ratio <= bar else "no"
        out.append((name, ours, theirs, ratio, bar, met))
    return out


def markdown(results):
    def number(x):
        return "" if x is None else f"{x:,.1f}" if x < 1000 else f"{x:,.0f}"

    print("| | ours | nginx | hitch | h2o | to best peer | bar | met |")
    print("|---|---:|---:|---:|---:|---:|---:|---|")
    for row, got in results.items():
        unit = ROWS[row][2].split(":")[0]
        for name, ours, theirs, ratio, bar, met in judge(row, got):
            peers = [number(theirs.get(p)) for p in PEERS]
            print(f"| {ROWS[row][3]}, {name}, {unit} | {number(ours)} | {' | '.join(peers)} "
                  f"| {ratio:.2f} | {'' if bar is None else bar} | {met} |")


def run_row(row, where, pki, a, say):
    """Medians of both figures by server's name."""
    kinds, measure, unit, text, _ = ROWS[row]
    say(f"\n{text} [{unit}]")
    all_values = {}
    for r in range(a.rounds):
        makers = (Ours, Nginx, Hitch, H2o)
        for make in makers[r % 4:] + makers[:r % 4]:
            if make is not Ours and not rig.shutil.which(make.name):
                continue
            server = make(where, pki, kinds)
            try:
                wait_up(server)
                got = measure(server, a)
                all_values.setdefault(make.name, []).append(got)
            except (RuntimeError, OSError, ssl.SSLError) as e:
                say(f"  {make.name}: {e}")
            finally:
                server.stop()
    got = {}
    for name, values in all_values.items():
        got[name] = [statistics.median(v[i] for v in values) for i in (0, 1)]
        say(f"  {name:10} {got[name][0]:12.1f} {got[name][1]:12.1f}   "
            f"{[round(v[0], 1) for v in values]}")
    for name, _, _, ratio, bar, met in judge(row, got):
        say(f"  {name}: {ratio:.2f} of the best peer" + (f", bar {bar}: {met}" if met else ""))
    return got


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--clients", type=int, default=8, help="at once, for handshakes")
    parser.add_argument("--quick", action="store_true", help="three rounds of a second each")
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--json")
    parser.add_argument("rows", nargs="*", default=[])
    a = parser.parse_args()
    if a.quick:
        a.rounds, a.seconds = 3, 1

    def say(text):
        print(text, file=sys.stderr if a.markdown else sys.stdout, flush=True)

    where = rig.folder()
    pki = rig.Pki(where)
    os.mkdir(f"{where}/plain", 0o755)
    os.mkdir(f"{where}/site", 0o755)
    for name, size in (("index.html", 20), ("1k", 1024), ("100k", 102400), ("10m", 10 << 20)):
        with open(f"{where}/site/{name}", "wb") as f:
            f.write(os.urandom(size))
    for kind in "p256", "rsa2048", "rsa4096":
        pki.leaf(kind, kind, "a.test")
        rig.shutil.copy(f"{pki.keys}/{kind}.key", f"{where}/plain/{kind}.key")
    results = {row: run_row(row, where, pki, a, say) for row in a.rows or ROWS}
    if a.markdown:
        markdown(results)
    if a.json:
        with open(a.json, "w", encoding="ascii") as f:
            json.dump(results, f, indent=1)
    rig.shutil.rmtree(where)


if __name__ == "__main__":
    main()
