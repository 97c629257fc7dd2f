# What happens in buckets is told to queues, functions and buses: records, filters, refusals, crashes.
import concurrent.futures
import io
import json
import re
import signal
import threading

import boto3
import botocore.exceptions
import pytest

from conftest import error_of, wait_until
from test_iam import client_of
from test_s3 import s3_of, send
from test_sqs import advance

ACCOUNT = "000000000000"
EMPTY = "d41d8cd98f00b204e9800998ecf8427e"


def queue_arn(name, region="us-east-1"):
    return f"arn:aws:sqs:{region}:{ACCOUNT}:{name}"


@pytest.fixture
def sqs(server):
    return client_of(server, "sqs")


class Told:
    """A bucket, and a queue that is told of it."""

    def __init__(self, server, s3, sqs, name):
        self.server, self.s3, self.sqs = server, s3, sqs
        self.bucket = re.sub("[^a-z0-9]", "", name.lower())[:40] + "-told"
        self.queue = self.bucket
        s3.create_bucket(Bucket=self.bucket)
        self.url = sqs.create_queue(QueueName=self.queue)["QueueUrl"]
        self.arn = queue_arn(self.queue)

    def configure(self, events=("s3:ObjectCreated:*",), filters=(), id="the rule", **more):
        rules = [{"Name": name, "Value": value} for name, value in filters]
        self.s3.put_bucket_notification_configuration(Bucket=self.bucket, NotificationConfiguration={
            "QueueConfigurations": [{
                "Id": id, "QueueArn": self.arn, "Events": list(events),
                **({"Filter": {"Key": {"FilterRules": rules}}} if rules else {})}], **more})
        assert self.receive()["Event"] == "s3:TestEvent"

    def receive(self):
        """The next message."""
        found = self.sqs.receive_message(QueueUrl=self.url, WaitTimeSeconds=10)["Messages"][0]
        self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=found["ReceiptHandle"])
        return json.loads(found["Body"])

    def record(self):
        records = self.receive()["Records"]
        assert len(records) == 1
        return records[0]

    def is_silent(self):
        """All that was put before is told."""
        self.s3.put_object(Bucket=self.bucket, Key="the end", Body=b"")
        return self.record()["s3"]["object"]["key"] == "the+end"


ALL = ["s3:ObjectCreated:*", "s3:ObjectRemoved:*", "s3:ObjectTagging:*", "s3:ObjectAcl:Put"]


@pytest.fixture
def told(server, sqs, name):
    return Told(server, s3_of(server), sqs, name)


def test_the_record_of_a_put(told):
    told.configure(["s3:ObjectCreated:*"])
    put = told.s3.put_object(Bucket=told.bucket, Key="a b/c+d&ü~*.txt", Body=b"12345")
    record = told.record()
    request = put["ResponseMetadata"]["HTTPHeaders"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", record.pop("eventTime"))
    assert re.fullmatch(r"[0-9A-F]{18}", record["s3"]["object"].pop("sequencer"))
    assert re.fullmatch(r"A[A-Z0-9]{13}", record["userIdentity"].pop("principalId"))
    assert re.fullmatch(r"A[A-Z0-9]{13}", record["s3"]["bucket"]["ownerIdentity"].pop("principalId"))
    assert record == {
        "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "us-east-1", "eventName": "ObjectCreated:Put",
        "userIdentity": {}, "requestParameters": {"sourceIPAddress": "127.0.0.1"},
        "responseElements": {"x-amz-request-id": request["x-amz-request-id"], "x-amz-id-2": request["x-amz-id-2"]},
        "s3": {
            "s3SchemaVersion": "1.0", "configurationId": "the rule",
            "bucket": {"name": told.bucket, "ownerIdentity": {}, "arn": f"arn:aws:s3:::{told.bucket}"},
            "object": {"key": "a+b/c%2Bd%26%C3%BC%7E*.txt", "size": 5, "eTag": put["ETag"].strip('"')}}}


def test_what_is_told(told):
    s3, here = told.s3, {"Bucket": told.bucket, "Key": "k"}
    told.configure(ALL)

    def told_object(name):
        record = told.record()
        assert record["eventName"] == name
        return {key: value for key, value in record["s3"]["object"].items() if key != "sequencer"}, record

    s3.put_object(**here, Body=b"x")
    tag = s3.head_object(**here)["ETag"].strip('"')
    assert told_object("ObjectCreated:Put")[0] == {"key": "k", "size": 1, "eTag": tag}
    s3.copy_object(Bucket=told.bucket, Key="copy", CopySource=f"{told.bucket}/k")
    assert told_object("ObjectCreated:Copy")[0] == {"key": "copy", "size": 1, "eTag": tag}
    upload = s3.create_multipart_upload(**here)["UploadId"]
    part = s3.upload_part(**here, UploadId=upload, PartNumber=1, Body=b"part")
    done = s3.complete_multipart_upload(
        **here, UploadId=upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]})
    assert told_object("ObjectCreated:CompleteMultipartUpload")[0] == {"key": "k", "size": 4, "eTag": done["ETag"].strip('"')}
    s3.put_object_tagging(**here, Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    found, record = told_object("ObjectTagging:Put")
    assert found == {"key": "k", "eTag": done["ETag"].strip('"')} and record["eventVersion"] == "2.3"
    assert "sequencer" not in record["s3"]["object"]
    s3.delete_object_tagging(**here)
    told_object("ObjectTagging:Delete")
    s3.delete_object(**here)
    assert told_object("ObjectRemoved:Delete")[0] == {"key": "k"}
    # What is not there is deleted without a word.
    s3.delete_object(**here)
    s3.delete_objects(Bucket=told.bucket, Delete={"Objects": [{"Key": "copy"}, {"Key": "nothing"}]})
    assert told_object("ObjectRemoved:Delete")[0] == {"key": "copy"}
    assert told.is_silent()


def test_versions_are_told(told):
    s3, here = told.s3, {"Bucket": told.bucket, "Key": "k"}
    s3.put_bucket_versioning(Bucket=told.bucket, VersioningConfiguration={"Status": "Enabled"})
    told.configure(["s3:ObjectCreated:Put", "s3:ObjectRemoved:*"])
    sequencers = []

    def next_object(name):
        record = told.record()
        assert record["eventName"] == name
        sequencers.append(record["s3"]["object"].pop("sequencer"))
        return record["s3"]["object"]

    version = s3.put_object(**here, Body=b"")["VersionId"]
    assert next_object("ObjectCreated:Put") == {"key": "k", "size": 0, "eTag": EMPTY, "versionId": version}
    marker = s3.delete_object(**here)["VersionId"]
    assert next_object("ObjectRemoved:DeleteMarkerCreated") == {"key": "k", "eTag": EMPTY, "versionId": marker}
    s3.delete_object(**here, VersionId=version)
    assert next_object("ObjectRemoved:Delete") == {"key": "k", "versionId": version}
    s3.delete_object(**here, VersionId=marker)
    assert next_object("ObjectRemoved:Delete") == {"key": "k", "versionId": marker}
    assert sequencers == sorted(set(sequencers))


def test_filters(told):
    told.configure(["s3:ObjectCreated:Put"], [("prefix", "in/ü"), ("Suffix", ".jpg")])
    for key in ("in/ü.png", "in/u.jpg", "out/in/ü.jpg", "IN/ü.jpg", "in/ü.JPG"):
        told.s3.put_object(Bucket=told.bucket, Key=key, Body=b"")
    told.s3.copy_object(Bucket=told.bucket, Key="in/ü copy.jpg", CopySource=f"{told.bucket}/in/u.jpg")
    told.s3.put_object(Bucket=told.bucket, Key="in/ü x.jpg", Body=b"")
    assert told.record()["s3"]["object"]["key"] == "in/%C3%BC+x.jpg"
    shown = told.s3.get_bucket_notification_configuration(Bucket=told.bucket)["QueueConfigurations"]
    assert shown == [{
        "Id": "the rule", "QueueArn": told.arn, "Events": ["s3:ObjectCreated:Put"],
        "Filter": {"Key": {"FilterRules": [{"Name": "Prefix", "Value": "in/ü"}, {"Name": "Suffix", "Value": ".jpg"}]}}}]


def test_who_did_it(server, told):
    told.configure(["s3:ObjectCreated:*"])
    iam = client_of(server, "iam")
    user = iam.create_user(UserName=told.bucket)["User"]
    key = iam.create_access_key(UserName=told.bucket)["AccessKey"]
    as_user = boto3.client(
        "s3", endpoint_url=server.endpoint, region_name="us-east-1", aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"])
    as_user.put_object(Bucket=told.bucket, Key="k", Body=b"")
    assert told.record()["userIdentity"] == {"principalId": f"AWS:{user['UserId']}"}


def test_a_bucket_runs_a_function(server, sqs, name):
    s3 = s3_of(server)
    bucket = re.sub("[^a-z0-9]", "", name.lower())[:40] + "-runs"
    s3.create_bucket(Bucket=bucket)
    url = sqs.create_queue(QueueName=bucket)["QueueUrl"]
    server.create(name, "def handler(event, context):\n    return event\n")
    arn = server.client.get_function(FunctionName=name)["Configuration"]["FunctionArn"]
    server.client.put_function_event_invoke_config(FunctionName=name, DestinationConfig={"OnSuccess": {"Destination": queue_arn(bucket)}})
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={
        "LambdaFunctionConfigurations": [{"LambdaFunctionArn": arn, "Events": ["s3:ObjectCreated:*"]}]})
    shown = s3.get_bucket_notification_configuration(Bucket=bucket)["LambdaFunctionConfigurations"][0]
    assert shown["LambdaFunctionArn"] == arn and shown["Id"]
    s3.upload_fileobj(io.BytesIO(b"x" * 100), bucket, "k")
    body = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20)["Messages"][0]["Body"]
    record = json.loads(body)["responsePayload"]["Records"][0]
    assert (record["eventName"], record["s3"]["object"]["size"], record["s3"]["configurationId"]) == ("ObjectCreated:Put", 100, shown["Id"])


def test_no_more_is_told_after_an_empty_configuration(told):
    assert "QueueConfigurations" not in told.s3.get_bucket_notification_configuration(Bucket=told.bucket)
    told.configure(["s3:ObjectCreated:*"])
    told.s3.put_bucket_notification_configuration(Bucket=told.bucket, NotificationConfiguration={"EventBridgeConfiguration": {}})
    shown = told.s3.get_bucket_notification_configuration(Bucket=told.bucket)
    assert shown["EventBridgeConfiguration"] == {} and "QueueConfigurations" not in shown
    told.s3.put_bucket_notification_configuration(Bucket=told.bucket, NotificationConfiguration={})
    assert set(told.s3.get_bucket_notification_configuration(Bucket=told.bucket)) == {"ResponseMetadata"}
    told.s3.put_object(Bucket=told.bucket, Key="untold", Body=b"")
    told.configure(["s3:ObjectCreated:*"])
    assert told.is_silent()


def test_what_is_refused(server, told):
    def refused(*queues, **more):
        before = told.s3.get_bucket_notification_configuration(Bucket=told.bucket)
        with pytest.raises(botocore.exceptions.ClientError) as caught:
            told.s3.put_bucket_notification_configuration(
                Bucket=told.bucket, NotificationConfiguration={"QueueConfigurations": list(queues), **more})
        after = told.s3.get_bucket_notification_configuration(Bucket=told.bucket)
        before.pop("ResponseMetadata"), after.pop("ResponseMetadata")
        assert before == after
        error = caught.value.response["Error"]
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
        return error["Code"], error["Message"], error

    def rule(arn=told.arn, events=("s3:ObjectCreated:*",), filters=None, **more):
        rules = [{"Name": name, "Value": value} for name, value in filters or ()]
        return {"QueueArn": arn, "Events": list(events), **({"Filter": {"Key": {"FilterRules": rules}}} if filters else {}), **more}

    told.configure(["s3:ObjectRemoved:*"])
    code, message, error = refused(rule(queue_arn("missing")))
    assert (code, message) == ("InvalidArgument", "Unable to validate the following destination configurations")
    assert (error["ArgumentName1"], error["ArgumentValue1"]) == (queue_arn("missing"), "The destination queue does not exist")
    function = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:missing"
    _, message, error = refused(LambdaFunctionConfigurations=[{"LambdaFunctionArn": function, "Events": ["s3:ObjectCreated:*"]}])
    assert message == "Unable to validate the following destination configurations"
    assert (error["ArgumentName1"], error["ArgumentValue1"]) == (f"{function}, null", "The destination Lambda function does not exist")
    ambiguous = "Configuration is ambiguously defined. Cannot have overlapping suffixes in two rules if the prefixes are overlapping for the same event type."
    common = "Configurations overlap. Configurations on the same bucket cannot share a common event type."
    assert refused(rule(), rule())[:2] == ("InvalidArgument", common)
    assert refused(rule(), rule(events=["s3:ObjectCreated:Put"]))[1] == common
    assert refused(rule(filters=[("prefix", "a")]), rule(filters=[("prefix", "ab"), ("suffix", "x")]))[1] == ambiguous
    assert refused(rule(filters=[("suffix", "g")]), rule(filters=[("suffix", ".jpg")]))[1] == ambiguous
    assert refused(rule(Id="same", filters=[("prefix", "a")]), rule(Id="same", filters=[("prefix", "b")]))[1] == (
        "Same ID used for multiple configurations. IDs must be unique")
    assert refused(rule(filters=[("prefix", "a"), ("prefix", "b")]))[1] == "Cannot specify more than one prefix rule in a filter."
    assert refused(rule(filters=[("infix", "a")]))[1] == "filter rule name must be either prefix or suffix"
    assert refused(rule(events=["s3:ObjectCreated:Wish"]))[1] == "The event is not supported for notifications"
    assert refused(rule("nonsense"))[1] == "The ARN is not well formed"
    assert refused(rule(told.arn + ".fifo"))[1] == "FIFO SQS queues are not supported."
    assert refused(rule(queue_arn(told.queue, "eu-west-1")))[1] == (
        "The notification destination service region is not valid for the bucket location constraint")
    status, body = send(server, "PUT", f"/{told.bucket}?notification", b"<NotificationConfiguration><Wish/></NotificationConfiguration>")
    assert status == 400 and b"<Code>MalformedXML</Code>" in body
    # Rules that cannot both fit one object.
    told.s3.put_bucket_notification_configuration(
        Bucket=told.bucket, SkipDestinationValidation=True, NotificationConfiguration={"QueueConfigurations": [
            rule(filters=[("prefix", "a"), ("suffix", "x")]), rule(filters=[("prefix", "a"), ("suffix", "y")]),
            rule(queue_arn("missing"), filters=[("prefix", "b")])]})


def test_queues_that_went_away_hold_up_nobody(server, sqs, told):
    gone = sqs.create_queue(QueueName=f"{told.queue}-gone")["QueueUrl"]
    told.s3.put_bucket_notification_configuration(Bucket=told.bucket, NotificationConfiguration={"QueueConfigurations": [
        {"QueueArn": queue_arn(f"{told.queue}-gone"), "Events": ["s3:ObjectRemoved:*"]},
        {"QueueArn": told.arn, "Events": ["s3:ObjectCreated:*"]}]})
    assert told.receive()["Event"] == "s3:TestEvent"
    sqs.delete_queue(QueueUrl=gone)
    told.s3.put_object(Bucket=told.bucket, Key="k", Body=b"")
    told.s3.delete_object(Bucket=told.bucket, Key="k")
    assert told.record()["s3"]["object"]["key"] == "k"
    assert told.is_silent()


def test_a_kill_in_a_storm_of_puts_loses_no_event(own_server):
    """Every put that was acknowledged is told, and nothing is told that is not there."""
    server = own_server()
    told = Told(server, s3_of(server), client_of(server, "sqs"), "storm")
    told.configure(["s3:ObjectCreated:*"])
    acknowledged, stop = set(), threading.Event()

    def put(worker):
        s3, number = s3_of(server), 0
        while not stop.is_set():
            try:
                s3.put_object(Bucket=told.bucket, Key=f"{worker}/{number}", Body=b"x")
            except Exception:
                return
            acknowledged.add(f"{worker}/{number}")
            number += 1

    for _ in range(2):
        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            workers = [pool.submit(put, f"{len(acknowledged)}-{i}") for i in range(6)]
            target = len(acknowledged) + 200
            wait_until(lambda: len(acknowledged) >= target, seconds=30, what="puts")
            server.stop(signal.SIGKILL)
            stop.set()
            for worker in workers:
                worker.result()
        stop.clear()
        server = own_server(state=server.state)
    sqs, s3 = client_of(server, "sqs"), s3_of(server)
    url = sqs.get_queue_url(QueueName=told.queue)["QueueUrl"]
    heard = set()

    def hear():
        for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages", []):
            heard.update(record["s3"]["object"]["key"] for record in json.loads(message["Body"])["Records"])
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return heard >= acknowledged

    wait_until(hear, seconds=60, what="all events")
    there = {o["Key"] for page in s3.get_paginator("list_objects_v2").paginate(Bucket=told.bucket) for o in page["Contents"]}
    assert heard <= there and acknowledged <= there


def test_what_expires_is_told(own_server):
    """Lifecycles follow the clock that tests move."""
    server = own_server()
    told = Told(server, s3_of(server), client_of(server, "sqs"), "expires")
    s3, bucket = told.s3, told.bucket
    told.configure(["s3:LifecycleExpiration:*"])
    for key in ("logs/old", "logs/kept", "other"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"xx" if key == "logs/kept" else b"x")
    s3.create_multipart_upload(Bucket=bucket, Key="logs/upload")
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": [
        {"ID": "size", "Status": "Enabled", "Filter": {"And": {"Prefix": "logs/", "ObjectSizeLessThan": 2}}, "Expiration": {"Days": 2}},
        {"ID": "off", "Status": "Disabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}},
        {"ID": "uploads", "Status": "Enabled", "Filter": {"Prefix": ""}, "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1}},
        {"ID": "versions", "Status": "Enabled", "Filter": {"Prefix": "versions"}, "Expiration": {"ExpiredObjectDeleteMarker": True},
         "NoncurrentVersionExpiration": {"NoncurrentDays": 1}}]})

    def keys():
        return [o["Key"] for o in s3.list_objects_v2(Bucket=bucket)["Contents"]]

    advance(server, "24h")
    assert keys() == ["logs/kept", "logs/old", "other"]
    advance(server, "48h")
    assert keys() == ["logs/kept", "other"] and "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)
    record = told.record()
    assert (record["eventName"], record["eventVersion"], record["userIdentity"]) == ("LifecycleExpiration:Delete", "2.3", {"principalId": "s3.amazonaws.com"})
    assert record["s3"]["object"]["key"] == "logs/old"
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket=bucket, Key="versions", Body=b"1")
    s3.delete_object(Bucket=bucket, Key="versions")
    s3.put_object(Bucket=bucket, Key="logs/old", Body=b"1")
    # Messages stay in the queue for four days.
    advance(server, "80h")
    found = s3.list_object_versions(Bucket=bucket)
    assert [v["Key"] for v in found["Versions"]] == ["logs/kept", "logs/old", "other"]
    assert [m["Key"] for m in found["DeleteMarkers"]] == ["logs/old"]
    names = sorted((told.record()["eventName"], told.record()["eventName"], told.record()["eventName"]))
    assert names == ["LifecycleExpiration:Delete", "LifecycleExpiration:Delete", "LifecycleExpiration:DeleteMarkerCreated"]


def test_a_bucket_tells_a_topic(server, told):
    sns = client_of(server, "sns")
    topic = sns.create_topic(Name=told.queue)["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=told.arn)
    told.s3.put_bucket_notification_configuration(Bucket=told.bucket, NotificationConfiguration={
        "TopicConfigurations": [{"Id": "t", "TopicArn": topic, "Events": ["s3:ObjectCreated:*"]}]})
    test = told.receive()
    assert test["Subject"] == "Amazon S3 Notification" and json.loads(test["Message"])["Event"] == "s3:TestEvent"
    told.s3.put_object(Bucket=told.bucket, Key="k", Body=b"")
    message = told.receive()
    assert message["TopicArn"] == topic and message["Subject"] == "Amazon S3 Notification"
    record = json.loads(message["Message"])["Records"][0]
    assert (record["eventName"], record["s3"]["configurationId"]) == ("ObjectCreated:Put", "t")
    assert told.s3.get_bucket_notification_configuration(Bucket=told.bucket)["TopicConfigurations"][0]["TopicArn"] == topic


@pytest.fixture
def function(server, told):
    """The ARN of a function whose events the bucket's queue hears of."""
    server.create(told.bucket, "def handler(event, context):\n    return event\n")
    server.client.put_function_event_invoke_config(FunctionName=told.bucket, DestinationConfig={"OnSuccess": {"Destination": told.arn}})
    return server.client.get_function(FunctionName=told.bucket)["Configuration"]["FunctionArn"]


def permit(server, told, service, source):
    server.client.add_permission(FunctionName=told.bucket, StatementId="s", Action="lambda:InvokeFunction", Principal=f"{service}.amazonaws.com", SourceArn=source)


def test_from_a_bucket_through_a_topic_to_a_function(server, told, function):
    sns = client_of(server, "sns")
    topic = sns.create_topic(Name=told.bucket)["TopicArn"]
    permit(server, told, "sns", topic)
    sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=function)
    told.s3.put_bucket_notification_configuration(Bucket=told.bucket, NotificationConfiguration={
        "TopicConfigurations": [{"TopicArn": topic, "Events": ["s3:ObjectCreated:Copy"]}]})
    test = json.loads(told.receive()["responsePayload"]["Records"][0]["Sns"]["Message"])
    assert (test["Event"], test["Bucket"]) == ("s3:TestEvent", told.bucket)
    told.s3.put_object(Bucket=told.bucket, Key="untold", Body=b"12")
    told.s3.copy_object(Bucket=told.bucket, Key="a b", CopySource=f"{told.bucket}/untold")
    outer = told.receive()["responsePayload"]["Records"][0]
    assert (outer["EventSource"], outer["Sns"]["TopicArn"], outer["Sns"]["Subject"]) == ("aws:sns", topic, "Amazon S3 Notification")
    record = json.loads(outer["Sns"]["Message"])["Records"][0]
    assert (record["eventName"], record["s3"]["object"]["key"], record["s3"]["object"]["size"]) == ("ObjectCreated:Copy", "a+b", 2)


def test_from_a_bucket_over_the_bus_to_a_function(server, told, function):
    events = client_of(server, "events")
    rule = events.put_rule(Name=told.bucket, EventPattern=json.dumps({
        "source": ["aws.s3"], "detail-type": ["Object Created"], "detail": {"bucket": {"name": [told.bucket]}, "object": {"key": [{"suffix": ".jpg"}]}}}))
    permit(server, told, "events", rule["RuleArn"])
    events.put_targets(Rule=told.bucket, Targets=[{"Id": "f", "Arn": function}])
    told.s3.put_bucket_notification_configuration(Bucket=told.bucket, NotificationConfiguration={"EventBridgeConfiguration": {}})
    told.s3.put_object(Bucket=told.bucket, Key="k.png", Body=b"")
    told.s3.put_object(Bucket=told.bucket, Key="k ü.jpg", Body=b"123")
    event = told.receive()["responsePayload"]
    assert (event["source"], event["detail-type"]) == ("aws.s3", "Object Created")
    assert (event["detail"]["object"]["key"], event["detail"]["object"]["size"], event["detail"]["reason"]) == ("k ü.jpg", 3, "PutObject")
    told.s3.delete_object(Bucket=told.bucket, Key="k ü.jpg")
    told.s3.put_object(Bucket=told.bucket, Key="next.jpg", Body=b"")
    assert told.receive()["responsePayload"]["detail"]["object"]["key"] == "next.jpg"


def test_topics_that_are_not_there(told):
    topic = f"arn:aws:sns:us-east-1:{ACCOUNT}:missing"
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        told.s3.put_bucket_notification_configuration(Bucket=told.bucket, NotificationConfiguration={
            "TopicConfigurations": [{"TopicArn": topic, "Events": ["s3:ObjectCreated:*"]}]})
    error = caught.value.response["Error"]
    assert error["Message"] == "Unable to validate the following destination configurations"
    assert (error["ArgumentName1"], error["ArgumentValue1"]) == (topic, "The destination topic does not exist")


def test_a_bucket_tells_the_bus(server, told):
    events = client_of(server, "events")
    events.put_rule(Name=told.queue, EventPattern=json.dumps({"source": ["aws.s3"], "detail": {"bucket": {"name": [told.bucket]}}}))
    events.put_targets(Rule=told.queue, Targets=[{"Id": "q", "Arn": told.arn}])
    told.s3.put_bucket_versioning(Bucket=told.bucket, VersioningConfiguration={"Status": "Enabled"})
    told.s3.put_bucket_notification_configuration(Bucket=told.bucket, NotificationConfiguration={"EventBridgeConfiguration": {}})
    here = {"Bucket": told.bucket, "Key": "a b/ü"}
    put = told.s3.put_object(**here, Body=b"12345")
    event = told.receive()
    assert (event["source"], event["detail-type"], event["account"], event["region"]) == ("aws.s3", "Object Created", ACCOUNT, "us-east-1")
    assert event["resources"] == [f"arn:aws:s3:::{told.bucket}"]
    assert re.fullmatch("[0-9A-F]{18}", event["detail"]["object"].pop("sequencer"))
    assert event["detail"] == {
        "version": "0", "bucket": {"name": told.bucket},
        "object": {"key": "a b/ü", "size": 5, "etag": put["ETag"].strip('"'), "version-id": put["VersionId"]},
        "request-id": put["ResponseMetadata"]["HTTPHeaders"]["x-amz-request-id"], "requester": ACCOUNT,
        "source-ip-address": "127.0.0.1", "reason": "PutObject"}
    told.s3.put_object_tagging(**here, Tagging={"TagSet": []})
    assert told.receive()["detail-type"] == "Object Tags Added"
    marker = told.s3.delete_object(**here)["VersionId"]
    event = told.receive()
    assert (event["detail-type"], event["detail"]["deletion-type"], event["detail"]["object"]["version-id"]) == ("Object Deleted", "Delete Marker Created", marker)
    told.s3.delete_object(**here, VersionId=marker)
    assert told.receive()["detail"]["deletion-type"] == "Permanently Deleted"
