# Traces and metrics as the stock aws command shows them, both its versions: PyPI has the first, Debian the second.
import datetime
import json
import os
import subprocess
import sys

import pytest

from conftest import ROLE, new_directory, package, wait_until
from test_iam import client_of

HANDLER = {"index.py": "def handler(event, context):\n    if event.get('fail'):\n        raise ValueError('no')\n    return event\n"}
SECOND = pytest.param(["/usr/bin/aws"], id="v2", marks=pytest.mark.skipif(
    not os.path.exists("/usr/bin/aws"), reason="version 2 of the aws command is no package of PyPI's, and Debian's is not installed"))


@pytest.fixture(params=[pytest.param([sys.executable, "-m", "awscli"], id="v1"), SECOND])
def aws(request, server):
    environment = {"PATH": "/usr/bin:/bin", "HOME": new_directory(), "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "x",
                   "AWS_DEFAULT_REGION": "us-east-1", "AWS_PAGER": ""}

    def run(*arguments):
        done = subprocess.run(
            [*request.param, "--endpoint-url", server.endpoint, "--output", "json", *arguments], capture_output=True, text=True, timeout=60, env=environment)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else None
    return run


@pytest.fixture
def function(server, name):
    functions = client_of(server, "lambda")
    functions.create_function(
        FunctionName=name, Runtime="python3.12", Role=ROLE, Handler="index.handler", Code={"ZipFile": package(HANDLER)}, TracingConfig={"Mode": "Active"})
    functions.get_waiter("function_active_v2").wait(FunctionName=name)
    functions.invoke(FunctionName=name, Payload=b"{}")
    functions.invoke(FunctionName=name, Payload=b'{"fail": true}')
    yield name
    functions.delete_function(FunctionName=name)


def span():
    # Whole minutes around now, as the command takes them.
    now = datetime.datetime.now(datetime.timezone.utc)
    return [(now + datetime.timedelta(minutes=by)).strftime("%Y-%m-%dT%H:%M:00Z") for by in (-10, 10)]


def test_traces(aws, function):
    start, end = span()
    times = ["--start-time", start, "--end-time", end]
    # Of the second invocation within a second the sampling rules decide.
    found = wait_until(lambda: aws("xray", "get-trace-summaries", *times, "--filter-expression", f'service("{function}")')["TraceSummaries"], what="a trace")
    assert all(summary["ResponseTime"] >= 0 for summary in found)
    traces = aws("xray", "batch-get-traces", "--trace-ids", found[0]["Id"])
    assert traces["UnprocessedTraceIds"] == []
    segments = [json.loads(segment["Document"]) for segment in traces["Traces"][0]["Segments"]]
    assert {segment["origin"] for segment in segments} == {"AWS::Lambda", "AWS::Lambda::Function"}
    assert {segment["name"] for segment in segments} == {function}
    graph = aws("xray", "get-service-graph", *times)
    mine = {service["Type"]: service for service in graph["Services"] if service["Name"] == function}
    assert {"AWS::Lambda", "AWS::Lambda::Function"} <= set(mine) and mine["AWS::Lambda"]["SummaryStatistics"]["TotalCount"] >= 1


def test_metrics(aws, function):
    start, end = span()
    metric = {"Namespace": "AWS/Lambda", "Dimensions": [{"Name": "FunctionName", "Value": function}]}
    queries = [
        {"Id": "calls", "MetricStat": {"Metric": {**metric, "MetricName": "Invocations"}, "Period": 60, "Stat": "Sum"}, "ReturnData": False},
        {"Id": "errors", "MetricStat": {"Metric": {**metric, "MetricName": "Errors"}, "Period": 60, "Stat": "Sum"}},
        {"Id": "rate", "Expression": "100 * errors / calls", "Label": "of a hundred"},
    ]

    def told():
        found = aws("cloudwatch", "get-metric-data", "--start-time", start, "--end-time", end, "--metric-data-queries", json.dumps(queries))
        results = {result["Id"]: result for result in found["MetricDataResults"]}
        return results if sum(results["errors"]["Values"]) == 1 and results["rate"]["Values"] else None
    results = wait_until(told, 30, "the metrics of both invocations")
    assert set(results) == {"errors", "rate"} and results["rate"]["Label"] == "of a hundred"
    # A minute may end between the two invocations.
    assert max(results["rate"]["Values"]) in (50, 100)
    listed = aws("cloudwatch", "list-metrics", "--namespace", "AWS/Lambda", "--dimensions", f"Name=FunctionName,Value={function}")
    assert {"Invocations", "Errors", "Duration"} <= {entry["MetricName"] for entry in listed["Metrics"]}
