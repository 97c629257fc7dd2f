# A real server, real sandboxes, real clients. One server serves most tests; those that stop or limit it start their own.
import base64
import glob
import io
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
import zipfile

import boto3
import botocore.config
import botocore.exceptions
import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ROLE = "arn:aws:iam::000000000000:role/test"


def program():
    candidates = [os.environ.get("MARTLET_BIN"), *(f"{ROOT}/.build/{kind}/martlet" for kind in ("release", "debug"))]
    for path in candidates:
        if path and os.path.exists(path):
            return path
    pytest.exit("No martlet program: set MARTLET_BIN or run swift build.", 2)


def wait_until(condition, seconds=10, what="the condition"):
    """Polls, because what is waited for is in the kernel and says nothing; fails when the time is over."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.01)
    pytest.fail(f"{what} did not come true within {seconds} s")


def package(files):
    """A zip of {name: text or bytes or (bytes, mode)}."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            mode = 0o644
            if isinstance(content, tuple):
                content, mode = content
            info = zipfile.ZipInfo(name)
            info.external_attr = (stat.S_IFREG | mode) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content)
    return buffer.getvalue()


_directories = []


def new_directory(mode=0o755):
    """A directory that a server's own user can enter, removed at the end of the run."""
    directory = tempfile.mkdtemp(prefix="martlet-test-")
    os.chmod(directory, mode)
    _directories.append(directory)
    return directory


def pytest_configure(config):
    config.addinivalue_line("markers", "alone: counts what the whole host has, or has only the time that AWS gives: nothing else may run beside it")


def pytest_collection_modifyitems(items):
    """A call that never ends is a failure of one test, not of the run."""
    for item in items:
        if not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(120))


def pytest_sessionfinish():
    for directory in _directories:
        shutil.rmtree(directory, ignore_errors=True)


def make_queue(client, name, key="test"):
    """Makes a queue at the server that a client of another service speaks with."""
    boto3.client(
        "sqs", endpoint_url=client.meta.endpoint_url, region_name=client.meta.region_name, aws_access_key_id=key, aws_secret_access_key="x",
    ).create_queue(QueueName=name, Attributes={"FifoQueue": "true"} if name.endswith(".fifo") else {})


class Answer:
    def __init__(self, response):
        self.status = response["StatusCode"]
        self.error = response.get("FunctionError")
        self.raw = response["Payload"].read()
        self.log = base64.b64decode(response.get("LogResult", "")).decode(errors="replace")
        self.version = response.get("ExecutedVersion")
        self.headers = response["ResponseMetadata"]["HTTPHeaders"]
        self.request_id = response["ResponseMetadata"]["RequestId"]

    @property
    def json(self):
        return json.loads(self.raw)

    def succeeded(self):
        assert self.error is None, (self.raw, self.log)
        return self.json


class Server:
    """A server process. `state` outlives it, so that another one can go on with it."""

    def __init__(self, *flags, state=None, environment=None, user=None):
        """`user`: the number of the user that starts it, if not the one that runs the tests."""
        self.state = state or f"{new_directory()}/state"
        self.log_path = f"{new_directory()}/log"
        starter = {} if user is None else {"user": user, "group": user, "extra_groups": []}
        if user is not None and state is None:
            os.chown(os.path.dirname(self.state), user, user)
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                [program(), "serve", "--port", "0", "--state", self.state, *flags],
                stderr=log, stdout=log, stdin=subprocess.DEVNULL, env={**os.environ, **(environment or {})}, **starter)
        self.port = int(wait_until(self._port, 15, "the line that says where the server listens"))
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self.client = self.make_client()

    @property
    def log(self):
        with open(self.log_path) as log:
            return log.read()

    def _port(self):
        if self.process.poll() is not None:
            pytest.fail(f"the server ended: {self.log}")
        match = re.search(r"serves http://[^:]+:(\d+)", self.log)
        return match and match.group(1)

    def make_client(self, key="test", region="us-east-1", retries=0):
        return boto3.client(
            "lambda", endpoint_url=self.endpoint, region_name=region, aws_access_key_id=key, aws_secret_access_key="x",
            config=botocore.config.Config(
                parameter_validation=False, retries={"max_attempts": retries}, read_timeout=60, connect_timeout=5, max_pool_connections=64))

    def children(self):
        """Process ids of martlet-sandbox, as the kernel tells them."""
        return [int(p) for p in subprocess.run(
            ["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True).stdout.split()]

    def create(self, name, code, runtime="python3.11", handler="app.handler", **settings):
        if isinstance(code, str):
            code = {"app.mjs" if runtime.startswith("nodejs") else "app.py": code}
        if isinstance(code, dict):
            code = package(code)
        created = self.client.create_function(
            FunctionName=name, Runtime=runtime, Handler=handler, Role=ROLE, Code={"ZipFile": code}, **settings)
        self.client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.02, "MaxAttempts": 3000})
        return created

    def invoke(self, name, event=None, client=None, **settings):
        payload = event if isinstance(event, bytes) else json.dumps(event if event is not None else {}).encode()
        return Answer((client or self.client).invoke(FunctionName=name, Payload=payload, LogType="Tail", **settings))

    def stop(self, how=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            return self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            pytest.fail(f"the server did not stop: {self.log[-2000:]}")


_serial = iter(range(1, 100000))


@pytest.fixture
def name(request):
    return re.sub(r"[^a-zA-Z0-9]+", "-", request.node.name)[:40].strip("-") + f"-{next(_serial)}"


@pytest.fixture(scope="session")
def server():
    server = Server()
    yield server
    helpers = server.children()
    assert server.stop() == 0
    nothing_left(server.state, helpers)
    # Operations that are not built are the only ones of the server's failures that tests ask for.
    assert not [line for line in server.log.splitlines() if " ERROR " in line and "NotImplementedException" not in line]


@pytest.fixture
def own_server():
    """Makes servers that end with the test."""
    servers = []

    def make(*flags, **settings):
        servers.append(Server(*flags, **settings))
        return servers[-1]

    yield make
    for server in servers:
        server.stop(signal.SIGKILL)


def is_gone(pid):
    try:
        with open(f"/proc/{pid}/stat") as text:
            return text.read().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


def instance(state):
    """The name of a state directory in the control groups, as StateDirectory.instance makes it."""
    value = 0xCBF29CE484222325
    for byte in os.path.realpath(state).encode():
        value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return f"{value:x}"


def control_groups(state):
    return glob.glob(f"/sys/fs/cgroup/**/martlet-{instance(state)}/*/", recursive=True)


def children_of_all():
    """The children of each process that has some."""
    children = {}
    for child in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{child}/stat") as text:
                children.setdefault(int(text.read().rsplit(")", 1)[1].split()[1]), []).append(int(child))
        except (FileNotFoundError, ProcessLookupError):
            pass
    return children


def descendants(pid, children=None):
    """The process ids of everything below a process."""
    children = children_of_all() if children is None else children
    found, todo = [], [pid]
    while todo:
        below = children.get(todo.pop(), [])
        found += below
        todo += below
    return found


def running_programs(server):
    """The command lines of functions: what runs below martlet-sandbox and is neither an init of a sandbox nor a zygote, or a
    fork of one that nobody has given a function yet."""
    found = []
    for pid in descendants(server.process.pid):
        try:
            with open(f"/proc/{pid}/cmdline") as text:
                command = text.read().replace("\0", " ").strip()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if command and command != "init" and "martlet-sandbox" not in command.split(" ")[0] and "/zygote.py" not in command:
            found.append(command)
    return found


def processes_in_control_groups(state):
    """Every process that the kernel counts to the sandboxes of a state directory, whoever its parent is now."""
    found = []
    for path in glob.glob("/proc/[0-9]*/cgroup"):
        try:
            with open(path) as text:
                if f"/martlet-{instance(state)}/" in text.read():
                    found.append(path.split("/")[2])
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            pass
    return found


def nothing_left(state, helpers):
    wait_until(lambda: all(is_gone(pid) for pid in helpers), 10, "the end of martlet-sandbox")
    wait_until(lambda: not processes_in_control_groups(state), 10, "the end of the functions")
    wait_until(lambda: not control_groups(state), 10, "the end of the control groups")
    with open("/proc/self/mountinfo") as mounts:
        assert state not in mounts.read()


@pytest.fixture(scope="session")
def python_runtimes():
    listed = json.loads(subprocess.run(
        [program(), "runtime", "list", "--output", "json"], capture_output=True, text=True, check=True).stdout)
    return {r["Runtime"]: r["ServedBy"].split(" ")[0] for r in listed if r["Available"] and r["Runtime"].startswith("python")}


def error_of(call, **arguments):
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        call(**arguments)
    response = caught.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"], response["Error"]["Message"]
