# X-Ray with real functions and the stock SDK: what Lambda writes itself, what functions send, and the way of a trace.
import glob
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

import boto3
import pytest

from conftest import Server, new_directory, program, wait_until
from test_runtimes import PYTHONS

ACTIVE = {"Mode": "Active"}
PLAIN = """
import os
def handler(event, context):
    if event and event.get("fail"): raise ValueError("asked for")
    return os.environ["_X_AMZN_TRACE_ID"]
"""
# What an SDK does, without one: a datagram to the address that the environment names.
SPEAKER = """
import json, os, socket, time, urllib.request
def handler(event, context):
    header = dict(part.split("=", 1) for part in os.environ["_X_AMZN_TRACE_ID"].split(";"))
    host, port = os.environ["AWS_XRAY_DAEMON_ADDRESS"].split(" ")[-1].removeprefix("udp:").split(":")
    now = time.time()
    segment = {"id": os.urandom(8).hex(), "trace_id": header["Root"], "parent_id": header["Parent"], "type": "subsegment",
               "name": "spoken", "start_time": now, "end_time": now + 0.001, "annotations": {"said": event["say"]}}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as speaker:
        speaker.sendto(b'{"format": "json", "version": 1}\\n' + json.dumps(segment).encode(), (host, int(port)))
        speaker.sendto(b"nonsense", (host, int(port)))
    rules = None
    if event.get("rules"):
        request = urllib.request.Request(f"http://{host}:{port}/GetSamplingRules", data=b"{}", method="POST")
        rules = json.load(urllib.request.urlopen(request, timeout=5))
    return [os.environ["_X_AMZN_TRACE_ID"], rules]
"""


@pytest.fixture(scope="module")
def server():
    server = Server()
    yield server
    server.process.terminate()
    assert server.process.wait(20) == 0


def client(server, service):
    return boto3.client(service, endpoint_url=server.endpoint, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="x")


@pytest.fixture(scope="module")
def xray(server):
    return client(server, "xray")


def segments(xray, root, count):
    """The documents of a trace that has as many of them, in the order of their beginnings."""
    def found():
        traces = xray.batch_get_traces(TraceIds=[root])["Traces"]
        documents = [json.loads(segment["Document"]) for trace in traces for segment in trace["Segments"]]
        return len(documents) >= count and documents
    return wait_until(found, what=f"{count} segments of {root}")


def of(documents, origin, name=None):
    return next(d for d in documents if d.get("origin") == origin and name in (None, d["name"]))


def root_of(header):
    return re.search(r"Root=([^;]+)", header).group(1)


def header_of(root, parent="00000000000000aa", sampled=1):
    return f"Root={root};Parent={parent};Sampled={sampled}"


def new_root():
    return f"1-{int(time.time()):08x}-{os.urandom(12).hex()}"


def invoke_with(server, name, header, payload=b"{}", kind="RequestResponse"):
    request = urllib.request.Request(
        f"{server.endpoint}/2015-03-31/functions/{name}/invocations", data=payload, method="POST",
        headers={"X-Amzn-Trace-Id": header, "X-Amz-Invocation-Type": kind,
                 "Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/lambda/aws4_request, SignedHeaders=host, Signature=0"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.read(), answer.headers


def test_active_functions_are_traced(server, xray, name):
    server.create(name, PLAIN, TracingConfig=ACTIVE)
    answer = server.invoke(name)
    header = answer.succeeded()
    assert header.endswith("Sampled=1") or ";Sampled=1;Lineage=" in header
    assert answer.headers["x-amzn-trace-id"] == header
    documents = segments(xray, root_of(header), 2)
    service, function = of(documents, "AWS::Lambda"), of(documents, "AWS::Lambda::Function")
    assert "parent_id" not in service and function["parent_id"] == service["id"] and service["http"]["response"]["status"] == 200
    assert f"Parent={function['id']};" in header and service["aws"]["request_id"] == answer.request_id
    parts = {part["name"]: part for part in function["subsegments"]}
    assert list(parts) == ["Initialization", "Invocation", "Overhead"]
    assert all(part["start_time"] <= part["end_time"] for part in parts.values())
    assert parts["Initialization"]["end_time"] <= parts["Invocation"]["start_time"] + 0.001
    assert service["start_time"] <= function["end_time"] <= service["end_time"] + 0.001
    assert function["aws"]["cloudwatch_logs"][0]["log_group"] == f"/aws/lambda/{name}"
    assert re.search(r"XRAY TraceId: 1-[0-9a-f-]+\tSegmentId: " + function["id"] + r"\tSampled: true\t\n", answer.log)
    # The reservoir of this second is empty soon: one of twenty goes on.
    sampled = ["Sampled=1" in server.invoke(name).succeeded() for _ in range(40)]
    assert not all(sampled)


def test_errors_are_faults(server, xray, name):
    server.create(name, PLAIN, TracingConfig=ACTIVE)
    answer = server.invoke(name, {"fail": 1})
    assert answer.error == "Unhandled"
    documents = segments(xray, root_of(answer.headers["x-amzn-trace-id"]), 2)
    function = of(documents, "AWS::Lambda::Function")
    assert function["fault"] is True and of(documents, "AWS::Lambda")["fault"] is True
    exception = function["cause"]["exceptions"][0]
    assert exception["type"] == "ValueError" and exception["message"] == "asked for"
    found = xray.get_trace_summaries(
        StartTime=time.time() - 60, EndTime=time.time() + 1, FilterExpression=f'service("{name}") {{ fault }} AND message CONTAINS "asked"')
    assert [summary["HasFault"] for summary in found["TraceSummaries"]] == [True]


def test_callers_decide_for_functions_that_pass_through(server, xray, name):
    server.create(name, PLAIN)
    assert "Sampled=0" in server.invoke(name).succeeded()
    root = new_root()
    body, headers = invoke_with(server, name, header_of(root))
    documents = segments(xray, root, 2)
    assert of(documents, "AWS::Lambda")["parent_id"] == "00000000000000aa"
    assert root_of(json.loads(body)) == root == root_of(headers["X-Amzn-Trace-Id"])
    invoke_with(server, name, header_of(other := new_root(), sampled=0))
    assert xray.batch_get_traces(TraceIds=[other])["UnprocessedTraceIds"] == [other]


@pytest.mark.parametrize("settings", [{}, {"TracingConfig": ACTIVE}], ids=["pass-through", "active"])
def test_the_daemons_port(server, xray, name, settings):
    server.create(name, SPEAKER, **settings)
    root = new_root()
    say = json.dumps({"say": "aloud", "rules": bool(settings)}).encode()
    for _ in range(2):  # cold and warm
        body, _ = invoke_with(server, name, header_of(root), say)
    rules = json.loads(body)[1]
    if settings:
        assert rules["SamplingRuleRecords"][-1]["SamplingRule"]["RuleName"] == "Default"

    def spoken():
        documents = segments(xray, root, 4)
        return [part for d in documents for part in d.get("subsegments", []) if part["name"] == "spoken"][1:] and documents
    documents = wait_until(spoken, what="the subsegments that the function sent")
    for function in (d for d in documents if d.get("origin") == "AWS::Lambda::Function"):
        assert [part["name"] for part in function["subsegments"] if part["name"] != "Initialization"].count("spoken") == 1


def test_without_isolation(own_server, name):
    server = own_server("--isolation", "none")
    server.create(name, SPEAKER, TracingConfig=ACTIVE)
    answer = server.invoke(name, {"say": "x"})
    documents = segments(client(server, "xray"), root_of(answer.succeeded()[0]), 2)
    wait_until(lambda: "spoken" in json.dumps(segments(client(server, "xray"), documents[0]["trace_id"], 2)), what="what was said")


def test_events_have_attempts(server, xray, name):
    server.create(name, PLAIN, TracingConfig=ACTIVE)
    server.client.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=1)
    root = new_root()
    invoke_with(server, name, f"Root={root}", b'{"fail": 1}', "Event")
    documents = segments(xray, root, 2)
    subprocess.run([program(), "clock", "advance", "2m", "--endpoint", server.endpoint], check=True, capture_output=True)
    documents = segments(xray, root, 3)
    services = [d for d in documents if d["origin"] == "AWS::Lambda"]
    assert len(services) == 1 and services[0]["http"]["response"]["status"] == 202
    parts = {part["name"]: part for part in services[0]["subsegments"]}
    assert set(parts) == {"Dwell Time", "Attempt #1", "Attempt #2"} and parts["Attempt #2"]["fault"] is True
    functions = [d for d in documents if d["origin"] == "AWS::Lambda::Function"]
    assert {f["parent_id"] for f in functions} == {parts["Attempt #1"]["id"], parts["Attempt #2"]["id"]}


def test_throttles_are_told(server, xray, name):
    server.create(name, PLAIN, TracingConfig=ACTIVE)
    server.client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    root = new_root()
    with pytest.raises(urllib.error.HTTPError):
        invoke_with(server, name, header_of(root))
    service = segments(xray, root, 1)[0]
    assert service["throttle"] is True and service["http"]["response"]["status"] == 429


def test_traces_go_through_queues_topics_buckets_buses_and_urls(server, xray, name):
    server.create(name, PLAIN)
    account = "000000000000"
    arn = f"arn:aws:lambda:us-east-1:{account}:function:{name}"
    ways = {}

    def through(way, service, call):
        ways[way] = root = new_root()
        caller = client(server, service)
        caller.meta.events.register("before-send.*", lambda request, **_: request.headers.update({"X-Amzn-Trace-Id": header_of(root)}))
        call(caller)

    sqs, sns, s3, events = (client(server, service) for service in ("sqs", "sns", "s3", "events"))
    queue = sqs.create_queue(QueueName=name)["QueueUrl"]
    server.client.create_event_source_mapping(FunctionName=name, EventSourceArn=f"arn:aws:sqs:us-east-1:{account}:{name}")
    topic = sns.create_topic(Name=name)["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=arn)
    s3.create_bucket(Bucket=name)
    server.client.add_permission(FunctionName=name, StatementId="s3", Action="lambda:InvokeFunction", Principal="s3.amazonaws.com")
    s3.put_bucket_notification_configuration(
        Bucket=name, NotificationConfiguration={"LambdaFunctionConfigurations": [{"LambdaFunctionArn": arn, "Events": ["s3:ObjectCreated:*"]}]})
    events.put_rule(Name=name, EventPattern='{"source": ["mine"]}')
    events.put_targets(Rule=name, Targets=[{"Id": "f", "Arn": arn}])
    url = server.client.create_function_url_config(FunctionName=name, AuthType="NONE")["FunctionUrl"]

    through("queue", "sqs", lambda c: c.send_message(QueueUrl=queue, MessageBody="x"))
    through("topic", "sns", lambda c: c.publish(TopicArn=topic, Message="x"))
    through("bucket", "s3", lambda c: c.put_object(Bucket=name, Key="k", Body=b"x"))
    through("bus", "events", lambda c: c.put_events(Entries=[{"Source": "mine", "DetailType": "d", "Detail": "{}"}]))
    ways["url"] = new_root()
    host = url.split("/")[2].split(":")[0]
    request = urllib.request.Request(server.endpoint, headers={"Host": host, "X-Amzn-Trace-Id": header_of(ways["url"])})
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert root_of(answer.headers["X-Amzn-Trace-Id"]) == ways["url"]
    for way, root in ways.items():
        documents = segments(xray, root, 2)
        assert of(documents, "AWS::Lambda")["parent_id"] == "00000000000000aa", way
        assert of(documents, "AWS::Lambda::Function", name), way


def test_the_stock_sdk(server, xray, name):
    """aws-xray-sdk without any setting: a patched client's call is below the function's segment, and what it calls goes on from there."""
    runtime = "python3.11" if "python3.11" in PYTHONS else PYTHONS[-1]
    target = new_directory()
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--target", target, "--python-version",
                    runtime[6:], "--only-binary=:all:", "boto3==1.44.5", "aws-xray-sdk==2.14.0"], check=True)
    files = {"app.py": "import boto3, json\nfrom aws_xray_sdk.core import patch_all, xray_recorder\npatch_all()\n"
                       "client = boto3.client('lambda')\n"
                       "def handler(event, context):\n"
                       "    with xray_recorder.in_subsegment('mine') as mine:\n"
                       "        mine.put_annotation('who', event['who'])\n"
                       f"        return json.load(client.invoke(FunctionName='{name}-inner', Payload=b'{{}}')['Payload'])\n"}
    for path in glob.glob(f"{target}/**/*", recursive=True):
        relative = os.path.relpath(path, target)
        if os.path.isfile(path) and not path.endswith(".pyc") and not re.match(r"bin/|botocore/data/(?!lambda/|endpoints|partitions|_retry|sdk)", relative):
            with open(path, "rb") as content:
                files[relative] = content.read()
    server.create(f"{name}-inner", PLAIN, TracingConfig=ACTIVE)
    server.create(name, files, runtime=runtime, Timeout=30, MemorySize=1769, TracingConfig=ACTIVE)
    root = new_root()
    body, _ = invoke_with(server, name, header_of(root), b'{"who": "ann"}')
    assert root_of(json.loads(body)) == root
    documents = segments(xray, root, 4)

    def below():
        function = of(segments(xray, root, 4), "AWS::Lambda::Function", name)
        return next((part for part in function["subsegments"] if part["name"] == "mine"), None)
    mine = wait_until(below, what="the subsegment")
    call = mine["subsegments"][0]
    assert call["namespace"] == "aws" and call["name"].lower() == "lambda" and call["aws"]["operation"] == "Invoke"
    assert of(documents, "AWS::Lambda", f"{name}-inner")["parent_id"] == call["id"]
    assert mine["annotations"] == {"who": "ann"}
    found = xray.get_trace_summaries(
        StartTime=time.time() - 60, EndTime=time.time() + 1, FilterExpression='annotation.who = "ann"')["TraceSummaries"]
    assert [summary["Id"] for summary in found] == [root]
    assert found[0]["Annotations"]["who"][0]["AnnotationValue"] == {"StringValue": "ann"}
    graph = xray.get_trace_graph(TraceIds=[root])["Services"]
    kinds = {(service["Name"], service.get("Type")): service for service in graph}
    outer, inner = kinds[(name, "AWS::Lambda::Function")], kinds[(f"{name}-inner", "AWS::Lambda")]
    assert inner["ReferenceId"] in [edge["ReferenceId"] for edge in outer["Edges"]]
    # The same in the terminal.
    shown = subprocess.run([program(), "trace", root, "--endpoint", server.endpoint], capture_output=True, text=True, timeout=30)
    assert shown.returncode == 0, shown.stderr
    lines = shown.stdout.splitlines()
    assert lines[0].startswith(root) and "4 segments" in lines[0]
    depth = {}
    for line in lines[2:]:
        depth.setdefault(line.split("  |")[0].strip().split("  ")[0], (len(line) - len(line.lstrip())) // 2)
    assert depth[name] == 0 and depth["mine"] == 2 and depth[f"{name}-inner"] == 4, shown.stdout


def test_the_command_line(server, xray, name):
    server.create(name, PLAIN)
    root = new_root()
    invoke_with(server, name, header_of(root))
    segments(xray, root, 2)

    def run(*arguments):
        return subprocess.run([program(), "trace", *arguments, "--endpoint", server.endpoint], capture_output=True, text=True, timeout=30)

    assert root in run("--filter", f'service("{name}")').stdout
    assert [json.loads(line)["Id"] for line in run("--filter", f'service("{name}")', "--output", "json").stdout.splitlines()] == [root]
    shown = run(header_of(root))
    assert "AWS::Lambda::Function" in shown.stdout and "█" in shown.stdout and "Overhead" in shown.stdout
    assert json.loads(run(root, "--output", "json").stdout)["Id"] == root
    absent = run(new_root())
    assert absent.returncode == 2 and "no trace" in absent.stderr
    wrong = run("--filter", "nonsense")
    assert wrong.returncode == 2 and "Invalid filter expression: unknown keyword 'nonsense' at position 1" in wrong.stderr


def test_traces_survive_kill_9(own_server, name):
    server = own_server()
    server.create(name, PLAIN, TracingConfig=ACTIVE)
    root = root_of(server.invoke(name).succeeded())
    segments(client(server, "xray"), root, 2)
    state = server.state
    server.stop(signal.SIGKILL)
    again = own_server(state=state)
    assert len(segments(client(again, "xray"), root, 2)) == 2


def test_tracing_can_be_switched_off(own_server, name):
    server = own_server("--trace-storage", "0")
    server.create(name, PLAIN, TracingConfig=ACTIVE)
    assert "Sampled=0" in server.invoke(name).succeeded()


def test_the_other_operations_with_boto3(server, xray, name):
    root, now = new_root(), time.time()
    put = xray.put_trace_segments(TraceSegmentDocuments=[json.dumps(
        {"id": "00000000000000ab", "trace_id": root, "name": name, "start_time": now, "end_time": now + 1, "error": True}), "{"])
    assert [one["ErrorCode"] for one in put["UnprocessedTraceSegments"]] == ["ParseError"]
    group = xray.create_group(GroupName=name[-32:], FilterExpression=f'service("{name}")')["Group"]
    assert xray.get_group(GroupARN=group["GroupARN"])["Group"]["FilterExpression"] == f'service("{name}")'
    assert group["GroupARN"] in [one["GroupARN"] for one in xray.get_groups()["Groups"]]
    graph = xray.get_service_graph(StartTime=now - 60, EndTime=now + 60, GroupName=name[-32:])["Services"]
    assert [(one["Name"], one.get("Type")) for one in graph] == [(name, None), (name, "client")]
    assert graph[0]["SummaryStatistics"]["ErrorStatistics"]["TotalCount"] == 1
    assert xray.update_group(GroupName=name[-32:], FilterExpression="fault")["Group"]["FilterExpression"] == "fault"
    xray.delete_group(GroupName=name[-32:])
    rule = {"RuleName": name[-32:], "ResourceARN": "*", "Priority": 1, "FixedRate": 1.0, "ReservoirSize": 0, "ServiceName": name, "ServiceType": "*",
            "Host": "*", "HTTPMethod": "*", "URLPath": "*", "Version": 1}
    arn = xray.create_sampling_rule(SamplingRule=rule)["SamplingRuleRecord"]["SamplingRule"]["RuleARN"]
    xray.tag_resource(ResourceARN=arn, Tags=[{"Key": "k", "Value": "v"}])
    assert xray.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "k", "Value": "v"}]
    xray.untag_resource(ResourceARN=arn, TagKeys=["k"])
    server.create(name, PLAIN, TracingConfig=ACTIVE)
    assert all("Sampled=1" in server.invoke(name).succeeded() for _ in range(20)), "the rule wants every one"
    xray.update_sampling_rule(SamplingRuleUpdate={"RuleARN": arn, "FixedRate": 0})
    assert "Sampled=0" in server.invoke(name).succeeded()
    summaries = xray.get_sampling_statistic_summaries()["SamplingStatisticSummaries"]
    assert sum(one["SampledCount"] for one in summaries if one["RuleName"] == name[-32:]) == 20
    targets = xray.get_sampling_targets(SamplingStatisticsDocuments=[
        {"RuleName": name[-32:], "ClientID": "a" * 24, "Timestamp": now, "RequestCount": 1, "SampledCount": 0}])
    assert targets["SamplingTargetDocuments"][0]["FixedRate"] == 0
    xray.delete_sampling_rule(RuleName=name[-32:])
    assert [one["SamplingRule"]["RuleName"] for one in xray.get_sampling_rules()["SamplingRuleRecords"]] == ["Default"]
    assert xray.put_encryption_config(Type="NONE")["EncryptionConfig"]["Type"] == xray.get_encryption_config()["EncryptionConfig"]["Type"]
    xray.put_telemetry_records(TelemetryRecords=[{"Timestamp": now, "SegmentsReceivedCount": 1}])
    assert xray.get_trace_segment_destination()["Destination"] == "XRay"
