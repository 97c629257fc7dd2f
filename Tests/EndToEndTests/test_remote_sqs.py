# Queues at a remote endpoint: an independent implementation (moto) in a process of its own, on a free port of loopback.
import json

import pytest

from conftest import Server, error_of, wait_until
from mappings import Mapped
from test_remote_endpoints import KEYS, Moto


@pytest.fixture(scope="module")
def moto():
    moto = Moto()
    yield moto
    moto.stop()


@pytest.fixture(scope="module")
def remote(moto):
    server = Server("--endpoint", f"sqs={moto.endpoint}", environment=KEYS)
    yield server
    assert server.stop() == 0
    assert " ERROR " not in server.log


class Remote(Mapped):
    """Its queue is moto's."""

    def __init__(self, moto, server, name, made=True, **settings):
        self.moto = moto
        super().__init__(server, name, mapped=False, **settings)
        self.sqs = moto.client("sqs")
        if made:
            self.url = self.sqs.create_queue(QueueName=self.queue, Attributes={
                "VisibilityTimeout": "20", **({"FifoQueue": "true", "ContentBasedDeduplication": "true"} if settings.get("fifo") else {})})["QueueUrl"]

    def left(self):
        attributes = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=["All"])["Attributes"]
        return [int(attributes["ApproximateNumberOfMessages" + kind]) for kind in ("", "NotVisible")]


def test_messages_of_a_remote_queue_invoke_a_function(moto, remote, name):
    mapped = Remote(moto, remote, name)
    mapped.uuid = mapped.map()
    sent = mapped.sqs.send_message(QueueUrl=mapped.url, MessageBody="é\n\"", MessageAttributes={
        "k": {"DataType": "String", "StringValue": "v"}, "b": {"DataType": "Binary", "BinaryValue": b"\x00\xff"}})
    mapped.wait_for(1)
    wait_until(lambda: mapped.left() == [0, 0], 10, "the deletion")
    [run] = mapped.runs()
    [record] = run["event"]["Records"]
    assert (record["messageId"], record["body"], record["md5OfBody"]) == (sent["MessageId"], "é\n\"", sent["MD5OfMessageBody"])
    assert record["eventSourceARN"] == mapped.arn and record["attributes"]["ApproximateReceiveCount"] == "1"
    assert record["messageAttributes"]["k"]["stringValue"] == "v" and record["messageAttributes"]["b"]["binaryValue"] == "AP8="
    mapped.send(*(f"m{i}" for i in range(35)))
    mapped.wait_for(36)
    wait_until(lambda: mapped.left() == [0, 0], 10, "the deletion")
    # Disabling ends the receive that waits there.
    mapped.update(Enabled=False)
    mapped.send("later")
    assert sum(mapped.left()) == 1 and len(mapped.bodies()) == 36


def test_filters_failures_and_batches(moto, remote, name):
    mapped = Remote(moto, remote, name)
    mapped.send("fine", {"report": 1}, {"b": 1})
    mapped.uuid = mapped.map(
        FunctionResponseTypes=["ReportBatchItemFailures"],
        FilterCriteria={"Filters": [{"Pattern": '{"body": ["fine"]}'}, {"Pattern": '{"body": {"report": [1]}}'}]})
    mapped.wait_for(2)
    wait_until(lambda: mapped.left() == [0, 1], 10, "the deletion of two")
    assert set(mapped.bodies()) == {"fine", '{"report": 1}'}
    mapped.update(Enabled=False)


def test_fifo(moto, remote, name):
    mapped = Remote(moto, remote, name, fifo=True)
    mapped.uuid = mapped.map(BatchSize=2)
    for i in range(6):
        mapped.send({"i": i}, group="g")
    mapped.wait_for(6)
    assert [json.loads(body)["i"] for body in mapped.bodies()] == list(range(6))
    mapped.update(Enabled=False)


def test_destinations_are_remote_queues(moto, remote, name):
    mapped = Remote(moto, remote, name)
    mapped.client.put_function_event_invoke_config(FunctionName=name, DestinationConfig={"OnSuccess": {"Destination": mapped.arn}})
    mapped.client.invoke(FunctionName=name, InvocationType="Event", Payload=b'{"Records": []}')
    wait_until(lambda: mapped.left()[0] == 1, 20, "the record")
    record = json.loads(mapped.sqs.receive_message(QueueUrl=mapped.url)["Messages"][0]["Body"])
    assert record["requestContext"]["condition"] == "Success"


def test_what_is_not_there(moto, remote, name, own_server):
    mapped = Remote(moto, remote, name)
    call = mapped.client.create_event_source_mapping
    assert error_of(call, FunctionName=name, EventSourceArn=mapped.arn + "-absent") == (
        400, "InvalidParameterValueException",
        "Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue. SQS Error Message: "
        "The specified queue does not exist.")
    nobody = own_server("--endpoint", "sqs=http://127.0.0.1:1")
    nobody.create("f", "def handler(event, context):\n    pass\n")
    status, code, text = error_of(nobody.client.create_event_source_mapping, FunctionName="f", EventSourceArn=mapped.arn)
    assert (status, code) == (500, "ServiceException") and "The remote endpoint for sqs, http://127.0.0.1:1, could not be used" in text and "--endpoint sqs=" in text


def test_a_queue_that_comes_back(moto, remote, name):
    mapped = Remote(moto, remote, name)
    mapped.uuid = mapped.map()
    mapped.sqs.delete_queue(QueueUrl=mapped.url)
    wait_until(lambda: mapped.client.get_event_source_mapping(UUID=mapped.uuid).get("LastProcessingResult"), 30, "the problem")
    mapped.url = mapped.sqs.create_queue(QueueName=name)["QueueUrl"]
    mapped.send("back")
    mapped.events.advance("2m")
    mapped.wait_for(1)
    mapped.update(Enabled=False)


def test_signatures_are_checked(name, own_server):
    """After the calls that make an identity, moto checks signatures and policies."""
    moto = Moto(action_limit=5)
    try:
        iam, sqs = moto.client("iam"), moto.client("sqs")
        url = sqs.create_queue(QueueName="q")["QueueUrl"]
        sqs.send_message(QueueUrl=url, MessageBody="signed")
        iam.create_user(UserName="u")
        iam.put_user_policy(
            UserName="u", PolicyName="p", PolicyDocument='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sqs:*","Resource":"*"}]}')
        key = iam.create_access_key(UserName="u")["AccessKey"]

        def mapped(secret):
            server = own_server("--endpoint", f"sqs={moto.endpoint}", environment={
                "MARTLET_ENDPOINT_SQS_ACCESS_KEY_ID": key["AccessKeyId"], "MARTLET_ENDPOINT_SQS_SECRET_ACCESS_KEY": secret})
            return Remote(moto, server, "q", made=False)
        wrong = mapped("x" * 40)
        status, code, text = error_of(wrong.client.create_event_source_mapping, FunctionName="q", EventSourceArn=wrong.arn)
        assert (status, code) == (400, "InvalidParameterValueException") and "SQS Error Code: SignatureDoesNotMatch" in text, text
        right = mapped(key["SecretAccessKey"])
        right.map()
        right.wait_for(1)
        assert right.bodies() == ["signed"]
    finally:
        moto.stop()
