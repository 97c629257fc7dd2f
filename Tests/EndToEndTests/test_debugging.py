# Functions under a debugger: real debugpy spoken to in the Debug Adapter Protocol, and Node's inspector over its socket.
import base64
import glob
import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

import pytest

from conftest import ROLE, error_of, new_directory, package, program, running_programs, wait_until
from test_hot_reload import martlet, watched, write
from test_runtimes import NODES, PYTHONS

PYTHON = "python3.11" if "python3.11" in PYTHONS else PYTHONS[-1]
CODE = "import os\ndef handler(event, context):\n    total = 0\n    for number in event:\n        total += number\n    return [total, os.getpid(), context.get_remaining_time_in_millis() > 60_000]\n"


@pytest.fixture(scope="module")
def debugpy_files():
    """debugpy as a function would bring it."""
    target = new_directory()
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--target", target, "--python-version", PYTHON[6:],
                    "--only-binary=:all:", "debugpy==1.8.22"], check=True)
    files = {}
    for path in glob.glob(f"{target}/**/*", recursive=True):
        if os.path.isfile(path) and not path.endswith(".pyc"):
            with open(path, "rb") as content:
                files[os.path.relpath(path, target)] = content.read()
    return files


@pytest.fixture
def debug(server):
    """Starts `martlet debug` and says on which ports it listens."""
    running, of_live = [], {}

    def start(*names, of=server):
        process = subprocess.Popen([program(), "debug", *names, "--output", "json", "--endpoint", of.endpoint], stdout=subprocess.PIPE, text=True)
        running.append(process)
        of_live[process.pid] = lambda: of.process.poll() is None
        return [json.loads(process.stdout.readline())["Port"] for _ in names], process
    yield start
    for process in running:
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == (0 if of_live.get(process.pid, lambda: True)() else 2)


class Debugpy:
    """A client of the Debug Adapter Protocol: messages of JSON, each behind its length."""

    def __init__(self, port, breakpoints=()):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.settimeout(60)
        self.file = self.socket.makefile("rb")
        self.number = 0
        self.events = []
        self.call("initialize", adapterID="test", pathFormat="path", linesStartAt1=True)
        attach = self.send("attach", justMyCode=True)
        self.event("initialized")
        self.call("setBreakpoints", source={"path": "/var/task/app.py"}, breakpoints=[{"line": line} for line in breakpoints])
        self.call("configurationDone")
        self.reply(attach)

    def send(self, command, **arguments):
        self.number += 1
        body = json.dumps({"seq": self.number, "type": "request", "command": command, "arguments": arguments}).encode()
        self.socket.sendall(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        return self.number

    def receive(self):
        length = 0
        while line := self.file.readline().strip():
            length = int(line.split(b":")[1])
        return json.loads(self.file.read(length))

    def reply(self, number):
        while True:
            message = self.receive()
            if message["type"] == "event":
                self.events.append(message)
            elif message["type"] == "response" and message["request_seq"] == number:
                assert message["success"], message
                return message.get("body")

    def call(self, command, **arguments):
        return self.reply(self.send(command, **arguments))

    def event(self, name):
        while True:
            for message in self.events:
                if message["event"] == name:
                    self.events.remove(message)
                    return message.get("body")
            message = self.receive()
            if message["type"] == "event":
                self.events.append(message)

    def variable(self, name, thread):
        frame = self.call("stackTrace", threadId=thread)["stackFrames"][0]
        return frame["line"], self.call("evaluate", expression=name, frameId=frame["id"])["result"]


def in_background(call):
    answers = []
    thread = threading.Thread(target=lambda: answers.append(call()))
    thread.start()

    def wait():
        thread.join(60)
        return answers[0]
    return wait


def past(seconds):
    """Holds the function for longer than its deadline: time itself is what is tested."""
    end = time.monotonic() + seconds
    wait_until(lambda: time.monotonic() > end, seconds + 5)


def test_a_breakpoint_in_python_holds_longer_than_the_deadline(server, name, debug, debugpy_files):
    server.create(name, debugpy_files | {"app.py": CODE}, runtime=PYTHON, Timeout=1, MemorySize=128)
    (port,), _ = debug(name)
    answer = in_background(lambda: server.invoke(name, [1, 2, 3]))
    client = Debugpy(port, breakpoints=[5])
    thread = client.event("stopped")["threadId"]
    assert client.variable("(total, number)", thread) == (5, "(0, 1)")
    past(1.5)
    client.call("continue", threadId=thread)
    thread = client.event("stopped")["threadId"]
    assert client.variable("(total, number)", thread) == (5, "(1, 2)")
    client.call("setBreakpoints", source={"path": "/var/task/app.py"}, breakpoints=[])
    client.call("continue", threadId=thread)
    total, pid, _ = answer().succeeded()
    assert total == 6
    assert server.invoke(name, [4]).succeeded()[:2] == [4, pid], "the same process serves the next invocation, the debugger attached"
    client.call("setBreakpoints", source={"path": "/var/task/app.py"}, breakpoints=[{"line": 6}])
    answer = in_background(lambda: server.invoke(name, [5]))
    thread = client.event("stopped")["threadId"]
    assert client.variable("total", thread) == (6, "5")
    client.call("setBreakpoints", source={"path": "/var/task/app.py"}, breakpoints=[])
    client.call("continue", threadId=thread)
    assert answer().succeeded() == [5, pid, True]


def test_a_debugger_may_come_first_and_one_invocation_runs_at_a_time(server, name, debug, debugpy_files):
    server.create(name, debugpy_files | {"app.py": CODE}, runtime=PYTHON, Timeout=3)
    (port,), _ = debug(name)
    client = in_background(lambda: Debugpy(port, breakpoints=[3]))
    answer = in_background(lambda: server.invoke(name, [7]))
    client = client()
    thread = client.event("stopped")["threadId"]
    assert error_of(server.client.invoke, FunctionName=name)[:2] == (429, "TooManyRequestsException")
    client.call("continue", threadId=thread)
    assert answer().succeeded()[0] == 7


def test_without_isolation_as_well(own_server, debug, debugpy_files):
    server = own_server("--isolation", "none")
    server.create("f", debugpy_files | {"app.py": CODE}, runtime=PYTHON, Timeout=3)
    (port,), _ = debug("f", of=server)
    answer = in_background(lambda: server.invoke("f", [1, 2]))
    Debugpy(port)
    assert answer().succeeded()[0] == 3


def test_when_it_ends_the_function_is_as_before(own_server, debug, debugpy_files):
    server = own_server()
    server.create("f", debugpy_files | {"app.py": CODE}, runtime=PYTHON, Timeout=1)
    (port,), process = debug("f", of=server)
    answer = in_background(lambda: server.invoke("f", [1]))
    client = Debugpy(port)
    assert answer().succeeded()[2] is True
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    assert client.file.read() is not None
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", port), 2)
    total, _, has_a_day = server.invoke("f", [2]).succeeded()
    assert total == 2 and not has_a_day
    wait_until(lambda: not [p for p in running_programs(server) if "debug" in p], 10, "the end of the environment with the debugger")


@pytest.mark.parametrize("end", ["debug", "server"])
def test_what_waits_at_a_breakpoint_keeps_nobody_from_ending(own_server, debug, debugpy_files, end):
    server = own_server()
    server.create("f", debugpy_files | {"app.py": CODE}, runtime=PYTHON, Timeout=1)
    (port,), process = debug("f", of=server)
    answer = in_background(lambda: server.invoke("f", [1]))
    client = Debugpy(port, breakpoints=[3])
    client.event("stopped")
    if end == "server":
        assert server.stop() == 0
    else:
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    assert answer().json["errorType"] == "Sandbox.Failure"


def test_several_functions_at_once(server, name, debug, debugpy_files):
    names = [f"{name}-{i}" for i in range(2)]
    for function in names:
        server.create(function, debugpy_files | {"app.py": CODE}, runtime=PYTHON, Timeout=2)
    ports, _ = debug(*names)
    assert len(set(ports)) == 2
    answers = [in_background(lambda f=f, i=i: server.invoke(f, [i])) for i, f in enumerate(names)]
    clients = [Debugpy(port, breakpoints=[6]) for port in ports]
    threads = [client.event("stopped")["threadId"] for client in clients]
    assert [client.variable("total", thread)[1] for client, thread in zip(clients, threads)] == ["0", "1"]
    for client, thread in zip(clients, threads):
        client.call("continue", threadId=thread)
    assert [answer().succeeded()[0] for answer in answers] == [0, 1]


def test_edited_code_runs_under_the_debugger(server, name, debug, debugpy_files):
    directory = new_directory()
    for path, content in debugpy_files.items():
        os.makedirs(os.path.dirname(f"{directory}/{path}"), exist_ok=True)
        with open(f"{directory}/{path}", "wb") as file:
            file.write(content)
    write(directory, {"app.py": "def handler(event, context):\n    word = 'old'\n    return word\n"})
    watched(server, name, directory, PYTHON)
    (port,), _ = debug(name)
    client = None
    for word in ("first", "second"):
        write(directory, {"app.py": f"def handler(event, context):\n    word = '{word}'\n    return word\n"})
        answer = in_background(lambda: server.invoke(name))
        if client:
            while client.file.read(1):
                pass  # the environment of the code before goes, and its debugger with it
        client = Debugpy(port, breakpoints=[3])
        thread = client.event("stopped")["threadId"]
        assert client.variable("word", thread) == (3, f"'{word}'")
        client.call("continue", threadId=thread)
        assert answer().succeeded() == word


def test_a_function_without_debugpy_says_what_is_missing(server, name, debug):
    runtime = next((r for r in PYTHONS if subprocess.run([r, "-c", "import debugpy"], capture_output=True).returncode), None)
    if not runtime:
        pytest.skip("every interpreter of this host has debugpy")
    server.create(name, CODE, runtime=runtime)
    debug(name)
    answer = server.invoke(name, [1])
    assert answer.error == "Unhandled" and answer.json["errorType"] == "Runtime.DebuggerMissing" and "pip install debugpy" in answer.json["errorMessage"]


class Inspector:
    """A client of Node's inspector: WebSocket frames of JSON."""

    def __init__(self, port):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list", timeout=60) as listed:
            path = json.load(listed)[0]["webSocketDebuggerUrl"].split("/", 3)[3]
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.settimeout(60)
        self.file = self.socket.makefile("rb")
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(f"GET /{path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode())
        assert b"101" in self.file.readline()
        while self.file.readline().strip():
            pass
        self.number, self.events = 0, []

    def send(self, method, **parameters):
        self.number += 1
        body = json.dumps({"id": self.number, "method": method, "params": parameters}).encode()
        mask = os.urandom(4)
        length = bytes([0x80 | len(body)]) if len(body) < 126 else bytes([0xFE]) + struct.pack(">H", len(body))
        self.socket.sendall(b"\x81" + length + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(body)))
        return self.number

    def receive(self):
        while True:
            first, length = self.file.read(2)
            if length == 126:
                length = struct.unpack(">H", self.file.read(2))[0]
            elif length == 127:
                length = struct.unpack(">Q", self.file.read(8))[0]
            body = self.file.read(length)
            if first & 15 == 1:
                return json.loads(body)

    def call(self, method, **parameters):
        number = self.send(method, **parameters)
        while True:
            message = self.receive()
            if message.get("id") == number:
                assert "error" not in message, message
                return message["result"]
            self.events.append(message)

    def event(self, method):
        while True:
            for message in self.events:
                if message.get("method") == method:
                    self.events.remove(message)
                    return message["params"]
            self.events.append(self.receive())


@pytest.mark.parametrize("runtime", NODES)
def test_a_breakpoint_in_node_holds_longer_than_the_deadline(server, name, debug, runtime):
    server.create(name, "export const handler = async (event, context) => {\n  const doubled = event * 2\n  return [doubled, context.getRemainingTimeInMillis() > 60000]\n}\n",
                  runtime=runtime, Timeout=1, MemorySize=256)
    (port,), _ = debug(name)
    answer = in_background(lambda: server.invoke(name, 21))
    client = Inspector(port)
    client.call("Runtime.enable")
    client.call("Debugger.enable")
    client.call("Debugger.setBreakpointByUrl", lineNumber=2, urlRegex=r".*/app\.mjs")
    client.call("Runtime.runIfWaitingForDebugger")
    paused = client.event("Debugger.paused")
    frame = paused["callFrames"][0]
    assert frame["location"]["lineNumber"] == 2
    assert client.call("Debugger.evaluateOnCallFrame", callFrameId=frame["callFrameId"], expression="doubled")["result"]["value"] == 42
    past(1.5)
    client.call("Debugger.resume")
    assert answer().succeeded() == [42, True]
    answer = in_background(lambda: server.invoke(name, 4))
    client.event("Debugger.paused")
    client.call("Debugger.resume")
    assert answer().succeeded()[0] == 8


@pytest.mark.parametrize("runtime", NODES[:1])
def test_the_command_that_node_brings(server, name, debug, runtime):
    server.create(name, "export const handler = async () => {\n  debugger\n  return 'well'\n}\n", runtime=runtime, Timeout=1, MemorySize=256)
    (port,), _ = debug(name)
    answer = in_background(lambda: server.invoke(name))
    client = subprocess.Popen(["node", "inspect", f"127.0.0.1:{port}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        text = ""
        while "debugger" not in text.split("break in")[-1] or "break in" not in text:
            text += client.stdout.read(1)
        client.stdin.write("cont\n")
        client.stdin.flush()
        assert answer().succeeded() == "well"
    finally:
        client.kill()


def test_what_cannot_be_debugged_is_said(server, name):
    server.create(name, {"bootstrap": ("#!/bin/sh\n", 0o755)}, runtime="provided.al2023")
    assert "Python and Node.js" in martlet(server, "debug", name, status=2)
    assert "Function not found" in martlet(server, "debug", "absent", status=2)


def test_the_port_is_on_loopback_only(server, name, debug, debugpy_files):
    server.create(name, debugpy_files | {"app.py": CODE}, runtime=PYTHON)
    (port,), _ = debug(name)
    with open("/proc/net/tcp") as table:
        listening = [line.split()[1] for line in table if line.split()[3] == "0A" and int(line.split()[1].split(":")[1], 16) == port]
    assert [address.split(":")[0] for address in listening] == ["0100007F"]
