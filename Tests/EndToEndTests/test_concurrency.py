# Many calls at once, and what happens to environments meanwhile: updates, deletions, deaths, callers that hang up.
import concurrent.futures
import json
import os
import socket
import threading
import time

import botocore.exceptions
import pytest

from conftest import ROLE, error_of, package, running_programs, wait_until
from test_fast_start import figures

WAIT = {"Delay": 0.02, "MaxAttempts": 3000}
SLOW = "import time\ndef handler(event, context):\n    time.sleep(event)\n    return 'slept'\n"


def at_once(count, call):
    """Runs `call(i)` in as many threads, which start together; exceptions are results."""
    barrier = threading.Barrier(count)

    def run(i):
        barrier.wait()
        try:
            return call(i)
        except Exception as error:
            return error

    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def test_a_burst_of_callers_is_served_and_each_alone(server, name):
    """The environments meet at nothing: each has its own /tmp, process and state, and never two invocations at once."""
    code = ("import os, time\nbusy = 0\n"
            "def handler(e, c):\n"
            "    global busy\n    busy += 1\n    alone = busy == 1 and not os.path.exists('/tmp/busy')\n"
            "    open('/tmp/busy', 'w').close()\n    time.sleep(0.05)\n    os.remove('/tmp/busy')\n    busy -= 1\n"
            "    return [c.log_stream_name, alone, e]\n")
    server.create(name, code, Timeout=30)
    answers = at_once(24, lambda i: [server.invoke(name, [i, j]).succeeded() for j in range(10)])
    flat = [a for worker in answers for a in worker]
    assert all(alone for _, alone, _ in flat)
    assert [e for worker in answers for _, _, e in worker] == [[i, j] for i in range(24) for j in range(10)], "nobody gets another's answer"
    # An environment is busy a little longer than its caller waits, so that there may be some more of them than callers.
    assert len({stream for stream, _, _ in flat}) <= 36, "warm ones are used again"


def test_one_caller_after_another_stays_in_one_environment(server, name):
    server.create(name, "import os\ndef handler(e, c):\n    return [c.log_stream_name, os.getpid()]\n")
    assert len({tuple(server.invoke(name).succeeded()) for _ in range(30)}) == 1


def test_an_update_reaches_new_invocations_and_leaves_running_ones_alone(server, name):
    server.create(name, "import time\ndef handler(e, c):\n    time.sleep(e)\n    return 'old'\n", Timeout=20)
    server.invoke(name, 0)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        running = pool.submit(server.invoke, name, 1.5)
        wait_until(lambda: running.running(), 5)
        server.client.update_function_code(
            FunctionName=name, ZipFile=package({"app.py": "def handler(e, c):\n    return 'new'\n"}))
        server.client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig=WAIT)
        assert server.invoke(name, 0).succeeded() == "new" and not running.done()
        assert running.result().succeeded() == "old"
    assert server.invoke(name, 0).succeeded() == "new"


def test_every_answer_during_updates_is_of_one_whole_version(server, name):
    """Code and configuration change together, again and again, under load: no caller sees a mixture or a failure."""
    def code(i):
        return package({"app.py": f"import os\ndef handler(e, c):\n    return [{i}, os.environ['STEP'], c.memory_limit_in_mb]\n"})
    server.create(name, code(0), Environment={"Variables": {"STEP": "0"}}, Timeout=20)
    done = threading.Event()
    problems = []

    def call():
        last = 0
        while not done.is_set():
            answer = server.invoke(name)
            if answer.error or answer.json[0] < last:
                problems.append((answer.raw, answer.log))
                return
            last = answer.json[0]
    callers = [threading.Thread(target=call) for _ in range(3)]
    for caller in callers:
        caller.start()
    for i in range(1, 6):
        server.client.update_function_code(FunctionName=name, ZipFile=code(i))
        server.client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig=WAIT)
    done.set()
    for caller in callers:
        caller.join(30)
    assert not problems
    assert server.invoke(name).succeeded()[0] == 5


def test_deleting_a_function_lets_its_running_invocation_finish(server, name):
    server.create(name, SLOW, Timeout=20)
    server.invoke(name, 0)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        running = pool.submit(server.invoke, name, 1)
        wait_until(lambda: running.running(), 5)
        threading.Event().wait(0.2)  # the call is on its way by then; the test is right either way
        server.client.delete_function(FunctionName=name)
        assert error_of(server.client.invoke, FunctionName=name)[0] == 404
        assert running.result().succeeded() == "slept"
    server.create(name, "def handler(e, c):\n    return 'another of the same name'\n")
    assert server.invoke(name, 0).succeeded() == "another of the same name"


def test_one_of_many_that_create_the_same_function_wins(server, name):
    code = package({"app.py": "def handler(e, c):\n    return 1\n"})
    results = at_once(8, lambda i: server.client.create_function(
        FunctionName=name, Runtime="python3.11", Handler="app.handler", Role=ROLE, Code={"ZipFile": code}, Description=str(i)))
    created = [r for r in results if isinstance(r, dict)]
    refused = [r for r in results if isinstance(r, botocore.exceptions.ClientError)]
    assert len(created) == 1 and len(refused) == 7
    assert {r.response["Error"]["Code"] for r in refused} == {"ResourceConflictException"}
    assert server.client.get_function_configuration(FunctionName=name)["Description"] == created[0]["Description"]


def test_many_tags_at_once_are_all_kept(server, name):
    arn = server.create(name, SLOW)["FunctionArn"]
    results = at_once(16, lambda i: server.client.tag_resource(Resource=arn, Tags={f"k{i}": str(i)}))
    assert not [r for r in results if isinstance(r, Exception)]
    assert server.client.list_tags(Resource=arn)["Tags"] == {f"k{i}": str(i) for i in range(16)}


def test_of_many_updates_with_the_same_revision_one_wins(server, name):
    server.create(name, SLOW)
    revision = server.client.get_function_configuration(FunctionName=name)["RevisionId"]
    results = at_once(8, lambda i: server.client.update_function_configuration(
        FunctionName=name, Description=str(i), RevisionId=revision))
    assert len([r for r in results if isinstance(r, dict)]) == 1
    codes = {r.response["Error"]["Code"] for r in results if isinstance(r, Exception)}
    assert codes <= {"PreconditionFailedException", "ResourceConflictException"}


def test_published_versions_have_numbers_of_their_own(server, name):
    server.create(name, SLOW)
    def publish(i):
        for _ in range(200):
            try:
                server.client.update_function_configuration(FunctionName=name, Description=str(i))
                server.client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig=WAIT)
                return server.client.publish_version(FunctionName=name)["Version"]
            except botocore.exceptions.ClientError as error:
                if error.response["Error"]["Code"] != "ResourceConflictException":
                    raise
    results = at_once(4, publish)
    assert not [r for r in results if isinstance(r, Exception)]
    listed = [v["Version"] for v in server.client.list_versions_by_function(FunctionName=name)["Versions"]]
    assert set(results) == set(listed) - {"$LATEST"} and len(listed) == len(set(listed))


def test_callers_that_hang_up_cost_nothing(own_server):
    """Their invocations end, and the concurrency comes back."""
    server = own_server("--concurrency", "2")
    server.create("slow", SLOW, Timeout=5)
    request = (b"POST /2015-03-31/functions/slow/invocations HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n0.5")
    for _ in range(2):
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.sendall(request)
            wait_until(lambda: running_programs(server), 10, "the start of the function")
    def both_free():
        results = at_once(2, lambda i: server.invoke("slow", 0))
        return not [r for r in results if isinstance(r, Exception)]
    wait_until(both_free, 10, "the return of the concurrency")


def test_a_runtime_that_dies_between_invocations(server, name):
    """After the answer, at any moment: the next caller gets an answer of a new process, or is told that the runtime exited."""
    code = ("import os, threading, time\nstarted = time.time()\n"
            "def handler(e, c):\n"
            "    if e is not None: threading.Thread(target=lambda: (time.sleep(e), os._exit(9))).start()\n"
            "    return started\n")
    server.create(name, code, Timeout=5, MemorySize=1769)
    for delay in [0, 0.0005, 0.001, 0.002, 0.004, 0.008] * 3:
        answer = server.invoke(name, delay)
        assert answer.error is None or answer.json["errorType"] == "Runtime.ExitError", (delay, answer.raw)
    wait_until(lambda: server.invoke(name, None).error is None, 5)


def test_many_functions_each_with_its_own_environment(server, name):
    def one(i):
        server.create(f"{name}-{i}", f"def handler(e, c):\n    return {i}\n")
        return [server.invoke(f"{name}-{i}").succeeded() for _ in range(3)]
    assert at_once(12, one) == [[i] * 3 for i in range(12)]
    for i in range(12):
        server.client.delete_function(FunctionName=f"{name}-{i}")


def test_environments_of_deleted_functions_go_away(own_server):
    server = own_server()
    for i in range(4):
        server.create(f"f{i}", SLOW)
        server.invoke(f"f{i}", 0)
    assert len(running_programs(server)) == 4
    for i in range(4):
        server.client.delete_function(FunctionName=f"f{i}")
    wait_until(lambda: not running_programs(server), 15, "the end of the environments of functions that are no more")


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may count another user's descriptors")
def test_environments_that_come_and_go_leave_no_descriptors(own_server):
    """Cold starts, time-outs, crashes, failed initialisations: afterwards both processes hold what they held before."""
    # Pools of 60 MB, which are full as soon as twelve are wanted: larger ones would grow with the demand.
    server = own_server("--idle-timeout", "1", "--pools", "1")
    server.create("well", "def handler(e, c):\n    return 1\n")
    server.create("ill", "import os, time\ndef handler(e, c):\n    os._exit(1) if e else time.sleep(9)\n", Timeout=1)
    server.create("dead", "raise ValueError\n")
    pids = [server.process.pid, *server.children()]

    def round_():
        at_once(6, lambda i: server.invoke("well"))
        at_once(4, lambda i: server.invoke("ill", i % 2))
        at_once(2, lambda i: server.invoke("dead"))
        server.client.close()
        server.client = server.make_client()
        wait_until(lambda: not running_programs(server), 20, "the end of idle environments")

    def counts():
        return [descriptors(pid) for pid in pids]

    def are_full():
        page = figures(server)
        return not page["enabled"] or sum(kind["ready"] for kind in page["stemCells"]) == 12
    at_once(16, lambda i: server.invoke("ill", 0))
    round_()
    # Pools are refilled behind the scenes: what is compared is the count at which they come to rest.
    wait_until(are_full, 20, "full pools")
    wait_until(lambda: steady(counts), 10, "a steady number of descriptors")
    first = counts()
    for _ in range(2):
        round_()
    wait_until(are_full, 20, "full pools")
    wait_until(lambda: all(b <= a + 2 for a, b in zip(first, counts())), 10, f"the return to {first} descriptors")


def steady(measure, seconds=0.5):
    value, end = measure(), time.monotonic() + seconds
    while time.monotonic() < end:
        if measure() != value:
            return False
    return True


def test_the_limit_counts_all_functions_of_an_account_and_no_others(own_server):
    server = own_server("--concurrency", "1")
    other = server.make_client(key="123456789012")
    server.create("one", SLOW, Timeout=20)
    server.create("two", SLOW, Timeout=20)
    other.create_function(FunctionName="one", Runtime="python3.11", Handler="app.handler", Timeout=20,
                          Role="arn:aws:iam::123456789012:role/r", Code={"ZipFile": package({"app.py": SLOW})})
    other.get_waiter("function_active_v2").wait(FunctionName="one", WaiterConfig=WAIT)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        running = pool.submit(server.invoke, "one", 2)
        wait_until(lambda: running_programs(server), 5, "the start of the function")

        def refused():
            try:
                server.invoke("two", 0)
            except botocore.exceptions.ClientError as error:
                return error.response["ResponseMetadata"]["HTTPStatusCode"] == 429
        wait_until(refused, 5, "a refusal while another function runs")
        assert server.invoke("one", 0, client=other).succeeded() == "slept", "another account has its own"
        assert server.client.get_account_settings()["AccountLimit"]["ConcurrentExecutions"] == 1
        dry = server.client.invoke(FunctionName="two", InvocationType="DryRun")
        assert dry["StatusCode"] == 204, "a dry run takes no concurrency"
        assert running.result().succeeded() == "slept"
