# The server's port as an unfriendly or unusual client uses it. Everything here is bytes on a real socket.
import json
import os
import random
import re
import socket
import subprocess
import sys
import threading
import time

import pytest

from conftest import package, wait_until

ECHO = "def handler(event, context):\n    return event\n"
LIST = b"GET /2015-03-31/functions/ HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.fixture(scope="module")
def echo(server):
    server.create("http-echo", ECHO, Timeout=10)
    return "/2015-03-31/functions/http-echo/invocations"


class Connection:
    def __init__(self, server):
        self.socket = socket.create_connection(("127.0.0.1", server.port), 10)
        self.socket.settimeout(10)
        self.data = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        try:
            self.socket.sendall(data)
        except OSError:
            pass  # it has closed: what it said before is what counts

    def end(self):
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # it was closed by the server before

    def receive(self):
        try:
            data = self.socket.recv(65536)
        except ConnectionError:
            data = b""
        self.data += data
        return bool(data)

    def reply(self, has_body=True):
        """Status, headers and body of the next reply; None if the connection ends before it."""
        while b"\r\n\r\n" not in self.data:
            if not self.receive():
                return None
        head, _, rest = self.data.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        headers = {k.lower(): v.strip() for k, v in (line.split(":", 1) for line in lines[1:])}
        length = int(headers.get("content-length", 0)) if has_body else 0
        while len(rest) < length:
            assert self.receive(), "the body was cut off"
            rest = self.data.partition(b"\r\n\r\n")[2]
        self.data = rest[length:]
        return int(lines[0].split()[1]), headers, rest[:length]

    def is_closed(self):
        try:
            return self.data == b"" and self.socket.recv(1) == b""
        except ConnectionError:
            return True


def ask(server, data):
    with Connection(server) as connection:
        connection.send(data)
        return connection.reply()


def still_serves(server):
    assert server.process.poll() is None, server.log
    status, _, body = ask(server, LIST)
    assert status == 200 and b'"Functions"' in body


def post(path, body, *headers, version="1.1"):
    lines = [f"POST {path} HTTP/{version}", "Host: a", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def test_bodies_with_a_length_in_chunks_and_with_expect(server, echo):
    for data in (post(echo, b"[1]", "Content-Length: 3"),
                 post(echo, b"1\r\n[\r\n2;ext=1\r\n1]\r\n0\r\nTrailer: x\r\n\r\n", "Transfer-Encoding: chunked"),
                 post(echo, b"[1]", "Content-Length: 3", version="1.0")):
        status, headers, body = ask(server, data)
        assert (status, body) == (200, b"[1]"), data
    with Connection(server) as connection:
        connection.send(post(echo, b"", "Content-Length: 3", "Expect: 100-continue"))
        assert connection.reply(has_body=False)[0] == 100
        connection.send(b"[1]")
        assert connection.reply()[2] == b"[1]"


def test_a_request_byte_by_byte(server, echo):
    with Connection(server) as connection:
        for byte in post(echo, b'{"a": 1}', "Content-Length: 8"):
            connection.send(bytes([byte]))
        assert connection.reply()[2] == b'{"a": 1}'


def test_pipelined_requests_are_answered_in_order(server, echo):
    with Connection(server) as connection:
        connection.send(b"".join(post(echo, str(i).encode(), f"Content-Length: {len(str(i))}") for i in range(20)))
        assert [connection.reply()[2] for _ in range(20)] == [str(i).encode() for i in range(20)]


def test_connections_end_when_asked_to(server):
    with Connection(server) as connection:
        connection.send(LIST.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        assert connection.reply()[0] == 200 and connection.is_closed()
    with Connection(server) as connection:
        connection.send(LIST + LIST.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        assert connection.reply()[0] == 200 and connection.reply()[0] == 200 and connection.is_closed(), "also when pipelined"
    with Connection(server) as connection:
        connection.send(LIST.replace(b"HTTP/1.1", b"HTTP/1.0"))
        assert connection.reply()[0] == 200 and connection.is_closed()


def test_a_reply_to_head_has_no_body(server):
    with Connection(server) as connection:
        connection.send(LIST.replace(b"GET", b"HEAD"))
        assert connection.reply(has_body=False) is not None
        connection.send(LIST)
        assert connection.reply()[0] == 200, "and what follows is in step"


@pytest.mark.parametrize("data", [
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500),
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
    b"GET / HTTP/1.1\r\n folded: a\r\n\r\n",
    b"GET / HTTP/1.1\r\nA\x00B: c\r\n\r\n",
    b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    b"POST / HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n",
    b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    b"POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\nabc",
    b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
    b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 200_000 + b"\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: y\r\n" % i for i in range(20_000)) + b"\r\n",
], ids=["tls", "version", "space-before-colon", "folded", "nul", "negative", "huge-length", "two-lengths",
        "length-and-chunks", "gzip", "bad-chunk", "huge-chunk", "long-target", "long-header", "many-headers"])
def test_a_malformed_request_is_refused_and_its_connection_ended(server, data):
    with Connection(server) as connection:
        connection.send(data)
        reply = connection.reply()
        assert reply is None or 400 <= reply[0] < 500, reply
        assert reply is None or connection.is_closed()
    still_serves(server)


@pytest.mark.parametrize("target, status", [
    ("/", (200, 400, 403, 404, 501)), ("/2015-03-31/functions/%00", (400, 404)), ("/2015-03-31/functions/%zz", (400, 404)),
    ("/2015-03-31/functions/..%2f..%2fetc", (400, 404)), ("/2015-03-31/functions/../../etc/passwd", (400, 404)),
    ("/_martlet/code/../../martlet.db", (403, 404)), ("/_martlet/code/..%2F..%2Fmartlet.db?Expires=9999999999&Signature=", (403, 404)),
    ("/2015-03-31/functions?Marker=%ff%fe", (400, 404)), ("/2015-03-31/functions?MaxItems=0", (400,)),
    ("/2015-03-31/functions?MaxItems=x", (400,)), ("*", (400, 403, 404)), ("http://elsewhere/2015-03-31/functions", (200, 400, 404)),
])
def test_strange_targets(server, target, status):
    answer, _, body = ask(server, f"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
    assert answer in status, body
    assert b"root:" not in body and b"SQLite" not in body
    still_serves(server)


def test_bodies_that_are_no_json_objects(server):
    for body in (b"", b"[]", b"null", b'{"FunctionName": 1}', b'{"FunctionName": {"a": []}}', b"\xff\xfe", b'"\\ud800"',
                 b'{"a":' * 100_000, b"[" * 1_000_000, b'{"FunctionName":"a","FunctionName":"b"}', b"1e999999999",
                 json.dumps({"FunctionName": "a" * 1_000_000}).encode()):
        status, _, text = ask(server, post("/2015-03-31/functions", body, f"Content-Length: {len(body)}"))
        assert 400 <= status < 500, (body[:50], status, text)
    still_serves(server)


@pytest.mark.parametrize("seed", range(6))
def test_random_bytes(server, seed):
    """Pieces of real requests, cut, repeated, spliced and flipped; in one write or several; read or not."""
    numbers = random.Random(seed)
    pieces = [
        LIST, b"POST /2015-03-31/functions HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n{\"Code\":{}}",
        b"PUT /2015-03-31/functions/f/code HTTP/1.1\r\n", b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        b"DELETE /2017-03-31/tags/arn?tagKeys=a&tagKeys= HTTP/1.1\r\n\r\n", b"Content-Length: 4\r\n", b"Connection: close\r\n",
        b"Authorization: AWS4-HMAC-SHA256 Credential=a/b/c/d/e, SignedHeaders=, Signature=\r\n", b"X-Amz-Client-Context: e30=\r\n",
        b"\r\n", b"\r\n\r\n", b"Expect: 100-continue\r\n", b"X-Amz-Log-Type: Tail\r\n", bytes(range(256)),
    ]
    for _ in range(150):
        data = bytearray(b"".join(numbers.choices(pieces, k=numbers.randrange(1, 6))))
        for _ in range(numbers.randrange(4)):
            data[numbers.randrange(len(data))] = numbers.randrange(256)
        data = data[:numbers.randrange(len(data) + 1)]
        with Connection(server) as connection:
            cut = numbers.randrange(len(data) + 1)
            connection.send(data[:cut])
            connection.send(data[cut:])
            if numbers.random() < 0.3:
                connection.end()
                connection.receive()
    still_serves(server)


def memory(server):
    with open(f"/proc/{server.process.pid}/status") as text:
        return int(re.search(r"VmRSS:\s+(\d+)", text.read()).group(1)) >> 10


def test_connections_that_say_nothing_shut_nobody_out(server, echo):
    connections = [Connection(server) for _ in range(500)]
    try:
        for i, connection in enumerate(connections):
            connection.send((b"", b"GET", b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n{")[i % 3])
        assert ask(server, post(echo, b"[1]", "Content-Length: 3"))[2] == b"[1]"
    finally:
        for connection in connections:
            connection.socket.close()
    still_serves(server)


def test_answers_that_nobody_reads_are_not_heaped_up(server, echo):
    """A client that sends calls and reads no answers is stopped by back-pressure, not by the end of the server's memory."""
    server.create("http-large", "def handler(event, context):\n    return 'x' * 6_000_000\n", MemorySize=1769, Timeout=30)
    request = post("/2015-03-31/functions/http-large/invocations", b"1", "Content-Length: 1")
    before = memory(server)
    with Connection(server) as connection:
        connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.send(request * 60)
        worst, end = 0, time.monotonic() + 4
        while time.monotonic() < end:
            worst = max(worst, memory(server))
            threading.Event().wait(0.05)
    assert worst - before < 150, f"{worst - before} MiB for one connection"
    still_serves(server)


def test_requests_waiting_in_a_pipeline_are_not_heaped_up(server, echo):
    """Large bodies sent behind a call that is still running."""
    server.create("http-slow", "import time\ndef handler(event, context):\n    time.sleep(4)\n", Timeout=30)
    body = b"[" + b" " * 6_000_000 + b"]"
    before = memory(server)
    with Connection(server) as connection:
        connection.send(post("/2015-03-31/functions/http-slow/invocations", b"1", "Content-Length: 1"))
        connection.socket.settimeout(1)
        worst = 0
        for _ in range(50):
            try:
                connection.socket.sendall(post(echo, body, f"Content-Length: {len(body)}"))
            except OSError:
                break
            worst = max(worst, memory(server))
    assert worst - before < 150, f"{worst - before} MiB for one connection"
    still_serves(server)
