# Python environments that are forked instead of started: the same to the function, sharing nothing, and started where that fails.
import json
import os
import signal
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import Answer, Server, descendants, package, wait_until

LOOK = """
import json, os, resource, sys
status = dict(line.split(':\\t', 1) for line in open('/proc/self/status').read().splitlines() if ':\\t' in line)
def handler(event, context):
    import logging, time
    ours = {k: v for k, v in os.environ.items() if k not in ('AWS_LAMBDA_LOG_STREAM_NAME', '_X_AMZN_TRACE_ID', 'AWS_ENDPOINT_URL')
            and k not in ('AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN')}
    return json.loads(json.dumps({
        'variables': ours, 'path': sys.path, 'arguments': sys.argv, 'line': open('/proc/self/cmdline').read(),
        'status': [status[n] for n in ('Uid', 'Gid', 'CapPrm', 'CapBnd', 'NoNewPrivs', 'Seccomp', 'SigIgn', 'SigBlk', 'Umask')],
        'limits': [resource.getrlimit(n) for n in range(16)], 'directory': os.getcwd(), 'main': sys.modules['__main__'].__file__,
        'zone': time.tzname, 'streams': [[s.encoding, s.errors, s.line_buffering] for s in (sys.stdin, sys.stdout, sys.stderr)],
        'handlers': [type(h).__name__ for h in logging.getLogger().handlers], 'flags': str(sys.flags), 'processes': sorted(p for p in os.listdir('/proc') if p.isdigit()),
        'threads': __import__('threading').active_count(), 'descriptors': len(os.listdir('/proc/self/fd'))}))
"""
# Says what no other environment may say, too.
OWN = """
import json, os, random, secrets, ssl, tempfile, time, uuid
values = [random.random(), os.urandom(8).hex(), secrets.token_hex(), ssl.RAND_bytes(16).hex(), str(uuid.uuid4()), str(uuid.uuid1()),
          next(tempfile._get_candidate_names()), os.environ['AWS_LAMBDA_LOG_STREAM_NAME']]
json.seen = getattr(json, 'seen', 0) + 1
def handler(event, context):
    time.sleep(event)
    return [values, json.seen, os.listdir('/tmp'), open('/tmp/mine', 'w').write('x')]
"""


#: Where nothing waits, forks are made when they are wanted, and there are no stem cells.
NONE_AHEAD = os.environ.get("MARTLET_POOLS") == "0"


def figures(server):
    with urllib.request.urlopen(server.endpoint + "/_martlet/fast-start") as page:
        return json.load(page)


def zygotes(server):
    return [pid for pid in descendants(server.process.pid) if b"zygote.py" in command(pid) and parent_is_helper(server, pid)]


def command(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as text:
            return text.read()
    except OSError:
        return b""


def parent_is_helper(server, pid):
    try:
        with open(f"/proc/{pid}/stat") as text:
            return int(text.read().rpartition(")")[2].split()[1]) in server.children()
    except OSError:
        return False


def ready(server):
    def is_ready(now):
        return any(zygote["up"] for zygote in now["zygotes"]) if NONE_AHEAD else now.get("forksReady", 0) >= 2
    return wait_until(lambda: is_ready(figures(server)) and figures(server), 15, "forks that are ready")


@pytest.fixture(scope="module")
def fast():
    server = Server("--fast-start", "on")
    server.create("look", LOOK)
    ready(server)
    yield server
    assert server.stop() == 0


def test_a_fork_is_what_a_start_is(fast, own_server):
    plain = own_server("--fast-start", "off")
    plain.create("look", LOOK)
    before = figures(fast)
    one, other = fast.invoke("look").succeeded(), plain.invoke("look").succeeded()
    assert one == other
    after = figures(fast)
    assert after["programsExecuted"] == before["programsExecuted"], "an interpreter was started"
    plain_figures = figures(plain)
    assert (plain_figures["enabled"], plain_figures["zygotes"], plain_figures["stemCells"]) == (False, [], [])


def test_environments_share_nothing(fast):
    fast.create("own", OWN)
    answers = at_once(fast, "own", 0.5, 6)
    for values in zip(*[answer[0] for answer in answers]):
        assert len(set(values)) == len(answers), values
    assert {(answer[1], tuple(answer[2])) for answer in answers} == {(1, ())}


def at_once(server, name, event, count):
    with ThreadPoolExecutor(count) as threads:
        return [answer.succeeded() for answer in threads.map(lambda _: server.invoke(name, event), range(count))]


def test_a_dead_zygote_is_replaced_and_missed_by_nobody(fast):
    fast.create("survivor", OWN)
    [zygote] = zygotes(fast)
    first = fast.invoke("survivor", 0).succeeded()
    os.kill(zygote, signal.SIGKILL)
    assert fast.invoke("survivor", 0).succeeded()[0] == first[0], "what runs goes on"
    at_once(fast, "survivor", 0.3, 4)
    wait_until(lambda: zygotes(fast) not in ([], [zygote]), 10, "another zygote")
    ready(fast)
    before = figures(fast)["programsExecuted"]
    fast.create("after", OWN)
    fast.invoke("after", 0).succeeded()
    assert figures(fast)["programsExecuted"] == before


def test_zygotes_can_die_at_any_moment(fast):
    fast.create("hard", "import os\ndef handler(event, context): os._exit(1) if event == 'die' else None\n", Timeout=10)
    for round in range(8):
        for pid in zygotes(fast):
            os.kill(pid, signal.SIGKILL)
        assert fast.invoke("hard", "die").error
        assert fast.invoke("hard").error is None


def test_what_an_interpreter_reads_at_its_start_gets_one(fast):
    code = "import sys\ndef handler(event, context): return [hash('a'), sys.flags.optimize, sys.flags.hash_randomization]\n"
    fast.create("seeded", code, Environment={"Variables": {"PYTHONHASHSEED": "0", "PYTHONOPTIMIZE": "1"}})
    before = figures(fast)
    assert fast.invoke("seeded").succeeded()[1:] == [1, 0]
    assert figures(fast)["programsExecuted"] == before["programsExecuted"] + 1


def test_modules_of_the_function_come_first(fast):
    fast.create("own-csv", {"app.py": "import csv, json\ndef handler(event, context): return [csv.own, hasattr(json, 'own')]\n", "csv.py": "own = 1\n"})
    assert fast.invoke("own-csv").succeeded() == [1, False]


def test_errors_read_the_same(fast, own_server):
    plain = own_server("--fast-start", "off")
    code = "import json\ndef inner(event): return json.loads(event)\ndef handler(event, context): return inner('{')\n"
    files = {"app.py": code, "bad.py": "1 +\n", "raising.py": "raise ValueError('no')\n"}
    for handler in ("app.handler", "bad.handler", "raising.handler", "absent.handler", "app.absent", "app"):
        for server in (fast, plain):
            server.create("e-" + handler.replace(".", "-"), package(files), handler=handler)
        one, other = (server.invoke("e-" + handler.replace(".", "-")) for server in (fast, plain))
        one, other = (json.loads(answer.raw) | {"requestId": ""} for answer in (one, other))
        assert one == other


def test_each_account_has_its_own(fast):
    # Not the account of the tests before, which have killed its zygotes.
    others = {account: fast.make_client(key=account) for account in ("222222222222", "333333333333")}
    for account, other in others.items():
        other.create_function(FunctionName="f", Runtime="python3.11", Handler="app.handler", Role=f"arn:aws:iam::{account}:role/r",
                              Code={"ZipFile": package({"app.py": "def handler(event, context): return hash('a')\n"})})
    wait_until(lambda: {z["account"] for z in figures(fast)["zygotes"] if z["up"]} >= others.keys(), 15, "two zygotes")
    # All cells are of the same memory size; none goes to another account, whose forks have another seed.
    wait_until(lambda: NONE_AHEAD or sum(kind["ready"] for kind in figures(fast)["stemCells"]) >= 2, 15, "cells")
    seeds = set()
    for other in others.values():
        other.get_waiter("function_active_v2").wait(FunctionName="f", WaiterConfig={"Delay": 0.02, "MaxAttempts": 3000})
        seeds.add(Answer(other.invoke(FunctionName="f", Payload=b"0")).succeeded())
    assert len(seeds) == 2
    users = {open(f"/proc/{pid}/status").read().split("\nUid:\t")[1].split()[0] for pid in zygotes(fast)}
    assert len(users) == len(zygotes(fast)) >= 2
