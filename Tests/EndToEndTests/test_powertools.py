# AWS Lambda Powertools in a real function: its logger in CloudWatch Logs, its metrics in CloudWatch, its tracer in X-Ray.
import glob
import json
import os
import subprocess
import sys
import time

import boto3
import pytest

from conftest import Server, new_directory, wait_until
from test_runtimes import PYTHONS
from test_tracing import ACTIVE, header_of, invoke_with, new_root, of, segments

CODE = """
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
logger, metrics, tracer = Logger(), Metrics(), Tracer()

@tracer.capture_method
def charge(amount):
    tracer.put_annotation("amount", amount)
    tracer.put_metadata("note", {"paid": True})
    if amount < 0:
        raise ValueError("nobody pays less than nothing")
    return amount * 2

@logger.inject_lambda_context(correlation_id_path="order", log_event=False)
@metrics.log_metrics(capture_cold_start_metric=True)
@tracer.capture_lambda_handler
def handler(event, context):
    logger.append_keys(customer=event["customer"])
    logger.info("an order", extra={"amount": event["amount"]})
    logger.debug("not to be seen")
    metrics.add_dimension(name="customer", value=event["customer"])
    metrics.add_metric(name="Orders", unit=MetricUnit.Count, value=1)
    metrics.add_metric(name="Amount", unit=MetricUnit.Count, value=event["amount"])
    metrics.add_metric(name="Amount", unit=MetricUnit.Count, value=event["amount"] + 4)
    try:
        return charge(event["amount"])
    except ValueError:
        logger.exception("it could not be charged")
        raise
"""


@pytest.fixture(scope="module")
def server():
    server = Server()
    yield server
    assert server.stop() == 0


@pytest.fixture(scope="module")
def function(server):
    """Its name; the library lies in its package, as users have it."""
    runtime = "python3.11" if "python3.11" in PYTHONS else PYTHONS[-1]
    target = new_directory()
    # Of its tracer's library boto3 is no dependency, and nothing here calls AWS.
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--target", target, "--python-version",
                    runtime[6:], "--only-binary=:all:", "aws-lambda-powertools==3.37.0", "aws-xray-sdk==2.14.0"], check=True)
    files = {"app.py": CODE}
    for path in glob.glob(f"{target}/**/*", recursive=True):
        relative = os.path.relpath(path, target)
        if os.path.isfile(path) and not path.endswith(".pyc") and not relative.startswith(("bin/", "botocore/data/")):
            with open(path, "rb") as content:
                files[relative] = content.read()
    server.create("shop", files, runtime=runtime, Timeout=30, MemorySize=1769, TracingConfig=ACTIVE, Environment={"Variables": {
        "POWERTOOLS_SERVICE_NAME": "orders", "POWERTOOLS_METRICS_NAMESPACE": "Shop", "POWERTOOLS_LOG_LEVEL": "INFO"}})
    return "shop"


def client(server, service):
    return boto3.client(service, endpoint_url=server.endpoint, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="x")


@pytest.fixture(scope="module")
def cold(server, function):
    """The first invocation: its trace, its answer, the id of its request."""
    root = new_root()
    body, headers = invoke_with(server, function, header_of(root), json.dumps({"customer": "ann", "amount": 3, "order": "o-1"}).encode())
    assert json.loads(body) == 6, body
    return root, headers["x-amzn-RequestId"]


def records(server, pattern, count=1):
    """The JSON lines of the function that match a filter pattern."""
    logs = client(server, "logs")

    def found():
        try:
            events = logs.filter_log_events(logGroupName="/aws/lambda/shop", filterPattern=pattern)["events"]
        except logs.exceptions.ResourceNotFoundException:
            return None
        return len(events) >= count and [json.loads(event["message"]) for event in events]
    return wait_until(found, what=f"{count} lines of {pattern}")


def test_the_logger(server, cold):
    root, request = cold
    line, = records(server, '{ $.message = "an order" && $.customer = "ann" }')
    assert line["level"] == "INFO" and line["service"] == "orders" and line["amount"] == 3 and line["correlation_id"] == "o-1"
    assert line["function_name"] == "shop" and line["function_request_id"] == request and line["cold_start"] is True
    assert line["function_memory_size"] == "1769" and line["function_arn"] == "arn:aws:lambda:us-east-1:000000000000:function:shop"
    assert line["xray_trace_id"] == root and line["location"].startswith("handler:")
    assert not client(server, "logs").filter_log_events(
        logGroupName="/aws/lambda/shop", filterPattern='{ $.message = "not to be seen" }')["events"]


def test_the_metrics(server, cold):
    cloudwatch = client(server, "cloudwatch")

    def known():
        found = cloudwatch.list_metrics(Namespace="Shop")["Metrics"]
        return {(metric["MetricName"], tuple(sorted((d["Name"], d["Value"]) for d in metric["Dimensions"]))) for metric in found}
    ann = (("customer", "ann"), ("service", "orders"))
    start = (("function_name", "shop"), ("service", "orders"))
    wait_until(lambda: {("Orders", ann), ("Amount", ann), ("ColdStart", start)} <= known(), what="the metrics")

    def statistics(name, dimensions):
        points = cloudwatch.get_metric_statistics(
            Namespace="Shop", MetricName=name, Dimensions=[{"Name": n, "Value": v} for n, v in dimensions], Period=3600,
            StartTime=time.time() - 3600, EndTime=time.time() + 3600, Statistics=["Sum", "Maximum", "SampleCount"])["Datapoints"]
        return [(point["Sum"], point["Maximum"], point["SampleCount"], point["Unit"]) for point in points]
    assert statistics("Amount", ann) == [(10, 7, 2, "Count")]
    assert statistics("ColdStart", start) == [(1, 1, 1, "Count")]


def test_the_tracer(server, cold):
    root, _ = cold
    xray = client(server, "xray")

    def handled():
        function = of(segments(xray, root, 2), "AWS::Lambda::Function", "shop")
        return next((part for part in function["subsegments"] if part["name"] == "## handler"), None)
    handler = wait_until(handled, what="the subsegment")
    assert handler["annotations"] == {"ColdStart": True, "Service": "orders"}
    assert handler["metadata"]["orders"]["handler response"] == 6
    charge, = handler["subsegments"]
    assert charge["name"] == "## app.charge" and charge["annotations"] == {"amount": 3}
    assert charge["metadata"]["orders"] == {"note": {"paid": True}, "app.charge response": 6}
    found = xray.get_trace_summaries(
        StartTime=time.time() - 600, EndTime=time.time() + 1, FilterExpression='annotation.Service = "orders" AND annotation.ColdStart = true')
    assert root in [summary["Id"] for summary in found["TraceSummaries"]]


def test_failures_are_everywhere(server, function, cold):
    root = new_root()
    body, headers = invoke_with(server, function, header_of(root), json.dumps({"customer": "bob", "amount": -1, "order": "o-2"}).encode())
    assert headers["X-Amz-Function-Error"] == "Unhandled" and json.loads(body)["errorType"] == "ValueError"
    line, = records(server, '{ $.level = "ERROR" && $.customer = "bob" }')
    assert line["message"] == "it could not be charged" and line["exception_name"] == "ValueError" and line["cold_start"] is False
    assert "nobody pays less than nothing" in line["exception"] and line["stack_trace"]["type"] == "ValueError"
    xray = client(server, "xray")

    def handled():
        function = of(segments(xray, root, 2), "AWS::Lambda::Function", "shop")
        return next((part for part in function["subsegments"] if part["name"] == "## handler"), None)
    handler = wait_until(handled, what="the subsegment")
    charge = handler["subsegments"][0]
    assert charge["fault"] is True and charge["cause"]["exceptions"][0]["type"] == "ValueError"
    # Its metrics are told all the same.
    wait_until(lambda: [m for m in client(server, "cloudwatch").list_metrics(
        Namespace="Shop", MetricName="Orders", Dimensions=[{"Name": "customer", "Value": "bob"}])["Metrics"]], what="the metric")
