# `martlet explain`: what stands between an event and a function; and `martlet event`: samples that functions take.
import json
import os
import subprocess

import pytest

from asynchronous import Events
from conftest import Server, program
from test_iam import client_of

ROLE = "arn:aws:iam::000000000000:role/scheduler"


@pytest.fixture(scope="module")
def own():
    server = Server()
    yield server
    assert server.stop() == 0


@pytest.fixture
def martlet(own):
    def run(*arguments, stdin=None, status=0):
        done = subprocess.run([program(), *arguments], capture_output=True, text=True, input=stdin, timeout=60,
                              env={**os.environ, "MARTLET_ENDPOINT": own.endpoint})
        assert done.returncode == status, done.stderr
        return done.stdout if status == 0 else done.stderr
    return run


def findings(martlet, *arguments, **settings):
    found = json.loads(martlet("explain", *arguments, "--output", "json", **settings))
    return found["verdict"], [finding["text"] for finding in found["findings"] if finding["weight"] in ("stops", "warns")]


def test_an_event_that_fails(own, martlet, name):
    events = Events(own)
    events.create(name)
    request_id = events.send(name, {"fail": 1})
    events.settle()
    verdict, _ = findings(martlet, "event", request_id)
    assert verdict.startswith("It waits: the next attempt is due at ")
    events.advance("3m")
    verdict, reasons = findings(martlet, "event", request_id)
    assert verdict == "It was given up after 3 attempts: RetriesExhausted."
    assert sum("the function failed (Unhandled): intentional failure" in reason for reason in reasons) == 3
    assert reasons[-1] == "The function has no dead-letter queue and no OnFailure destination, so the event is lost."
    shown = martlet("explain", "event", request_id)
    assert shown.startswith("It was given up") and "\n  x It was given up" in shown and "\n  + The function exists" in shown
    assert "No asynchronous event" in martlet("explain", "event", "00000000-0000-4000-8000-000000000000", status=2)


def test_an_event_that_waits_over_a_restart(own_server, name):
    first = own_server()
    events = Events(first)
    events.create(name)
    request_id = events.send(name, {"fail": 1})
    events.settle()
    first.stop()
    second = own_server(state=first.state)
    done = subprocess.run([program(), "explain", "event", request_id, "--endpoint", second.endpoint], capture_output=True, text=True)
    assert "since before the server was started, after 1 attempts" in done.stdout, done.stderr


def test_a_rule(own, martlet, name):
    bridge = client_of(own, "events")
    own.create(name, "def handler(event, context): return event\n")
    arn = f"arn:aws:lambda:us-east-1:000000000000:function:{name}"
    rule = bridge.put_rule(Name=name, EventPattern=json.dumps({"source": ["shop"], "detail": {"total": [{"numeric": [">", 100]}]}}))["RuleArn"]
    assert findings(martlet, "rule", name)[0] == "It has no targets."
    bridge.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": arn}])
    verdict, _ = findings(martlet, "rule", name)
    assert "policy does not admit events.amazonaws.com" in verdict and f"--source-arn {rule}" in verdict
    own.client.add_permission(
        FunctionName=name, StatementId="events", Action="lambda:InvokeFunction", Principal="events.amazonaws.com", SourceArn=rule)
    assert findings(martlet, "rule", name) == ("Nothing that this server knows of is in the way.", [])
    event = martlet("event", "generate", "eventbridge", "event", "--source", "shop", "--detail", '{"total": 99}')
    verdict, _ = findings(martlet, "rule", rule, "--event", "-", stdin=event)
    assert verdict == 'The event has 99 at detail.total, and the pattern wants [{"numeric":[">",100]}]'
    bridge.disable_rule(Name=name)
    assert findings(martlet, "rule", name)[0] == "It is DISABLED."
    assert "There is no rule" in martlet("explain", "rule", "nonsense", status=2)


def test_a_schedule_a_subscription_a_mapping_and_a_function(own, martlet, name):
    scheduler = client_of(own, "scheduler")
    scheduler.create_schedule(
        Name=name, ScheduleExpression="rate(1 hour)", FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": "arn:aws:lambda:us-east-1:000000000000:function:not-there", "RoleArn": ROLE})
    Events(own).settle()
    verdict, _ = findings(martlet, "schedule", name)
    assert "was lost after 1 attempts: ResourceNotFoundException" in verdict
    assert any("not-there does not exist" in reason for reason in findings(martlet, "schedule", name)[1])
    scheduler.delete_schedule(Name=name)
    sns = client_of(own, "sns")
    topic = sns.create_topic(Name=name)["TopicArn"]
    own.create(name, "def handler(event, context): return event\n")
    arn = f"arn:aws:lambda:us-east-1:000000000000:function:{name}"
    subscription = sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=arn, ReturnSubscriptionArn=True)["SubscriptionArn"]
    verdict, _ = findings(martlet, "subscription", subscription)
    assert "policy does not admit sns.amazonaws.com" in verdict
    url = client_of(own, "sqs").create_queue(QueueName=name)["QueueUrl"]
    mapping = own.client.create_event_source_mapping(
        EventSourceArn=f"arn:aws:sqs:us-east-1:000000000000:{name}", FunctionName=name, Enabled=False,
        FilterCriteria={"Filters": [{"Pattern": '{"body": ["x"]}'}]})["UUID"]
    client_of(own, "sqs").send_message(QueueUrl=url, MessageBody="m")
    found = martlet("explain", "mapping", mapping)
    assert "It is switched off (Enabled=false)." in found and "1 messages wait" in found and '{"body": ["x"]}' in found
    assert findings(martlet, "function", name)[1] == []
    own.client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    assert findings(martlet, "function", name)[0] == "The function's reserved concurrency is 0: nothing can be invoked."


def test_a_notification(own, martlet, name):
    s3 = Events(own).s3
    bucket = name.lower()
    s3.create_bucket(Bucket=bucket)
    assert findings(martlet, "notification", bucket)[0] == "The bucket has no notification configuration."
    client_of(own, "sqs").create_queue(QueueName=name)
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={"QueueConfigurations": [{
        "Id": "r", "QueueArn": f"arn:aws:sqs:us-east-1:000000000000:{name}", "Events": ["s3:ObjectCreated:*"],
        "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "in/"}, {"Name": "suffix", "Value": ".jpg"}]}}}]})
    assert findings(martlet, "notification", f"{bucket}/in/a.jpg") == ("Nothing that this server knows of is in the way.", [])
    assert findings(martlet, "notification", f"{bucket}/in/a.png")[0] == "No rule is for the key in/a.png."
    assert "There is no bucket nonsense" in martlet("explain", "notification", "nonsense", status=2)


def test_samples_go_into_functions(own, martlet, name):
    own.create(name, "def handler(event, context): return event['Records'][0]['s3']['object']['key']\n")
    event = martlet("event", "generate", "s3", "put", "--bucket", "photos", "--key", "a cat.jpg", "--region=eu-west-1")
    assert martlet("invoke", name, "--payload", "-", "--no-log", stdin=event) == '"a+cat.jpg"\n'
    assert json.loads(event)["Records"][0]["awsRegion"] == "eu-west-1"
    listed = json.loads(martlet("event", "list", "--output", "json"))
    assert len(listed) > 50 and "s3 " in martlet("event", "list") and "sqs" not in martlet("event", "list", "s3")
    for sample in listed:
        json.loads(martlet("event", "generate", sample["Source"], sample["Type"], "--compact"))
    help_text = martlet("event", "generate", "s3", "put", "--help")
    assert "--bucket" in help_text and "--queue" not in help_text and "s3 put" in martlet("event", "generate", "--help")
    assert "There is no sample s3 nonsense" in martlet("event", "generate", "s3", "nonsense", status=64)
    assert "s3 put has no --queue" in martlet("event", "generate", "s3", "put", "--queue", "q", status=64)
    assert "There are no samples of nonsense" in martlet("event", "list", "nonsense", status=64)
