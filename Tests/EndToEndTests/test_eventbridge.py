# EventBridge as clients use it: rules and their targets, transformers, dead letters by the clock, archives, crashes.
import datetime
import json
import signal
import subprocess
import sys
import urllib.request

import pytest

from conftest import error_of, wait_until
from test_iam import client_of
from test_kinesis import read_all
from test_sqs import advance, drain

ACCOUNT = "000000000000"
WORKS = "def handler(event, context):\n    return {'got': event['what']}\n"
FAILS = "def handler(event, context):\n    raise ValueError('no ' + event['what'])\n"


def arn(service, resource):
    return f"arn:aws:{service}:us-east-1:{ACCOUNT}:{resource}"


@pytest.fixture
def events(server):
    return client_of(server, "events")


@pytest.fixture
def sqs(server):
    return client_of(server, "sqs")


@pytest.fixture
def url(sqs, name):
    return sqs.create_queue(QueueName=name)["QueueUrl"]


def make_rule(events, name, *targets, source=None, bus="default", **pattern):
    events.put_rule(Name=name, EventBusName=bus, EventPattern=json.dumps({"source": [source or name]} | pattern))
    answer = events.put_targets(Rule=name, EventBusName=bus, Targets=[{"Id": str(i), **target} for i, target in enumerate(targets)])
    assert answer["FailedEntryCount"] == 0 and answer["FailedEntries"] == []


def put(events, source, detail, **entry):
    answer = events.put_events(Entries=[{"Source": source, "DetailType": "t", "Detail": json.dumps(detail), **entry}])
    assert answer["FailedEntryCount"] == 0
    return answer["Entries"][0]["EventId"]


def received(sqs, url, count=1):
    messages = []
    while len(messages) < count:
        messages += sqs.receive_message(QueueUrl=url, WaitTimeSeconds=10, MaxNumberOfMessages=10, MessageAttributeNames=["All"]).get("Messages") or pytest.fail(f"{messages}")
    return messages


def test_an_event_reaches_a_queue_as_it_was_put(events, sqs, url, name):
    make_rule(events, name, {"Arn": arn("sqs", name)}, detail={"state": ["running"], "n": [{"numeric": [">", 1]}]})
    time = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)
    put(events, name, {"state": "stopped", "n": 2})
    id = put(events, name, {"state": "running", "n": 2.5}, Time=time, Resources=["arn:x"])
    assert json.loads(received(sqs, url)[0]["Body"]) == {
        "version": "0", "id": id, "detail-type": "t", "source": name, "account": ACCOUNT, "time": "2026-01-02T03:04:05Z", "region": "us-east-1",
        "resources": ["arn:x"], "detail": {"state": "running", "n": 2.5}}
    assert drain(sqs, url) == []


def test_an_event_starts_a_function(server, events, sqs, url, name):
    server.create(name, "def handler(event, context):\n    return event\n")
    server.client.put_function_event_invoke_config(FunctionName=name, DestinationConfig={"OnSuccess": {"Destination": arn("sqs", name)}})
    make_rule(events, name, {"Arn": arn("lambda", f"function:{name}")})
    id = put(events, name, {"a": [1, None]})
    record = json.loads(received(sqs, url)[0]["Body"])
    assert record["requestPayload"]["id"] == id and record["responsePayload"]["detail"] == {"a": [1, None]}


def test_an_event_becomes_a_message_of_a_topic(server, events, sqs, url, name):
    sns = client_of(server, "sns")
    topic = sns.create_topic(Name=name)["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn("sqs", name), Attributes={"RawMessageDelivery": "true"})
    make_rule(events, name, {"Arn": topic, "InputPath": "$.detail"})
    put(events, name, {"b": "x"})
    assert json.loads(received(sqs, url)[0]["Body"]) == {"b": "x"}


def test_another_bus_passes_on(events, sqs, url, name):
    bus = events.create_event_bus(Name=name, Tags=[{"Key": "k", "Value": "v"}])["EventBusArn"]
    make_rule(events, name, {"Arn": bus})
    make_rule(events, f"{name}-on", {"Arn": arn("sqs", name)}, source=name, bus=name)
    id = put(events, name, {})
    assert json.loads(received(sqs, url)[0]["Body"])["id"] == id
    # What is put on the bus itself comes as well; a bus that is not there takes everything and keeps nothing.
    id = put(events, name, {}, EventBusName=bus)
    assert json.loads(received(sqs, url)[0]["Body"])["id"] == id
    put(events, name, {}, EventBusName="no-such-bus")
    assert [found["Name"] for found in events.list_event_buses(NamePrefix=name)["EventBuses"]] == [name]
    assert events.list_tags_for_resource(ResourceARN=bus)["Tags"] == [{"Key": "k", "Value": "v"}]


def test_transformers_make_the_input(events, sqs, url, name):
    queue = arn("sqs", name)
    make_rule(
        events, name, {"Arn": queue, "Input": '{"constant": 1}'}, {"Arn": queue, "InputPath": "$.detail.tags[1]"},
        {"Arn": queue, "InputTransformer": {"InputPathsMap": {"who": "$.detail.who", "tags": "$.detail.tags"}, "InputTemplate": '{"w": <who>, "t": <tags>, "s": "<who> by <aws.events.rule-name>"}'}},
        {"Arn": queue, "InputTransformer": {"InputPathsMap": {"who": "$.detail.who"}, "InputTemplate": '"hello <who>"'}})
    put(events, name, {"who": 'a "b"', "tags": ["x", {"y": 2}]})
    bodies = {json.dumps(json.loads(message["Body"])) for message in received(sqs, url, 4)}
    assert bodies == {json.dumps(body) for body in (
        {"constant": 1}, {"y": 2}, {"w": 'a "b"', "t": ["x", {"y": 2}], "s": f'a "b" by {name}'}, 'hello a "b"')}
    target = events.list_targets_by_rule(Rule=name)["Targets"][2]
    assert target["InputTransformer"]["InputPathsMap"] == {"who": "$.detail.who", "tags": "$.detail.tags"}


def test_a_log_group_gets_events(server, events, sqs, url, name):
    logs = client_of(server, "logs")
    group = f"/aws/events/{name}"
    logs.create_log_group(logGroupName=group)
    template = {"InputPathsMap": {"at": "$.time", "who": "$.detail.who"}, "InputTemplate": '{"timestamp": <at>, "message": "<who> came"}'}
    letters = {"DeadLetterConfig": {"Arn": arn("sqs", name)}}
    make_rule(
        events, name, {"Arn": arn("logs", f"log-group:{group}")}, {"Arn": arn("logs", f"log-group:{group}:*"), "InputPath": "$.detail"},
        {"Arn": arn("logs", f"log-group:{group}"), "InputTransformer": template}, {"Arn": arn("logs", f"log-group:{group}"), "Input": '{"no": "message"}', **letters},
        {"Arn": arn("logs", "log-group:/aws/events/no-such-group"), **letters})
    time = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
    id = put(events, name, {"who": "a"}, Time=time)

    def found():
        return [event for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group) for event in page["events"]]
    entries = wait_until(lambda: len(found()) == 3 and found())
    assert {entry["timestamp"] for entry in entries} == {int(time.timestamp() * 1000)} and len({entry["logStreamName"] for entry in entries}) == 3
    texts = {entry["message"] for entry in entries}
    assert {'{"who":"a"}', "a came"} < texts and json.loads((texts - {'{"who":"a"}', "a came"}).pop())["id"] == id
    codes = {letter["MessageAttributes"]["ERROR_CODE"]["StringValue"] for letter in received(sqs, url, 2)}
    assert codes == {"INVALID_PARAMETER", "NO_RESOURCE"}
    assert error_of(events.put_targets, Rule=name, Targets=[{"Id": "x", "Arn": arn("logs", "log-group:g:log-stream:s")}])[1] == "ValidationException"


def test_a_stream_gets_events(server, events, sqs, url, name):
    kinesis = client_of(server, "kinesis")
    kinesis.create_stream(StreamName=name, ShardCount=2)
    stream = arn("kinesis", f"stream/{name}")
    letters = {"DeadLetterConfig": {"Arn": arn("sqs", name)}}
    make_rule(
        events, name, {"Arn": stream, "KinesisParameters": {"PartitionKeyPath": "$.detail.who"}, "InputPath": "$.detail"}, {"Arn": stream},
        {"Arn": arn("kinesis", "stream/no-such-stream"), **letters})
    id = put(events, name, {"who": "a"})

    def found():
        return [(record["PartitionKey"], json.loads(record["Data"])) for record in read_all(kinesis, name)]
    records = dict(wait_until(lambda: len(found()) == 2 and found()))
    assert records["a"] == {"who": "a"} and records[id]["id"] == id
    assert received(sqs, url)[0]["MessageAttributes"]["ERROR_CODE"]["StringValue"] == "NO_RESOURCE"
    assert error_of(events.put_targets, Rule=name, Targets=[{"Id": "x", "Arn": arn("kinesis", "channel/x")}])[1] == "ValidationException"


def test_a_fifo_queue_gets_events_in_order(events, sqs, name):
    url = sqs.create_queue(QueueName=f"{name}.fifo", Attributes={"FifoQueue": "true", "ContentBasedDeduplication": "true"})["QueueUrl"]
    make_rule(events, name, {"Arn": arn("sqs", f"{name}.fifo"), "InputPath": "$.detail.n", "SqsParameters": {"MessageGroupId": "g"}})
    for n in range(0, 30, 10):
        events.put_events(Entries=[{"Source": name, "DetailType": "t", "Detail": json.dumps({"n": n + i})} for i in range(10)])
    bodies = []
    while len(bodies) < 30:
        messages = received(sqs, url)
        bodies += [int(message["Body"]) for message in messages]
        for message in messages:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    assert bodies == list(range(30))


def test_what_nobody_takes_is_a_dead_letter(server, events, sqs, url, name):
    missing = arn("lambda", "function:no-such-function")
    make_rule(events, name, {"Arn": missing, "DeadLetterConfig": {"Arn": arn("sqs", name)}})
    id = put(events, name, {"a": 1})
    letter = received(sqs, url)[0]
    assert json.loads(letter["Body"])["id"] == id
    attributes = {key: value["StringValue"] for key, value in letter["MessageAttributes"].items()}
    assert attributes.pop("ERROR_MESSAGE").startswith("Function not found: ")
    assert attributes == {"RULE_ARN": arn("events", f"rule/{name}"), "TARGET_ARN": missing, "ERROR_CODE": "NO_RESOURCE"}

    def tally():
        with urllib.request.urlopen(f"{server.endpoint}/_martlet/eventbridge") as answer:
            return json.load(answer)["rules"][attributes["RULE_ARN"]]
    counted = wait_until(lambda: tally()["deadLetters"] and tally())
    assert counted.pop("lastFailure").startswith(f"{missing}: ResourceNotFoundException: Function not found: ")
    assert counted == {"matched": 1, "delivered": 0, "failures": 1, "deadLetters": 1, "dropped": 0}


def test_refusals(events, name):
    assert error_of(events.describe_rule, Name=name) == (400, "ResourceNotFoundException", f"Rule {name} does not exist on EventBus default.")
    _, code, message = error_of(events.put_rule, Name=name, EventPattern='{"source": "x"}')
    assert code == "InvalidEventPatternException" and message.startswith('Event pattern is not valid. Reason: "source" must be an object or an array\n at [Source: (String)')
    answer = events.put_events(Entries=[{"Source": "aws.s3", "DetailType": "t", "Detail": "{}"}, {"Source": "s", "DetailType": "t", "Detail": "x"}])
    assert [entry["ErrorCode"] for entry in answer["Entries"]] == ["NotAuthorizedForSourceException", "MalformedDetail"]
    _, code, message = error_of(events.create_endpoint, Name="e", RoutingConfig={"FailoverConfig": {"Primary": {"HealthCheck": "arn:aws:route53:::healthcheck/x"}, "Secondary": {"Route": "us-east-1"}}}, EventBuses=[{"EventBusArn": arn("events", "event-bus/a")}, {"EventBusArn": arn("events", "event-bus/b")}])
    assert code == "NotImplementedException" and "EventBridge.CreateEndpoint" in message
    event = {"id": "1", "account": "1", "source": "s", "time": "t", "region": "r", "resources": [], "detail-type": "d", "detail": {"ip": "10.0.0.7"}}
    for pattern, result in (({"detail": {"ip": [{"cidr": "10.0.0.0/24"}]}}, True), ({"detail": {"ip": [{"wildcard": "10.*.8"}]}}, False)):
        assert events.test_event_pattern(EventPattern=json.dumps(pattern), Event=json.dumps(event))["Result"] is result


def test_the_command_line(server, events, sqs, url, name):
    make_rule(events, name, {"Arn": arn("sqs", name)})
    entries = json.dumps([{"Source": name, "DetailType": "t", "Detail": '{"cli": true}'}])
    environment = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "us-east-1", "PATH": "/usr/bin:/bin"}
    subprocess.run([sys.executable, "-m", "awscli", "--endpoint-url", server.endpoint, "events", "put-events", "--entries", entries], env=environment, check=True, capture_output=True)
    assert json.loads(received(sqs, url)[0]["Body"])["detail"] == {"cli": True}


def test_records_of_asynchronous_invocation_are_events(server, events, sqs, url, name):
    bus = events.create_event_bus(Name=name)["EventBusArn"]
    make_rule(events, name, {"Arn": arn("sqs", name)}, source="lambda", bus=name)
    for function, code in ((f"{name}-works", WORKS), (f"{name}-fails", FAILS)):
        server.create(function, code)
        server.client.put_function_event_invoke_config(FunctionName=function, MaximumRetryAttempts=0, DestinationConfig={"OnSuccess": {"Destination": bus}, "OnFailure": {"Destination": bus}})
    for function, kind in ((f"{name}-works", "Success"), (f"{name}-fails", "Failure")):
        invoked = server.client.invoke(FunctionName=function, InvocationType="Event", Payload=b'{"what": "luck"}')
        message = received(sqs, url)[0]
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        event = json.loads(message["Body"])
        assert event["source"] == "lambda" and event["detail-type"] == f"Lambda Function Invocation Result - {kind}" and event["account"] == ACCOUNT
        assert event["resources"] == [bus, arn("lambda", f"function:{function}:$LATEST")]
        detail = event["detail"]
        assert detail["version"] == "1.0" and detail["requestPayload"] == {"what": "luck"}
        assert detail["requestContext"]["requestId"] == invoked["ResponseMetadata"]["RequestId"] and detail["requestContext"]["approximateInvokeCount"] == 1
        assert detail["requestContext"]["condition"] == ("Success" if kind == "Success" else "RetriesExhausted")
        assert detail["responsePayload"] == {"got": "luck"} if kind == "Success" else detail["responsePayload"]["errorMessage"] == "no luck"


def test_archives_replay_and_forget_by_the_clock(own_server):
    server = own_server()
    events, sqs = client_of(server, "events"), client_of(server, "sqs")
    urls = {name: sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("one", "two")}
    for name in urls:
        make_rule(events, name, {"Arn": arn("sqs", name)}, source="shop")
    bus = arn("events", "event-bus/default")
    archive = events.create_archive(ArchiveName="kept", EventSourceArn=bus, RetentionDays=3, EventPattern='{"detail": {"n": [{"exists": true}]}}')["ArchiveArn"]
    ids = [put(events, "shop", {"n": n}) for n in range(3)]
    put(events, "shop", {"m": 1})
    advance(server, "1m")
    assert events.describe_archive(ArchiveName="kept")["EventCount"] == 3
    for url in urls.values():
        assert len(drain(sqs, url)) == 4
    start = datetime.datetime(2020, 1, 1)
    events.start_replay(ReplayName="again", EventSourceArn=archive, EventStartTime=start, EventEndTime=datetime.datetime(2100, 1, 1), Destination={"Arn": bus, "FilterArns": [arn("events", "rule/two")]})
    wait_until(lambda: events.describe_replay(ReplayName="again")["State"] == "COMPLETED")
    advance(server, "1s")
    replayed = [json.loads(body) for body in drain(sqs, urls["two"])]
    assert sorted(event["id"] for event in replayed) == sorted(ids) and {event["replay-name"] for event in replayed} == {"again"}
    assert drain(sqs, urls["one"]) == []
    server.stop(signal.SIGKILL)
    server = own_server(state=server.state)
    events = client_of(server, "events")
    assert events.describe_archive(ArchiveName="kept")["EventCount"] == 3 and len(events.list_replays()["Replays"]) == 1
    advance(server, "72h")
    assert events.describe_archive(ArchiveName="kept")["EventCount"] == 0


def test_a_crash_loses_no_event_that_was_taken(own_server):
    server = own_server()
    events, sqs = client_of(server, "events"), client_of(server, "sqs")
    sqs.create_queue(QueueName="q")
    make_rule(events, "all", {"Arn": arn("sqs", "q")}, source="s")
    taken = set()
    for round in range(3):
        for _ in range(20):
            answer = events.put_events(Entries=[{"Source": "s", "DetailType": "t", "Detail": "{}"}] * 10)
            taken |= {entry["EventId"] for entry in answer["Entries"]}
        server.stop(signal.SIGKILL)
        server = own_server(state=server.state)
        events = client_of(server, "events")
    advance(server, "1m")
    sqs = client_of(server, "sqs")
    assert {json.loads(body)["id"] for body in drain(sqs, sqs.get_queue_url(QueueName="q")["QueueUrl"])} == taken and len(taken) == 600
