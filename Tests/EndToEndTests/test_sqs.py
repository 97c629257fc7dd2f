# SQS as clients use it: boto3, the aws CLI and the query protocol; standard queues, and what all queues have.
import datetime
import hashlib
import json
import signal
import threading
import urllib.request

import botocore.exceptions
import pytest

from conftest import wait_until
from test_iam import client_of


def refused(call, **parameters):
    with pytest.raises(botocore.exceptions.ClientError) as error:
        call(**parameters)
    return error.value.response["Error"]["Code"], error.value.response["Error"]["Message"]


def numbers(sqs, url):
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return [int(attributes["ApproximateNumberOfMessages" + kind]) for kind in ("", "NotVisible", "Delayed")]


def drain(sqs, url, **settings):
    """Receives and deletes until nothing is left."""
    bodies = []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, **settings).get("Messages", []):
        bodies += [message["Body"] for message in messages]
        sqs.delete_message_batch(QueueUrl=url, Entries=[{"Id": str(i), "ReceiptHandle": m["ReceiptHandle"]} for i, m in enumerate(messages)])
    return bodies


def advance(server, span):
    request = urllib.request.Request(f"{server.endpoint}/_martlet/clock", json.dumps({"advance": span}).encode(), method="POST")
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def offset_of_next(server):
    with urllib.request.urlopen(f"{server.endpoint}/_martlet/clock") as answer:
        clock = json.load(answer)
    moments = [datetime.datetime.fromisoformat(clock[name].replace("Z", "+00:00")) for name in ("next", "now") if clock.get(name)]
    return (moments[0] - moments[1]).total_seconds() if len(moments) == 2 else 0


@pytest.fixture
def sqs(server):
    return client_of(server, "sqs", checked=False)


@pytest.fixture
def url(sqs, name):
    return sqs.create_queue(QueueName=name)["QueueUrl"]


def test_a_message_from_send_to_delete(server, sqs, url, name):
    assert url == f"{server.endpoint}/000000000000/{name}"
    assert sqs.get_queue_url(QueueName=name)["QueueUrl"] == url
    sent = sqs.send_message(
        QueueUrl=url, MessageBody="Grüße <&> 🐦\n", MessageAttributes={
            "text": {"DataType": "String.x", "StringValue": "é"}, "n": {"DataType": "Number", "StringValue": "1.5"},
            "bytes": {"DataType": "Binary", "BinaryValue": b"\x00\xff"}},
        MessageSystemAttributes={"AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1-5759e988-bd862e3fe1be46a994272793"}})
    assert sent["MD5OfMessageBody"] == hashlib.md5("Grüße <&> 🐦\n".encode()).hexdigest() and "SequenceNumber" not in sent
    assert numbers(sqs, url) == [1, 0, 0]
    received = sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"], MessageSystemAttributeNames=["All"])["Messages"][0]
    assert received["MessageId"] == sent["MessageId"] and received["Body"] == "Grüße <&> 🐦\n"
    assert received["MD5OfMessageAttributes"] == sent["MD5OfMessageAttributes"] and received["MD5OfBody"] == sent["MD5OfMessageBody"]
    assert received["MessageAttributes"]["bytes"] == {"DataType": "Binary", "BinaryValue": b"\x00\xff"}
    assert received["MessageAttributes"]["text"] == {"DataType": "String.x", "StringValue": "é"}
    assert received["Attributes"]["ApproximateReceiveCount"] == "1" and received["Attributes"]["AWSTraceHeader"].startswith("Root=1-")
    assert received["Attributes"]["SenderId"] and int(received["Attributes"]["SentTimestamp"]) <= int(received["Attributes"]["ApproximateFirstReceiveTimestamp"])
    assert numbers(sqs, url) == [0, 1, 0]
    assert "Messages" not in sqs.receive_message(QueueUrl=url)
    sqs.delete_message(QueueUrl=url, ReceiptHandle=received["ReceiptHandle"])
    sqs.delete_message(QueueUrl=url, ReceiptHandle=received["ReceiptHandle"])
    assert numbers(sqs, url) == [0, 0, 0]


def test_attributes_are_chosen_by_name_and_prefix(sqs, url):
    sqs.send_message(QueueUrl=url, MessageBody="b", MessageAttributes={
        name: {"DataType": "String", "StringValue": name} for name in ("a.one", "a.two", "b")})

    def receive(**names):
        message = sqs.receive_message(QueueUrl=url, VisibilityTimeout=0, **names)["Messages"][0]
        return sorted(message.get("MessageAttributes", {})), sorted(message.get("Attributes", {}))

    assert receive() == ([], [])
    assert receive(MessageAttributeNames=["a.*"], AttributeNames=["SentTimestamp"]) == (["a.one", "a.two"], ["SentTimestamp"])
    assert receive(MessageAttributeNames=[".*"])[0] == ["a.one", "a.two", "b"]
    assert receive(MessageAttributeNames=["b", "zz"])[0] == ["b"]


def test_batches_answer_entry_by_entry(sqs, url):
    answer = sqs.send_message_batch(QueueUrl=url, Entries=[
        {"Id": "a", "MessageBody": "1"}, {"Id": "b", "MessageBody": ""}, {"Id": "c", "MessageBody": "3", "DelaySeconds": 901}, {"Id": "d", "MessageBody": "4"}])
    assert [entry["Id"] for entry in answer["Successful"]] == ["a", "d"]
    assert {(entry["Id"], entry["SenderFault"], entry["Code"]) for entry in answer["Failed"]} == {("b", True, "MissingParameter"), ("c", True, "InvalidParameterValue")}
    received = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    assert sorted(message["Body"] for message in received) == ["1", "4"]
    changed = sqs.change_message_visibility_batch(QueueUrl=url, Entries=[
        {"Id": "0", "ReceiptHandle": received[0]["ReceiptHandle"], "VisibilityTimeout": 0}, {"Id": "1", "ReceiptHandle": "x", "VisibilityTimeout": 0}])
    assert [e["Id"] for e in changed["Successful"]] == ["0"] and changed["Failed"][0]["Code"] == "ReceiptHandleIsInvalid"
    assert sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"] == received[0]["Body"]
    deleted = sqs.delete_message_batch(QueueUrl=url, Entries=[{"Id": "0", "ReceiptHandle": received[1]["ReceiptHandle"]}, {"Id": "1", "ReceiptHandle": "x"}])
    assert [e["Id"] for e in deleted["Successful"]] == ["0"] and deleted["Failed"][0]["Code"] == "ReceiptHandleIsInvalid"


def test_bad_batches_are_refused_whole(sqs, url):
    entry = {"Id": "a", "MessageBody": "m"}
    assert refused(sqs.send_message_batch, QueueUrl=url, Entries=[]) == (
        "AWS.SimpleQueueService.EmptyBatchRequest", "There should be at least one SendMessageBatchRequestEntry in the request.")
    assert refused(sqs.send_message_batch, QueueUrl=url, Entries=[{**entry, "Id": str(i)} for i in range(11)]) == (
        "AWS.SimpleQueueService.TooManyEntriesInBatchRequest", "Maximum number of entries per request are 10. You have sent 11.")
    assert refused(sqs.send_message_batch, QueueUrl=url, Entries=[entry, entry]) == ("AWS.SimpleQueueService.BatchEntryIdsNotDistinct", "Id a repeated.")
    assert refused(sqs.delete_message_batch, QueueUrl=url, Entries=[{"Id": "a b", "ReceiptHandle": "x"}])[0] == "AWS.SimpleQueueService.InvalidBatchEntryId"
    big = "x" * (600 * 1024)
    assert refused(sqs.send_message_batch, QueueUrl=url, Entries=[{"Id": i, "MessageBody": big} for i in "ab"])[0] == "AWS.SimpleQueueService.BatchRequestTooLong"
    assert numbers(sqs, url) == [0, 0, 0]


def test_bad_messages_change_nothing(sqs, url):
    assert refused(sqs.send_message, QueueUrl=url, MessageBody="") == ("MissingParameter", "The request must contain the parameter MessageBody.")
    assert refused(sqs.send_message, QueueUrl=url)[0] == "MissingParameter"
    assert refused(sqs.send_message, MessageBody="x") == ("MissingParameter", "The request must contain the parameter QueueUrl.")
    for character in ("\x00", "\x0b", "\ufffe"):
        assert refused(sqs.send_message, QueueUrl=url, MessageBody=f"a{character}")[0] == "InvalidMessageContents"
    assert refused(sqs.send_message, QueueUrl=url, MessageBody="x" * 1_048_577) == (
        "InvalidParameterValue", "One or more parameters are invalid. Reason: Message must be shorter than 1048576 bytes.")
    for attribute in ({"DataType": "", "StringValue": "x"}, {"DataType": "Text", "StringValue": "x"}, {"DataType": "String", "StringValue": ""},
                      {"DataType": "Number", "StringValue": "one"}, {"DataType": "Binary", "StringValue": "x"}):
        assert refused(sqs.send_message, QueueUrl=url, MessageBody="x", MessageAttributes={"a": attribute})[0] == "InvalidParameterValue"
    for name in ("AWS.x", ".a", "a..b", "ä", "x" * 257):
        assert refused(sqs.send_message, QueueUrl=url, MessageBody="x", MessageAttributes={name: {"DataType": "String", "StringValue": "x"}})[0] == "InvalidParameterValue"
    eleven = {f"a{i}": {"DataType": "String", "StringValue": "x"} for i in range(11)}
    assert refused(sqs.send_message, QueueUrl=url, MessageBody="x", MessageAttributes=eleven) == (
        "InvalidParameterValue", "Number of message attributes [11] exceeds the allowed maximum [10].")
    assert refused(sqs.send_message, QueueUrl=url, MessageBody="x", MessageDeduplicationId="d")[0] == "InvalidParameterValue"
    assert refused(sqs.receive_message, QueueUrl=url, MaxNumberOfMessages=11)[1] == (
        "Value 11 for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided.")
    assert refused(sqs.receive_message, QueueUrl=url, WaitTimeSeconds=21)[0] == "InvalidParameterValue"
    assert refused(sqs.receive_message, QueueUrl=url, VisibilityTimeout=43201)[0] == "InvalidParameterValue"
    assert numbers(sqs, url) == [0, 0, 0]
    sqs.send_message(QueueUrl=url, MessageBody="x" * 1_048_576)


def test_a_waiting_receive_is_woken_by_a_send(sqs, url):
    begun = threading.Event()
    answers = []

    def receive():
        begun.set()
        answers.append(sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20))

    receivers = [threading.Thread(target=receive) for _ in range(3)]
    for receiver in receivers:
        receiver.start()
    begun.wait()
    for body in "abc":
        sqs.send_message(QueueUrl=url, MessageBody=body)
    for receiver in receivers:
        receiver.join(15)
    assert sorted(answer["Messages"][0]["Body"] for answer in answers) == ["a", "b", "c"]


def test_delays_and_visibility_follow_the_clock(own_server):
    server = own_server()
    sqs = client_of(server, "sqs", checked=False)
    url = sqs.create_queue(QueueName="q", Attributes={"DelaySeconds": "900", "VisibilityTimeout": "60", "MessageRetentionPeriod": "3600"})["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="late")
    sqs.send_message(QueueUrl=url, MessageBody="soon", DelaySeconds=10)
    assert numbers(sqs, url) == [0, 0, 2] and "Messages" not in sqs.receive_message(QueueUrl=url)
    advance(server, "10s")
    soon = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    assert [m["Body"] for m in soon] == ["soon"]
    advance(server, "61s")
    again = sqs.receive_message(QueueUrl=url, AttributeNames=["All"])["Messages"][0]
    assert again["Body"] == "soon" and again["Attributes"]["ApproximateReceiveCount"] == "2" and again["ReceiptHandle"] != soon[0]["ReceiptHandle"]
    sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=again["ReceiptHandle"], VisibilityTimeout=1000)
    advance(server, "15m")
    assert [m["Body"] for m in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]] == ["late"]
    assert refused(sqs.change_message_visibility, QueueUrl=url, ReceiptHandle=again["ReceiptHandle"], VisibilityTimeout=43_000)[1] == (
        "Value 43000 for parameter VisibilityTimeout is invalid. Reason: Total VisibilityTimeout for the message is beyond the limit [43200 seconds].")
    advance(server, "1h")
    assert "Messages" not in sqs.receive_message(QueueUrl=url) and numbers(sqs, url) == [0, 0, 0]


def test_a_long_receive_ends_with_its_time(own_server):
    server = own_server()
    sqs = client_of(server, "sqs")
    url = sqs.create_queue(QueueName="q", Attributes={"ReceiveMessageWaitTimeSeconds": "20"})["QueueUrl"]
    answers = []
    receiver = threading.Thread(target=lambda: answers.append(sqs.receive_message(QueueUrl=url)))
    receiver.start()
    while receiver.is_alive():
        advance(server, "20s")
    assert "Messages" not in answers[0]
    receiver = threading.Thread(target=lambda: answers.append(sqs.receive_message(QueueUrl=url)))
    receiver.start()
    # The alarm of its end tells that it waits.
    wait_until(lambda: 0 < offset_of_next(server) <= 20)
    assert server.stop() == 0
    receiver.join(10)
    assert len(answers) == 2 and "Messages" not in answers[1]


def test_too_often_received_goes_to_the_dead_letter_queue(own_server):
    server = own_server()
    sqs = client_of(server, "sqs", checked=False)
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    assert arn == "arn:aws:sqs:us-east-1:000000000000:dead"
    url = sqs.create_queue(QueueName="q", Attributes={"RedrivePolicy": json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": "2"})})["QueueUrl"]
    sent = sqs.send_message(QueueUrl=url, MessageBody="poison", MessageAttributes={"a": {"DataType": "String", "StringValue": "b"}})
    for _ in range(2):
        assert sqs.receive_message(QueueUrl=url, VisibilityTimeout=30)["Messages"][0]["Body"] == "poison"
        advance(server, "30s")
    assert "Messages" not in sqs.receive_message(QueueUrl=url)
    assert numbers(sqs, url) == [0, 0, 0] and numbers(sqs, dead) == [1, 0, 0]
    message = sqs.receive_message(QueueUrl=dead, AttributeNames=["All"], MessageAttributeNames=["All"])["Messages"][0]
    assert message["MessageId"] == sent["MessageId"] and message["MessageAttributes"]["a"]["StringValue"] == "b"
    assert message["Attributes"]["DeadLetterQueueSourceArn"] == "arn:aws:sqs:us-east-1:000000000000:q"
    assert sqs.list_dead_letter_source_queues(QueueUrl=dead)["queueUrls"] == [url]
    # Without its dead-letter queue a message is received for ever.
    sqs.send_message(QueueUrl=url, MessageBody="stays")
    sqs.delete_queue(QueueUrl=dead)
    for _ in range(5):
        assert sqs.receive_message(QueueUrl=url, VisibilityTimeout=0)["Messages"][0]["Body"] == "stays"


def test_what_was_acknowledged_survives_a_kill(own_server):
    server = own_server()
    sqs = client_of(server, "sqs")
    url = sqs.create_queue(QueueName="q", tags={"a": "b"})["QueueUrl"]
    for body in "abc":
        sqs.send_message(QueueUrl=url, MessageBody=body)
    first = sqs.receive_message(QueueUrl=url)["Messages"][0]
    sqs.delete_message(QueueUrl=url, ReceiptHandle=first["ReceiptHandle"])
    server.stop(signal.SIGKILL)
    second = own_server(state=server.state)
    sqs = client_of(second, "sqs")
    url = sqs.get_queue_url(QueueName="q")["QueueUrl"]
    assert sorted(drain(sqs, url)) == sorted({"a", "b", "c"} - {first["Body"]})
    assert sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"a": "b"}
