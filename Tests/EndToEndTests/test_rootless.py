# A server that was never root: what can hold, holds, and the rest is said. The same for any user, not only for `nobody`.
import concurrent.futures
import json
import os
import signal
import subprocess

import pytest

from conftest import Server, descendants, is_gone, package, program, running_programs, wait_until

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="the tests become other users, which only root can; without root, all tests are rootless")

LOOK = "import os, socket, time\nstarted = time.time()\ndef handler(event, context):\n    return eval(event)\n"


@pytest.fixture(scope="module", params=[65534, 12345], ids=["nobody", "somebody"])
def rootless(request):
    server = Server("--idle-timeout", "3", user=request.param, environment={"HOME": "/", "PATH": "/usr/bin:/bin"})
    server.user = request.param
    server.create("look", LOOK, Timeout=10)
    yield server
    helpers = server.children()
    assert server.stop() == 0
    wait_until(lambda: all(is_gone(pid) for pid in helpers), 10, "the end of martlet-sandbox")


@pytest.fixture
def look(rootless):
    return lambda expression: rootless.invoke("look", expression).succeeded()


def test_its_first_line_says_what_does_not_hold(rootless):
    said = rootless.log.split("isolation=")[1].split("started_in_ms")[0]
    assert "without" in said and "memory limit" in said and "doctor" in said
    assert "user namespace" not in said and "seccomp" not in said and "read-only root" not in said


def test_doctor_agrees(rootless):
    run = subprocess.run([program(), "doctor", "--output", "json"], capture_output=True, text=True, user=rootless.user, group=rootless.user,
                         extra_groups=[], env={"PATH": "/usr/bin:/bin", "HOME": "/"})
    report = {g["Guarantee"]: g["Holds"] for g in json.loads(run.stdout)}
    assert {name for name, holds in report.items() if not holds} == {
        "own uid", "memory limit", "cpu limit", "process limit", "freezing", "outbound network"}
    assert run.returncode == 1


def test_functions_are_isolated(rootless, look):
    assert look("sorted(int(p) for p in os.listdir('/proc') if p.isdigit())") == [1, 2]
    assert look("[n for _, n in socket.if_nameindex()]") == ["lo"]
    status = look("open('/proc/self/status').read()")
    for line in ("CapEff:\t0000000000000000", "CapBnd:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"):
        assert line in status
    for namespace in ("pid", "mnt", "net", "ipc", "uts", "user", "cgroup"):
        assert look(f"os.readlink('/proc/self/ns/{namespace}')") != os.readlink(f"/proc/self/ns/{namespace}")
    assert look("os.path.exists('/home') and os.listdir('/home')") in (False, [])
    assert look(f"os.path.exists({rootless.state!r})") is False


def test_layers_are_there(rootless):
    arns = [rootless.client.publish_layer_version(
        LayerName=layer, Content={"ZipFile": package({"python/shared.py": f"value = '{layer}'\n", f"python/{layer}.py": ""})})["LayerVersionArn"]
        for layer in ("one", "two")]
    code = "import shared, one, two\ndef handler(event, context):\n    return shared.value\n"
    rootless.create("layered", code, Layers=arns)
    assert rootless.invoke("layered").succeeded() == "two"


def test_failures_are_told_as_ever(rootless):
    for name, code, kind in (("exit", "import os; os._exit(3)", "Runtime.ExitError"), ("raise", "1/0", "ZeroDivisionError"),
                             ("sleep", "import time; time.sleep(20)", "Sandbox.Timedout")):
        rootless.create(name, f"def handler(event, context):\n    if event:\n        {code}\n    return 'well'\n", Timeout=1)
        assert rootless.invoke(name, 1).json["errorType"] == kind
        assert rootless.invoke(name, 0).succeeded() == "well"


def test_tmp_is_limited_and_kept_over_a_time_out(rootless):
    rootless.create("tmp", "import os, time\ndef handler(event, context):\n    if event == 'look': return os.listdir('/tmp')\n"
                    "    if event == 'fill':\n        try: open('/tmp/x', 'wb').write(bytes(600 << 20))\n        except OSError as e: return e.errno\n"
                    "    open('/tmp/kept', 'w'); time.sleep(40)\n", Timeout=10, MemorySize=1769)
    assert rootless.invoke("tmp", "fill").succeeded() == 28
    assert rootless.invoke("tmp", "sleep").json["errorType"] == "Sandbox.Timedout"
    assert "kept" in rootless.invoke("tmp", "look").succeeded()


def test_many_at_once_and_all_removed_when_idle(rootless):
    rootless.create("nap", "import time\ndef handler(event, context):\n    time.sleep(0.5)\n    return [event, context.log_stream_name]\n", Timeout=20)
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda i: rootless.invoke("nap", i).succeeded(), range(10)))
    assert [i for i, _ in answers] == list(range(10)) and len({stream for _, stream in answers}) == 10
    wait_until(lambda: not running_programs(rootless), 20, "the end of idle environments")


@pytest.mark.parametrize("user", [65534, 12345])
def test_a_kill_leaves_no_process(own_server, user):
    server = own_server(user=user, environment={"HOME": "/", "PATH": "/usr/bin:/bin"})
    server.create("f", "import os, time\ndef handler(event, context):\n    if os.fork() == 0: os.setsid(); time.sleep(600)\n    return 1\n")
    server.invoke("f")
    programs = running_programs(server)
    assert len(programs) == 2
    before = descendants(server.process.pid)
    server.stop(signal.SIGKILL)
    wait_until(lambda: all(is_gone(pid) for pid in before), 10, "the end of every process of it")
    second = own_server(user=user, state=server.state, environment={"HOME": "/", "PATH": "/usr/bin:/bin"})
    assert second.invoke("f").succeeded() == 1
