"""llhttp's request vectors, and a differential run against the llhttp inside node.

The vectors are not part of this repository: SALLYPORT_VECTORS names their folder, or
../shared/vectors/llhttp beside the source. Each has a verdict; where ours differs, DIFFERENT says
why. A vector that is not listed must have llhttp's verdict, and a listed one must differ.
"""
import json
import os
import pathlib
import random
import re
import shutil
import struct
import subprocess

import pytest

import httpd

VERDICT = httpd.BUILD / "tests/http_verdict"

METHOD = "any token is a method: 501 by the site, and the connection goes on (RFC 9110 9.1)"
PROTOCOL = "another protocol than HTTP"
TARGET = "a byte that RFC 3986 allows in no target"
UPGRADE = "we never upgrade (RFC 9110 7.8), so the bytes behind are the next request"
DIFFERENT = {
    "connection: No restart when keep-alive is off (1.0)":
        "what follows the last request of a connection is not read, so it is no error",
    "connection: Multiple tokens with folding and LWS": UPGRADE,
    "connection: Upgrade GET request": UPGRADE,
    "connection: Upgrade POST request": UPGRADE,
    "content-length: Tabs in `Content-Length` (surrounding)":
        "a tab beside a framing field's value: peers disagree about it, so 400",
    "invalid: HTTP protocol and ANNOUNCE method": METHOD,
    "invalid: Invalid method": METHOD,
    "invalid: Invalid HTTP version": "505, with the byte behind the version, which is not here",
    "method: M-SEARCH request": "asterisk-form is for OPTIONS only (RFC 9112 3.2.4)",
    "method: SOURCE request with ICE": PROTOCOL,
    "method: OPTIONS request with RTSP": PROTOCOL,
    "method: ANNOUNCE request with RTSP": PROTOCOL,
    "sample: No HTTP version": "HTTP/0.9 has no fields, and no place on a persistent connection",
    "transfer-encoding: POST with `chunked` as last transfer-encoding": TARGET,
    "transfer-encoding: POST with `chunked` as last transfer-encoding (multiple headers)": TARGET,
    "uri: Quotes in URI": TARGET,
    "uri: Fragment in URI": TARGET,
    "uri: `host:port` and basic auth": "userinfo in a target is an error (RFC 9110 4.2.4)",
}


def verdicts(inputs):
    data = b"".join(struct.pack("<I", len(i)) + i for i in inputs)
    out = subprocess.run([VERDICT], input=data, capture_output=True, check=True).stdout
    lines = out.decode("latin-1").split("\n")[:-1]
    assert len(lines) == len(inputs)
    return [line.split("\t") for line in lines]


def folder():
    for path in (os.environ.get("SALLYPORT_VECTORS", ""), httpd.SOURCE / "../shared/vectors/llhttp",
                 httpd.SOURCE / "../../shared/vectors/llhttp", "/work/shared/vectors/llhttp"):
        if path and pathlib.Path(path).is_dir():
            return pathlib.Path(path)
    return None


def unescape(text):
    """llhttp's own notation: newlines are CRLF, \\r \\n \\t \\xNN stand for bytes."""
    out = text[:-1] if text.endswith("\n") else text
    out = out.replace("\\\n", "").replace("\n", "\r\n")
    table = {"r": "\r", "n": "\n", "t": "\t", "f": "\f"}
    out = re.sub(r"\\(x[0-9a-fA-F]{2}|[rntf])",
                 lambda m: chr(int(m[1][1:], 16)) if m[1][0] == "x" else table[m[1]], out)
    return out.encode("utf-8") if any(ord(c) > 255 for c in out) else out.encode("latin-1")


def vectors():
    where = folder()
    if where is None:
        return []
    out = []
    for file in sorted(where.glob("*.md")):
        text = file.read_text()
        pattern = re.compile(r"^(#+) (.*?)\n|<!-- meta=(\{.*?\}) -->\s*```http\n(.*?)```\s*```log\n(.*?)```",
                             re.S | re.M)
        title, counts = "", {}
        for m in pattern.finditer(text):
            if m.group(1):
                title = m.group(2)
                continue
            meta = json.loads(m.group(3))
            if meta.get("type") != "request" or re.search(r"paus|skipBody", title + str(meta)):
                continue
            counts[title] = counts.get(title, 0) + 1
            name = f"{file.stem}: {title}" + (f" {counts[title]}" if counts[title] > 1 else "")
            data = unescape(m.group(4))
            if not re.search(rb"^host *:", data, re.I | re.M) and b"HTTP/1.1" in data:
                data = re.sub(rb"(HTTP/1\.1\r?\n)", rb"\1Host: a\r\n", data)
            out.append((name, data, re.search(r"error code=(?!2[12] )", m.group(5)) is not None))
    return out


def test_every_vector_has_its_verdict():
    all_vectors = vectors()
    if not all_vectors:
        pytest.skip("llhttp's vectors are not here (SALLYPORT_VECTORS)")
    assert len(all_vectors) > 80
    wrong = []
    for (name, data, rejects), got in zip(all_vectors, verdicts([v[1] for v in all_vectors])):
        ours = got[-1] not in ("ok", "more")
        if (ours != rejects) != (name in DIFFERENT):
            wrong.append(f"{name!r}: llhttp {'rejects' if rejects else 'accepts'}, ours {got} {data!r}")
    assert not wrong, "\n" + "\n".join(wrong)


NODE = r"""
const { HTTPParser, methods } = process.binding('http_parser');
const input = require('fs').readFileSync(0);
const out = [];
for (let at = 0; at < input.length;) {
  const len = input.readUInt32LE(at);
  const data = input.subarray(at + 4, at + 4 + len);
  at += 4 + len;
  const heads = [];
  const p = new HTTPParser();
  p.initialize(HTTPParser.REQUEST, {});
  let flushed = '';  // where a target comes once trailers were seen
  p[HTTPParser.kOnHeaders | 0] = (headers, url) => { flushed = url; };
  p[HTTPParser.kOnHeadersComplete | 0] = (maj, min, headers, method, url, code, msg, upgrade, keep) => {
    heads.push([methods[method] || String(method), Buffer.from(url || flushed, 'latin1').toString('latin1'), keep, upgrade]);
    return 0;
  };
  p[HTTPParser.kOnBody | 0] = () => {};
  p[HTTPParser.kOnMessageComplete | 0] = () => {};
  const r = p.execute(data);
  out.push(JSON.stringify([heads, r instanceof Error ? r.code : null]));
}
process.stdout.write(out.join('\n') + '\n');
"""

SEEDS = [
    b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /a?b=c HTTP/1.1\r\nHost: a:80\r\nConnection: keep-alive\r\nX-Y:  z \r\n\r\nGET /2 HTTP/1.1\r\nHost: b\r\n\r\n",
    b"POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloGET /n HTTP/1.1\r\nHost: a\r\n\r\n",
    b"POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b;c=\"d\"\r\nhello\r\n0\r\nT: v\r\n\r\nGET /n HTTP/1.1\r\nHost: a\r\n\r\n",
    b"PUT /u HTTP/1.0\r\nContent-Length: 3\r\nConnection: keep-alive\r\n\r\nabcHEAD /h HTTP/1.0\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n",
]
PIECES = [b"\r\n", b"\n", b"\r", b" ", b"\t", b":", b",", b";", b"0", b"chunked", b"Content-Length: 5\r\n",
          b"Transfer-Encoding: chunked\r\n", b"\x00", b"\x7f", b"\xff", b"+", b"-", b"0x", b"\x0b", b"\"", b"close",
          b"\r\n ", b"HTTP/1.1", b"Host: b\r\n", b"%", b"#", b"//"]


def mutated(rng):
    data = bytearray(rng.choice(SEEDS))
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(data) + 1)
        kind = rng.randrange(4)
        if kind == 0:
            data[at:at] = rng.choice(PIECES)
        elif kind == 1 and at < len(data):
            del data[at:at + rng.randint(1, 4)]
        elif kind == 2 and at < len(data):
            data[at] = rng.randrange(256)
        else:
            end = rng.randrange(len(data) + 1)
            data[at:at] = data[min(at, end):max(at, end)][:40]
    return bytes(data)


# Why we may accept what node refuses, by node's error: never a matter of where a message ends.
LAXER = {
    "HPE_INVALID_METHOD": METHOD,
    "HPE_INVALID_URL": "a target's form is judged when its line is whole; the answer is the same 400",
    "HPE_INVALID_CONSTANT": METHOD,
    "HPE_INVALID_VERSION": "505 comes with the byte behind the version",
    "HPE_CLOSED_CONNECTION": "what follows the last request is not read",
    "HPE_PAUSED_UPGRADE": UPGRADE,
}


def test_differential_against_node():
    node = shutil.which("node")
    if not node:
        pytest.skip("node is not installed")
    rng = random.Random(9112)
    inputs = [mutated(rng) for _ in range(int(os.environ.get("SALLYPORT_DIFFERENTIAL", "20000")))]
    data = b"".join(struct.pack("<I", len(i)) + i for i in inputs)
    out = subprocess.run([node, "--no-deprecation", "-e", NODE], input=data, capture_output=True,
                         check=True).stdout.decode("latin-1")
    theirs = [json.loads(line) for line in out.split("\n")[:-1]]
    stricter, wrong = 0, []
    for raw, ours, (heads, error) in zip(inputs, verdicts(inputs), theirs):
        accepts = ours[-1] in ("ok", "more")
        if not accepts:
            stricter += error is None
            continue
        if error is not None:
            if error not in LAXER:
                wrong.append(f"only we accept ({error}): {raw!r} {ours}")
            continue
        # Both accept: every head that we saw must be theirs too, in order.
        seen = [f"{m} {u}" for m, u, _, _ in heads]
        if seen[:len(ours) - 1] != ours[:-1] and not any(u for *_, u in heads):
            wrong.append(f"read otherwise: {raw!r} ours {ours} node {seen}")
    print(f"{len(inputs)} inputs, {stricter} that only node accepts")
    assert not wrong, f"{len(wrong)} differ\n" + "\n".join(wrong[:15])
