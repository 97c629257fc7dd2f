# AWS's own runtime client from PyPI (awslambdaric) as a custom runtime, exactly as a container image or provided.* runs it:
# `bootstrap` is a shell script that starts `python3 -m awslambdaric`.
import glob
import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from conftest import new_directory, package

HANDLER = """
import logging, os, sys
logging.getLogger().setLevel(logging.INFO)
count = 0
def handler(event, context):
    global count
    count += 1
    print('printed'); logging.info('logged %s', count)
    action = event.get('action')
    if action == 'raise': raise KeyError('x')
    if action == 'exit': os._exit(4)
    if action == 'sys.exit': sys.exit(5)
    if action == 'set': return {1}
    if action == 'sleep': __import__('time').sleep(60)
    if action == 'large': return 'x' * 7_000_000
    return {'event': event, 'id': context.aws_request_id, 'count': count, 'client': 'awslambdaric.bootstrap' in sys.modules,
            'arn': context.invoked_function_arn, 'left': context.get_remaining_time_in_millis(), 'python': sys.executable,
            'custom': context.client_context.custom if context.client_context else None}
"""


@pytest.fixture(scope="module")
def client_files():
    """The client for a Python of this host that sandboxes see too, and that interpreter."""
    interpreter = next((p for p in sorted(glob.glob("/usr/bin/python3.*")) if re.fullmatch(r".*python3\.(9|1\d)", p)), None)
    if interpreter is None:
        pytest.skip("no Python from 3.9 on in /usr/bin, which is what a custom runtime sees")
    target = new_directory()
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--target", target, "--only-binary=:all:",
         "--python-version", interpreter[len("/usr/bin/python"):], "--implementation", "cp", "--platform", "manylinux2014_x86_64",
         "--platform", "manylinux_2_28_x86_64", "awslambdaric==4.2.2"], check=True)
    files = {}
    for path in glob.glob(f"{target}/**/*", recursive=True):
        if os.path.isfile(path) and not path.endswith(".pyc"):
            with open(path, "rb") as content:
                files[os.path.relpath(path, target)] = content.read()
    files["bootstrap"] = (f"#!/bin/sh\nexport PYTHONPATH=/var/task\nexec {interpreter} -m awslambdaric \"$_HANDLER\"\n", 0o755)
    return files


@pytest.fixture(scope="module")
def function(server, client_files):
    server.create("official", {**client_files, "app.py": HANDLER}, runtime="provided.al2023", Timeout=3, MemorySize=512)
    return "official"


def test_events_answers_and_context(server, function):
    first = server.invoke(function, {"a": "ü"})
    seen = first.succeeded()
    assert seen["event"] == {"a": "ü"} and seen["id"] == first.request_id and seen["client"] is True
    assert seen["arn"].endswith(":function:official") and 0 < seen["left"] <= 3000
    assert "printed\n" in first.log and f"\t{first.request_id}\tlogged 1\n" in first.log
    assert server.invoke(function).succeeded()["count"] == 2, "the same process"


def test_the_client_context(server, function):
    import base64
    context = base64.b64encode(json.dumps({"custom": {"k": "v ü"}}).encode()).decode()
    assert server.invoke(function, ClientContext=context).succeeded()["custom"] == {"k": "v ü"}


def test_failures(server, function):
    error = server.invoke(function, {"action": "raise"})
    assert error.error == "Unhandled" and error.json["errorType"] == "KeyError" and error.json["requestId"] == error.request_id
    assert server.invoke(function, {"action": "set"}).json["errorType"] == "Runtime.MarshalError"
    assert server.invoke(function, {"action": "exit"}).json["errorMessage"].endswith("Runtime exited with error: exit status 4")
    assert server.invoke(function, {"action": "sys.exit"}).error == "Unhandled"
    assert server.invoke(function, {"action": "sleep"}).json["errorType"] == "Sandbox.Timedout"
    assert server.invoke(function, {}).succeeded()["count"] == 1


def test_large_payloads(server, function):
    event = {"x": "y" * 5_900_000}
    assert server.invoke(function, event).succeeded()["event"] == event
    large = server.invoke(function, {"action": "large"})
    assert large.error == "Unhandled" and large.json["errorType"] == "Function.ResponseSizeTooLarge"
    assert server.invoke(function, {}).error is None


def test_a_handler_that_is_missing(server, client_files, name):
    server.create(name, {**client_files, "app.py": "x = 1\n"}, runtime="provided.al2023", MemorySize=512, Timeout=10)
    answer = server.invoke(name)
    assert answer.error == "Unhandled" and answer.json["errorType"] == "Runtime.HandlerNotFound"
    assert answer.json["errorMessage"] == "Handler 'handler' missing on module 'app'"


def test_it_serves_several_at_a_time(server, client_files):
    """In an environment that invocations share it makes a process for each, by AWS_LAMBDA_MAX_CONCURRENCY."""
    code = """
import os, time
def handler(event, context):
    open('/tmp/here-' + event['me'], 'w').close()
    while len([f for f in os.listdir('/tmp') if f.startswith('here-')]) < 3: time.sleep(0.01)
    return [event['me'], os.getpid(), context.aws_request_id]
"""
    provider = {"CapacityProviderArn": "arn:aws:lambda:us-east-1:000000000000:capacity-provider:instances", "PerExecutionEnvironmentMaxConcurrency": 3}
    server.create("official-shared", {**client_files, "app.py": code}, runtime="provided.al2023", Timeout=20, MemorySize=1024,
                  CapacityProviderConfig={"LambdaManagedInstancesCapacityProviderConfig": provider})
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda i: server.invoke("official-shared", {"me": f"n{i}"}), range(3)))
    told = [answer.succeeded() for answer in answers]
    assert [t[0] for t in told] == ["n0", "n1", "n2"] and len({t[1] for t in told}) == 3
    assert [t[2] for t in told] == [answer.request_id for answer in answers]
