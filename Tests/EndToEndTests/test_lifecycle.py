# The phases of an environment's life: INIT and its limit, the freeze, SHUTDOWN and its time budgets, resets.
import json
import os
import shutil
import tempfile
import threading
import time

import boto3
import pytest

from conftest import processes_in_control_groups, wait_until
from test_extensions import CLIENT, create


@pytest.fixture
def bucket(server):
    s3 = boto3.client("s3", endpoint_url=server.endpoint, region_name="us-east-1", aws_access_key_id="000000000000", aws_secret_access_key="x")
    s3.create_bucket(Bucket="extension-notes")

    def read(key):
        try:
            return json.loads(s3.get_object(Bucket="extension-notes", Key=key)["Body"].read())
        except s3.exceptions.NoSuchKey:
            return None

    return read


def settled(server, key):
    """Seconds from the beginning of a heartbeat to its last beat."""
    s3 = boto3.client("s3", endpoint_url=server.endpoint, region_name="us-east-1", aws_access_key_id="000000000000", aws_secret_access_key="x")
    last = [None, time.monotonic()]

    def still():
        beats = [int(o["Key"].rsplit("/", 1)[1]) for o in s3.list_objects_v2(Bucket="extension-notes", Prefix=key + "/").get("Contents", [])]
        value = max(beats, default=None)
        if value != last[0]:
            last[:] = [value, time.monotonic()]
        return value is not None and time.monotonic() - last[1] > 1 and value / 1000

    return wait_until(still, 20, "the end of a heartbeat")


ONCE = """
import os, time
def first(): 
    try: os.close(os.open('/tmp/once', os.O_CREAT | os.O_EXCL))
    except FileExistsError: return False
    return True
"""


def test_an_initialisation_that_takes_too_long_is_repeated_in_the_invocation(server, name):
    """Of the function, and of an extension: both have ten seconds, and then the invocation's time."""
    plain, extended = name + "-a", name + "-b"
    slow = ONCE + "if first(): time.sleep(60)\ndef handler(event, context): return 'up'\n"
    server.create(plain, slow, Timeout=5)
    silent = CLIENT + ONCE + "if first(): time.sleep(60)\napi.register('INVOKE')\nwhile True: api.next()\n"
    create(server, extended, {"silent": silent}, "def handler(event, context): return 'up'\n", Timeout=5)
    answers = {}
    threads = [threading.Thread(target=lambda n=n: answers.__setitem__(n, server.invoke(n))) for n in (plain, extended)]
    begun = time.monotonic()
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    assert 10 <= time.monotonic() - begun < 20
    for answer in answers.values():
        assert answer.succeeded() == "up"
        assert "Init Duration" not in answer.log, "the second one is a part of the duration"


def test_an_initialisation_that_fails_twice_fails_the_invocation_and_is_tried_again(server, name):
    create(server, name, {"silent": CLIENT + "time.sleep(60)\n"}, "def handler(event, context): return 1\n", Timeout=1)
    answer = server.invoke(name)
    assert answer.json["errorType"] == "Sandbox.Timedout"
    assert "\tPhase: invoke\tStatus: timeout" in answer.log


@pytest.mark.skipif(os.geteuid() != 0, reason="freezing needs root")
def test_background_work_stands_still_between_invocations(server, name):
    code = """
import threading, time
gaps, last = [0], [time.monotonic()]
def tick():
    while True:
        time.sleep(0.001)
        now = time.monotonic()
        gaps.append(now - last[0])
        last[0] = now
threading.Thread(target=tick, daemon=True).start()
def handler(event, context):
    time.sleep(0.05)
    longest = max(gaps)
    gaps[:] = [0]
    return [longest, len(gaps)]
"""
    server.create(name, code, MemorySize=1769)
    server.invoke(name).succeeded()
    time.sleep(1)
    longest, _ = server.invoke(name).succeeded()
    assert longest > 0.8, "it was frozen, and went on when it was thawed"


@pytest.mark.skipif(os.geteuid() != 0, reason="freezing needs root")
def test_extensions_work_on_after_the_answer_and_then_stand_still(server, name):
    """The environment is frozen when the last is back in /next, not before."""
    code = CLIENT + """
import threading
api.register('INVOKE')
gaps = []
def tick():
    last = time.monotonic()
    while True:
        time.sleep(0.001)
        now = time.monotonic()
        gaps.append(now - last)
        last = now
threading.Thread(target=tick, daemon=True).start()
api.next()
while True:
    seen = len(gaps)
    while len(gaps) < seen + 2: time.sleep(0.001)  # the gap of the freeze is the first
    begun = len(gaps)
    end = time.monotonic() + 0.5
    while time.monotonic() < end: time.sleep(0.001)
    note('after the answer', max(gaps[begun:]), 'before', max(gaps[:begun] or [0]))
    del gaps[:]
    api.next()
"""
    reader = "import json\ndef handler(event, context):\n    if event: return [json.loads(l) for l in open('/tmp/busy')]\n"
    create(server, name, {"busy": code}, reader, MemorySize=1769)
    server.invoke(name).succeeded()
    time.sleep(1)
    server.invoke(name).succeeded()
    first, second = server.invoke(name, {"read": True}).succeeded()[:2]
    assert first[1] < 0.4 and second[1] < 0.4, "it ran while it was at work"
    assert second[3] > 0.8, "and stood still between the invocations"


HEARTBEAT = """
def beat(key, since):
    while True:
        put('%s/%d' % (key, (time.time() - since) * 1000), 1)
        time.sleep(0.02)
"""

STUBBORN = """
import os, signal, time
def ignored(*_):
    with open('/tmp/terminated', 'w') as file: file.write(str(time.time()))
signal.signal(signal.SIGTERM, ignored)
def handler(event, context): return 1
"""


def test_a_runtime_that_ignores_the_end_has_600_ms_and_the_extensions_the_rest_of_two_seconds(server, name, bucket):
    code = CLIENT + HEARTBEAT + """
api.register('SHUTDOWN')
event = api.next()[2]
asked = float(open('/tmp/terminated').read())
put(os.environ['AWS_LAMBDA_FUNCTION_NAME'] + '/told', [time.time() - asked, event['deadlineMs'] / 1000 - time.time()])
beat(os.environ['AWS_LAMBDA_FUNCTION_NAME'] + '/beat', asked)
"""
    create(server, name, {"deaf": code}, STUBBORN)
    server.invoke(name).succeeded()
    server.client.delete_function(FunctionName=name)
    after, left = wait_until(lambda: bucket(f"{name}/told"), 15, "SHUTDOWN")
    assert 0.55 <= after < 1.5 and left <= 1.45
    assert 1.2 < settled(server, f"{name}/beat") < 2.6, "it is killed when its time is over"


@pytest.mark.alone  # as AWS gives it: on a busy host it is over too soon
def test_a_runtime_with_internal_extensions_has_half_a_second(server, name, bucket):
    client = CLIENT.replace("#!/usr/bin/python3", "").replace("NAME = os.path.basename(sys.argv[0])", "NAME = 'inside'")
    code = client + HEARTBEAT + """
import threading
api.register('INVOKE')
def follow():
    while True: api.next()
threading.Thread(target=follow, daemon=True).start()
def ended(*_): beat(os.environ['AWS_LAMBDA_FUNCTION_NAME'] + '/beat', time.time())
signal.signal(signal.SIGTERM, ended)
def handler(event, context): return 1
"""
    server.create(name, code, MemorySize=1769, Timeout=10)
    server.invoke(name).succeeded()
    server.client.delete_function(FunctionName=name)
    assert 0.2 < settled(server, f"{name}/beat") < 1.2


def test_a_runtime_without_extensions_is_killed_at_once(server, name, bucket):
    client = CLIENT.replace("#!/usr/bin/python3", "").replace("NAME = os.path.basename(sys.argv[0])", "NAME = 'none'")
    code = client + """
def ended(*_): put(os.environ['AWS_LAMBDA_FUNCTION_NAME'] + '/asked', True)
signal.signal(signal.SIGTERM, ended)
with open('/proc/self/comm', 'w') as called: called.write('until killed')
def handler(event, context): return put(os.environ['AWS_LAMBDA_FUNCTION_NAME'] + '/' + (event or 'run'), True)
"""
    server.create(name, code)
    assert server.invoke(name, "run").succeeded() == 200

    def is_alive():
        for pid in processes_in_control_groups(server.state):
            try:
                with open(f"/proc/{pid}/comm") as called:
                    if called.read() == "until killed\n":
                        return True
            except (FileNotFoundError, ProcessLookupError):
                pass
        return False

    assert is_alive()
    server.client.delete_function(FunctionName=name)
    wait_until(lambda: not is_alive(), 10, "its end")
    assert bucket(f"{name}/asked") is None


@pytest.mark.parametrize("settings", [{"user": 65534}, {"flags": ["--isolation", "none"]}], ids=["rootless", "no isolation"])
def test_extensions_and_telemetry_with_less_isolation(request, own_server, settings):
    from test_telemetry import FUNCTION, OVER_HTTP, of, types
    flags = settings.get("flags", [])
    server = own_server(*flags, **({"user": 65534, "environment": {"HOME": "/", "PATH": "/usr/bin:/bin"}} if "user" in settings else {}))
    # Without a root of its own /tmp is the host's, where not everybody may write.
    place = "/tmp/"
    if flags:
        place = f"{tempfile.mkdtemp(prefix='martlet-')}/"
        os.chmod(place, 0o777)
        request.addfinalizer(lambda: shutil.rmtree(place))
    extension = OVER_HTTP.replace("'/tmp/", f"'{place}").replace("sandbox.localdomain", "sandbox")
    create(server, "f", {"sink": extension}, FUNCTION.replace("'/tmp/", f"'{place}"), Timeout=2)
    first = server.invoke("f")
    assert first.succeeded() is not None
    events, _ = server.invoke("f", {"of": "sink", "patience": 1.5, "until": "platform.report"}).succeeded()
    assert of(events, "platform.runtimeDone")[0]["requestId"] == first.request_id
    server.invoke("f", {"sleep": 20})
    assert server.invoke("f").error is None
    events, _ = server.invoke("f", {"of": "sink"}).succeeded()
    assert types(events).count("platform.initStart") == 2
