#!/usr/bin/python3
"""CPU time per TLS handshake, per request and memory per idle connection: ours and its peers.

usage: bench_tls.py [--rounds N] [--seconds N] [--json FILE] [ROW...]

One run measures everybody on the same certificates: server processes on one CPU, the client on
another, the servers one after the other and that several times over; medians are printed. Needs
root (two users), nginx, hitch and h2o (those that are missing are left out), openssl, wrk.

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
sys.path.insert(0, os.path.join(HERE, "../../tls"))
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
        self.port = self.worker.port
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


def nginx_conf(where, port, tls, name):
    return write(f"{where}/{name}.conf", f"""
daemon off; worker_processes 1; user nobody nogroup; pid {where}/{name}.pid; error_log /dev/null crit;
events {{ worker_connections 8192; }}
http {{ access_log off; sendfile on; tcp_nopush on; tcp_nodelay on; keepalive_requests 1000000;
 keepalive_timeout 120s; open_file_cache max=1000 inactive=60s;
 client_body_temp_path {where}/{name}.body; proxy_temp_path {where}/{name}.proxy;
 fastcgi_temp_path {where}/{name}.f; uwsgi_temp_path {where}/{name}.u; scgi_temp_path {where}/{name}.s;
 server {{ listen 127.0.0.1:{port} {"ssl deferred" if tls else ""}; root {where}/site; {tls} }} }}
""")


class Nginx(Server):
    name = "nginx"

    def __init__(self, where, pki, kinds):
        super().__init__(where)
        certs = "".join(f"ssl_certificate {pki.certs}/{k}.pem; ssl_certificate_key {where}/plain/{k}.key;"
                        for k in kinds)
        conf = nginx_conf(where, self.port, certs + "ssl_protocols TLSv1.2 TLSv1.3;"
                          "ssl_ciphers ECDHE+AESGCM:ECDHE+CHACHA20; ssl_session_cache off;"
                          "ssl_ecdh_curve X25519:P-256:P-384; ssl_session_tickets on;", "nginx")
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


def keepalive(server, a, path):
    with Meter(server) as m:
        r = subprocess.run(["taskset", "-c", CLIENT_CPU, "wrk", "-t1", "-c16", f"-d{a.seconds}s",
                            f"https://127.0.0.1:{server.port}/{path}"], capture_output=True,
                           text=True, check=True)
    n = int(re.search(r"(\d+) requests in", r.stdout).group(1))
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


def row_p99(server, a):
    """p99 of a small HTTP request, in microseconds, while RSA-4096 handshakes are going on."""
    load = [subprocess.Popen(["taskset", "-c", CLIENT_CPU, "openssl", "s_time", "-connect",
                              f"127.0.0.1:{server.port}", "-new", "-time", str(a.seconds + 2)],
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            for _ in range(4)]
    client = rig.TlsClient(server.port)
    time.sleep(0.5)
    times, end = [], time.monotonic() + a.seconds
    while time.monotonic() < end:
        start = time.perf_counter()
        client.get()
        times.append((time.perf_counter() - start) * 1e6)
        time.sleep(0.002)
    for proc in load:
        proc.wait()
    times.sort()
    return times[int(len(times) * 0.99)], times[len(times) // 2]


ROWS = {  # name -> (keys, function, unit, what the two figures are)
    "p256": (["p256"], row_handshake, "us CPU", "full P-256 handshake"),
    "rsa2048": (["rsa2048"], row_handshake, "us CPU", "full RSA-2048 handshake"),
    "resumed": (["p256"], row_resumed, "us CPU", "resumed handshake"),
    "1k": (["p256"], lambda s, a: keepalive(s, a, "1k"), "us CPU", "1 KB over keep-alive"),
    "100k": (["p256"], lambda s, a: keepalive(s, a, "100k"), "us CPU", "100 KB over keep-alive"),
    "10m": (["p256"], lambda s, a: keepalive(s, a, "10m"), "us CPU", "10 MB over keep-alive"),
    "idle": (["p256"], row_idle, "bytes", "idle TLS connection"),
    "p99": (["rsa4096"], row_p99, "us", "p99 (and median) under RSA-4096 handshakes"),
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--clients", type=int, default=8, help="at once, for handshakes")
    parser.add_argument("--json")
    parser.add_argument("rows", nargs="*", default=[])
    a = parser.parse_args()
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
    results = {}
    for row in a.rows or ROWS:
        kinds, measure, unit, text = ROWS[row]
        print(f"\n{text} [{unit}: worker, total]")
        for _ in range(a.rounds):
            for make in (Ours, Nginx, Hitch, H2o):
                if make is not Ours and not rig.shutil.which(make.name):
                    continue
                server = make(where, pki, kinds)
                try:
                    wait_up(server)
                    got = measure(server, a)
                    results.setdefault(row, {}).setdefault(make.name, []).append(got)
                except (RuntimeError, OSError, ssl.SSLError) as e:
                    print(f"  {make.name}: {e}")
                finally:
                    server.stop()
        for name, values in results.get(row, {}).items():
            worker, total = (statistics.median(v[i] for v in values) for i in (0, 1))
            print(f"  {name:10} {worker:12.1f} {total:12.1f}   {[round(v[0], 1) for v in values]}")
            results[row][name] = [worker, total]
    if a.json:
        with open(a.json, "w", encoding="ascii") as f:
            json.dump(results, f, indent=1)
    rig.shutil.rmtree(where)


if __name__ == "__main__":
    main()
