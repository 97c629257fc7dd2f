# Metrics as clients see them: boto3 (CBOR), the aws CLI, Lambda's own, and a real Prometheus that scrapes the server.
import datetime
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request

import pytest

from conftest import Server, wait_until
from test_iam import client_of
from test_sqs import advance

CODE = """
import time
def handler(event, context):
    time.sleep(event.get("sleep", 0))
    if event.get("fail"):
        raise ValueError("as asked")
    return event
"""


@pytest.fixture(scope="module")
def own():
    """Counts what it does, so nobody else uses it."""
    server = Server()
    yield server
    assert server.stop() == 0
    assert " ERROR " not in server.log


@pytest.fixture
def cloudwatch(own):
    return client_of(own, "cloudwatch")


def now(server):
    with urllib.request.urlopen(f"{server.endpoint}/_martlet/clock") as answer:
        return datetime.datetime.fromisoformat(json.load(answer)["now"].replace("Z", "+00:00"))


def statistic(server, cloudwatch, metric, stat="Sum", namespace="AWS/Lambda", **dimensions):
    end = now(server) + datetime.timedelta(minutes=1)
    answer = cloudwatch.get_metric_statistics(
        Namespace=namespace, MetricName=metric, StartTime=end - datetime.timedelta(hours=3), EndTime=end, Period=10800,
        Statistics=[stat], Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()])
    return sum(point[stat] for point in answer["Datapoints"])


def test_lambda_tells_of_its_invocations(own, cloudwatch, name):
    own.create(name, CODE)
    for event in ({}, {}, {"fail": True}):
        own.invoke(name, event)
    own.client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    with pytest.raises(own.client.exceptions.TooManyRequestsException):
        own.client.invoke(FunctionName=name)
    wait_until(lambda: statistic(own, cloudwatch, "Throttles", FunctionName=name) == 1, what="the throttle")
    wait_until(lambda: statistic(own, cloudwatch, "Invocations", FunctionName=name) == 3, what="the invocations")
    assert statistic(own, cloudwatch, "Errors", FunctionName=name) == 1
    assert statistic(own, cloudwatch, "Errors", "SampleCount", FunctionName=name) == 3
    assert statistic(own, cloudwatch, "Invocations", FunctionName=name, Resource=name) == 3
    assert statistic(own, cloudwatch, "Duration", "SampleCount", FunctionName=name) == 3
    assert statistic(own, cloudwatch, "Duration", "Maximum", FunctionName=name) > 0
    assert statistic(own, cloudwatch, "ConcurrentExecutions", "Maximum", FunctionName=name) == 1
    assert statistic(own, cloudwatch, "Invocations") >= 3
    metrics = cloudwatch.list_metrics(Namespace="AWS/Lambda", Dimensions=[{"Name": "FunctionName", "Value": name}])
    assert {"Invocations", "Errors", "Duration", "Throttles"} <= {metric["MetricName"] for metric in metrics["Metrics"]}


def test_an_alias_has_the_version_that_ran(own, cloudwatch, name):
    own.create(name, CODE)
    version = own.client.publish_version(FunctionName=name)["Version"]
    own.client.create_alias(FunctionName=name, Name="live", FunctionVersion=version)
    own.client.invoke(FunctionName=name, Qualifier="live", Payload=b"{}")
    wait_until(
        lambda: statistic(
            own, cloudwatch, "Invocations", FunctionName=name, Resource=f"{name}:live", ExecutedVersion=version) == 1,
        what="the alias")
    assert statistic(own, cloudwatch, "Invocations", FunctionName=name, Resource=f"{name}:live") == 1
    assert statistic(own, cloudwatch, "Invocations", FunctionName=name, Resource=name) == 0


def test_asynchronous_events_are_told(own, cloudwatch, name):
    own.create(name, CODE)
    own.client.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=0)
    own.client.invoke(FunctionName=name, InvocationType="Event", Payload=b'{"fail": true}')
    wait_until(lambda: statistic(own, cloudwatch, "AsyncEventsDropped", FunctionName=name) == 1, what="the drop")
    assert statistic(own, cloudwatch, "AsyncEventsReceived", FunctionName=name) == 1
    assert statistic(own, cloudwatch, "AsyncEventAge", "SampleCount", FunctionName=name) == 1


def test_the_command_line_finds_what_boto3_put(own, cloudwatch, name):
    cloudwatch.put_metric_data(
        Namespace=name, MetricData=[{"MetricName": "Big", "Value": n, "Dimensions": [{"Name": "N", "Value": "x" * 50}]}
                                    for n in range(500)])
    environment = {**os.environ, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
    answer = subprocess.run(
        [sys.executable, "-m", "awscli", "--endpoint-url", own.endpoint, "cloudwatch", "list-metrics", "--namespace", name],
        env=environment, check=True, capture_output=True, timeout=60)
    assert [metric["MetricName"] for metric in json.loads(answer.stdout)["Metrics"]] == ["Big"]
    end = now(own) + datetime.timedelta(minutes=1)
    data = cloudwatch.get_paginator("get_metric_data").paginate(
        StartTime=end - datetime.timedelta(minutes=30), EndTime=end, MetricDataQueries=[
            {"Id": "p", "MetricStat": {"Metric": {"Namespace": name, "MetricName": "Big", "Dimensions": [
                {"Name": "N", "Value": "x" * 50}]}, "Period": 3600, "Stat": "p90"}}])
    values = [value for page in data for result in page["MetricDataResults"] for value in result["Values"]]
    assert len(values) == 1 and abs(values[0] - 449) < 10
    with pytest.raises(cloudwatch.exceptions.InvalidParameterValueException):
        cloudwatch.put_metric_data(Namespace="AWS/Lambda", MetricData=[{"MetricName": "a", "Value": 1}])


# Prometheus


def exposition(server):
    with urllib.request.urlopen(f"{server.endpoint}/_martlet/metrics") as answer:
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        return answer.read()


def need(program):
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed: ./test fetches Debian's package prometheus where it can")
    return program


def test_the_exposition_is_well_formed(own, name):
    own.create(name, CODE)
    own.invoke(name, {})
    text = exposition(own)
    labels = f'account="000000000000",region="us-east-1",function="{name}"'
    assert f"martlet_function_invocations_total{{{labels}}} 1\n" in text.decode()
    assert f"martlet_function_cold_starts_total{{{labels}}} 1\n" in text.decode()
    checked = subprocess.run([need("promtool"), "check", "metrics"], input=text, capture_output=True, timeout=60)
    assert checked.returncode == 0 and not checked.stderr, checked.stderr.decode()


def test_prometheus_scrapes_it(own, name):
    need("prometheus")
    own.create(name, CODE)
    own.invoke(name, {})
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    home = tempfile.mkdtemp(prefix="martlet-prometheus-")
    configuration = os.path.join(home, "prometheus.yml")
    with open(configuration, "w") as file:
        json.dump({"global": {"scrape_interval": "1s"}, "scrape_configs": [{
            "job_name": "martlet", "metrics_path": "/_martlet/metrics",
            "static_configs": [{"targets": [own.endpoint.split("//")[1]]}]}]}, file)
    with open(os.path.join(home, "log"), "w") as log:
        process = subprocess.Popen(
            ["prometheus", f"--config.file={configuration}", f"--storage.tsdb.path={home}/data",
             f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log)

    def value():
        query = urllib.parse.quote(f'martlet_function_invocations_total{{function="{name}"}}')
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/query?query={query}", timeout=5) as answer:
                return [result["value"][1] for result in json.load(answer)["data"]["result"]]
        except OSError:
            return None

    try:
        wait_until(lambda: value() == ["1"], 60, "the sample")
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(home)

# Alarms, and metrics of logs

EMF = """
import json
def handler(event, context):
    print(json.dumps({"_aws": {"Timestamp": event["at"], "CloudWatchMetrics": [
        {"Namespace": event["space"], "Dimensions": [["City"]], "Metrics": [{"Name": "Sold", "Unit": "Count"}]}]},
        "City": "Bern", "Sold": 3}))
"""


def test_a_function_logs_metrics(own, cloudwatch, name):
    own.create(name, EMF)
    logs = client_of(own, "logs")
    own.invoke(name, {"at": int(now(own).timestamp() * 1000), "space": name})
    wait_until(lambda: statistic(own, cloudwatch, "Sold", namespace=name, City="Bern") == 3, what="the metric")
    logs.put_metric_filter(
        logGroupName=f"/aws/lambda/{name}", filterName="ends", filterPattern="REPORT",
        metricTransformations=[{"metricName": "Reports", "metricNamespace": name, "metricValue": "1"}])
    own.invoke(name, {"at": int(now(own).timestamp() * 1000), "space": name})
    wait_until(lambda: statistic(own, cloudwatch, "Reports", namespace=name) == 1, what="the report")


def test_an_alarm_invokes_a_function(name):
    server = Server()
    try:
        cloudwatch, sqs = client_of(server, "cloudwatch"), client_of(server, "sqs")
        url = sqs.create_queue(QueueName="told")["QueueUrl"]
        server.create("teller", f"""
import boto3, json
def handler(event, context):
    boto3.client("sqs").send_message(QueueUrl="{url}", MessageBody=json.dumps(event))
""")
        server.create("fails", CODE)
        cloudwatch.put_metric_alarm(
            AlarmName="errors", Namespace="AWS/Lambda", MetricName="Errors", Statistic="Sum", Period=60, EvaluationPeriods=1,
            Threshold=0, ComparisonOperator="GreaterThanThreshold", TreatMissingData="notBreaching",
            Dimensions=[{"Name": "FunctionName", "Value": "fails"}],
            AlarmActions=[server.client.get_function(FunctionName="teller")["Configuration"]["FunctionArn"]])
        server.invoke("fails", {"fail": True})
        wait_until(lambda: statistic(server, cloudwatch, "Errors", FunctionName="fails") == 1, what="the error")
        advance(server, "2m")
        wait_until(lambda: cloudwatch.describe_alarms(AlarmNames=["errors"])["MetricAlarms"][0]["StateValue"] == "ALARM",
                   what="the alarm")
        messages = wait_until(
            lambda: sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5).get("Messages"), 30, "the function's word")
        event = json.loads(messages[0]["Body"])
        assert event["alarmData"]["state"]["value"] == "ALARM" and event["alarmData"]["alarmName"] == "errors"
        waiter = cloudwatch.get_waiter("alarm_exists")
        waiter.wait(AlarmNames=["errors"])
        advance(server, "10m")
        states = [item["HistorySummary"] for page in cloudwatch.get_paginator("describe_alarm_history").paginate(
            AlarmName="errors", HistoryItemType="StateUpdate") for item in page["AlarmHistoryItems"]]
        assert states[0] == "Alarm updated from ALARM to OK"
    finally:
        assert server.stop() == 0


def test_what_a_function_logs_rings_an_alarm_that_a_topic_tells(name):
    """From a line in the embedded metric format to a message in a queue, through a metric, an alarm and a topic."""
    server = Server()
    try:
        cloudwatch, sqs, sns = client_of(server, "cloudwatch"), client_of(server, "sqs"), client_of(server, "sns")
        url = sqs.create_queue(QueueName="rung")["QueueUrl"]
        queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        topic = sns.create_topic(Name="alarms")["TopicArn"]
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
        cloudwatch.put_metric_alarm(
            AlarmName="orders", Namespace="shop", MetricName="Refused", Statistic="Sum", Period=60, EvaluationPeriods=1,
            Threshold=2, ComparisonOperator="GreaterThanThreshold", TreatMissingData="notBreaching", AlarmActions=[topic])
        server.create("orders", """
import json
def handler(event, context):
    print(json.dumps({"_aws": {"Timestamp": event["at"], "CloudWatchMetrics": [
        {"Namespace": "shop", "Dimensions": [[]], "Metrics": [{"Name": "Refused", "Unit": "Count"}]}]}, "Refused": 3}))
""")
        server.invoke("orders", {"at": int(now(server).timestamp() * 1000)}).succeeded()
        wait_until(lambda: statistic(server, cloudwatch, "Refused", namespace="shop") == 3, what="the metric")
        advance(server, "2m")
        messages = wait_until(lambda: sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5).get("Messages"), 30, "the topic's word")
        told = json.loads(json.loads(messages[0]["Body"])["Message"])
        assert (told["AlarmName"], told["NewStateValue"], told["Trigger"]["MetricName"]) == ("orders", "ALARM", "Refused")
    finally:
        assert server.stop() == 0
