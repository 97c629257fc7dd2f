# Queues that invoke functions: the event, failures, batches, filters, order, states. Time passes by moving the clock.
import json
import re
import signal

import pytest

from asynchronous import Events
from conftest import Server, error_of, wait_until
from mappings import ACCOUNT, CODE, Mapped
from test_iam import client_of
from test_sqs import numbers

PARAMETER = (400, "InvalidParameterValueException")


@pytest.fixture(scope="module")
def node():
    """A server whose clock this module moves."""
    server = Server()
    yield server
    assert server.stop() == 0
    assert " ERROR " not in server.log


# The event


def test_the_event_of_a_message(node, name):
    mapped = Mapped(node, name)
    binary = b"\x00\xff"
    sent = mapped.sqs.send_message(QueueUrl=mapped.url, MessageBody='{"é": "\\n"}', MessageAttributes={
        "Title": {"DataType": "String", "StringValue": "The Whistler"}, "Weeks": {"DataType": "Number.int", "StringValue": "6"},
        "Bytes": {"DataType": "Binary", "BinaryValue": binary}})
    mapped.wait_for(1)
    mapped.rest()
    [run] = mapped.runs()
    [record] = run["event"].pop("Records")
    assert run["event"] == {} and run["arn"].endswith(f":function:{name}")
    receipt, attributes = record.pop("receiptHandle"), record.pop("attributes")
    assert len(receipt) > 20
    assert set(attributes) == {"ApproximateReceiveCount", "SentTimestamp", "SenderId", "ApproximateFirstReceiveTimestamp"}
    assert attributes["ApproximateReceiveCount"] == "1" and all(re.fullmatch(r"\d{13}", attributes[k]) for k in attributes if k.endswith("Timestamp"))
    lists = {"stringListValues": [], "binaryListValues": []}
    assert record == {
        "messageId": sent["MessageId"], "body": '{"é": "\\n"}', "md5OfBody": sent["MD5OfMessageBody"],
        "md5OfMessageAttributes": sent["MD5OfMessageAttributes"], "eventSource": "aws:sqs", "eventSourceARN": mapped.arn, "awsRegion": "us-east-1",
        "messageAttributes": {
            "Title": {**lists, "dataType": "String", "stringValue": "The Whistler"}, "Weeks": {**lists, "dataType": "Number.int", "stringValue": "6"},
            "Bytes": {**lists, "dataType": "Binary", "binaryValue": "AP8="}}}
    assert numbers(mapped.sqs, mapped.url) == [0, 0, 0], "what succeeded is deleted"
    mapped.send("plain")
    mapped.wait_for(2)
    assert mapped.runs()[1]["event"]["Records"][0]["messageAttributes"] == {}
    assert mapped.runs()[1]["event"]["Records"][0]["md5OfMessageAttributes"] is None
    mapped.rest()
    counts = mapped.counts()
    assert [counts[k + "EventCount"] for k in ("Polled", "Invoked", "Deleted", "FailedInvoke", "FilteredOut")] == [2, 2, 2, 0, 0]


def test_the_event_of_a_fifo_message(node, name):
    mapped = Mapped(node, name, fifo=True)
    mapped.sqs.send_message(QueueUrl=mapped.url, MessageBody="m", MessageGroupId="g", MessageDeduplicationId="d", MessageSystemAttributes={
        "AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"}})
    mapped.wait_for(1)
    [run] = mapped.runs()
    attributes = run["event"]["Records"][0]["attributes"]
    assert (attributes["MessageGroupId"], attributes["MessageDeduplicationId"]) == ("g", "d") and re.fullmatch(r"\d{20}", attributes["SequenceNumber"])
    assert attributes["AWSTraceHeader"].startswith("Root=1-5759e988-") and run["trace"].startswith("Root=1-5759e988-bd862e3fe1be46a994272793;"), "the trace goes on"


# Failures


@pytest.mark.parametrize("order", [{"fail": 1}, {"exit": 1}], ids=["error", "exit"])
def test_what_fails_three_times_lands_in_the_dead_letter_queue(node, name, order):
    dead = client_of(node, "sqs").create_queue(QueueName=f"{name}-dead")["QueueUrl"]
    redrive = json.dumps({"deadLetterTargetArn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name}-dead", "maxReceiveCount": 3})
    mapped = Mapped(node, name, queue={"RedrivePolicy": redrive, "VisibilityTimeout": "600"})
    mapped.send(order)
    mapped.wait_for(1)
    mapped.rest()
    assert numbers(mapped.sqs, mapped.url) == [0, 1, 0], "it is hidden until its visibility time is over"
    mapped.events.advance("9m")
    assert len(mapped.runs()) == 1
    mapped.events.advance("30m")
    counts = [run["event"]["Records"][0]["attributes"]["ApproximateReceiveCount"] for run in mapped.runs()]
    assert counts == ["1", "2", "3"] and len({run["id"] for run in mapped.runs()}) == 3, "each is an invocation of its own"
    [message] = mapped.sqs.receive_message(QueueUrl=dead)["Messages"]
    assert json.loads(message["Body"]) == order and numbers(mapped.sqs, mapped.url) == [0, 0, 0]
    assert mapped.counts()["FailedInvokeEventCount"] == 3


REPORTS = ["ReportBatchItemFailures"]


def test_partial_failures(node, name):
    mapped = Mapped(node, name, FunctionResponseTypes=REPORTS, Enabled=False)
    mapped.send("good", {"report": 1}, "fine")
    mapped.update(Enabled=True)
    mapped.wait_for(3)
    mapped.rest()
    assert numbers(mapped.sqs, mapped.url) == [0, 1, 0], "those that are not reported are deleted"
    mapped.events.advance("31s")
    assert mapped.batches()[1:] == [['{"report": 1}']]


@pytest.mark.parametrize("answer", [
    None, {}, [], "", {"batchItemFailures": []}, {"batchItemFailures": None}], ids=json.dumps)
def test_answers_that_are_successes(node, name, answer):
    mapped = Mapped(node, name, FunctionResponseTypes=REPORTS)
    mapped.send({"answer": answer})
    mapped.wait_for(1)
    mapped.rest()
    assert numbers(mapped.sqs, mapped.url) == [0, 0, 0]


@pytest.mark.parametrize("answer", [
    {"batchItemFailures": [{"itemIdentifier": ""}]}, {"batchItemFailures": [{"itemIdentifier": None}]}, {"batchItemFailures": [{"foo": "notvalid"}]},
    {"batchItemFailures": [{"itemIdentifier": "unknown"}]}, {"batchItemFailures": ["x"]}, {"batchItemFailures": "x"}], ids=json.dumps)
def test_answers_that_are_failures_of_all(node, name, answer):
    mapped = Mapped(node, name, FunctionResponseTypes=REPORTS, Enabled=False)
    mapped.send({"answer": answer}, "other")
    mapped.update(Enabled=True)
    mapped.wait_for(2)
    mapped.rest()
    assert numbers(mapped.sqs, mapped.url) == [0, 2, 0]
    mapped.update(FunctionResponseTypes=[])
    mapped.events.advance("31s")
    assert numbers(mapped.sqs, mapped.url) == [0, 0, 0], "nobody asks a function that may not report"


def test_throttles_wait_for_room(node, name):
    mapped = Mapped(node, name, mapped=False, queue={"VisibilityTimeout": "600"})
    mapped.client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    mapped.send("m")
    mapped.uuid = mapped.map()
    wait_until(lambda: mapped.counts()["throttles"] > 0, 10, "a throttle")
    mapped.events.advance("1m")
    assert mapped.counts()["throttles"] > 3 and mapped.runs() == []
    mapped.client.delete_function_concurrency(FunctionName=name)
    mapped.events.advance("10s")
    [run] = mapped.runs()
    assert run["event"]["Records"][0]["attributes"]["ApproximateReceiveCount"] == "1", "it was kept meanwhile"
    # What is throttled for as long as its message is hidden goes back, and counts as received.
    mapped.client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    mapped.send("late")
    mapped.events.advance("15m")
    mapped.client.delete_function_concurrency(FunctionName=name)
    mapped.events.advance("10s")
    assert int(mapped.runs()[1]["event"]["Records"][0]["attributes"]["ApproximateReceiveCount"]) >= 2


# Batches


def test_batches_are_as_large_as_they_may_be(node, name):
    mapped = Mapped(node, name, BatchSize=4, Enabled=False)
    mapped.send(*(str(i) for i in range(10)))
    mapped.update(Enabled=True)
    mapped.wait_for(10)
    assert sorted(len(batch) for batch in mapped.batches()) == [2, 4, 4]


def test_windows_gather_more_than_one_receive_brings(node, name):
    mapped = Mapped(node, name, queue={"VisibilityTimeout": "2000"}, BatchSize=1000, MaximumBatchingWindowInSeconds=200)
    mapped.send(*(str(i) for i in range(35)))
    mapped.rest()
    wait_until(lambda: mapped.counts()["PolledEventCount"] == 35, 10, "all messages")
    mapped.events.advance("2m")
    assert mapped.runs() == []
    mapped.events.advance("80s")
    [batch] = mapped.batches()
    assert sorted(batch, key=int) == [str(i) for i in range(35)] and numbers(mapped.sqs, mapped.url) == [0, 0, 0]
    mapped.update(BatchSize=12, MaximumBatchingWindowInSeconds=300)
    mapped.send(*(str(i) for i in range(12)))
    mapped.wait_for(47)
    assert len(mapped.batches()[1]) == 12, "a batch that is full waits for no window"


def test_events_stay_below_six_megabytes(node, name):
    mapped = Mapped(node, name, queue={"MaximumMessageSize": "1048576"}, Enabled=False, function={"MemorySize": 3008})
    for i in range(8):
        mapped.sqs.send_message(QueueUrl=mapped.url, MessageBody=f"{i}" + "x" * 1_000_000)
    mapped.update(Enabled=True)
    mapped.wait_for(8)
    mapped.rest()
    assert sorted(len(batch) for batch in mapped.batches()) == [2, 6] and numbers(mapped.sqs, mapped.url) == [0, 0, 0]


# Filters


@pytest.mark.parametrize("pattern, sent, kept", [
    ({"body": {"a": [1, {"prefix": "x"}]}}, ['{"a": 1.0}', '{"a": "xy"}', '{"a": 2}', '{"b": 1}', "1", "text", '[{"a": 1}]'], [0, 1, 6]),
    ({"body": ["text", {"suffix": "!"}]}, ["text", "so!", '{"a": "text"}', '"text"'], [0, 1]),
    ({"body": {"a": {"b": [{"exists": False}]}}}, ['{"a": {"b": 1}}', '{"a": {"c": 1}}', '{"c": 1}', "text"], [1, 2]),
    ({"body": {"n": [{"numeric": [">", 0, "<=", 5]}], "t": [{"anything-but": ["x"]}]}}, ['{"n": 5, "t": "y"}', '{"n": 0, "t": "y"}', '{"n": 5, "t": "x"}', '{"n": 5}'], [0]),
    ({"body": {"$or": [{"a": [1]}, {"b": [2]}]}}, ['{"a": 1}', '{"b": 2}', '{"a": 2, "b": 1}'], [0, 1]),
    ({"awsRegion": ["eu-west-1"]}, ["a"], []), ({"eventSource": ["aws:sqs"]}, ["a"], [0])], ids=lambda v: json.dumps(v) if isinstance(v, dict) else "")
def test_filters(node, name, pattern, sent, kept):
    mapped = Mapped(node, name, FilterCriteria={"Filters": [{"Pattern": '{"body": ["never"]}'}, {"Pattern": json.dumps(pattern)}]})
    mapped.send(*sent)
    wait_until(lambda: mapped.counts()["DeletedEventCount"] == len(sent), 10, "the end of all messages")
    assert sorted(mapped.bodies()) == sorted(sent[i] for i in kept)
    assert numbers(mapped.sqs, mapped.url) == [0, 0, 0], "what does not match is deleted"
    assert mapped.counts()["FilteredOutEventCount"] == len(sent) - len(kept)
    mapped.update(FilterCriteria={"Filters": []})
    mapped.send("unfiltered")
    mapped.wait_for(len(kept) + 1)


# Order and concurrency


def test_fifo_groups_keep_their_order(node, name):
    mapped = Mapped(node, name, fifo=True, BatchSize=3)
    groups = ("a", "b", "c")
    for i in range(8):
        for group in groups:
            mapped.send({"group": group, "i": i, "sleep": 0.02}, group=group)
    mapped.wait_for(24)
    mapped.rest()
    for group in groups:
        seen = [json.loads(body)["i"] for body in mapped.bodies() if f'"{group}"' in body]
        assert seen == list(range(8))


def test_a_failed_fifo_group_waits_and_others_go_on(node, name):
    mapped = Mapped(node, name, fifo=True, BatchSize=1)
    mapped.send({"i": 0, "fail": 1}, {"i": 1}, group="bad")
    mapped.send({"i": 2}, {"i": 3}, group="good")
    mapped.wait_for(3)
    mapped.rest()
    assert sorted(json.loads(b)["i"] for b in mapped.bodies()) == [0, 2, 3], "the second of the bad group waits for the first"
    mapped.events.advance("31s")
    assert [json.loads(b)["i"] for b in mapped.bodies()][3:] == [0]


def most_at_once(mapped):
    moments = sorted((key, run["kind"]) for key, run in mapped.events.runs(mapped.name))
    most = now = 0
    for _, kind in moments:
        now += 1 if kind == "begin" else -1
        most = max(most, now)
    return most


def test_maximum_concurrency(node, name):
    mapped = Mapped(node, name, BatchSize=1, ScalingConfig={"MaximumConcurrency": 2})
    mapped.send(*({"sleep": 0.05, "i": i} for i in range(12)))
    mapped.wait_for(12)
    mapped.rest()
    assert 1 <= most_at_once(mapped) <= 2


# States


def test_disabled_means_that_nothing_is_invoked(node, name):
    mapped = Mapped(node, name, BatchSize=1, ScalingConfig={"MaximumConcurrency": 2})
    mapped.send(*({"sleep": 0.5, "i": i} for i in range(8)))
    mapped.wait_for(1)
    mapped.client.update_event_source_mapping(UUID=mapped.uuid, Enabled=False)
    mapped.settled(state="Disabled")
    begun, ended = len(mapped.runs()), len(mapped.runs("end"))
    assert begun == ended < 8, "what was under way is over"
    mapped.events.advance("5m")
    assert len(mapped.runs()) == begun and mapped.counts() is None
    assert numbers(mapped.sqs, mapped.url) == [8 - begun, 0, 0], "nothing is lost, nothing is hidden"
    mapped.update(Enabled=True)
    mapped.wait_for(8)
    mapped.rest()
    mapped.client.delete_event_source_mapping(UUID=mapped.uuid)
    wait_until(lambda: mapped.client.list_event_source_mappings(FunctionName=name)["EventSourceMappings"] == [], 10, "its end")
    mapped.send("nobody reads it")
    mapped.rest()
    assert numbers(mapped.sqs, mapped.url) == [1, 0, 0]


def test_versions_aliases_and_updates(node, name):
    mapped = Mapped(node, name, mapped=False)
    mapped.client.publish_version(FunctionName=name)
    mapped.client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    mapped.uuid = mapped.map(f"{name}:live")
    mapped.send("one")
    mapped.wait_for(1)
    assert mapped.runs()[0]["arn"].endswith(f":{name}:live")
    mapped.update(FunctionName=f"{name}:1")
    mapped.send("two")
    mapped.wait_for(2)
    assert mapped.runs()[1]["arn"].endswith(f":{name}:1")


def test_what_is_checked_at_creation(node, name):
    mapped = Mapped(node, name, mapped=False, queue={"VisibilityTimeout": "19"})
    call = mapped.client.create_event_source_mapping
    assert error_of(call, FunctionName=name, EventSourceArn=mapped.arn) == (*PARAMETER, "Queue visibility timeout: 19 seconds is less than Function timeout: 20 seconds")
    assert error_of(call, FunctionName=name, EventSourceArn=mapped.arn + "x") == (
        *PARAMETER, "Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue. SQS Error Message: The specified queue does not exist.")
    client_of(node, "sqs", key="111111111111").create_queue(QueueName=name)
    assert error_of(call, FunctionName=name, EventSourceArn=f"arn:aws:sqs:us-east-1:111111111111:{name}") == (
        *PARAMETER, "The provided execution role does not have permissions to call ReceiveMessage on SQS")
    assert mapped.client.list_event_source_mappings(FunctionName=name)["EventSourceMappings"] == []


def test_queues_and_functions_that_go_and_come(node, name):
    mapped = Mapped(node, name)
    mapped.sqs.delete_queue(QueueUrl=mapped.url)
    shown = wait_until(lambda: (m := mapped.client.get_event_source_mapping(UUID=mapped.uuid)).get("LastProcessingResult") and m, 10, "the problem")
    assert shown["LastProcessingResult"] == "PROBLEM: The queue does not exist." and shown["State"] == "Enabled"
    mapped.events.advance("1h")
    mapped.sqs.create_queue(QueueName=mapped.queue)
    mapped.send("after the queue")
    mapped.wait_for(1)
    assert "LastProcessingResult" not in mapped.client.get_event_source_mapping(UUID=mapped.uuid)
    mapped.rest()
    mapped.client.delete_function(FunctionName=name)
    mapped.send("before the function")
    wait_until(lambda: mapped.counts().get("problem"), 10, "the problem")
    mapped.events.create(name, CODE)
    mapped.events.advance("31s")
    mapped.wait_for(2)


def test_an_idle_mapping_sets_no_alarms(own_server):
    mapped = Mapped(own_server(), "idle")
    mapped.send("one")
    mapped.wait_for(1)
    mapped.rest()
    moved = mapped.events.advance("2y")
    assert moved["rang"] < 10


# Loops


LOOP = """
import http.client, json, os
HEADERS = {'Authorization': 'AWS4-HMAC-SHA256 Credential=%s/20260101/%s/sqs/aws4_request, SignedHeaders=host, Signature=0' % (
    os.environ['AWS_ACCESS_KEY_ID'], os.environ['AWS_REGION']), 'X-Amz-Security-Token': os.environ['AWS_SESSION_TOKEN']}
def handler(event, context):
    call = http.client.HTTPConnection(os.environ['AWS_ENDPOINT_URL'][7:])
    call.request('POST', '/', json.dumps({'QueueUrl': os.environ['QUEUE'], 'MessageBody': 'again'}), HEADERS | {
        'X-Amz-Target': 'AmazonSQS.SendMessage', 'Content-Type': 'application/x-amz-json-1.0', 'X-Amzn-Trace-Id': os.environ['_X_AMZN_TRACE_ID']})
    assert call.getresponse().status == 200
"""


def test_a_function_that_feeds_its_own_queue_is_stopped(node, name):
    sqs = client_of(node, "sqs")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    node.create(name, LOOP, Environment={"Variables": {"QUEUE": url}}, MemorySize=1769)
    node.client.create_event_source_mapping(FunctionName=name, EventSourceArn=f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name}")
    sqs.send_message(QueueUrl=url, MessageBody="first")
    uuid = node.client.list_event_source_mappings(FunctionName=name)["EventSourceMappings"][0]["UUID"]

    def counts():
        return next(p for p in Events(node).page("event-source-mappings")["pollers"] if p["UUID"] == uuid)
    wait_until(lambda: counts()["FailedInvokeEventCount"] == 1, 60, "the end of the loop")
    assert counts()["invocations"] == 16 and numbers(sqs, url)[1] == 1, "the message stays, for the dead-letter queue if there is one"


# Crashes


def test_kill_loses_nothing(own_server):
    mapped = Mapped(own_server(), "f", BatchSize=2)
    sent = [json.dumps({"i": i, "sleep": 0.01}) for i in range(60)]
    mapped.send(*sent)
    mapped.wait_for(6)
    mapped.server.stop(signal.SIGKILL)
    second = own_server(state=mapped.server.state)
    old, mapped.server = mapped.events.bucket, second
    mapped.client, mapped.sqs = second.client, client_of(second, "sqs", checked=False)
    events = mapped.events.__class__(second)
    events.bucket = old
    mapped.events = events
    mapped.url = mapped.sqs.get_queue_url(QueueName="f")["QueueUrl"]
    wait_until(lambda: numbers(mapped.sqs, mapped.url)[0] == 0, 30, "the visible messages")
    mapped.events.advance("1m")
    assert set(mapped.bodies()) == set(sent) and numbers(mapped.sqs, mapped.url) == [0, 0, 0]
