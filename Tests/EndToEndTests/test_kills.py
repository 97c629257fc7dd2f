# Environments that are killed while callers wait for them: each caller is answered, by its own answer or by the end of the runtime.
import json
import os
import random
import signal
import threading
import time

import botocore.exceptions
import pytest
from conftest import control_groups, descendants, running_programs, wait_until
from test_fast_start import command

CODE = {
    "python3.11": "import time\ndef handler(event, context):\n    time.sleep(event[1])\n    return event\n",
    "nodejs20.x": "export const handler = async (event) => { await new Promise((done) => setTimeout(done, event[1] * 1000)); return event; };",
}

# Node reads this when it starts, so functions that set it are no stem cell's.
STARTED = {"Variables": {"NODE_OPTIONS": "--no-warnings"}}


def runtimes(server):
    """What runs functions below a server. Whether a stem cell does or waits cannot be told from outside: STARTED has none."""
    return [pid for pid in descendants(server.process.pid) if b"/bootstrap." in command(pid) and b"--martlet-stem" not in command(pid)]


@pytest.mark.skipif(os.geteuid() != 0, reason="programs of other users can be killed by root only")
@pytest.mark.parametrize("runtime", CODE)
@pytest.mark.parametrize("seed", [1])
def test_every_caller_of_environments_that_are_killed_is_answered(own_server, runtime, seed):
    server = own_server("--idle-timeout", "2")
    limit = 60
    for name in ("one", "two"):
        server.create(name, CODE[runtime], runtime=runtime, Timeout=limit, Environment=STARTED)
    start, killed = time.monotonic(), [0]
    wrong, results = [], {"well": 0, "killed": 0}

    def goes_on():
        """For five seconds, and on a busy host until a kill has met a call."""
        took, has_seen_both = time.monotonic() - start, results["well"] > 20 and results["killed"] > 0
        return took < 5 or not has_seen_both and took < 60

    def call(worker):
        numbers, client, number = random.Random(seed * 100 + worker), server.make_client(), 0
        while goes_on():
            number += 1
            event = [f"{worker}-{number}", numbers.choice([0, 0, 0.02, 0.1])]
            begun = time.monotonic()
            try:
                answer = server.invoke(numbers.choice(["one", "two"]), event, client=client)
            except botocore.exceptions.BotoCoreError as error:
                wrong.append((event, repr(error)))
                continue
            took = time.monotonic() - begun
            if answer.error is None and answer.json == event:
                results["well"] += 1
            elif answer.error == "Unhandled" and answer.json == {
                    "errorType": "Runtime.ExitError", "errorMessage": f"RequestId: {answer.request_id} Error: Runtime exited with error: signal: killed"}:
                results["killed"] += 1
            else:
                wrong.append((event, answer.error, answer.raw, answer.log))
            # Long before the time-out: it is the death that ends it.
            if took > limit / 3 or f"REPORT RequestId: {answer.request_id}" not in answer.log:
                wrong.append((event, took, answer.log))

    def kill():
        numbers = random.Random(seed)
        while goes_on():
            found = runtimes(server)
            if found:
                try:
                    os.kill(numbers.choice(found), signal.SIGKILL)
                    killed[0] += 1
                except ProcessLookupError:
                    pass
            threading.Event().wait(0.1)

    threads = [threading.Thread(target=call, args=(worker,)) for worker in range(8)] + [threading.Thread(target=kill)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(90)
        assert not thread.is_alive(), "a call that never ended"
    assert not wrong, (len(wrong), results, wrong[:3])
    assert results["well"] > 20 and 0 < results["killed"] <= killed[0], (results, killed)
    # Nothing of the dead is left, and who lives goes when it is idle.
    wait_until(lambda: not running_programs(server) or runtime.startswith("node") and not runtimes(server), 20, "the end of idle environments")
    assert json.loads(server.invoke("one", [1, 0]).raw) == [1, 0]
    assert " ERROR " not in server.log and server.stop() == 0, server.log


def groups_of(server, pid):
    """The control groups of a process's sandbox."""
    with open(f"/proc/{pid}/cgroup") as text:
        name = text.read().strip().rpartition("/")[2]
    return [group for group in control_groups(server.state) if group.endswith(f"/{name}/")]


def is_frozen(groups):
    for group in groups:
        for file, word in (("cgroup.events", "frozen 1"), ("freezer.state", "FROZEN")):
            if os.path.exists(group + file):
                with open(group + file) as text:
                    if word in text.read():
                        return True
    return False


@pytest.mark.skipif(os.geteuid() != 0, reason="programs of other users can be killed by root only")
@pytest.mark.parametrize("fast", ["on", "off"])
def test_a_frozen_runtime_that_is_killed_is_missed_by_nobody(own_server, fast):
    """As the host's own killer does when memory runs out. Process 1 of the sandbox is frozen, too, and cannot tell by itself."""
    server = own_server("--fast-start", fast)
    for runtime, code in CODE.items():
        name = runtime.partition(".")[0]
        server.create(name, code, runtime=runtime, Timeout=20, Environment=STARTED)
        before = set(runtimes(server))
        for round in range(3):
            assert server.invoke(name, [round, 0]).succeeded() == [round, 0]
            [pid] = set(runtimes(server)) - before
            groups = groups_of(server, pid)
            assert groups
            wait_until(lambda: is_frozen(groups), 10, "the freezing")
            os.kill(pid, signal.SIGKILL)
            # The server has heard of it when the sandbox is removed.
            wait_until(lambda: not any(map(os.path.exists, groups)), 10, "the end of the environment")
