# `martlet top`: functions, queues and the host, as one table, as JSON and live; AWS/SQS metrics, which say the same.
import datetime
import json
import os
import pty
import re
import select
import signal
import subprocess
import time

import boto3
import pytest

from conftest import Server, program, wait_until
from test_cost import martlet

APP = """
def handler(event, context):
    if event.get("fail"): raise ValueError("asked for")
    return "ok"
"""


@pytest.fixture(scope="module")
def server():
    server = Server()
    yield server
    assert server.stop() == 0


def client(server, service, region="us-east-1"):
    return boto3.client(service, endpoint_url=server.endpoint, region_name=region, aws_access_key_id="test", aws_secret_access_key="x")


def top(server):
    return json.loads(martlet(server, "top", "--once", "--output", "json", "--interval", "100ms").stdout)


def row(server, name):
    return next((one for one in top(server)["Functions"] if one["FunctionName"] == name), None)


def test_one_table_has_functions_and_queues(server, name):
    server.create(name, APP)
    for event in [{}, {}, {"fail": True}]:
        server.invoke(name, event)
    server.client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    with pytest.raises(server.client.exceptions.TooManyRequestsException):
        server.invoke(name)
    queue = client(server, "sqs").create_queue(QueueName=f"{name}-q")["QueueUrl"]
    client(server, "sqs").send_message(QueueUrl=queue, MessageBody="a")
    client(server, "sqs").send_message(QueueUrl=queue, MessageBody="b")
    client(server, "sqs").receive_message(QueueUrl=queue)
    client(server, "sqs").send_message(QueueUrl=queue, MessageBody="c", DelaySeconds=600)
    found = wait_until(lambda: (found := row(server, name)) and found["Invocations"] == 3 and found)
    assert found["Errors"] == 1 and found["Throttles"] == 1 and found["ColdStarts"] == 1 and found["Busy"] == 0
    assert 0 < found["P50Ms"] <= found["P95Ms"]
    text = martlet(server, "top", "--once", "--interval", "100ms").stdout
    assert "\x1b" not in text
    assert re.search(rf"^{name} +0 +\d +0\.0 +3 +1 +1 +1 +[0-9.]+ ms +[0-9.]+ ms$", text, re.M), text
    assert re.search(rf"^{name}-q +1 +1 +1 +\d+s$", text, re.M), text
    assert re.search(r"functions, \d+ environments: 0 busy, \d+ idle; concurrency limit 1000$", text, re.M)
    assert re.search(r"^host: [0-9.]+ of [0-9.]+ GB used; server: \d+ MB", text, re.M)
    assert re.search(r"^fast start: (off|\d+ zygotes)", text, re.M)


def test_only_the_callers_region_is_shown(server, name):
    server.create(name, APP)
    server.invoke(name)
    wait_until(lambda: row(server, name))
    there = json.loads(martlet(server, "top", "--once", "--output", "json", "--interval", "100ms", "--region", "eu-west-1").stdout)
    assert there["Functions"] == [] and there["Queues"] == []


def test_the_oldest_event_grows_old(server, name):
    server.create(name, APP)
    # Nothing runs, and events wait.
    server.client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
    server.create(f"{name}-slow", "import time\ndef handler(event, context): time.sleep(3)", Timeout=10)
    server.client.invoke(FunctionName=f"{name}-slow", InvocationType="Event")
    def running():
        events = top(server)["AsynchronousEvents"]
        return events["Running"] == 1 and "OldestSeconds" in events
    wait_until(running)
    wait_until(lambda: "OldestSeconds" not in top(server)["AsynchronousEvents"], what="its end")


def test_it_lives_in_a_terminal_until_it_is_ended(server, name):
    server.create(name, APP)
    server.invoke(name)
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [program(), "top", "--interval", "100ms", "--endpoint", server.endpoint], stdin=theirs, stdout=theirs, stderr=subprocess.PIPE,
        env={**os.environ, "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "test"})
    os.close(theirs)
    seen = b""
    try:
        end = time.monotonic() + 30
        # Two looks, the second over the first.
        while seen.count(b"\x1b[H") < 2 and time.monotonic() < end:
            if select.select([ours], [], [], 1)[0]:
                seen += os.read(ours, 65536)
        assert b"\x1b[?1049h\x1b[?25l" in seen and b"FUNCTION" in seen and name.encode() in seen
        # Two dozen lines, as a terminal has that does not say.
        assert seen.split(b"\x1b[H")[1].count(b"\r\n") < 24
        process.send_signal(signal.SIGINT)
        while select.select([ours], [], [], 5)[0]:
            try:
                more = os.read(ours, 65536)
            except OSError:
                break
            if not more:
                break
            seen += more
        assert process.wait(10) == 0
    finally:
        process.kill()
        os.close(ours)
    # The terminal is as it was.
    assert seen.rstrip().endswith(b"\x1b[?25h\x1b[?1049l")


def test_cloudwatch_knows_queues(server, name):
    sqs, cloudwatch = client(server, "sqs"), client(server, "cloudwatch")
    queue = sqs.create_queue(QueueName=name)["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody="12345")
    sqs.send_message(QueueUrl=queue, MessageBody="123", MessageAttributes={"ab": {"DataType": "String", "StringValue": "c"}})
    sqs.send_message(QueueUrl=queue, MessageBody="later", DelaySeconds=900)
    message, = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=1)["Messages"]
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    sqs.receive_message(QueueUrl=queue, VisibilityTimeout=43200)
    assert not sqs.receive_message(QueueUrl=queue).get("Messages")
    martlet(server, "clock", "advance", "2m")

    def value(metric, statistic):
        now = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)
        points = cloudwatch.get_metric_statistics(
            Namespace="AWS/SQS", MetricName=metric, Dimensions=[{"Name": "QueueName", "Value": name}], StartTime=now - datetime.timedelta(hours=3),
            EndTime=now, Period=86400, Statistics=[statistic])["Datapoints"]
        return points[0][statistic] if points else None
    for metric, statistic, expected in [
        ("NumberOfMessagesSent", "Sum", 3), ("NumberOfMessagesReceived", "Sum", 2), ("NumberOfMessagesDeleted", "Sum", 1),
        ("NumberOfEmptyReceives", "Sum", 1), ("SentMessageSize", "Sum", 5 + 3 + 2 + 6 + 1 + 5), ("SentMessageSize", "Minimum", 5),
        ("ApproximateNumberOfMessagesNotVisible", "Maximum", 1), ("ApproximateNumberOfMessagesDelayed", "Maximum", 1),
        ("ApproximateNumberOfMessagesVisible", "Minimum", 0),
    ]:
        wait_until(lambda: value(metric, statistic) == expected, what=f"{metric} {statistic} = {expected}")
    wait_until(lambda: (value("ApproximateAgeOfOldestMessage", "Maximum") or 0) >= 120, what="the age of the oldest message")


def test_cloudwatch_knows_topics_and_rules(server, name):
    sns, sqs, events, cloudwatch = (client(server, service) for service in ("sns", "sqs", "events", "cloudwatch"))
    topic = sns.create_topic(Name=name)["TopicArn"]
    for suffix, policy in [("all", None), ("some", {"kind": ["x"]})]:
        sqs.create_queue(QueueName=f"{name}-{suffix}")
        sns.subscribe(
            TopicArn=topic, Protocol="sqs", Endpoint=f"arn:aws:sqs:us-east-1:000000000000:{name}-{suffix}",
            Attributes={"FilterPolicy": json.dumps(policy)} if policy else {})
    sns.publish(TopicArn=topic, Message="12345")
    sns.publish(TopicArn=topic, Message="123", MessageAttributes={"kind": {"DataType": "String", "StringValue": "x"}})
    bus = f"{name}-bus"
    events.create_event_bus(Name=bus)
    for where, target in [(bus, f"{name}-all"), ("default", f"{name}-some")]:
        events.put_rule(Name=name, EventBusName=where, EventPattern=json.dumps({"source": [name]}))
        events.put_targets(Rule=name, EventBusName=where, Targets=[{"Id": "1", "Arn": f"arn:aws:sqs:us-east-1:000000000000:{target}"}])
        events.put_events(Entries=[{"Source": name, "DetailType": "t", "Detail": "{}", "EventBusName": where}] * 3)

    def value(space, metric, **dimensions):
        now = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)
        points = cloudwatch.get_metric_statistics(
            Namespace=space, MetricName=metric, Dimensions=[{"Name": key, "Value": text} for key, text in dimensions.items()],
            StartTime=now - datetime.timedelta(hours=3), EndTime=now, Period=86400, Statistics=["Sum"])["Datapoints"]
        return points[0]["Sum"] if points else None
    for metric, expected in [
        ("NumberOfMessagesPublished", 2), ("PublishSize", 5 + 3 + 4 + 6 + 1), ("NumberOfNotificationsDelivered", 3), ("NumberOfNotificationsFilteredOut", 1),
    ]:
        wait_until(lambda: value("AWS/SNS", metric, TopicName=name) == expected, what=f"{metric} = {expected}")
    for dimensions in [{"RuleName": name}, {"RuleName": name, "EventBusName": bus}]:
        for metric in ["MatchedEvents", "TriggeredRules", "Invocations"]:
            wait_until(lambda: value("AWS/Events", metric, **dimensions) == 3, what=f"{metric} of {dimensions}")
        assert value("AWS/Events", "FailedInvocations", **dimensions) is None
