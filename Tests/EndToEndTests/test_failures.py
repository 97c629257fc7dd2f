# Every way in which a function can fail, and what its caller is told.
import os

import pytest

from conftest import package


def payload(answer):
    assert answer.status == 200 and answer.error == "Unhandled", (answer.raw, answer.log)
    return answer.json


def test_an_exception(server, name):
    server.create(name, "def handler(event, context):\n    raise ValueError('bad')\n")
    answer = server.invoke(name)
    assert payload(answer) == {
        "errorMessage": "bad", "errorType": "ValueError", "requestId": answer.request_id,
        "stackTrace": ['  File "/var/task/app.py", line 2, in handler\n    raise ValueError(\'bad\')\n']}
    assert "[ERROR] ValueError: bad" in answer.log


@pytest.mark.parametrize("code, text", [
    ("os._exit(0)", "Runtime exited without providing a reason"),
    ("os._exit(3)", "Runtime exited with error: exit status 3"),
    ("os.kill(os.getpid(), 11)", "Runtime exited with error: signal: segmentation fault"),
    ("os.kill(os.getpid(), 9)", "Runtime exited with error: signal: killed"),
    ("os.abort()", "Runtime exited with error: signal: aborted"),
])
def test_exits_and_signals(server, name, code, text):
    server.create(name, f"import os\ndef handler(event, context):\n    if event: {code}\n    return 'well'\n")
    answer = server.invoke(name, {"die": True})
    assert payload(answer) == {
        "errorType": "Runtime.ExitError", "errorMessage": f"RequestId: {answer.request_id} Error: {text}"}
    assert "Status: error\tError Type: Runtime.ExitError" in answer.log
    assert server.invoke(name).succeeded() == "well"


def test_a_time_out_resets_the_environment_and_keeps_tmp(server, name):
    code = ("import time, os\nstarted = time.time()\n"
            "def handler(event, context):\n"
            "    if event:\n        open('/tmp/kept', 'w').write(str(started))\n        time.sleep(30)\n"
            "    return [open('/tmp/kept').read() != str(started), context.log_stream_name]\n")
    server.create(name, code, Timeout=1, MemorySize=1769)
    answer = server.invoke(name, {"sleep": True})
    assert payload(answer) == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": f"RequestId: {answer.request_id} Error: Task timed out after 1.00 seconds"}
    assert "Task timed out after 1.00 seconds" in answer.log and "Status: timeout" in answer.log
    assert "Duration: 1000.00 ms" in answer.log
    fresh, _ = server.invoke(name).succeeded()
    assert fresh, "a new process with the old /tmp"


@pytest.mark.skipif(os.geteuid() != 0, reason="a memory limit needs control groups, which need root")
def test_out_of_memory(server, name):
    server.create(name, "def handler(event, context):\n    x = bytearray(event)\n    return len(x)\n", Timeout=30)
    answer = server.invoke(name, 400 << 20)
    assert payload(answer)["errorMessage"].endswith("Runtime exited with error: signal: killed")
    assert "Max Memory Used: 128 MB" in answer.log and "Runtime.OutOfMemory" in answer.log
    assert server.invoke(name, 10).succeeded() == 10


def test_files_in_tmp_are_not_memory(server, name):
    code = ("import os\ndef handler(event, context):\n"
            "    with open('/tmp/big', 'wb') as f: os.posix_fallocate(f.fileno(), 0, event << 20)\n"
            "    return os.path.getsize('/tmp/big') >> 20\n")
    server.create(name, code, Timeout=60)
    assert server.invoke(name, 300).succeeded() == 300, "more than MemorySize"
    answer = server.invoke(name, 600)
    assert payload(answer)["errorType"] == "OSError" and "No space left" in answer.json["errorMessage"]


@pytest.mark.parametrize("code, kind, text", [
    ("import absent\n", "Runtime.ImportModuleError", "Unable to import module 'app': No module named 'absent'"),
    ("x = 1\n", "Runtime.HandlerNotFound", "Handler 'handler' missing on module 'app'"),
    ("def handler(:\n", "Runtime.UserCodeSyntaxError", "Syntax error in module 'app'"),
])
def test_initialisation_errors(server, name, code, kind, text):
    server.create(name, code)
    answer = server.invoke(name)
    assert payload(answer)["errorType"] == kind and answer.json["errorMessage"].startswith(text)
    assert f"Phase: invoke\tStatus: error\tError Type: {kind}" in answer.log


def test_an_initialisation_that_fails_once_is_repeated_within_the_invocation(server, name):
    code = ("import os\nif not os.path.exists('/tmp/tried'):\n    open('/tmp/tried', 'w')\n    os._exit(1)\n"
            "def handler(event, context):\n    return 'second try'\n")
    server.create(name, code)
    assert server.invoke(name).succeeded() == "second try"


def test_an_initialisation_that_takes_too_long(server, name):
    """Ten seconds, then again within the first invocation and its time limit."""
    server.create(name, "import time\ntime.sleep(60)\ndef handler(event, context):\n    pass\n", Timeout=1)
    answer = server.invoke(name)
    assert payload(answer)["errorType"] == "Sandbox.Timedout"


@pytest.mark.parametrize("files, text", [
    ({"other": "x"}, "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]"),
    ({"bootstrap": ("#!/bin/sh\n", 0o644)}, "fork/exec /var/task/bootstrap: permission denied"),
    ({"bootstrap": ("#!/no/such/program\n", 0o755)}, "fork/exec /var/task/bootstrap: no such file or directory"),
    ({"bootstrap": (b"\x00\x01\x02", 0o755)}, "fork/exec /var/task/bootstrap: exec format error"),
])
def test_a_bootstrap_that_cannot_be_started(server, name, files, text):
    server.create(name, files, runtime="provided.al2023")
    answer = server.invoke(name)
    assert payload(answer) == {
        "errorType": "Runtime.InvalidEntrypoint", "errorMessage": f"RequestId: {answer.request_id} Error: {text}"}


def test_a_node_rejection_and_a_node_exception(server, name):
    server.create(name, "export const handler = async e => { throw new RangeError('no') }\n", runtime="nodejs20.x")
    answer = server.invoke(name)
    assert payload(answer)["errorType"] == "RangeError" and answer.json["errorMessage"] == "no"
    server.create(name + "b", "export const handler = async e => { Promise.reject(new Error('late')); await new Promise(r => setTimeout(r, 2000)) }\n",
                  runtime="nodejs20.x", Timeout=10)
    assert payload(server.invoke(name + "b"))["errorType"] == "Runtime.UnhandledPromiseRejection"
