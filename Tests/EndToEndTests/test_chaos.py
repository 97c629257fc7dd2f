# Everything at once: callers, crashes, time-outs, updates and deletions, chosen by a seed. What must hold at every moment and
# afterwards: each caller gets the answer to its own call in time, no permit and no environment is lost, and nothing fails inside.
import json
import os
import random
import threading
import time

import botocore.exceptions
import pytest

from conftest import ROLE, package, running_programs, wait_until

WAIT = {"Delay": 0.02, "MaxAttempts": 3000}
CODE = """
import os, threading, time
GENERATION = {generation}
if os.path.exists('/tmp/broken'):
    os.remove('/tmp/broken')
    os._exit(1)
busy = False
def handler(event, context):
    global busy
    assert not busy, 'two at once'
    busy = True
    action = event['action']
    if action == 'exit': os._exit(3)
    if action == 'abort': os.abort()
    if action == 'sleep': time.sleep(60)
    if action == 'nap': time.sleep(0.05)
    if action == 'raise':
        busy = False
        raise ValueError(event['number'])
    if action == 'memory': bytearray(3 << 30)
    if action == 'break next start':
        open('/tmp/broken', 'w')
        os._exit(2)
    if action == 'die soon': threading.Timer(0.003, os._exit, [4]).start()
    if action == 'print': print('p' * 20000)
    busy = False
    return [event['number'], GENERATION]
"""
FAILS = {"exit": "Runtime.ExitError", "abort": "Runtime.ExitError", "sleep": "Sandbox.Timedout", "raise": "ValueError",
         "memory": "Runtime.ExitError", "break next start": "Runtime.ExitError"}
ACTIONS = ["well"] * 24 + ["nap"] * 8 + ["print"] * 4 + ["die soon"] * 2 + sorted(set(FAILS) - {"sleep"}) * 2 + ["sleep"]
# Only what sleeps may be timed out: where others test beside this one, forty callers on two processors wait up to 3 s for a start.
TIMEOUT = 8


@pytest.mark.parametrize("seed, options", [(11, []), (12, ["--initialisations", "1"])])
def test_a_town_in_uproar(own_server, seed, options):
    server = own_server("--idle-timeout", "1", "--concurrency", "40", *options)
    names = [f"f{i}" for i in range(4)]

    def code(generation):
        return package({"app.py": CODE.replace("{generation}", str(generation))})

    for name in names:
        server.create(name, code(0), Timeout=TIMEOUT, MemorySize=512)
    end = time.monotonic() + 8
    wrong, done = [], [0]

    def goes_on():  # On a busy host few calls end within the time that is enough elsewhere.
        return time.monotonic() < (end if done[0] >= 40 else end + 50)

    def call(worker):
        numbers, client = random.Random(seed * 100 + worker), server.make_client()
        while goes_on():
            name, action, number = numbers.choice(names), numbers.choice(ACTIONS), numbers.randrange(1 << 30)
            begun = time.monotonic()
            try:
                answer = server.invoke(name, {"action": action, "number": number}, client=client)
            except botocore.exceptions.ClientError as error:
                if error.response["ResponseMetadata"]["HTTPStatusCode"] not in (404, 409, 429):
                    wrong.append((name, action, error.response))
                continue
            except botocore.exceptions.BotoCoreError as error:
                wrong.append((name, action, repr(error)))
                continue
            done[0] += 1
            kind = answer.json.get("errorType") if answer.error else None
            # A runtime that was told to die soon may die under the next call.
            if action in FAILS:
                right = kind in (FAILS[action], "Runtime.ExitError") or action == "memory" and kind == "Sandbox.Timedout"
            else:
                right = kind == "Runtime.ExitError" or kind is None and answer.json[0] == number
            if not right or f"REPORT RequestId: {answer.request_id}" not in answer.log or time.monotonic() - begun > 3 * TIMEOUT:
                wrong.append((name, action, number, answer.raw, answer.log, time.monotonic() - begun))

    def change():
        numbers, client, generation = random.Random(seed), server.make_client(), 0
        while goes_on():
            generation += 1
            name, what = numbers.choice(names), numbers.choice(["code", "configuration", "delete", "publish"])
            try:
                if what == "code":
                    client.update_function_code(FunctionName=name, ZipFile=code(generation))
                elif what == "configuration":
                    client.update_function_configuration(FunctionName=name, Description=str(generation))
                elif what == "publish":
                    client.publish_version(FunctionName=name)
                else:
                    client.delete_function(FunctionName=name)
                    client.create_function(FunctionName=name, Runtime="python3.11", Handler="app.handler", Role=ROLE, Timeout=TIMEOUT,
                                           MemorySize=512, Code={"ZipFile": code(generation)})
                    client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig=WAIT)
            except botocore.exceptions.ClientError as error:
                if error.response["ResponseMetadata"]["HTTPStatusCode"] != 409:
                    wrong.append((name, what, error.response))
            threading.Event().wait(numbers.random() * 0.3)

    threads = [threading.Thread(target=call, args=(w,)) for w in range(10)] + [threading.Thread(target=change)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive(), "a call that never ended"
    assert not wrong, f"{len(wrong)} of {done[0]}: {wrong[:4]}"
    assert done[0] >= 40

    wait_until(lambda: not running_programs(server), 20, "the end of idle environments")
    server.create("all", "import time\ndef handler(e, c):\n    time.sleep(3)\n    return 1\n", Timeout=30)
    results = []

    def one():
        try:
            results.append(server.invoke("all", client=server.make_client()).error)
        except botocore.exceptions.ClientError as error:
            results.append(error.response["ResponseMetadata"]["HTTPStatusCode"])
    callers = [threading.Thread(target=one) for _ in range(40)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert results == [None] * 40, "every permit came back"
    assert " ERROR " not in server.log and " CRITICAL " not in server.log, server.log
    assert server.stop() == 0
