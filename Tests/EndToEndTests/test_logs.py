# CloudWatch Logs with real functions and real clients: what functions print is there, while they run and after crashes.
import base64
import gzip
import json
import os
import shutil
import signal
import subprocess
import threading
import time

import boto3
import botocore.config
import pytest

from conftest import Server, error_of, new_directory, program, wait_until
from test_iam import client_of
from test_kinesis import read_all

GROUP = "/aws/lambda/"
TALK = """
import time
def handler(event, context):
    print("begun", event.get("n"))
    if event.get("wait"): time.sleep(event["wait"])
    if event.get("fail"): raise ValueError("asked for")
    return [context.log_group_name, context.log_stream_name, context.aws_request_id]
"""


def client(server):
    # Clients put `stream-` in front of the host of StartLiveTail unless told not to.
    return boto3.client(
        "logs", endpoint_url=server.endpoint, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="x",
        config=botocore.config.Config(inject_host_prefix=False, retries={"max_attempts": 0}))


@pytest.fixture(scope="module")
def server():
    server = Server()
    yield server
    server.process.terminate()
    server.process.wait(20)


@pytest.fixture(scope="module")
def logs(server):
    return client(server)


def invoke(server, name, event):
    answer = server.client.invoke(FunctionName=name, Payload=json.dumps(event))
    return json.loads(answer["Payload"].read())


def messages(logs, group, **arguments):
    """All pages. Groups that are not there yet have no messages."""
    try:
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group, **arguments)
        return [event["message"] for page in pages for event in page["events"]]
    except logs.exceptions.ResourceNotFoundException:
        return []


def logged(logs, group, text, count=1, **arguments):
    def found():
        lines = messages(logs, group, **arguments)
        return sum(text in line for line in lines) >= count and lines
    return wait_until(found, 10, f"{text!r} in {group}")


def test_a_functions_log_is_as_on_aws(server, logs):
    server.create("plain", TALK)
    group, stream, request = invoke(server, "plain", {"n": 1})
    assert group == GROUP + "plain"
    logged(logs, group, "REPORT")
    events = logs.get_log_events(logGroupName=group, logStreamName=stream, startFromHead=True)["events"]
    lines = [event["message"] for event in events]
    assert lines[0].startswith("INIT_START Runtime Version: python:3.11.v")
    assert lines[1] == f"START RequestId: {request} Version: $LATEST\n"
    assert lines[2] == "begun 1\n"
    assert lines[3] == f"END RequestId: {request}\n"
    assert lines[4].startswith(f"REPORT RequestId: {request}\tDuration: ") and "Init Duration: " in lines[4]
    assert len(lines) == 5
    described = logs.describe_log_streams(logGroupName=group)["logStreams"]
    assert [one["logStreamName"] for one in described] == [stream]
    assert described[0]["lastEventTimestamp"] == events[-1]["timestamp"]


def test_the_tail_and_the_stream_say_the_same(server, logs):
    server.create("same", TALK)
    answer = server.client.invoke(FunctionName="same", LogType="Tail", Payload=json.dumps({"fail": True}))
    tail = base64.b64decode(answer["LogResult"]).decode()
    lines = logged(logs, GROUP + "same", "REPORT")
    assert "".join(lines[1:]) == tail


def test_lines_appear_while_the_function_runs(server, logs):
    server.create("slow", TALK, Timeout=30)
    running = threading.Thread(target=invoke, args=(server, "slow", {"n": "now", "wait": 3}))
    running.start()
    lines = logged(logs, GROUP + "slow", "begun now")
    assert running.is_alive() and not any("END" in line for line in lines)
    running.join()
    logged(logs, GROUP + "slow", "END RequestId")


def test_failures_are_told(server, logs):
    server.create("failing", "import os, time\ndef handler(e, c):\n    print('x', end='', flush=True)\n    if e['how'] == 'exit': os._exit(3)\n    time.sleep(9)\n", Timeout=4)
    server.client.invoke(FunctionName="failing", Payload=b'{"how": "exit"}')
    server.client.invoke(FunctionName="failing", Payload=b'{"how": "time"}')
    lines = logged(logs, GROUP + "failing", "Task timed out after 4.00 seconds")
    assert lines.count("x\n") == 2
    assert any(line.endswith("Error: Runtime exited with error: exit status 3\nRuntime.ExitError\n") for line in lines)
    report = [line for line in logged(logs, GROUP + "failing", "REPORT", 2) if line.startswith("REPORT")]
    assert "Status: error\tError Type: Runtime.ExitError" in report[0] and "Status: timeout" in report[1]


def test_a_group_of_its_own_choice_and_levels(server, logs):
    server.create("chosen", "import logging\ndef handler(e, c):\n    logging.getLogger().warning('seen')\n    logging.getLogger().debug('unseen')\n    return c.log_stream_name\n",
                  LoggingConfig={"LogFormat": "JSON", "LogGroup": "/shared/group", "ApplicationLogLevel": "WARN", "SystemLogLevel": "INFO"})
    stream = invoke(server, "chosen", {})
    assert "/chosen[$LATEST]" in stream
    lines = [json.loads(line) for line in logged(logs, "/shared/group", "platform.report")]
    assert [line.get("type") for line in lines] == ["platform.initStart", "platform.start", None, "platform.report"]
    assert lines[2]["message"] == "seen" and lines[2]["level"] == "WARNING" or lines[2]["level"] == "WARN"
    found = messages(logs, "/shared/group", filterPattern='{ $.message = "seen" }')
    assert len(found) == 1


def test_patterns_and_queries(server, logs):
    server.create("queried", TALK)
    ids = [invoke(server, "queried", {"n": n})[2] for n in range(4)]
    group = GROUP + "queried"
    logged(logs, group, "REPORT", 4)
    assert messages(logs, group, filterPattern="begun 2") == ["begun 2\n"]
    assert len(messages(logs, group, filterPattern="?BEGIN ?END")) == 4
    now = int(time.time())
    query = logs.start_query(
        logGroupName=group, startTime=now - 600, endTime=now + 60,
        queryString='filter @type = "REPORT" | stats count(*) as n, max(@duration) as longest by @log | sort n desc')
    results = wait_until(lambda: (r := logs.get_query_results(queryId=query["queryId"]))["status"] == "Complete" and r)
    row = {cell["field"]: cell["value"] for cell in results["results"][0]}
    assert row["n"] == "4" and float(row["longest"]) > 0 and row["@log"] == f"000000000000:{group}"
    query = logs.start_query(
        logGroupNames=[group], startTime=now - 600, endTime=now + 60,
        queryString=f'fields @message | filter @requestId = "{ids[1]}" | sort @timestamp asc')
    results = wait_until(lambda: (r := logs.get_query_results(queryId=query["queryId"]))["status"] == "Complete" and r)
    assert [row[0]["value"].split()[0] for row in results["results"]] == ["START", "END", "REPORT"]
    with pytest.raises(logs.exceptions.MalformedQueryException) as refusal:
        logs.start_query(logGroupName=group, startTime=1, endTime=2, queryString="fields @message | nonsense")
    assert refusal.value.response["queryCompileError"]["location"] == {"startCharOffset": 18, "endCharOffset": 26}


def test_live_tail(server, logs):
    server.create("live", TALK)
    invoke(server, "live", {})
    logged(logs, GROUP + "live", "REPORT")
    stream = logs.start_live_tail(
        logGroupIdentifiers=[f"arn:aws:logs:us-east-1:000000000000:log-group:{GROUP}live"],
        logEventFilterPattern="begun")["responseStream"]
    found = []
    for event in stream:
        if "sessionStart" in event:
            assert event["sessionStart"]["logEventFilterPattern"] == "begun"
            invoke(server, "live", {"n": "tailed"})
        else:
            found += [result["message"] for result in event["sessionUpdate"]["sessionResults"]]
        if found:
            break
    stream.close()
    assert found == ["begun tailed\n"]


def test_subscriptions_invoke_a_function(server, logs):
    server.create("listener", "import json\ndef handler(e, c):\n    print('heard', e['awslogs']['data'])\n")
    server.create("speaker", TALK)
    invoke(server, "speaker", {})
    logged(logs, GROUP + "speaker", "REPORT")
    logs.put_subscription_filter(
        logGroupName=GROUP + "speaker", filterName="to-listener", filterPattern='"begun aloud"',
        destinationArn="arn:aws:lambda:us-east-1:000000000000:function:listener")
    invoke(server, "speaker", {"n": "aloud"})
    line = next(line for line in logged(logs, GROUP + "listener", "heard ") if line.startswith("heard "))
    event = json.loads(gzip.decompress(base64.b64decode(line.split()[1])))
    assert event["messageType"] == "DATA_MESSAGE" and event["logGroup"] == GROUP + "speaker"
    assert event["subscriptionFilters"] == ["to-listener"] and event["owner"] == "000000000000"
    assert [one["message"] for one in event["logEvents"]] == ["begun aloud\n"]


def test_subscriptions_put_records_into_a_stream(server, logs):
    kinesis = client_of(server, "kinesis")
    kinesis.create_stream(StreamName="from-logs", ShardCount=2)
    logs.create_log_group(logGroupName="to-kinesis")
    for stream in ("one", "two"):
        logs.create_log_stream(logGroupName="to-kinesis", logStreamName=stream)
    stream = "arn:aws:kinesis:us-east-1:000000000000:stream/from-logs"
    role = "arn:aws:iam::000000000000:role/logs"
    subscription = {"logGroupName": "to-kinesis", "filterName": "x", "filterPattern": "ERROR", "roleArn": role, "distribution": "ByLogStream"}
    with pytest.raises(logs.exceptions.InvalidParameterException, match="Could not deliver test message to specified Kinesis stream"):
        logs.put_subscription_filter(**{**subscription, "destinationArn": stream + "-not-there"})
    logs.put_subscription_filter(**subscription, destinationArn=stream)
    shown, = logs.describe_subscription_filters(logGroupName="to-kinesis")["subscriptionFilters"]
    assert shown["destinationArn"] == stream and shown["roleArn"] == role and shown["distribution"] == "ByLogStream"
    now = int(time.time() * 1000)
    for n in range(3):
        for name in ("one", "two"):
            logs.put_log_events(logGroupName="to-kinesis", logStreamName=name, logEvents=[{"timestamp": now + n, "message": f"an ERROR {n}"}, {"timestamp": now + n, "message": "fine"}])

    def found():
        records = [(record["PartitionKey"], json.loads(gzip.decompress(record["Data"]))) for record in read_all(kinesis, "from-logs")]
        return [record for record in records if record[1]["messageType"] == "DATA_MESSAGE"], [record for _, record in records if record["messageType"] == "CONTROL_MESSAGE"]
    data, control = wait_until(lambda: sum(len(message["logEvents"]) for _, message in found()[0]) == 6 and found())
    assert len(control) == 1 and control[0]["logEvents"][0]["message"].startswith("CWL CONTROL MESSAGE")
    # The records of a log stream have one key, so that they stay in their order.
    keys = {name: {key for key, message in data if message["logStream"] == name} for name in ("one", "two")}
    assert len(keys["one"]) == len(keys["two"]) == 1 and keys["one"] != keys["two"]
    for name in keys:
        assert [event["message"] for _, message in data if message["logStream"] == name for event in message["logEvents"]] == [f"an ERROR {n}" for n in range(3)]
    assert data[0][1]["owner"] == "000000000000" and data[0][1]["subscriptionFilters"] == ["x"] and data[0][1]["logGroup"] == "to-kinesis"
    logs.put_subscription_filter(**{**subscription, "distribution": "Random"}, destinationArn=stream)
    logs.put_log_events(logGroupName="to-kinesis", logStreamName="one", logEvents=[{"timestamp": now, "message": "ERROR at random"}])
    wait_until(lambda: any("ERROR at random" in event["message"] for key, message in found()[0] for event in message["logEvents"] if key not in keys["one"]))


def test_subscriptions_send_messages_to_a_queue(server, logs):
    sqs = client_of(server, "sqs")
    url = sqs.create_queue(QueueName="from-logs")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    logs.create_log_group(logGroupName="to-a-queue")
    logs.create_log_stream(logGroupName="to-a-queue", logStreamName="s")
    subscription = {"logGroupName": "to-a-queue", "filterName": "x", "filterPattern": "ERROR"}
    with pytest.raises(logs.exceptions.InvalidParameterException, match="Could not find the queue"):
        logs.put_subscription_filter(**subscription, destinationArn=arn + "-not-there")
    logs.put_subscription_filter(**subscription, destinationArn=arn)
    now = int(time.time() * 1000)
    logs.put_log_events(logGroupName="to-a-queue", logStreamName="s", logEvents=[{"timestamp": now, "message": text} for text in ("an ERROR", "fine")])
    message, = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=10)["Messages"]
    event = json.loads(gzip.decompress(base64.b64decode(json.loads(message["Body"])["awslogs"]["data"])))
    assert event["logGroup"] == "to-a-queue" and [one["message"] for one in event["logEvents"]] == ["an ERROR"]


def test_the_command_line(server, logs):
    server.create("shown", TALK)

    def run(*arguments):
        return subprocess.run([program(), "logs", *arguments, "--endpoint", server.endpoint], capture_output=True, text=True, timeout=30)

    assert run("shown").stdout == "" and run("shown").returncode == 0
    invoke(server, "shown", {"n": "one"})
    logged(logs, GROUP + "shown", "REPORT")
    lines = run("shown", "--since", "5m").stdout.splitlines()
    assert len(lines) == 5 and lines[2].endswith("Z begun one")
    assert run("shown", "--filter", "begun").stdout.count("\n") == 1
    assert json.loads(run("shown", "--filter", "begun", "--output", "json").stdout)["message"] == "begun one\n"
    absent = run("nonesuch")
    assert absent.returncode == 2 and "ResourceNotFoundException" in absent.stderr
    follower = subprocess.Popen(
        [program(), "logs", "shown", "--follow", "--filter", "begun", "--endpoint", server.endpoint], stdout=subprocess.PIPE, text=True)
    try:
        assert follower.stdout.readline().endswith("begun one\n")
        invoke(server, "shown", {"n": "two"})
        assert follower.stdout.readline().endswith("begun two\n")
    finally:
        follower.kill()
        follower.wait()


def test_the_aws_command(server, logs):
    server.create("byaws", TALK)
    invoke(server, "byaws", {"n": "x"})
    logged(logs, GROUP + "byaws", "REPORT")
    environment = {**os.environ, "AWS_ENDPOINT_URL": server.endpoint, "AWS_ACCESS_KEY_ID": "test",
                   "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "us-east-1", "AWS_PAGER": ""}
    done = subprocess.run(
        ["aws", "logs", "filter-log-events", "--log-group-name", GROUP + "byaws", "--filter-pattern", "begun", "--endpoint-url", server.endpoint],
        capture_output=True, text=True, timeout=60, env=environment)
    assert done.returncode == 0, done.stderr
    assert [event["message"] for event in json.loads(done.stdout)["events"]] == ["begun x\n"]


@pytest.mark.skipif(not os.path.exists("/usr/bin/aws"), reason="version 2 of the aws command is no package of PyPI's, and Debian's is not installed")
def test_aws_logs_tail(server, logs):
    server.create("tailed", TALK)
    invoke(server, "tailed", {"n": "x"})
    logged(logs, GROUP + "tailed", "REPORT")
    environment = {"PATH": "/usr/bin:/bin", "HOME": new_directory(), "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "x",
                   "AWS_DEFAULT_REGION": "us-east-1", "PYTHONUNBUFFERED": "1"}
    tail = subprocess.Popen(
        ["/usr/bin/aws", "logs", "tail", GROUP + "tailed", "--follow", "--format", "short", "--filter-pattern", "begun",
         "--endpoint-url", server.endpoint], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    try:
        assert tail.stdout.readline().rstrip().endswith("begun x")
        invoke(server, "tailed", {"n": "y"})
        assert tail.stdout.readline().rstrip().endswith("begun y")
    finally:
        tail.kill()
        tail.communicate()


def test_retention_on_the_movable_clock():
    own = Server()
    try:
        logs = client(own)
        own.create("kept", TALK)
        invoke(own, "kept", {})
        logged(logs, GROUP + "kept", "REPORT")
        logs.put_retention_policy(logGroupName=GROUP + "kept", retentionInDays=7)
        advance = [program(), "clock", "advance", "--endpoint", own.endpoint]
        subprocess.run([*advance, "6d"], check=True, capture_output=True)
        assert messages(logs, GROUP + "kept")
        subprocess.run([*advance, "25h"], check=True, capture_output=True)
        assert messages(logs, GROUP + "kept") == []
        [store] = os.listdir(f"{own.state}/logs")
        assert [name for name in os.listdir(f"{own.state}/logs/{store}") if name.endswith(".log")] == []
    finally:
        own.process.terminate()
        own.process.wait(20)


def test_kill_loses_nothing_that_was_shown():
    first = Server()
    logs = client(first)
    first.create("crash", TALK)
    group, stream, _ = invoke(first, "crash", {"n": "before"})
    logs.create_log_group(logGroupName="own")
    logs.create_log_stream(logGroupName="own", logStreamName="s")
    logged(logs, group, "REPORT")
    acknowledged = []
    stop = threading.Event()

    def produce():
        number = 0
        while not stop.is_set():
            batch = [{"timestamp": int(time.time() * 1000), "message": f"m{number + i}"} for i in range(10)]
            try:
                logs.put_log_events(logGroupName="own", logStreamName="s", logEvents=batch)
            except Exception:
                return
            acknowledged.extend(event["message"] for event in batch)
            number += 10

    producer = threading.Thread(target=produce)
    producer.start()
    wait_until(lambda: len(acknowledged) >= 500)
    first.process.send_signal(signal.SIGKILL)
    first.process.wait()
    stop.set()
    producer.join()
    second = Server(state=first.state)
    try:
        logs = client(second)
        assert any(line == "begun before\n" for line in messages(logs, group))
        there = messages(logs, "own")
        assert there[:len(acknowledged)] == acknowledged and len(there) <= len(acknowledged) + 10
        assert [one["logStreamName"] for one in logs.describe_log_streams(logGroupName=group)["logStreams"]] == [stream]
        invoke(second, "crash", {"n": "after"})
        logged(logs, group, "begun after")
    finally:
        second.process.terminate()
        second.process.wait(20)


def test_what_is_printed_last_is_there_after_a_stop():
    own = Server()
    own.create("last", TALK)
    group, _, request = invoke(own, "last", {})
    own.process.terminate()
    own.process.wait(20)
    again = Server(state=own.state)
    try:
        assert any(line.startswith(f"REPORT RequestId: {request}") for line in messages(client(again), group))
    finally:
        again.process.terminate()
        again.process.wait(20)


def test_a_chatty_function_loses_lines_and_slows_nobody(server, logs):
    server.create("chatty", "def handler(e, c):\n    line = 'x' * 999\n    for i in range(20000): print(line)\n    return 1\n", MemorySize=1769, Timeout=60)
    server.create("quiet", "def handler(e, c): return 1\n")
    invoke(server, "quiet", {})
    running = threading.Thread(target=invoke, args=(server, "chatty", {}))
    running.start()
    while running.is_alive():
        assert invoke(server, "quiet", {}) == 1
    running.join()
    logged(logs, GROUP + "chatty", "REPORT")
    body = __import__("urllib.request").request.urlopen(f"{server.endpoint}/_martlet/logs").read()
    counts = json.loads(body)
    query = logs.start_query(logGroupName=GROUP + "chatty", startTime=0, endTime=int(time.time()) + 60, queryString="filter @message like 'xxx' | stats count(*) as n")
    results = wait_until(lambda: (r := logs.get_query_results(queryId=query["queryId"]))["status"] == "Complete" and r)
    assert int(results["results"][0][0]["value"]) + counts["droppedEvents"] >= 20000


def test_export_to_a_bucket(server, logs, name):
    s3, group = client_of(server, "s3"), f"/export/{name}"
    s3.create_bucket(Bucket=name)
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName="a/b")
    now = int(time.time() * 1000)
    logs.put_log_events(logGroupName=group, logStreamName="a/b", logEvents=[{"timestamp": now + i, "message": f"line {i}"} for i in range(3)])
    _, code, _ = error_of(logs.create_export_task, logGroupName=group, fromTime=now, to=now + 1, destination=f"{name}-none")
    assert code == "InvalidParameterException"
    task = logs.create_export_task(taskName="t", logGroupName=group, fromTime=now, to=now + 1, destination=name, destinationPrefix="logs")["taskId"]

    def done():
        found, = logs.describe_export_tasks(taskId=task)["exportTasks"]
        return found if found["status"]["code"] not in ("PENDING", "RUNNING") else None
    assert wait_until(done, what="the export")["status"]["code"] == "COMPLETED"
    keys = [entry["Key"] for entry in s3.list_objects_v2(Bucket=name)["Contents"]]
    assert keys == [f"logs/{task}/a-b/000000.gz", "logs/aws-logs-write-test"] or keys == ["logs/aws-logs-write-test", f"logs/{task}/a-b/000000.gz"]
    lines = gzip.decompress(s3.get_object(Bucket=name, Key=f"logs/{task}/a-b/000000.gz")["Body"].read()).decode().splitlines()
    assert [line.split("Z ")[1] for line in lines] == ["line 0", "line 1"]
    _, code, _ = error_of(logs.cancel_export_task, taskId=task)
    assert code == "InvalidOperationException"


def test_patterns_of_an_insights_query(logs, name):
    group = f"/patterns/{name}"
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName="s")
    now = int(time.time() * 1000)
    logs.put_log_events(
        logGroupName=group, logStreamName="s",
        logEvents=[{"timestamp": now - 3 * 86_400_000, "message": "[INFO] order 1 is paid"}, {"timestamp": now - 3 * 86_400_000 + 1, "message": "[INFO] order 2 is paid"}])
    logs.put_log_events(
        logGroupName=group, logStreamName="s",
        logEvents=[{"timestamp": now + i, "message": f"[INFO] order {i} is paid"} for i in range(5)] + [{"timestamp": now + 9, "message": "[ERROR] out of paper"}])
    day = 86_400
    query = logs.start_query(
        logGroupName=group, startTime=now // 1000 - day, endTime=now // 1000 + day, queryString="pattern @message | diff")["queryId"]
    results = wait_until(lambda: (answer := logs.get_query_results(queryId=query))["status"] == "Complete" and answer["results"], what="the query")
    rows = [{cell["field"]: cell["value"] for cell in row} for row in results]
    assert rows == [
        {"@pattern": "[INFO] order <Number-1> is paid", "@ratio": "0.8333", "@sampleCount": "5", "@severityLabel": "INFO", "@diffEventCount": "3", "@diffEventDescription": "Increased"},
        {"@pattern": "[ERROR] out of paper", "@ratio": "0.1667", "@sampleCount": "1", "@severityLabel": "ERROR", "@diffEventCount": "1", "@diffEventDescription": "New pattern"}]
