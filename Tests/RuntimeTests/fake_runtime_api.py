"""A Runtime API that plays the server's part for one bootstrap: hands out events, records every call. No sleeps: all waits are on
what the bootstrap does (a call, or its exit)."""

import json
import os
import queue
import socket
import subprocess
import threading
import time
import uuid

PATIENCE_SECONDS = 60  # for a hung bootstrap; never reached when things work
ARN = "arn:aws:lambda:us-east-1:123456789012:function:tested"


class Call:
    """A request of the bootstrap's, other than `next`."""

    def __init__(self, method, path, headers, body, trailers):
        self.method, self.path, self.headers, self.body, self.trailers = method, path, headers, body, trailers
        self.kind = path.rsplit("/", 1)[1]

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return "%s %s %s %r" % (self.method, self.path, self.headers, self.body[:2000])


class Exit:
    kind = "exit"

    def __init__(self, status, output):
        self.status, self.output = status, output

    def __repr__(self):
        return "exit %s\n%s" % (self.status, self.output)


class Environment:
    """One bootstrap process with its code folder and its own Runtime API."""

    def __init__(self, command, folder, files, handler, variables=None, chunked=False, descriptors=(), status=202):
        self.task, self.folder = os.path.join(folder, "task"), folder
        os.makedirs(self.task, exist_ok=True)
        for name, content in files.items():
            path = os.path.join(self.task, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb" if isinstance(content, bytes) else "w") as file:
                file.write(content)
        self.chunked, self.status = chunked, status
        self.events, self.arrivals = queue.Queue(), queue.Queue()
        self.connections = []
        self.requests = []
        self.waiting = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self.accept, daemon=True).start()
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": folder,
            "LANG": "en_US.UTF-8",
            "LC_CTYPE": "C.UTF-8",
            "TZ": ":UTC",
            "_HANDLER": handler,
            "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:%d" % self.listener.getsockname()[1],
            "LAMBDA_TASK_ROOT": self.task,
            "LAMBDA_RUNTIME_DIR": os.path.dirname(command[-1]),
            "AWS_LAMBDA_FUNCTION_NAME": "tested",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
            "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/tested",
            "AWS_LAMBDA_LOG_STREAM_NAME": "2026/01/02/[$LATEST]0123456789abcdef0123456789abcdef",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_REGION": "us-east-1",
        }
        environment.update(variables or {})
        self.output_path = os.path.join(folder, "output")
        with open(self.output_path, "wb") as output:
            self.process = subprocess.Popen(
                command,
                cwd=self.task,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=descriptors,
            )
        threading.Thread(target=self.watch, daemon=True).start()

    # The server's part.

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections.append(connection)
            threading.Thread(target=self.talk, args=(connection,), daemon=True).start()

    def talk(self, connection):
        stream = connection.makefile("rwb")
        try:
            while self.answer(stream):
                pass
        except OSError:
            pass

    def answer(self, stream):
        line = stream.readline().decode()
        if not line:
            return False
        method, path, _ = line.split(" ")
        headers = read_fields(stream)
        trailers = {}
        if headers.get("transfer-encoding", "").lower() == "chunked":
            pieces = []
            while True:
                size = int(stream.readline(), 16)
                if not size:
                    break
                pieces.append(stream.read(size))
                stream.readline()
            body, trailers = b"".join(pieces), read_fields(stream)
        else:
            body = stream.read(int(headers.get("content-length", 0)))
        self.requests.append((method, path, headers))
        if path.endswith("/restore/next"):
            self.arrivals.put(Call(method, path, headers, body, trailers))
            send(stream, "200 OK", {}, b"")
        elif path.endswith("/next"):
            self.waiting.set()
            event, fields = self.events.get()
            self.waiting.clear()
            send(stream, "200 OK", fields, event, self.chunked)
        else:
            self.arrivals.put(Call(method, path, headers, body, trailers))
            send(stream, "%d Whatever" % self.status, {"Content-Type": "application/json"}, b'{"status":"OK"}\n')
        return True

    def watch(self):
        status = self.process.wait()
        self.arrivals.put(Exit(status, self.output))

    # The test's part.

    def deliver(self, event, headers=None, timeout=30.0):
        """Hands out one event; returns its request id."""
        body = event if isinstance(event, bytes) else json.dumps(event).encode()
        fields = {
            "Content-Type": "application/json",
            "Lambda-Runtime-Aws-Request-Id": str(uuid.uuid4()),
            "Lambda-Runtime-Deadline-Ms": str(int((time.time() + timeout) * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": ARN,
            "Lambda-Runtime-Trace-Id": "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0",
        }
        fields.update(headers or {})
        self.events.put((body, {name: value for name, value in fields.items() if value is not None}))
        return fields["Lambda-Runtime-Aws-Request-Id"]

    def arrival(self):
        return self.arrivals.get(timeout=PATIENCE_SECONDS)

    def call(self, event=None, headers=None, **more):
        """Delivers and waits for the answer; the answer must be for this request."""
        request_id = self.deliver(event, headers, **more)
        call = self.arrival()
        if isinstance(call, Call):
            assert call.path == "/2018-06-01/runtime/invocation/%s/%s" % (request_id, call.kind)
            call.request_id = request_id
        return call

    def result(self, event=None, headers=None, **more):
        call = self.call(event, headers, **more)
        assert call.kind == "response", call
        return call.json

    def error(self, event=None, headers=None, **more):
        call = self.call(event, headers, **more)
        assert call.kind == "error", call
        return call

    def init_error(self):
        call = self.arrival()
        assert isinstance(call, Call) and call.path == "/2018-06-01/runtime/init/error", call
        return call

    def exit(self):
        gone = self.arrival()
        assert isinstance(gone, Exit), gone
        return gone

    def await_next(self):
        assert self.waiting.wait(PATIENCE_SECONDS)

    @property
    def output(self):
        with open(self.output_path, encoding="utf-8", newline="") as file:
            return file.read()

    def drop_connections(self):
        self.listener.close()
        for connection in self.connections:
            connection.shutdown(socket.SHUT_RDWR)

    def stop(self):
        self.listener.close()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for connection in self.connections:
            connection.close()


def read_fields(stream):
    fields = {}
    while True:
        line = stream.readline().decode().rstrip("\r\n")
        if not line:
            return fields
        name, _, value = line.partition(":")
        fields[name.strip().lower()] = value.strip()


def send(stream, status, fields, body, chunked=False):
    head = "HTTP/1.1 %s\r\n" % status + "".join("%s: %s\r\n" % field for field in fields.items())
    if chunked:
        stream.write((head + "Transfer-Encoding: chunked\r\n\r\n").encode())
        for start in range(0, len(body), 100_000):
            piece = body[start : start + 100_000]
            stream.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        stream.write(b"0\r\nSome-Trailer: x\r\n\r\n")
    else:
        stream.write((head + "Content-Length: %d\r\n\r\n" % len(body)).encode() + body)
    stream.flush()
