# The audit as clients use it: what was called is found again, and delivered to buckets; secrets are in none of it.
import gzip
import json
import os
import signal
import subprocess
import sys
import urllib.request

import pytest

from conftest import ROLE, error_of, package
from test_iam import client_of
from test_sqs import advance

ACCOUNT = "000000000000"
SECRET = "hunter2-is-a-secret"
HANDLER = {"index.py": "def handler(event, context):\n    return event\n"}


@pytest.fixture
def trail(server):
    return client_of(server, "cloudtrail")


def events(trail, key, value, **more):
    pages = trail.get_paginator("lookup_events").paginate(LookupAttributes=[{"AttributeKey": key, "AttributeValue": value}], **more)
    return [event for page in pages for event in page["Events"]]


def make_function(server, name):
    functions = client_of(server, "lambda")
    made = functions.create_function(
        FunctionName=name, Runtime="python3.12", Role=ROLE, Handler="index.handler", Code={"ZipFile": package(HANDLER)},
        Environment={"Variables": {"TOKEN": SECRET}}, Tags={"Team": "a"})
    functions.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.02, "MaxAttempts": 3000})
    return made


def test_calls_of_every_protocol_are_found(server, trail, name):
    functions = client_of(server, "lambda")
    made = make_function(server, name)
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": {"OTHER": SECRET}})
    functions.get_function(FunctionName=name)
    error_of(functions.get_function, FunctionName=f"{name}-none")
    functions.delete_function(FunctionName=name)
    sqs = client_of(server, "sqs")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody=SECRET)
    sqs.delete_queue(QueueUrl=url)
    client_of(server, "sns").create_topic(Name=name)
    client_of(server, "s3").create_bucket(Bucket=name)
    client_of(server, "logs").create_log_group(logGroupName=name)
    client_of(server, "cloudwatch").put_metric_alarm(AlarmName=name, ComparisonOperator="GreaterThanThreshold", EvaluationPeriods=1, MetricName="m", Namespace="n", Period=60, Statistic="Sum", Threshold=1)

    found = events(trail, "ResourceName", name)
    names = [event["EventName"] for event in found]
    assert set(names) == {
        "CreateFunction20150331", "UpdateFunctionConfiguration20150331v2", "GetFunction20150331v2", "DeleteFunction20150331", "CreateQueue",
        "CreateTopic", "CreateBucket", "CreateLogGroup", "PutMetricAlarm"}
    assert names.index("DeleteFunction20150331") < names.index("CreateFunction20150331"), "the latest is the first"
    assert all(SECRET not in event["CloudTrailEvent"] for event in found)

    event, = events(trail, "ResourceName", made["FunctionArn"], PaginationConfig={"PageSize": 1})[-1:]
    record = json.loads(event["CloudTrailEvent"])
    assert event["EventName"] == "CreateFunction20150331" and event["EventSource"] == "lambda.amazonaws.com" and event["ReadOnly"] == "false"
    assert event["Username"] == "root" and event["AccessKeyId"] == "test" and event["EventId"] == record["eventID"]
    assert {"ResourceType": "AWS::Lambda::Function", "ResourceName": name} in event["Resources"]
    assert record["requestID"] == made["ResponseMetadata"]["RequestId"] and record["userAgent"].startswith("Boto3/")
    assert record["requestParameters"]["code"] == {} and record["requestParameters"]["environment"] == {} and record["requestParameters"]["tags"] == {"Team": "a"}
    assert record["responseElements"]["functionArn"] == made["FunctionArn"] and record["responseElements"]["environment"] == {}
    assert record["recipientAccountId"] == ACCOUNT and record["sourceIPAddress"] == "127.0.0.1" and record["awsRegion"] == "us-east-1"

    refused, = events(trail, "ResourceName", f"{name}-none")
    record = json.loads(refused["CloudTrailEvent"])
    assert record["errorCode"] == "ResourceNotFoundException" and name in record["errorMessage"] and record["responseElements"] is None


def test_users_and_sessions_are_named(server, trail, name):
    iam = client_of(server)
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    trust = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}}
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]
    session = client_of(server, "sts", key["AccessKeyId"], key["SecretAccessKey"]).assume_role(RoleArn=role["Arn"], RoleSessionName="ss")["Credentials"]
    client_of(server, "sqs", session["AccessKeyId"], session["SecretAccessKey"], session["SessionToken"]).list_queues(QueueNamePrefix=name)

    assumed = json.loads(events(trail, "AccessKeyId", key["AccessKeyId"])[0]["CloudTrailEvent"])
    assert assumed["eventName"] == "AssumeRole" and assumed["userIdentity"]["type"] == "IAMUser" and assumed["userIdentity"]["userName"] == name
    assert assumed["responseElements"]["credentials"]["accessKeyId"] == session["AccessKeyId"]
    used = json.loads(events(trail, "AccessKeyId", session["AccessKeyId"])[0]["CloudTrailEvent"])
    assert used["eventName"] == "ListQueues" and used["userIdentity"]["type"] == "AssumedRole"
    assert used["userIdentity"]["sessionContext"]["sessionIssuer"]["userName"] == name and used["userIdentity"]["principalId"] == role['RoleId'] + ':ss'
    everything = json.dumps(events(trail, "Username", name) + events(trail, "ResourceName", name), default=str)
    for secret in (key["SecretAccessKey"], session["SecretAccessKey"], session["SessionToken"]):
        assert secret not in everything


def test_a_trail_fills_a_bucket_when_the_clock_moves(own_server, name):
    server = own_server()
    trail, s3, functions = client_of(server, "cloudtrail"), client_of(server, "s3"), client_of(server, "lambda")
    _, code, _ = error_of(trail.create_trail, Name=name, S3BucketName=name)
    assert code == "S3BucketDoesNotExistException"
    s3.create_bucket(Bucket=name)
    arn = trail.create_trail(Name=name, S3BucketName=name, S3KeyPrefix="audit")["TrailARN"]
    trail.put_event_selectors(TrailName=name, EventSelectors=[{"DataResources": [{"Type": "AWS::Lambda::Function", "Values": ["arn:aws:lambda"]}, {"Type": "AWS::S3::Object", "Values": [f"arn:aws:s3:::{name}/private"]}]}])
    trail.start_logging(Name=arn)
    # A rule hears of what changes something.
    sqs, bridge = client_of(server, "sqs"), client_of(server, "events")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    pattern = {"source": ["aws.lambda"], "detail-type": ["AWS API Call via CloudTrail"], "detail": {"eventName": ["CreateFunction20150331"]}}
    bridge.put_rule(Name=name, EventPattern=json.dumps(pattern))
    bridge.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name}"}])

    make_function(server, name)
    functions.get_waiter("function_active_v2").wait(FunctionName=name)
    assert json.load(functions.invoke(FunctionName=name, Payload=json.dumps(SECRET))["Payload"]) == SECRET
    s3.put_object(Bucket=name, Key="private/a", Body=SECRET)
    s3.put_object(Bucket=name, Key="public/a", Body=SECRET)
    advance(server, "6m")
    objects = s3.list_objects_v2(Bucket=name, Prefix=f"audit/AWSLogs/{ACCOUNT}/CloudTrail/us-east-1/")["Contents"]
    text = ""
    for entry in objects:
        assert entry["Key"].endswith(".json.gz") and f"/{ACCOUNT}_CloudTrail_us-east-1_" in entry["Key"]
        text += gzip.decompress(s3.get_object(Bucket=name, Key=entry["Key"])["Body"].read()).decode()
    assert SECRET not in text
    records = [record for part in text.replace('{"Records":', '\n{"Records":').splitlines() if part for record in json.loads(part)["Records"]]
    assert {"CreateFunction20150331", "Invoke", "CreateQueue", "PutObject"} <= {record["eventName"] for record in records}
    invoked, = [record for record in records if record["eventName"] == "Invoke"]
    assert invoked["eventCategory"] == "Data" and invoked["requestParameters"] == {"functionName": name, "invocationType": "RequestResponse"}
    assert [record["requestParameters"]["key"] for record in records if record["eventName"] == "PutObject"] == ["private/a"]
    assert not events(trail, "EventName", "Invoke")
    heard = json.loads(sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5)["Messages"][0]["Body"])
    assert heard["detail"]["requestParameters"]["functionName"] == name
    status = trail.get_trail_status(Name=name)
    assert status["IsLogging"] and "LatestDeliveryTime" in status

    # What was called is there after the server is killed.
    trail.list_trails()
    server.process.send_signal(signal.SIGKILL)
    server.process.wait()
    again = own_server(state=server.state)
    with urllib.request.urlopen(f"{again.endpoint}/_martlet/audit") as page:
        assert json.load(page)["storedBytes"] > 1000
    trail = client_of(again, "cloudtrail")
    assert events(trail, "EventName", "CreateFunction20150331") and trail.describe_trails()["trailList"][0]["TrailARN"] == arn
    advance(again, "91d")
    assert not events(trail, "EventName", "CreateFunction20150331")


def test_the_command_line_finds_events(server, name):
    client_of(server, "sqs").create_queue(QueueName=name)
    environment = {**os.environ, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "us-east-1"}
    run = subprocess.run(
        [sys.executable, "-m", "awscli", "--endpoint-url", server.endpoint, "cloudtrail", "lookup-events", "--lookup-attributes", f"AttributeKey=ResourceName,AttributeValue={name}"],
        capture_output=True, text=True, env=environment)
    found = json.loads(run.stdout)["Events"]
    assert [event["EventName"] for event in found] == ["CreateQueue"], run.stderr
