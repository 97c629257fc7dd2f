# Versions with SnapStart: one initialisation when they are published, and environments that go on from there.
import concurrent.futures
import json
import os
import signal

import boto3
import botocore.exceptions
import pytest
from conftest import ROLE, Server, descendants, package, wait_until
from test_fast_start import NONE_AHEAD, command, figures
from test_runtimes import RUNTIMES

SNAP = {"ApplyOn": "PublishedVersions"}
# Any interpreter does what the newest does: the runtime's name decides.
RUNTIME = "python3.12"
HAS = RUNTIME in [r["Runtime"] for r in RUNTIMES]
PYTHON = [] if HAS else ["--runtime", f"{RUNTIME}=/usr/bin/python3"]

LOOK = """
import os, random, uuid, urllib.request, json
from snapshot_restore_py import register_before_snapshot, register_after_restore
print('module code')
ran = []
register_before_snapshot(ran.append, 'before')
register_after_restore(ran.append, 'after')
keys = {name: os.environ.get(name) for name in ('AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN')}
def fetch(token):
    url = os.environ['AWS_CONTAINER_CREDENTIALS_FULL_URI']
    request = urllib.request.Request(url, headers={'Authorization': token})
    try:
        with urllib.request.urlopen(request) as answer: return json.load(answer)
    except urllib.error.HTTPError as error: return error.code
def handler(event, context):
    print('handler code')
    own = os.environ['AWS_CONTAINER_AUTHORIZATION_TOKEN']
    return {'ran': ran, 'keys': keys, 'type': os.environ['AWS_LAMBDA_INITIALIZATION_TYPE'], 'credentials': fetch(own), 'wrong': fetch('x'),
            'version': context.function_version}
"""
AFTER = """
import snapshot_restore_py, time, os
def fail(): WHAT
snapshot_restore_py.register_HOOK(fail)
def handler(event, context): return 1
"""


@pytest.fixture(scope="module")
def snap():
    server = Server(*PYTHON)
    yield server
    assert server.stop() == 0


def settled(server, name, version):
    def look():
        found = server.client.get_function_configuration(FunctionName=name, Qualifier=version)
        return found["State"] != "Pending" and found
    return wait_until(look, 30, "the end of the optimisation")


def publish(server, name, code, version="1", **settings):
    server.create(name, code, **{"runtime": RUNTIME, "SnapStart": SNAP, **settings})
    published = server.client.publish_version(FunctionName=name)
    assert (published["State"], published["StateReasonCode"], published["SnapStart"]["OptimizationStatus"]) == ("Pending", "Creating", "Off")
    return settled(server, name, version)


def lines(server, name):
    logs = boto3.client("logs", endpoint_url=server.endpoint, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="x")
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=f"/aws/lambda/{name}")
    return [event["message"] for page in pages for event in page["events"]]


def line(server, name, beginning, count=1):
    def found():
        those = [text for text in lines(server, name) if text.startswith(beginning)]
        return len(those) >= count and those
    return wait_until(found, 10, f"{count} lines {beginning}")


def test_a_version_is_initialised_when_it_is_published(snap, name):
    version = publish(snap, name, LOOK)
    assert version["State"] == "Active" and version["SnapStart"] == {"ApplyOn": "PublishedVersions", "OptimizationStatus": "On"}
    latest = snap.client.get_function_configuration(FunctionName=name)
    assert latest["SnapStart"]["OptimizationStatus"] == "Off" and latest["State"] == "Active"
    [start] = line(snap, name, "INIT_START")
    assert f"Runtime Version: python:{RUNTIME[6:]}.v1" in start
    [report] = line(snap, name, "INIT_REPORT")
    assert "Phase: init" in report and "Status" not in report
    assert line(snap, name, "module code")
    # Nobody has invoked it.
    assert not [text for text in lines(snap, name) if text.startswith(("START", "RESTORE"))]


def test_invocations_begin_with_a_restoration(snap, name):
    publish(snap, name, LOOK)
    answer = snap.invoke(name, Qualifier="1")
    said = answer.succeeded()
    assert said["ran"] == ["before", "after"] and said["type"] == "snap-start" and said["version"] == "1"
    # AWS keeps credentials out of snapshots: they are asked for.
    assert said["keys"] == {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None, "AWS_SESSION_TOKEN": None}
    assert set(said["credentials"]) == {"AccessKeyId", "SecretAccessKey", "Token", "Expiration"} and said["wrong"] == 404
    assert "Init Duration" not in answer.log
    report = answer.log.splitlines()[-1]
    restore, billed = (float(report.split(f"\t{what}: ")[1].split(" ms")[0]) for what in ("Restore Duration", "Billed Restore Duration"))
    duration, all_billed = (float(report.split(f"\t{what}: ")[1].split(" ms")[0]) for what in ("Duration", "Billed Duration"))
    assert restore > 0 and billed >= 1 and all_billed >= duration and all_billed >= billed
    line(snap, name, "RESTORE_START Runtime Version: python")
    assert "Status" not in line(snap, name, "RESTORE_REPORT Restore Duration: ")[0]
    assert "Restore Duration" not in snap.invoke(name, Qualifier="1").log, "a warm invocation"
    # $LATEST is as other functions are.
    latest = snap.invoke(name, {})
    assert latest.error and "Init Duration" in latest.log, "it has no token for credentials"


@pytest.mark.parametrize("code,reason", [
    ("raise RuntimeError('at import')\ndef handler(e, c): pass", "FunctionError.RuntimeInitError"),
    ("import os\nos._exit(3)\ndef handler(e, c): pass", "FunctionError.RuntimeInitError"),
    (AFTER.replace("WHAT", "1/0").replace("HOOK", "before_snapshot"), "FunctionError.RuntimeInitError"),
])
def test_a_version_that_does_not_initialise_has_failed(snap, name, code, reason):
    version = publish(snap, name, code)
    assert version["State"] == "Failed" and version["StateReasonCode"] == reason and version["StateReason"]
    assert version["SnapStart"]["OptimizationStatus"] == "Off"
    assert "Status: error" in line(snap, name, "INIT_REPORT")[0]
    with pytest.raises(botocore.exceptions.ClientError) as refused:
        snap.client.invoke(FunctionName=name, Qualifier="1")
    assert refused.value.response["Error"]["Code"] == "ResourceConflictException"


def test_a_version_cannot_be_invoked_before_it_is_ready(snap, name):
    snap.create(name, "import time\ntime.sleep(2)\ndef handler(e, c): return 1", runtime=RUNTIME, SnapStart=SNAP)
    snap.client.publish_version(FunctionName=name)
    with pytest.raises(botocore.exceptions.ClientError) as refused:
        snap.client.invoke(FunctionName=name, Qualifier="1")
    assert refused.value.response["Error"]["Code"] == "SnapStartNotReadyException"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 409
    # The same version again is the same version.
    assert snap.client.publish_version(FunctionName=name)["Version"] == "1"
    settled(snap, name, "1")
    assert snap.invoke(name, Qualifier="1").succeeded() == 1
    assert len(line(snap, name, "INIT_START")) == 1


def test_a_hook_that_fails_refuses_the_invocation(snap, name):
    assert publish(snap, name, AFTER.replace("WHAT", "raise ValueError('the hook says no')").replace("HOOK", "after_restore"))["State"] == "Active"
    for _ in range(2):
        with pytest.raises(botocore.exceptions.ClientError) as refused:
            snap.client.invoke(FunctionName=name, Qualifier="1")
        assert refused.value.response["Error"]["Code"] == "SnapStartException"
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    report = line(snap, name, "RESTORE_REPORT", 2)[0]
    assert "Status: error\tError Type: Runtime.AfterRestoreError" in report
    assert line(snap, name, "[ERROR] ValueError: the hook says no")


def test_hooks_have_ten_seconds(snap, name):
    publish(snap, name, AFTER.replace("WHAT", "time.sleep(60)").replace("HOOK", "after_restore"), Timeout=3)
    with pytest.raises(botocore.exceptions.ClientError) as refused:
        snap.client.invoke(FunctionName=name, Qualifier="1")
    assert refused.value.response["Error"]["Code"] == "SnapStartTimeoutException"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 408
    assert "Status: timeout" in line(snap, name, "RESTORE_REPORT")[0]


def test_a_crash_is_followed_by_an_initialisation(snap, name):
    publish(snap, name, "import os\ndef handler(event, c): return os._exit(1) if event else 'fine'")
    assert snap.invoke(name, Qualifier="1").succeeded() == "fine"
    assert snap.invoke(name, {"die": 1}, Qualifier="1").error
    assert snap.invoke(name, Qualifier="1").succeeded() == "fine"


def test_versions_published_with_the_function(snap, name):
    snap.client.create_function(
        FunctionName=name, Runtime=RUNTIME, Handler="app.handler", Role=ROLE, Code={"ZipFile": package({"app.py": LOOK})}, Publish=True, SnapStart=SNAP)
    assert settled(snap, name, "1")["SnapStart"]["OptimizationStatus"] == "On"
    updated = snap.client.update_function_code(FunctionName=name, ZipFile=package({"app.py": LOOK + "\n"}), Publish=True)
    assert updated["Version"] == "2" and settled(snap, name, "2")["State"] == "Active"
    assert snap.invoke(name, Qualifier="2").succeeded()["version"] == "2"


def test_what_goes_not_with_it(snap, name):
    def refused(call, **arguments):
        with pytest.raises(botocore.exceptions.ClientError) as error:
            call(FunctionName=name, **arguments)
        assert error.value.response["Error"]["Code"] == "InvalidParameterValueException"
        assert "not supported for SnapStart enabled functions." in error.value.response["Error"]["Message"]
    new = {"Runtime": RUNTIME, "Handler": "app.handler", "Role": ROLE, "Code": {"ZipFile": package({"app.py": LOOK})}, "SnapStart": SNAP}
    refused(snap.client.create_function, **new, EphemeralStorage={"Size": 513})
    refused(snap.client.create_function, **{**new, "Runtime": "python3.11"})
    refused(snap.client.create_function, **new, FileSystemConfigs=[
        {"Arn": "arn:aws:elasticfilesystem:us-east-1:000000000000:access-point/fsap-0123456789abcdef0", "LocalMountPath": "/mnt/x"}])
    publish(snap, name, LOOK)
    refused(snap.client.update_function_configuration, EphemeralStorage={"Size": 1024})
    refused(snap.client.put_provisioned_concurrency_config, Qualifier="1", ProvisionedConcurrentExecutions=1)
    snap.client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    refused(snap.client.put_provisioned_concurrency_config, Qualifier="live", ProvisionedConcurrentExecutions=1)
    snap.client.update_function_configuration(FunctionName=name, SnapStart={"ApplyOn": "None"}, EphemeralStorage={"Size": 1024})


def test_the_runtime_api_of_others_knows_no_restoration(snap, name):
    code = """
import http.client, os
def handler(event, context):
    statuses = []
    for method, path in (('GET', '/2018-06-01/runtime/restore/next'), ('POST', '/2018-06-01/runtime/restore/error'), ('GET', '/2021-04-23/credentials')):
        api = http.client.HTTPConnection(os.environ['AWS_LAMBDA_RUNTIME_API'])
        api.request(method, path)
        statuses.append(api.getresponse().status)
    return statuses
"""
    snap.create(name, code, runtime=RUNTIME, SnapStart=SNAP)
    assert snap.invoke(name).succeeded() == [404, 404, 404], "$LATEST has no snapshot"
    snap.client.publish_version(FunctionName=name)
    settled(snap, name, "1")
    # Out of their turn they are refused.
    assert snap.invoke(name, Qualifier="1").succeeded() == [403, 403, 404]


def test_json_logs_and_traces_tell_of_the_restoration(snap, name):
    publish(snap, name, LOOK, LoggingConfig={"LogFormat": "JSON"}, TracingConfig={"Mode": "Active"})
    snap.invoke(name, Qualifier="1").succeeded()

    def records():
        found = {}
        for text in lines(snap, name):
            record = json.loads(text) if text.startswith("{") else {}
            found.setdefault(record.get("type"), record.get("record"))
        return "platform.report" in found and found
    found = wait_until(records, 10, "the report")
    assert found["platform.initReport"]["initializationType"] == "snap-start"
    assert found["platform.restoreStart"]["functionVersion"] == "1"
    assert found["platform.restoreReport"]["status"] == "success"
    metrics = found["platform.report"]["metrics"]
    assert metrics["restoreDurationMs"] > 0 and metrics["billedRestoreDurationMs"] >= 1 and "initDurationMs" not in metrics
    xray = boto3.client("xray", endpoint_url=snap.endpoint, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="x")

    def parts():
        import datetime
        now = datetime.datetime.now()
        for summary in xray.get_trace_summaries(StartTime=now - datetime.timedelta(minutes=5), EndTime=now)["TraceSummaries"]:
            for trace in xray.batch_get_traces(TraceIds=[summary["Id"]])["Traces"]:
                for document in (json.loads(segment["Document"]) for segment in trace["Segments"]):
                    if document["name"] == name and document["origin"] == "AWS::Lambda::Function":
                        return [part["name"] for part in document["subsegments"]]
    assert wait_until(parts, 10, "the trace")[:2] == ["Restore", "Invocation"]


def test_a_version_outlives_the_server(own_server, name):
    first = own_server(*PYTHON)
    publish(first, name, LOOK)
    first.stop()
    second = own_server(*PYTHON, state=first.state)
    assert second.client.get_function_configuration(FunctionName=name, Qualifier="1")["SnapStart"]["OptimizationStatus"] == "On"
    assert second.invoke(name, Qualifier="1").succeeded()["ran"] == ["before", "after"]


# Snapshots: environments that are forked from a process that has initialised.

OWN = """
import json, os, random, secrets, time, uuid, tempfile
print('module code')
beginnings = 0
beginnings += 1
data = open(__file__, 'rb')
data.read(5)
def handler(event, context):
    os.environ['CALLS'] = os.environ.get('CALLS', '') + 'x'
    open('/tmp/' + context.aws_request_id, 'x').close()
    time.sleep(event.get('wait', 0))
    return {'random': [random.random(), secrets.token_hex(), str(uuid.uuid4()), str(uuid.uuid1()), os.urandom(8).hex()], 'read': data.read(4).decode(),
            'calls': os.environ['CALLS'], 'tmp': len(os.listdir('/tmp')), 'stream': context.log_stream_name, 'variable': os.environ['AWS_LAMBDA_LOG_STREAM_NAME'],
            'pid': os.getpid(), 'beginnings': beginnings, 'status': open('/proc/self/status').read(), 'cgroup': open('/proc/self/cgroup').read()}
"""


def of(server, name):
    return next((entry for entry in figures(server)["snapshots"] if entry["function"] == name), None)


def ahead(server, name, count=1):
    """Waits until forks of a version are ready, or can be made where none wait (MARTLET_POOLS=0)."""
    def is_there(snapshot):
        return snapshot is not None and snapshot["up"] and snapshot["ready"] >= (0 if NONE_AHEAD else count)
    return wait_until(lambda: is_there(of(server, name)) and of(server, name), 20, "forks that are ready")


def process_facts(pid):
    try:
        with open(f"/proc/{pid}/status") as text:
            return dict(line.split(":", 1) for line in text)
    except (FileNotFoundError, ProcessLookupError):
        return None


def processes(server):
    """The snapshots; not the forks of them that are on their way into their sandboxes."""
    alike = {pid: process_facts(pid) for pid in descendants(server.process.pid) if b"zygote.py\0snapshot" in command(pid)}
    return [pid for pid, facts in alike.items() if facts and len(facts["NSpid"].split()) == 1 and int(facts["PPid"]) not in alike]


@pytest.fixture(scope="module")
def fast():
    server = Server("--fast-start", "on", *PYTHON)
    yield server
    assert server.stop() == 0


def test_environments_of_a_snapshot_share_nothing(fast, name):
    publish(fast, name, OWN)
    found = ahead(fast, name)
    assert found["up"] and found["version"] == "1"
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        answers = [each.result() for each in [pool.submit(fast.invoke, name, {"wait": 1}, Qualifier="1") for _ in range(3)]]
    said = [answer.succeeded() for answer in answers]
    for values in zip(*[each["random"] for each in said]): assert len(set(values)) == 3, values
    assert len({each["stream"] for each in said}) == 3 and all(each["stream"] == each["variable"] for each in said)
    for each in said:
        assert (each["read"], each["calls"], each["tmp"], each["beginnings"]) == (said[0]["read"], "x", 1, 1)
        status = dict(line.split(":\t", 1) for line in each["status"].splitlines() if ":\t" in line)
        assert status["Uid"].split() == ["993"] * 4 and status["CapPrm"].strip("0") == status["CapBnd"].strip("0") == ""
        assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2"
    # The module's code has run once for all of them.
    assert of(fast, name)["taken"] >= (0 if NONE_AHEAD else 1) and of(fast, name)["starts"] == 3
    assert len(line(fast, name, "module code")) == 1 and len(line(fast, name, "RESTORE_REPORT", 3)) == 3


def test_hooks_run_in_every_environment(fast, name):
    publish(fast, name, LOOK)
    ahead(fast, name)
    for _ in range(2):
        said = fast.invoke(name, Qualifier="1").succeeded()
        assert said["ran"] == ["before", "after"] and said["credentials"]["AccessKeyId"] and said["wrong"] == 404
    publish(fast, name + "-x", AFTER.replace("WHAT", "raise ValueError('the hook says no')").replace("HOOK", "after_restore"))
    ahead(fast, name + "-x")
    with pytest.raises(botocore.exceptions.ClientError) as refused:
        fast.client.invoke(FunctionName=name + "-x", Qualifier="1")
    assert refused.value.response["Error"]["Code"] == "SnapStartException"


def test_a_snapshot_that_is_killed_is_made_anew(fast, name):
    publish(fast, name, OWN)
    ahead(fast, name)
    assert fast.invoke(name, Qualifier="1").succeeded()
    for pid in processes(fast): os.kill(pid, signal.SIGKILL)
    assert fast.invoke(name, Qualifier="1").succeeded()["beginnings"] == 1
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        for each in [pool.submit(fast.invoke, name, {"wait": 0.5}, Qualifier="1") for _ in range(6)]: each.result().succeeded()
    wait_until(lambda: of(fast, name)["up"] and processes(fast), 20, "another snapshot")
    assert fast.invoke(name, Qualifier="1").succeeded()


def test_an_environment_lives_on_after_a_crash(fast, name):
    publish(fast, name, "import os\nnumber = 1\ndef handler(event, c):\n    global number\n    number += 1\n    return os._exit(1) if event else number")
    ahead(fast, name)
    assert fast.invoke(name, Qualifier="1").succeeded() == 2
    assert fast.invoke(name, {"die": 1}, Qualifier="1").json["errorType"] == "Runtime.ExitError"
    assert fast.invoke(name, Qualifier="1").succeeded() == 2


@pytest.mark.parametrize("code,reason", [
    ("import threading, time\nthreading.Thread(target=time.sleep, args=(600,), daemon=True).start()\n", "2 threads"),
    ("open('/tmp/cache', 'w').write('x')\n", "files in /tmp"),
])
def test_what_cannot_be_a_snapshot_initialises_anew(fast, name, code, reason):
    publish(fast, name, code + LOOK)
    wait_until(lambda: "no snapshot of a version, whose environments initialise anew" in fast.log and reason in fast.log, 10, "the notice")
    said = fast.invoke(name, Qualifier="1").succeeded()
    assert said["ran"] == ["before", "after"] and said["type"] == "snap-start"
    assert len(line(fast, name, "module code", 2)) == 2
    assert not (of(fast, name) or {}).get("up")


def test_a_deleted_version_has_no_snapshot(fast, name):
    others = set(processes(fast))
    publish(fast, name, OWN)
    ahead(fast, name)
    own = set(processes(fast)) - others
    fast.client.delete_function(FunctionName=name)
    assert own
    wait_until(lambda: of(fast, name) is None and not own & set(processes(fast)), 20, "the end of the snapshot")


def test_snapshots_come_back_with_the_server(own_server, name):
    first = own_server("--fast-start", "on", *PYTHON)
    publish(first, name, OWN)
    first.stop()
    second = own_server("--fast-start", "on", *PYTHON, state=first.state)
    assert second.invoke(name, Qualifier="1").succeeded()
    ahead(second, name)


def test_without_fast_start_there_are_none(own_server, name):
    server = own_server("--fast-start", "off", *PYTHON)
    publish(server, name, LOOK)
    assert server.invoke(name, Qualifier="1").succeeded()["ran"] == ["before", "after"]
    assert figures(server)["snapshots"] == [] and not processes(server)
