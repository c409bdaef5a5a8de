#!/usr/bin/python3
"""idle.py [--workers N] [--each N] - as many idle connections as there are descriptors, over several
worker processes: what each costs the workers in private memory, and that others are still served.

A process may have so many descriptors, so there are as many client processes as workers; sources
are spread over 127/8. The descriptor limit is the hard one of whoever runs this: `ulimit -Hn`.
"""
import argparse
import os
import pathlib
import resource
import socket
import sys

HERE = pathlib.Path(__file__).resolve().parent
os.environ.setdefault("SALLYPORT_BUILD", str(HERE.parents[2] / "build"))
os.environ.setdefault("SALLYPORT_SOURCE", str(HERE.parents[2]))
sys.path[:0] = [str(HERE.parents[1] / "http"), str(HERE.parents[1])]

import httpd  # noqa: E402

WARM = 200  # connections of each client before memory is first looked at
SPARE = 600  # descriptors that are for something else


def private_bytes(pids):
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/smaps_rollup") as f:
            total += sum(int(line.split()[1]) for line in f if line.startswith("Private_"))
    return total * 1024


def client(number, address, count, say, hear):
    """Opens connections, asks once on each, and keeps them."""
    held = []
    for i in range(count + WARM):
        s = socket.socket()
        s.bind((f"127.{1 + number}.{1 + i // 250}.{1 + i % 250}", 0))
        s.connect(address)
        s.sendall(httpd.request("/"))
        if not s.recv(4096).startswith(b"HTTP/1.1 200"):
            os._exit(1)
        held.append(s)
        if i + 1 == WARM:
            os.write(say, b"w")
            os.read(hear, 1)
    os.write(say, b"d")
    os.read(hear, 1)
    os._exit(0)


def measure(workers, each):
    """Bytes of private memory of all workers for each connection; how many a worker has at most."""
    root = httpd.world_readable_dir()
    (root / "index.html").write_bytes(b"page")
    conf = root / "httpd.conf"
    conf.write_text(f"workers = {workers}\nconnections = {each + WARM + 50}\nidle-timeout = 1h\n"
                    f'site "x" {{ root = {root} }}\n')
    said, say = os.pipe()
    pipes, clients = [], []
    with httpd.Httpd("--config", conf) as h:
        h.wait_ready()
        with open(f"/proc/{h.pid}/task/{h.pid}/children") as f:
            pids = [int(p) for p in f.read().split()]
        for n in range(workers):
            pipes.append(os.pipe())
            clients.append(os.fork())
            if clients[-1] == 0:
                client(n, h.address, each, say, pipes[-1][0])
        os.close(say)

        def wait_all():
            for _ in clients:
                if not os.read(said, 1):
                    sys.exit("a client was not served")
        wait_all()
        before = private_bytes(pids)
        for _, go in pipes:
            os.write(go, b"g")
        wait_all()
        after = private_bytes(pids)
        most = max(len(os.listdir(f"/proc/{p}/fd")) for p in pids)
        # Somebody leaves, and another is served.
        os.write(pipes[0][1], b"g")
        os.waitpid(clients[0], 0)
        reply = httpd.replies(h.raw(httpd.request("/", "Connection: close")))[0]
        for _, go in pipes[1:]:
            os.write(go, b"g")
        for pid in clients[1:]:
            os.waitpid(pid, 0)
        if reply.status != 200:
            sys.exit(f"nobody else was served: {reply.status}")
    return (after - before) / (workers * each), most


def main():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    p.add_argument("--workers", type=int, default=4)
    p.add_argument("--each", type=int, default=hard - SPARE - WARM,
                   help="connections of a client process, and of a worker on average")
    args = p.parse_args()
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    each, most = measure(args.workers, args.each)
    print(f"{args.workers * args.each} idle connections of {args.workers} workers, at most {most} "
          f"descriptors in one: {each:.0f} bytes each")
    return 0 if each < 600 else 1


if __name__ == "__main__":
    sys.exit(main())
