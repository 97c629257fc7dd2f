# Queues as deployment tools manage them, FIFO queues, move tasks, and the query protocol.
import hashlib
import json
import os
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
import xml.etree.ElementTree

import pytest

from conftest import wait_until
from test_iam import client_of
from test_sqs import advance, drain, numbers, refused

NS = "{http://queue.amazonaws.com/doc/2012-11-05/}"
GONE = ("AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist.")


@pytest.fixture
def sqs(server):
    return client_of(server, "sqs", checked=False)


def arn_of(sqs, url):
    return sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def fifo(sqs, name, **attributes):
    return sqs.create_queue(QueueName=f"{name}.fifo", Attributes={"FifoQueue": "true", **attributes})["QueueUrl"]


def test_a_queue_as_terraform_manages_it(sqs, name):
    url = sqs.create_queue(QueueName=name, Attributes={"VisibilityTimeout": "45"}, tags={"a": "1"})["QueueUrl"]
    assert sqs.create_queue(QueueName=name, Attributes={"VisibilityTimeout": "45"})["QueueUrl"] == url
    assert refused(sqs.create_queue, QueueName=name, Attributes={"VisibilityTimeout": "46"}) == (
        "QueueAlreadyExists", "A queue already exists with the same name and a different value for attribute VisibilityTimeout")
    policy = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sqs:*", "Resource": "*"}]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={
        "Policy": policy, "DelaySeconds": "3", "MaximumMessageSize": "2048", "MessageRetentionPeriod": "60", "ReceiveMessageWaitTimeSeconds": "1", "KmsMasterKeyId": "alias/k"})
    read = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert {k: v for k, v in read.items() if not k.endswith("Timestamp")} == {
        "QueueArn": f"arn:aws:sqs:us-east-1:000000000000:{name}", "ApproximateNumberOfMessages": "0", "ApproximateNumberOfMessagesNotVisible": "0",
        "ApproximateNumberOfMessagesDelayed": "0", "VisibilityTimeout": "45", "MaximumMessageSize": "2048", "MessageRetentionPeriod": "60", "DelaySeconds": "3",
        "ReceiveMessageWaitTimeSeconds": "1", "Policy": policy, "KmsMasterKeyId": "alias/k", "KmsDataKeyReusePeriodSeconds": "300", "SqsManagedSseEnabled": "false"}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": "", "KmsMasterKeyId": ""})
    read = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy", "SqsManagedSseEnabled", "CreatedTimestamp"])["Attributes"]
    assert read["SqsManagedSseEnabled"] == "true" and "Policy" not in read and int(read["CreatedTimestamp"])
    sqs.tag_queue(QueueUrl=url, Tags={"b": "2", "a": "3"})
    sqs.untag_queue(QueueUrl=url, TagKeys=["b", "c"])
    assert sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"a": "3"}
    sqs.delete_queue(QueueUrl=url)
    for call in (sqs.get_queue_attributes, sqs.delete_queue, sqs.purge_queue, sqs.receive_message, sqs.list_queue_tags):
        assert refused(call, QueueUrl=url) == GONE
    assert refused(sqs.get_queue_url, QueueName=name) == GONE


def test_the_error_is_also_of_the_modelled_class(sqs):
    with pytest.raises(sqs.exceptions.QueueDoesNotExist):
        sqs.get_queue_url(QueueName="no-such-queue")


def test_bad_attributes_make_no_queue(sqs, name):
    for attributes, code in (
            ({"VisibilityTimeout": "43201"}, "InvalidAttributeValue"), ({"DelaySeconds": "x"}, "InvalidAttributeValue"), ({"Nonsense": "1"}, "InvalidAttributeName"),
            ({"QueueArn": "x"}, "InvalidAttributeName"), ({"FifoQueue": "false"}, "InvalidAttributeName"), ({"ContentBasedDeduplication": "true"}, "InvalidAttributeName"),
            ({"Policy": "{"}, "InvalidAttributeValue"), ({"RedrivePolicy": "x"}, "InvalidParameterValue"), ({"RedriveAllowPolicy": "{}"}, "InvalidParameterValue"),
            ({"FifoQueue": "true"}, "InvalidParameterValue"), ({"MaximumMessageSize": "1023"}, "InvalidAttributeValue")):
        assert refused(sqs.create_queue, QueueName=name, Attributes=attributes)[0] == code, attributes
    for bad in ("", "a b", "x" * 81, "a.fifo", "ä"):
        assert refused(sqs.create_queue, QueueName=bad)[0] in ("InvalidParameterValue", "MissingParameter"), bad
    assert refused(sqs.get_queue_url, QueueName=name) == GONE


def test_lists_are_cut_into_pages_when_asked(sqs, name):
    urls = [sqs.create_queue(QueueName=f"{name}-{i}")["QueueUrl"] for i in range(5)]
    assert sqs.list_queues(QueueNamePrefix=name)["QueueUrls"] == urls
    first = sqs.list_queues(QueueNamePrefix=name, MaxResults=2)
    assert first["QueueUrls"] == urls[:2]
    pages = sqs.get_paginator("list_queues").paginate(QueueNamePrefix=name, PaginationConfig={"PageSize": 2})
    assert [url for page in pages for url in page["QueueUrls"]] == urls
    assert "QueueUrls" not in sqs.list_queues(QueueNamePrefix=f"{name}-x")
    assert refused(sqs.list_queues, MaxResults=0)[0] == refused(sqs.list_queues, NextToken="x")[0] == "InvalidParameterValue"


def test_accounts_and_regions_are_worlds_of_their_own(server, name):
    mine, other, far = (client_of(server, "sqs", key=key, region=region) for key, region in (
        ("111111111111", "us-east-1"), ("222222222222", "us-east-1"), ("111111111111", "eu-west-1")))
    url = mine.create_queue(QueueName=name)["QueueUrl"]
    mine.send_message(QueueUrl=url, MessageBody="m")
    assert refused(other.receive_message, QueueUrl=url)[0] == "AccessDeniedException"
    assert refused(far.receive_message, QueueUrl=url) == GONE
    assert refused(other.get_queue_url, QueueName=name) == GONE
    forms = [f"https://sqs.us-east-1.amazonaws.com/111111111111/{name}", f"https://us-east-1.queue.amazonaws.com/111111111111/{name}",
             f"{server.endpoint}/queue/us-east-1/111111111111/{name}"]
    for form in forms:
        assert far.get_queue_attributes(QueueUrl=form, AttributeNames=["All"])["Attributes"]["ApproximateNumberOfMessages"] == "1", form
    assert mine.get_queue_attributes(QueueUrl=name, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"].endswith(name)


def test_a_purge_is_whole_and_once_a_minute(own_server):
    server = own_server()
    sqs = client_of(server, "sqs")
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    for i in range(30):
        sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": str(j), "MessageBody": "m"} for j in range(10)])
    held = sqs.receive_message(QueueUrl=url)["Messages"][0]
    sqs.purge_queue(QueueUrl=url)
    assert numbers(sqs, url) == [0, 0, 0] and "Messages" not in sqs.receive_message(QueueUrl=url)
    sqs.delete_message(QueueUrl=url, ReceiptHandle=held["ReceiptHandle"])
    assert refused(sqs.purge_queue, QueueUrl=url) == (
        "AWS.SimpleQueueService.PurgeQueueInProgress", "Only one PurgeQueue operation on q is allowed every 60 seconds.")
    sqs.send_message(QueueUrl=url, MessageBody="after")
    assert drain(sqs, url) == ["after"]
    advance(server, "1m")
    sqs.purge_queue(QueueUrl=url)


def test_permissions_are_kept_in_the_policy(sqs, name):
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    sqs.add_permission(QueueUrl=url, Label="one", AWSAccountIds=["111111111111"], Actions=["SendMessage", "ReceiveMessage"])
    policy = json.loads(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]["Policy"])
    assert policy["Statement"] == [{"Sid": "one", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111111111111:root"},
                                    "Action": ["SQS:SendMessage", "SQS:ReceiveMessage"], "Resource": arn_of(sqs, url)}]
    assert refused(sqs.add_permission, QueueUrl=url, Label="one", AWSAccountIds=["111111111111"], Actions=["*"]) == (
        "InvalidParameterValue", "Value one for parameter Label is invalid. Reason: Already exists.")
    assert refused(sqs.add_permission, QueueUrl=url, Label="x", AWSAccountIds=["1"], Actions=["*"])[0] == "InvalidParameterValue"
    assert refused(sqs.add_permission, QueueUrl=url, Label="x", AWSAccountIds=["111111111111"], Actions=["CreateQueue"])[0] == "InvalidParameterValue"
    sqs.remove_permission(QueueUrl=url, Label="one")
    assert refused(sqs.remove_permission, QueueUrl=url, Label="one")[1] == "Value one for parameter Label is invalid. Reason: can't find label."
    assert "Attributes" not in sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])


def test_redrive_policies_name_a_queue_that_allows_it(sqs, name):
    dead = sqs.create_queue(QueueName=f"{name}-dead")["QueueUrl"]
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = arn_of(sqs, dead)

    def redrive(target, count=1):
        return {"QueueUrl": url, "Attributes": {"RedrivePolicy": json.dumps({"deadLetterTargetArn": target, "maxReceiveCount": count})}}

    assert refused(sqs.set_queue_attributes, **redrive(arn + "x"))[1].endswith("Reason: Dead letter target does not exist.")
    assert refused(sqs.set_queue_attributes, **redrive(arn, 1001))[1].endswith("valid values are from 1 to 1000 both inclusive.")
    fifo_arn = arn_of(sqs, fifo(sqs, name))
    assert refused(sqs.set_queue_attributes, **redrive(fifo_arn))[1].endswith("Dead-letter queue must be same type of queue as the source.")
    sqs.set_queue_attributes(QueueUrl=dead, Attributes={"RedriveAllowPolicy": json.dumps({"redrivePermission": "denyAll"})})
    assert refused(sqs.set_queue_attributes, **redrive(arn))[0] == "InvalidParameterValue"
    allow = {"redrivePermission": "byQueue", "sourceQueueArns": [arn_of(sqs, url)]}
    sqs.set_queue_attributes(QueueUrl=dead, Attributes={"RedriveAllowPolicy": json.dumps(allow)})
    sqs.set_queue_attributes(**redrive(arn))
    assert sqs.list_dead_letter_source_queues(QueueUrl=dead)["queueUrls"] == [url]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": ""})
    assert sqs.list_dead_letter_source_queues(QueueUrl=dead)["queueUrls"] == []


# FIFO

def test_a_fifo_queue_keeps_the_order_of_each_group(sqs, name):
    url = fifo(sqs, name)
    sent = [sqs.send_message(QueueUrl=url, MessageBody=f"{group}{i}", MessageGroupId=group, MessageDeduplicationId=f"{group}{i}") for i in range(3) for group in "ab"]
    assert [s["SequenceNumber"] for s in sent] == sorted(s["SequenceNumber"] for s in sent) and len(sent[0]["SequenceNumber"]) == 20
    first = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=2, AttributeNames=["All"])["Messages"]
    assert [m["Body"] for m in first] == ["a0", "a1"]
    assert first[0]["Attributes"]["MessageGroupId"] == "a" and first[0]["Attributes"]["MessageDeduplicationId"] == "a0"
    assert first[0]["Attributes"]["SequenceNumber"] == sent[0]["SequenceNumber"]
    assert [m["Body"] for m in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]] == ["b0", "b1", "b2"]
    assert "Messages" not in sqs.receive_message(QueueUrl=url)
    sqs.delete_message(QueueUrl=url, ReceiptHandle=first[0]["ReceiptHandle"])
    sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=first[1]["ReceiptHandle"], VisibilityTimeout=0)
    assert [m["Body"] for m in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]] == ["a1", "a2"]
    assert refused(sqs.delete_message, QueueUrl=url, ReceiptHandle=first[1]["ReceiptHandle"])[1].endswith("Reason: The receipt handle has expired.")


def test_a_fifo_queue_knows_what_it_was_sent(own_server):
    server = own_server()
    sqs = client_of(server, "sqs", checked=False)
    url = fifo(sqs, "q", ContentBasedDeduplication="true")
    first = sqs.send_message(QueueUrl=url, MessageBody="m", MessageGroupId="g")
    again = sqs.send_message(QueueUrl=url, MessageBody="m", MessageGroupId="other")
    assert (again["MessageId"], again["SequenceNumber"]) == (first["MessageId"], first["SequenceNumber"])
    assert sqs.send_message(QueueUrl=url, MessageBody="m", MessageGroupId="g", MessageDeduplicationId="x")["MessageId"] != first["MessageId"]
    message = sqs.receive_message(QueueUrl=url, AttributeNames=["All"])["Messages"][0]
    assert message["Attributes"]["MessageDeduplicationId"] == hashlib.sha256(b"m").hexdigest()
    assert len(drain(sqs, url)) == 0
    sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0)
    assert len(drain(sqs, url)) == 2
    server.stop(9)
    server = own_server(state=server.state)
    sqs = client_of(server, "sqs", checked=False)
    url = sqs.get_queue_url(QueueName="q.fifo")["QueueUrl"]
    assert sqs.send_message(QueueUrl=url, MessageBody="m", MessageGroupId="g")["MessageId"] == first["MessageId"]
    assert numbers(sqs, url) == [0, 0, 0]
    advance(server, "5m")
    assert sqs.send_message(QueueUrl=url, MessageBody="m", MessageGroupId="g")["MessageId"] != first["MessageId"]
    high = fifo(sqs, "high", DeduplicationScope="messageGroup", FifoThroughputLimit="perMessageGroupId")
    ids = {sqs.send_message(QueueUrl=high, MessageBody="m", MessageGroupId=g, MessageDeduplicationId="d")["MessageId"] for g in "aab"}
    assert len(ids) == 2


def test_what_a_fifo_queue_refuses(sqs, name):
    url = fifo(sqs, name)
    assert refused(sqs.send_message, QueueUrl=url, MessageBody="m", MessageDeduplicationId="d") == (
        "MissingParameter", "The request must contain the parameter MessageGroupId.")
    assert refused(sqs.send_message, QueueUrl=url, MessageBody="m", MessageGroupId="g") == (
        "InvalidParameterValue", "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly")
    assert refused(sqs.send_message, QueueUrl=url, MessageBody="m", MessageGroupId="g", MessageDeduplicationId="d", DelaySeconds=5)[1] == (
        "Value 5 for parameter DelaySeconds is invalid. Reason: The request include parameter that is not valid for this queue type.")
    assert refused(sqs.send_message, QueueUrl=url, MessageBody="m", MessageGroupId="g g", MessageDeduplicationId="d")[0] == "InvalidParameterValue"
    assert refused(sqs.set_queue_attributes, QueueUrl=url, Attributes={"FifoThroughputLimit": "perMessageGroupId"})[0] == "InvalidParameterValue"


def test_a_receive_that_is_made_again_gets_the_same(sqs, name):
    url = fifo(sqs, name, ContentBasedDeduplication="true")
    for body in "abc":
        sqs.send_message(QueueUrl=url, MessageBody=body, MessageGroupId="g")
    first, again = (sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=2, ReceiveRequestAttemptId="1")["Messages"] for _ in range(2))
    assert [(m["Body"], m["ReceiptHandle"]) for m in first] == [(m["Body"], m["ReceiptHandle"]) for m in again]


# Move tasks

def test_a_move_task_brings_messages_back(own_server):
    server = own_server()
    sqs = client_of(server, "sqs", checked=False)
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
    arn = arn_of(sqs, dead)
    assert refused(sqs.start_message_move_task, SourceArn=arn)[1] == "Source queue must be configured as a Dead Letter Queue."
    assert refused(sqs.start_message_move_task, SourceArn=arn + "x")[0] == "ResourceNotFoundException"
    url = sqs.create_queue(QueueName="q", Attributes={"RedrivePolicy": json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 1})})["QueueUrl"]
    for i in range(25):
        sqs.send_message(QueueUrl=url, MessageBody=str(i))
    while sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0).get("Messages"):
        pass
    assert numbers(sqs, dead)[0] == 25
    assert refused(sqs.start_message_move_task, SourceArn=arn, DestinationArn=arn)[0] == "InvalidParameterValue"
    handle = sqs.start_message_move_task(SourceArn=arn)["TaskHandle"]

    def newest():
        return sqs.list_message_move_tasks(SourceArn=arn)["Results"][0]

    wait_until(lambda: newest()["Status"] == "COMPLETED")
    assert newest()["ApproximateNumberOfMessagesMoved"] == newest()["ApproximateNumberOfMessagesToMove"] == 25 and "TaskHandle" not in newest()
    assert numbers(sqs, url)[0] == 25 and numbers(sqs, dead)[0] == 0
    message = sqs.receive_message(QueueUrl=url, AttributeNames=["All"], VisibilityTimeout=0)["Messages"][0]
    assert message["Attributes"]["ApproximateReceiveCount"] == "1" and "DeadLetterQueueSourceArn" not in message["Attributes"]
    assert refused(sqs.cancel_message_move_task, TaskHandle=handle)[0] == "AWS.SimpleQueueService.UnsupportedOperation"
    assert refused(sqs.cancel_message_move_task, TaskHandle="x")[0] == "ResourceNotFoundException"
    # Slowly, elsewhere, and not to the end.
    while sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0).get("Messages"):
        pass
    elsewhere = sqs.create_queue(QueueName="elsewhere")["QueueUrl"]
    handle = sqs.start_message_move_task(SourceArn=arn, DestinationArn=arn_of(sqs, elsewhere), MaxNumberOfMessagesPerSecond=2)["TaskHandle"]
    wait_until(lambda: numbers(sqs, elsewhere)[0] >= 2)
    assert newest()["Status"] == "RUNNING" and newest()["TaskHandle"] == handle
    assert refused(sqs.start_message_move_task, SourceArn=arn)[0] == "AWS.SimpleQueueService.UnsupportedOperation"
    advance(server, "3s")
    assert 6 <= numbers(sqs, elsewhere)[0] < 20
    sqs.cancel_message_move_task(TaskHandle=handle)
    advance(server, "2s")
    assert newest()["Status"] == "CANCELLED"
    assert numbers(sqs, elsewhere)[0] + numbers(sqs, dead)[0] == 25


# The query protocol, and other clients

def query(server, path="/", method="POST", **parameters):
    form = urllib.parse.urlencode({name.replace("_", "."): value for name, value in parameters.items()})
    url = server.endpoint + path + (f"?{form}" if method == "GET" else "")
    request = urllib.request.Request(url, form.encode() if method == "POST" else None, method=method)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, xml.etree.ElementTree.fromstring(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, xml.etree.ElementTree.fromstring(error.read())


def test_the_query_protocol_reads_and_writes_the_same(server, sqs, name):
    form = {"Version": "2012-11-05"}
    status, made = query(server, Action="CreateQueue", QueueName=name, Attribute_1_Name="VisibilityTimeout", Attribute_1_Value="40", Tag_1_Key="k", Tag_1_Value="v", **form)
    assert status == 200 and made.tag == f"{NS}CreateQueueResponse"
    url = made.findtext(f"{NS}CreateQueueResult/{NS}QueueUrl")
    assert url.endswith(f"/000000000000/{name}") and made.find(f"{NS}ResponseMetadata/{NS}RequestId") is not None
    path = urllib.parse.urlparse(url).path
    _, sent = query(server, path, Action="SendMessage", MessageBody="a <b> & ü", MessageAttribute_1_Name="n", MessageAttribute_1_Value_DataType="String",
                    MessageAttribute_1_Value_StringValue="x", **form)
    assert sent.findtext(f".//{NS}MD5OfMessageBody") == hashlib.md5("a <b> & ü".encode()).hexdigest()
    received = sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"], VisibilityTimeout=0)["Messages"][0]
    assert received["Body"] == "a <b> & ü" and received["MessageAttributes"]["n"]["StringValue"] == "x"
    assert sent.findtext(f".//{NS}MD5OfMessageAttributes") == received["MD5OfMessageAttributes"]
    _, got = query(server, Action="ReceiveMessage", QueueUrl=url, AttributeName_1="All", MessageAttributeName_1="n", MaxNumberOfMessages="5", **form)
    message = got.find(f"{NS}ReceiveMessageResult/{NS}Message")
    assert message.findtext(f"{NS}Body") == "a <b> & ü"
    attributes = {a.findtext(f"{NS}Name"): a.findtext(f"{NS}Value") for a in message.findall(f"{NS}Attribute")}
    assert attributes["ApproximateReceiveCount"] == "2"
    assert message.findtext(f"{NS}MessageAttribute/{NS}Value/{NS}StringValue") == "x"
    _, deleted = query(server, path, Action="DeleteMessageBatch", DeleteMessageBatchRequestEntry_1_Id="i", DeleteMessageBatchRequestEntry_2_Id="j",
                       DeleteMessageBatchRequestEntry_1_ReceiptHandle=message.findtext(f"{NS}ReceiptHandle"), DeleteMessageBatchRequestEntry_2_ReceiptHandle="x", **form)
    assert deleted.findtext(f".//{NS}DeleteMessageBatchResultEntry/{NS}Id") == "i"
    assert deleted.findtext(f".//{NS}BatchResultErrorEntry/{NS}Code") == "ReceiptHandleIsInvalid"
    _, read = query(server, path, Action="GetQueueAttributes", AttributeName_1="VisibilityTimeout", AttributeName_2="QueueArn", **form)
    assert {a.findtext(f"{NS}Name"): a.findtext(f"{NS}Value") for a in read.iter(f"{NS}Attribute")} == {"VisibilityTimeout": "40", "QueueArn": arn_of(sqs, url)}
    _, tags = query(server, path, Action="ListQueueTags", **form)
    assert [(t.findtext(f"{NS}Key"), t.findtext(f"{NS}Value")) for t in tags.iter(f"{NS}Tag")] == [("k", "v")]
    _, listed = query(server, "/", "GET", Action="ListQueues", QueueNamePrefix=name, **form)
    assert [u.text for u in listed.iter(f"{NS}QueueUrl")] == [url]
    status, batch = query(server, path, Action="SendMessageBatch", SendMessageBatchRequestEntry_1_Id="1", SendMessageBatchRequestEntry_1_MessageBody="b", **form)
    assert status == 200 and batch.findtext(f".//{NS}SendMessageBatchResultEntry/{NS}Id") == "1"
    status, deleted = query(server, path, "GET", Action="DeleteQueue", **form)
    assert status == 200 and deleted.tag == f"{NS}DeleteQueueResponse" and deleted.find(f"{NS}DeleteQueueResult") is None
    status, error = query(server, path, Action="SendMessage", MessageBody="x", **form)
    assert status == 400 and error.findtext(f"{NS}Error/{NS}Code") == "AWS.SimpleQueueService.NonExistentQueue" and error.findtext(f"{NS}Error/{NS}Type") == "Sender"
    assert query(server, Action="SendMessage", MessageBody="x", **form)[1].findtext(f"{NS}Error/{NS}Code") == "MissingParameter"
    assert query(server, Action="Nonsense", **form)[1].findtext(f"{NS}Error/{NS}Code") == "InvalidAction"


def test_the_aws_command_line(server, name):
    def aws(*arguments):
        done = subprocess.run(
            [sys.executable, "-m", "awscli", "sqs", *arguments, "--endpoint-url", server.endpoint, "--output", "json"], capture_output=True, text=True,
            env={**os.environ, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "us-east-1"})
        return done.returncode, json.loads(done.stdout) if done.stdout.strip() else done.stderr

    url = aws("create-queue", "--queue-name", name)[1]["QueueUrl"]
    assert aws("send-message", "--queue-url", url, "--message-body", "hello")[1]["MD5OfMessageBody"] == hashlib.md5(b"hello").hexdigest()
    message = aws("receive-message", "--queue-url", url, "--wait-time-seconds", "5")[1]["Messages"][0]
    assert message["Body"] == "hello"
    assert aws("delete-message", "--queue-url", url, "--receipt-handle", message["ReceiptHandle"])[0] == 0
    code, error = aws("send-message", "--queue-url", url + "x", "--message-body", "hello")
    assert code and "AWS.SimpleQueueService.NonExistentQueue" in error
