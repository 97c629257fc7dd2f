# EventBridge Scheduler as clients use it: boto3 and the aws CLI, real functions and queues, on a clock that moves.
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import urllib.request

import pytest

from asynchronous import Events
from conftest import Server, error_of
from test_iam import client_of
from test_kinesis import read_all
from test_sqs import advance, drain

ROLE = "arn:aws:iam::000000000000:role/scheduler"
OFF = {"Mode": "OFF"}
ARN = "arn:aws:{}:us-east-1:000000000000:{}"


@pytest.fixture(scope="module")
def own():
    """Moves its clock by months, so nobody else uses it."""
    server = Server()
    yield server
    assert server.stop() == 0
    assert " ERROR " not in server.log


@pytest.fixture
def scheduler(own):
    return client_of(own, "scheduler")


@pytest.fixture
def sqs(own):
    return client_of(own, "sqs")


def set_clock(server, moment):
    request = urllib.request.Request(f"{server.endpoint}/_martlet/clock", json.dumps({"set": moment}).encode(), method="POST")
    with urllib.request.urlopen(request) as answer:
        assert json.load(answer)["settled"]


def target(service, resource, **settings):
    return {"Arn": ARN.format(service, resource), "RoleArn": ROLE, **settings}


def test_a_function_runs_at_its_times_over_the_end_of_summer_time(own, scheduler, name):
    events = Events(own)
    arn = events.create(name)
    set_clock(own, "2027-10-30T12:00:00Z")
    made = scheduler.create_schedule(
        Name=name, ScheduleExpression="cron(30 2 * * ? *)", ScheduleExpressionTimezone="Europe/Berlin", FlexibleTimeWindow=OFF,
        Target={"Arn": arn, "RoleArn": ROLE, "Input": '{"at": "<aws.scheduler.scheduled-time>", "who": "<aws.scheduler.schedule-arn>"}'})
    events.advance("2d")
    scheduler.delete_schedule(Name=name)
    events.idle()
    runs = sorted(run["event"]["at"] for _, run in events.runs(name))
    assert runs == ["2027-10-31T00:30:00Z", "2027-11-01T01:30:00Z"], "half past two comes twice on the 31st, and the function runs once"
    assert {run["event"]["who"] for _, run in events.runs(name)} == {made["ScheduleArn"]}


def test_every_operation_over_boto3(scheduler, name):
    group = scheduler.create_schedule_group(Name=name, Tags=[{"Key": "a", "Value": "1"}])["ScheduleGroupArn"]
    assert scheduler.get_schedule_group(Name=name)["State"] == "ACTIVE"
    scheduler.tag_resource(ResourceArn=group, Tags=[{"Key": "b c", "Value": "é"}])
    scheduler.untag_resource(ResourceArn=group, TagKeys=["a"])
    assert scheduler.list_tags_for_resource(ResourceArn=group)["Tags"] == [{"Key": "b c", "Value": "é"}]
    settings = {"GroupName": name, "ScheduleExpression": "rate(1 days)", "FlexibleTimeWindow": {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 5},
                "Target": target("sqs", "q"), "State": "DISABLED"}
    for i in range(5):
        scheduler.create_schedule(Name=f"s{i}", **settings)
    pages = scheduler.get_paginator("list_schedules").paginate(GroupName=name, PaginationConfig={"PageSize": 2})
    assert [s["Name"] for page in pages for s in page["Schedules"]] == [f"s{i}" for i in range(5)]
    scheduler.update_schedule(Name="s1", **{**settings, "Description": "é", "FlexibleTimeWindow": OFF})
    shown = scheduler.get_schedule(Name="s1", GroupName=name)
    assert shown["Description"] == "é" and shown["FlexibleTimeWindow"] == OFF and shown["LastModificationDate"] >= shown["CreationDate"]
    assert shown["Target"]["RetryPolicy"] == {"MaximumEventAgeInSeconds": 86400, "MaximumRetryAttempts": 185}
    assert error_of(scheduler.get_schedule, Name="s1") == (404, "ResourceNotFoundException", "Schedule s1 does not exist.")
    assert error_of(scheduler.create_schedule, Name="s1", **settings) == (409, "ConflictException", "Schedule s1 already exists.")
    assert error_of(scheduler.create_schedule, Name="x", **{**settings, "ScheduleExpression": "cron(0 1 * * * *)"}) == (
        400, "ValidationException", "Invalid Schedule Expression cron(0 1 * * * *).")
    scheduler.delete_schedule(Name="s1", GroupName=name)
    assert name in [g["Name"] for g in scheduler.list_schedule_groups()["ScheduleGroups"]]
    scheduler.delete_schedule_group(Name=name)
    assert error_of(scheduler.list_schedules, GroupName=name)[1] == "ResourceNotFoundException"


def test_queues_get_messages_once_and_the_schedule_is_gone(own, scheduler, sqs, name):
    url = sqs.create_queue(QueueName=f"{name}.fifo", Attributes={"FifoQueue": "true", "ContentBasedDeduplication": "true"})["QueueUrl"]
    set_clock(own, "2028-03-01T00:00:00Z")
    for i, expression in enumerate(["at(2028-03-01T12:00:00)", "at(2028-03-01T10:00:00)", "at(2028-03-01T11:00:00)"]):
        scheduler.create_schedule(
            Name=f"{name}-{i}", ScheduleExpression=expression, FlexibleTimeWindow=OFF, ActionAfterCompletion="DELETE",
            Target=target("sqs", f"{name}.fifo", Input=f"message {i}", SqsParameters={"MessageGroupId": "g"}))
    advance(own, "1d")
    assert drain(sqs, url) == ["message 1", "message 2", "message 0"]
    assert scheduler.list_schedules(NamePrefix=name)["Schedules"] == []


def test_what_cannot_be_delivered_is_a_dead_letter(own, scheduler, sqs, name):
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    made = scheduler.create_schedule(
        Name=name, ScheduleExpression="rate(1 hour)", FlexibleTimeWindow=OFF, Target=target(
            "lambda", "function:not-there", Input='{"k": "v"}', DeadLetterConfig={"Arn": ARN.format("sqs", name)}))
    advance(own, "0s")
    scheduler.delete_schedule(Name=name)
    message = sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"])["Messages"][0]
    attributes = {key: value["StringValue"] for key, value in message["MessageAttributes"].items()}
    assert message["Body"] == '{"k": "v"}' and attributes["ERROR_CODE"] == "ResourceNotFoundException"
    assert attributes["SCHEDULE_ARN"] == made["ScheduleArn"] and attributes["TARGET_ARN"].endswith(":not-there") and attributes["RETRY_ATTEMPTS"] == "0"


def test_a_role_must_admit_the_scheduler(own, scheduler, name):
    iam = client_of(own)
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    settings = {"Name": name, "ScheduleExpression": "rate(1 day)", "FlexibleTimeWindow": OFF, "State": "DISABLED",
                "Target": {"Arn": ARN.format("sqs", "q"), "RoleArn": role}}
    assert error_of(scheduler.create_schedule, **settings) == (
        400, "ValidationException", "The execution role you provide must allow AWS EventBridge Scheduler to assume the role.")
    trust["Statement"][0]["Principal"]["Service"] = "scheduler.amazonaws.com"
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(trust))
    assert scheduler.create_schedule(**settings)["ScheduleArn"].endswith(f":schedule/default/{name}")


def test_rules_with_schedules_send_the_event_of_aws(own, sqs, name):
    events = client_of(own, "events")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    set_clock(own, "2028-05-05T07:30:00Z")
    arn = events.put_rule(Name=name, ScheduleExpression="cron(0 8 ? * MON-FRI *)")["RuleArn"]
    events.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": ARN.format("sqs", name)}])
    assert error_of(events.put_rule, Name="x", ScheduleExpression="rate(1 minutes)") == (
        400, "ValidationException", "Parameter ScheduleExpression is not valid.")
    advance(own, "4d")
    got = [json.loads(body) for body in drain(sqs, url)]
    assert sorted(event["time"] for event in got) == ["2028-05-05T08:00:00Z", "2028-05-08T08:00:00Z", "2028-05-09T08:00:00Z"][:len(got)] and len(got) == 2
    del got[0]["id"], got[0]["time"]
    assert got[0] == {"version": "0", "detail-type": "Scheduled Event", "source": "aws.events", "account": "000000000000", "region": "us-east-1",
                      "resources": [arn], "detail": {}}
    events.disable_rule(Name=name)
    advance(own, "7d")
    assert drain(sqs, url) == []
    events.remove_targets(Rule=name, Ids=["1"])
    events.delete_rule(Name=name)


def test_the_command_line_of_aws(own, name):
    environment = {**os.environ, "AWS_ENDPOINT_URL": own.endpoint, "AWS_DEFAULT_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "x"}

    def aws(*arguments):
        run = subprocess.run([sys.executable, "-m", "awscli", "scheduler", *arguments], env=environment, capture_output=True, text=True)
        assert run.returncode == 0, run.stderr
        return json.loads(run.stdout) if run.stdout.strip() else None

    made = aws("create-schedule", "--name", name, "--schedule-expression", "at(2099-12-31T23:59:59)", "--flexible-time-window", "Mode=OFF",
               "--target", json.dumps(target("sqs", "q")), "--start-date", "2099-01-01T00:00:00Z")
    assert made["ScheduleArn"].endswith(name)
    assert aws("get-schedule", "--name", name)["StartDate"] == 4070908800


def move(server):
    """Lets five hours pass on a server that may be killed meanwhile."""
    with contextlib.suppress(Exception):
        advance(server, "5h")


def test_no_firing_is_lost_when_the_server_is_killed(own_server):
    """Schedules that are due while the server is killed again and again fire all, and those that were over do not again."""
    server = own_server()
    sqs = client_of(server, "sqs")
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    names = [f"s{i:03d}" for i in range(200)]
    set_clock(server, "2030-01-01T00:00:00Z")
    scheduler = client_of(server, "scheduler")
    for i, name in enumerate(names):
        scheduler.create_schedule(
            Name=name, ScheduleExpression=f"at(2030-01-01T{1 + i // 60:02d}:{i % 60:02d}:00)", FlexibleTimeWindow=OFF,
            ActionAfterCompletion="DELETE", Target=target("sqs", "q", Input=name))
    for _ in range(3):
        mover = threading.Thread(target=move, args=(server,), daemon=True)
        left = len(scheduler.list_schedules(MaxResults=100)["Schedules"])
        mover.start()
        while left and len(scheduler.list_schedules(MaxResults=100)["Schedules"]) > max(0, left - 20) and mover.is_alive():
            pass
        server.stop(signal.SIGKILL)
        mover.join(30)
        server = own_server(state=server.state)
        scheduler = client_of(server, "scheduler")
    advance(server, "5h")
    sqs = client_of(server, "sqs")
    got = drain(sqs, url)
    assert set(got) == set(names)
    assert len(got) - len(names) <= 3 * 40, "only what was under way at a crash comes twice"
    assert scheduler.list_schedules()["Schedules"] == []


def test_a_stream_gets_records(own, scheduler, sqs, name):
    kinesis = client_of(own, "kinesis")
    kinesis.create_stream(StreamName=name, ShardCount=1)
    parameters = {"KinesisParameters": {"PartitionKey": "k"}, "Input": "at <aws.scheduler.scheduled-time>"}
    scheduler.create_schedule(Name=name, ScheduleExpression="rate(1 hour)", FlexibleTimeWindow=OFF, Target=target("kinesis", f"stream/{name}", **parameters))
    advance(own, "2h")
    scheduler.delete_schedule(Name=name)
    found = read_all(kinesis, name)
    assert len(found) == 3 and all(record["PartitionKey"] == "k" and record["Data"].startswith(b"at 20") for record in found)
    assert error_of(scheduler.create_schedule, Name=name, ScheduleExpression="rate(1 hour)", FlexibleTimeWindow=OFF, Target=target("kinesis", f"stream/{name}"))[1] == "ValidationException"
