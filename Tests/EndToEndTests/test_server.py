# The server as a process: starts, stops, crashes, limits, and what it leaves behind.
import concurrent.futures
import glob
import os
import re
import signal
import socket
import subprocess
import threading
import time
import random

import botocore.exceptions
import pytest

from conftest import ROLE, error_of, instance, new_directory, nothing_left, package, program, running_programs, wait_until

CODE = {"app.py": "def handler(event, context):\n    return 1\n"}
SLOW = "import time\ndef handler(event, context):\n    time.sleep(event)\n    return 'slept'\n"


def test_one_line_says_where(own_server):
    server = own_server()
    lines = server.log.splitlines()
    assert len(lines) == 1 and f"serves http://127.0.0.1:{server.port}" in lines[0]
    assert "isolation=" in lines[0] and f"state={server.state}" in lines[0]


def test_log_as_json_and_settings_from_the_environment(own_server):
    server = own_server(environment={"MARTLET_LOG_FORMAT": "json", "MARTLET_ACCOUNT": "123123123123", "MARTLET_REGION": "eu-north-1"})
    assert re.match(r'\{"time":"[^"]+","level":"info","message":"martlet [^"]+ serves', server.log)
    server.create("f", CODE)
    assert ":123123123123:" in server.client.get_function(FunctionName="f")["Configuration"]["FunctionArn"]


def test_a_second_start_has_everything(own_server):
    first = own_server()
    first.create("kept", CODE, Tags={"a": "b"}, Publish=True)
    helpers = first.children()
    assert first.stop() == 0
    nothing_left(first.state, helpers)
    second = own_server(state=first.state)
    assert second.invoke("kept").succeeded() == 1 and second.invoke("kept", Qualifier="1").succeeded() == 1
    assert second.client.get_function(FunctionName="kept")["Tags"] == {"a": "b"}


def test_a_second_server_on_the_same_state_is_refused(server):
    second = subprocess.run([program(), "serve", "--port", "0", "--state", server.state], capture_output=True, text=True, timeout=20)
    assert second.returncode == 1 and f"process {server.process.pid}" in second.stderr and "--state" in second.stderr
    assert server.client.list_functions()["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_a_port_in_use_is_said(server):
    second = subprocess.run([program(), "serve", "--port", str(server.port), "--state", f"{new_directory()}/state"],
                            capture_output=True, text=True, timeout=20)
    assert second.returncode == 1 and "--port" in second.stderr


def test_sigterm_finishes_what_is_under_way(own_server):
    server = own_server()
    server.create("slow", SLOW, Timeout=20)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        running = pool.submit(server.invoke, "slow", 1.5)
        server.invoke("slow", 0)  # a whole cold start later the first one is surely under way
        server.process.send_signal(signal.SIGTERM)
        assert running.result().succeeded() == "slept"
    assert server.stop() == 0


def test_kill_leaves_nothing_behind(own_server):
    server = own_server()
    server.create("slow", SLOW, Timeout=20)
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        calls = [pool.submit(server.invoke, "slow", 15) for _ in range(3)]
        wait_until(lambda: len(running_programs(server)) >= 3, 10)
        helpers = server.children()
        server.stop(signal.SIGKILL)
        for call in calls:
            assert isinstance(call.exception(20), botocore.exceptions.BotoCoreError)
    nothing_left(server.state, helpers)


def test_a_crash_of_both_processes_is_cleaned_up_by_the_next_start(own_server):
    server = own_server()
    server.create("f", CODE)
    server.invoke("f")
    for pid in server.children():
        os.kill(pid, signal.SIGKILL)
    server.stop(signal.SIGKILL)
    second = own_server(state=server.state)
    assert second.invoke("f").succeeded() == 1
    helpers = second.children()
    second.stop()
    nothing_left(server.state, helpers)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_acknowledged_changes_survive_a_kill(own_server, seed):
    """A storm of changes, a kill in the middle of it: what was acknowledged is there, and nothing is half there."""
    random_numbers = random.Random(seed)
    server = own_server()
    known = {}  # name -> (description, tags, versions) as acknowledged
    unsure = set()  # names with a change that was not answered

    def storm(worker):
        client = server.make_client()
        try:
            for i in range(10_000):
                name = f"w{worker}-{i % 5}"
                unsure.add(name)
                if name not in known:
                    client.create_function(FunctionName=name, Runtime="python3.11", Handler="app.handler", Role=ROLE,
                                           Code={"ZipFile": package(CODE)}, Description=f"d{i}")
                    known[name] = [f"d{i}", {}, 0]
                    client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.002, "MaxAttempts": 3000})
                elif i % 7 == 3:
                    client.tag_resource(Resource=f"arn:aws:lambda:us-east-1:000000000000:function:{name}", Tags={f"t{i}": "v"})
                    known[name][1][f"t{i}"] = "v"
                elif i % 11 == 5:
                    client.delete_function(FunctionName=name)
                    del known[name]
                elif i % 5 == 2:
                    known[name][2] = max(known[name][2], int(client.publish_version(FunctionName=name)["Version"]))
                else:
                    client.update_function_configuration(FunctionName=name, Description=f"d{i}")
                    known[name][0] = f"d{i}"
                    client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.002, "MaxAttempts": 3000})
                unsure.discard(name)
        except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError):
            pass

    workers = [threading.Thread(target=storm, args=(w,)) for w in range(4)]
    for worker in workers:
        worker.start()
    wait_until(lambda: len(known) >= 10, 20)
    threading.Event().wait(random_numbers.random())  # a moment that nobody chose
    server.stop(signal.SIGKILL)
    for worker in workers:
        worker.join(20)
    second = own_server(state=server.state)
    listed = {f["FunctionName"]: f for f in second.client.list_functions()["Functions"]}
    for name, (description, tags, version) in known.items():
        if name in unsure:
            continue
        assert listed[name]["Description"] == description
        assert second.client.get_function(FunctionName=name).get("Tags", {}) == tags
        if version:
            assert second.client.get_function(FunctionName=name, Qualifier=str(version))
    assert set(listed) - set(known) <= unsure, "deleted ones stay deleted"
    for name in listed:
        second.client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.02, "MaxAttempts": 3000})
        assert second.invoke(name).succeeded() == 1


def test_the_account_limit(own_server):
    server = own_server("--concurrency", "2")
    server.create("slow", SLOW, Timeout=20)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        results = [call.exception() or call.result() for call in [pool.submit(server.invoke, "slow", 1.5) for _ in range(8)]]
    refused = [r for r in results if isinstance(r, botocore.exceptions.ClientError)]
    assert len(refused) == 6, "two run, six are refused"
    response = refused[0].response
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 429
    assert response["Error"]["Code"] == "TooManyRequestsException" and response["Error"]["Message"] == "Rate Exceeded."
    assert response["Reason"] == "ConcurrentInvocationLimitExceeded"
    assert "retry-after" in response["ResponseMetadata"]["HTTPHeaders"]
    assert server.invoke("slow", 0).succeeded() == "slept", "the concurrency comes back"


def frozen(state):
    count = 0
    for pattern, word in (("**/martlet-{}/*/cgroup.freeze", "1"), ("freezer/martlet-{}/*/freezer.state", "FROZEN")):
        for path in glob.glob(f"/sys/fs/cgroup/{pattern.format(instance(state))}", recursive=True):
            try:
                with open(path) as text:
                    count += text.read().strip() == word
            except FileNotFoundError:
                pass  # removed meanwhile
    return count


@pytest.mark.skipif(os.geteuid() != 0, reason="freezing needs root")
def test_idle_environments_are_frozen_and_then_removed(own_server):
    server = own_server("--idle-timeout", "2")
    code = ("import threading, time\nticks = []\n"
            "threading.Thread(target=lambda: [ticks.append(time.monotonic()) or time.sleep(0.01) for _ in iter(int, 1)], daemon=True).start()\n"
            "def handler(event, context):\n    time.sleep(0.1)\n    return ticks\n")
    server.create("ticking", code, MemorySize=512)
    server.invoke("ticking")
    wait_until(lambda: frozen(server.state) == 1, 5, "an idle environment that is frozen")
    begun = time.monotonic()
    wait_until(lambda: time.monotonic() - begun > 0.5)
    ticks = server.invoke("ticking").succeeded()
    assert max(b - a for a, b in zip(ticks, ticks[1:])) > 0.3, "its thread stood still meanwhile"
    wait_until(lambda: not running_programs(server), 10, "the removal of an idle environment")
    assert frozen(server.state) == 0


def test_rubbish_on_the_port_harms_nothing(server):
    random_numbers = random.Random(7)
    seeds = [
        b"POST /2015-03-31/functions/f/invocations HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n{}",
        b"GET /2015-03-31/functions HTTP/1.1\r\nHost: a\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
        b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 20_000 + b"\r\n",
        b"PUT /2015-03-31/functions/%00%ff/code HTTP/1.1\r\nContent-Length: 3\r\n\r\n\xff\xfe\xfd",
        b"POST /2015-03-31/functions HTTP/1.1\r\nContent-Length: 9\r\n\r\n[[[[[[[[[",
    ]
    for _ in range(400):
        data = bytearray(random_numbers.choice(seeds))
        for _ in range(random_numbers.randrange(8)):
            data[random_numbers.randrange(len(data))] = random_numbers.randrange(256)
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            try:
                connection.sendall(data[:random_numbers.randrange(len(data)) + 1])
            except OSError:
                pass
    deep = b'{"FunctionName":' + b"[" * 200_000
    assert error_of(server.client.invoke, FunctionName="nosuch", Payload=deep)[0] in (400, 404)
    assert server.client.list_functions()["ResponseMetadata"]["HTTPStatusCode"] == 200
