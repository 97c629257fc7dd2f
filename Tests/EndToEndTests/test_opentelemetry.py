# Traces, metrics and logs of real functions at a collector of OpenTelemetry: a stand-in that decodes what it is sent with the
# messages that OpenTelemetry itself ships.
import glob
import http.server
import json
import os
import re
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.request

import boto3
import pytest
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2 as logs_service
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as metrics_service
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as trace_service

from conftest import new_directory, package, program, wait_until
from test_https import Authority
from test_runtimes import PYTHONS
from test_tracing import ACTIVE, header_of, invoke_with, new_root

# What a user may set: everything goes soon.
SOON = {"OTEL_BSP_SCHEDULE_DELAY": "50", "OTEL_BLRP_SCHEDULE_DELAY": "50", "OTEL_METRIC_EXPORT_INTERVAL": "200"}
KINDS = {
    "/v1/traces": trace_service.ExportTraceServiceRequest, "/v1/metrics": metrics_service.ExportMetricsServiceRequest,
    "/v1/logs": logs_service.ExportLogsServiceRequest,
}
CODE = """
import json, os, socket, time
def handler(event, context):
    print("plain words")
    print(json.dumps({"level": "WARNING", "message": "in JSON", "requestId": context.aws_request_id}))
    print(json.dumps({"_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [
        {"Namespace": "Shop", "Dimensions": [["kind"]], "Metrics": [{"Name": "Orders", "Unit": "Count"}, {"Name": "Wait", "Unit": "Milliseconds"}]}]},
        "kind": "book", "Orders": 3, "Wait": 30}))
    header = dict(part.split("=", 1) for part in os.environ["_X_AMZN_TRACE_ID"].split(";"))
    host, port = os.environ["AWS_XRAY_DAEMON_ADDRESS"].split(" ")[-1].removeprefix("udp:").split(":")
    now = time.time()
    part = {"id": "00000000000000cc", "trace_id": header["Root"], "parent_id": header["Parent"], "type": "subsegment", "name": "spoken",
            "start_time": now, "end_time": now + 0.001, "annotations": {"said": "word"}, "metadata": {"default": {"a": [1]}},
            "subsegments": [{"id": "00000000000000dd", "name": "DynamoDB", "namespace": "aws", "start_time": now, "end_time": now,
                             "aws": {"operation": "GetItem", "table_name": "t"}, "http": {"response": {"status": 200}}}]}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as speaker:
        speaker.sendto(b'{"format": "json", "version": 1}\\n' + json.dumps(part).encode(), (host, int(port)))
    if event.get("fail"):
        raise ValueError("asked for")
    return "fine"
"""


class Collector:
    """Answers with `troubles` first, each (status, headers, body), and then with success."""

    def __init__(self, certificate=None):
        self.requests, self.troubles, collector = [], [], self

        class Answer(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, headers, reply = collector.troubles.pop(0) if collector.troubles else (200, {}, b"")
                collector.requests.append((self.path, status, dict(self.headers), body))
                self.send_response(status)
                for name, value in {**headers, "Content-Type": "application/x-protobuf", "Content-Length": str(len(reply))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(reply)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        self.endpoint = f"{'https' if certificate else 'http'}://127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def messages(self, path):
        return [KINDS[path].FromString(body) for where, status, _, body in list(self.requests) if where == path and status == 200]

    def spans(self, root=None):
        return [(attributes(resource.resource), span) for message in self.messages("/v1/traces") for resource in message.resource_spans
                for scope in resource.scope_spans for span in scope.spans if root is None or span.trace_id.hex() == root.replace("-", "")[1:]]

    def records(self, function):
        found = []
        for message in self.messages("/v1/logs"):
            for resource in message.resource_logs:
                if attributes(resource.resource)["service.name"] == function:
                    found += [(attributes(resource.resource), record) for scope in resource.scope_logs for record in scope.log_records]
        return found

    def points(self, name):
        """All points of a metric: what its resource is, the metric, the point."""
        return [(attributes(resource.resource), metric, point) for message in self.messages("/v1/metrics") for resource in message.resource_metrics
                for scope in resource.scope_metrics for metric in scope.metrics if metric.name == name
                for point in getattr(metric, metric.WhichOneof("data")).data_points]


def value(any_value):
    kind = any_value.WhichOneof("value")
    return [value(v) for v in any_value.array_value.values] if kind == "array_value" else getattr(any_value, kind)


def attributes(holder):
    return {pair.key: value(pair.value) for pair in holder.attributes}


@pytest.fixture(scope="module")
def collector():
    collector = Collector()
    yield collector
    collector.stop()


@pytest.fixture
def collectors():
    made = []

    def make(**settings):
        made.append(Collector(**settings))
        return made[-1]

    yield make
    for collector in made:
        collector.stop()


@pytest.fixture(scope="module")
def server(collector):
    from conftest import Server
    server = Server("--otlp-endpoint", collector.endpoint, "--otlp-header", "x-team=a%20b", environment={
        **SOON, "OTEL_EXPORTER_OTLP_HEADERS": "api-key=secret", "OTEL_SERVICE_NAME": "staging",
        "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=test,service.name=other"})
    yield server
    assert server.stop() == 0


def shown(server):
    """/_martlet/metrics of the export: {(family, signal, outcome): value}."""
    with urllib.request.urlopen(f"{server.endpoint}/_martlet/metrics") as page:
        text = page.read().decode()
    return {(family, signal, outcome): float(number) for family, signal, outcome, number in
            re.findall(r'(martlet_otlp_\w+)\{signal="(\w+)"(?:,outcome="(\w+)")?\} (\S+)', text)}


def test_traces(server, collector, name):
    server.create(name, CODE, TracingConfig=ACTIVE)
    root = new_root()
    invoke_with(server, name, header_of(root))
    found = wait_until(lambda: len(collector.spans(root)) >= 7 and collector.spans(root), what="the spans")
    spans = {span.span_id.hex(): (resource, span) for resource, span in found}
    by_name = {(span.name, span.kind): (resource, span) for resource, span in spans.values()}
    tops = [(resource, span) for resource, span in spans.values() if span.kind == 2]
    service = next(span for _, span in tops if span.parent_span_id.hex() == "00000000000000aa")
    resource, function = next((resource, span) for resource, span in tops if span.parent_span_id == service.span_id)
    assert resource["service.name"] == resource["faas.name"] == name and resource["faas.version"] == "$LATEST"
    assert resource["cloud.provider"] == "aws" and resource["cloud.platform"] == "aws_lambda" and resource["cloud.region"] == "us-east-1"
    assert resource["cloud.account.id"] == "000000000000"
    assert resource["cloud.resource_id"] == f"arn:aws:lambda:us-east-1:000000000000:function:{name}"
    assert resource["aws.log.group.names"] == [f"/aws/lambda/{name}"] and resource["aws.log.stream.names"] == [resource["faas.instance"]]
    assert resource["deployment.environment.name"] == "test"
    told = attributes(function)
    assert told["faas.coldstart"] is True and re.fullmatch(r"[0-9a-f-]{36}", told["faas.invocation_id"])
    assert attributes(service)["http.response.status_code"] == 200 and attributes(service)["faas.invocation_id"] == told["faas.invocation_id"]
    below = [span.name for _, span in spans.values() if span.parent_span_id == function.span_id]
    assert sorted(below) == ["Initialization", "Invocation", "Overhead", "spoken"]
    assert service.start_time_unix_nano <= function.end_time_unix_nano <= service.end_time_unix_nano + 1_000_000
    assert abs(function.end_time_unix_nano / 1e9 - time.time()) < 60 and function.status.code == 0
    # What the function told itself is of the same resource.
    speaker, spoken = by_name[("spoken", 1)]
    assert speaker == resource and attributes(spoken) == {
        "said": "word", "aws.xray.annotations": ["said"], "aws.xray.metadata.default": '{"a":[1]}'}
    _, call = by_name[("DynamoDB", 3)]
    assert call.parent_span_id == spoken.span_id == bytes.fromhex("00000000000000cc")
    assert attributes(call) == {
        "rpc.system": "aws-api", "rpc.service": "DynamoDB", "rpc.method": "GetItem", "aws.dynamodb.table_names": ["t"], "http.response.status_code": 200}
    path, _, headers, _ = collector.requests[0]
    assert headers["Content-Type"] == "application/x-protobuf" and headers["api-key"] == "secret" and headers["x-team"] == "a b"
    assert headers["User-Agent"].startswith("martlet/")


def test_errors_are_exceptions(server, collector, name):
    server.create(name, CODE, TracingConfig=ACTIVE)
    root = new_root()
    invoke_with(server, name, header_of(root), b'{"fail": 1}')
    function = wait_until(
        lambda: next((span for _, span in collector.spans(root) if span.events), None), what="the span of the function")
    assert function.status.code == 2 and function.status.message == "asked for" and attributes(function)["error.type"] == "ValueError"
    event = function.events[0]
    assert event.name == "exception" and attributes(event)["exception.type"] == "ValueError"
    assert attributes(event)["exception.message"] == "asked for" and "app.py" in attributes(event).get("exception.stacktrace", "app.py")


def test_attempts_of_events_have_one_parent(own_server, collectors, name):
    collector = collectors()
    server = own_server("--otlp-endpoint", collector.endpoint, environment=SOON)
    server.create(name, CODE, TracingConfig=ACTIVE)
    root = new_root()
    invoke_with(server, name, header_of(root), b'{"fail": 1}', kind="Event")
    attempts = lambda: {span.name: span for _, span in collector.spans(root) if span.name.startswith("Attempt #")}
    wait_until(lambda: "Attempt #1" in attempts(), what="the first attempt")
    urllib.request.urlopen(urllib.request.Request(
        f"{server.endpoint}/_martlet/clock", data=json.dumps({"advance": "5m"}).encode(), method="POST")).read()
    wait_until(lambda: len(attempts()) == 3, what="the other attempts")
    event, = [span for _, span in collector.spans(root) if span.parent_span_id.hex() == "00000000000000aa"]
    assert {span.parent_span_id for span in attempts().values()} == {event.span_id}
    assert attributes(event)["http.response.status_code"] == 202
    functions = [span for _, span in collector.spans(root) if "faas.coldstart" in attributes(span)]
    assert {span.parent_span_id for span in functions} == {span.span_id for span in attempts().values()}


def test_logs(server, collector, name):
    server.create(name, CODE, TracingConfig=ACTIVE)
    root = new_root()
    _, headers = invoke_with(server, name, header_of(root))
    request = headers["x-amzn-RequestId"]
    records = wait_until(lambda: any("REPORT" in r.body.string_value for _, r in collector.records(name)) and collector.records(name), what="the log")
    bodies = {record.body.string_value.split(" ")[0].split("\t")[0]: record for _, record in records}
    resource = records[0][0]
    assert resource["faas.name"] == name and resource["aws.log.group.names"] == [f"/aws/lambda/{name}"] and resource["faas.version"] == "$LATEST"
    function, = [span for _, span in wait_until(lambda: collector.spans(root), what="spans") if "faas.coldstart" in attributes(span)]
    for word in ("START", "plain", "END", "REPORT", '{"level":'):
        record = bodies[word]
        assert attributes(record)["faas.invocation_id"] == request, word
        assert record.trace_id.hex() == root.replace("-", "")[1:] and record.span_id == function.span_id and record.flags == 1, word
        assert abs(record.time_unix_nano / 1e9 - record.observed_time_unix_nano / 1e9) < 30
    assert (bodies["START"].severity_text, bodies["START"].severity_number) == ("INFO", 9)
    assert (bodies['{"level":'].severity_text, bodies['{"level":'].severity_number) == ("WARNING", 13)
    assert bodies["plain"].body.string_value == "plain words" and bodies["plain"].severity_number == 0


def test_logs_of_untraced_functions_in_json(server, collector, name):
    server.create(name, "import logging\ndef handler(event, context):\n    logging.getLogger().error('bad %s', 'luck')\n",
                  LoggingConfig={"LogFormat": "JSON"})
    request = server.invoke(name).request_id
    records = wait_until(lambda: [r for _, r in collector.records(name) if "bad luck" in r.body.string_value], what="the log")
    assert records[0].severity_number == 17 and attributes(records[0])["faas.invocation_id"] == request and records[0].trace_id == b""


def test_metrics(server, collector, name):
    server.create(name, CODE)
    for _ in range(3):
        server.invoke(name)
    server.invoke(name, {"fail": 1})

    def of_function(metric):
        return [(resource, m, p) for resource, m, p in collector.points(metric) if attributes(p).get("FunctionName") == name]
    wait_until(lambda: (found := of_function("AWS/Lambda/Invocations")) and found[-1][2].as_double == 4, what="four invocations")
    resource, metric, point = of_function("AWS/Lambda/Invocations")[-1]
    assert resource["service.name"] == name and metric.unit == "1" and metric.sum.is_monotonic and metric.sum.aggregation_temporality == 2
    assert attributes(point) == {"FunctionName": name, "Resource": name} and 0 < point.start_time_unix_nano < point.time_unix_nano
    assert of_function("AWS/Lambda/Errors")[-1][2].as_double == 1
    _, metric, point = of_function("AWS/Lambda/Duration")[-1]
    assert metric.unit == "ms" and metric.histogram.aggregation_temporality == 2
    assert point.count == 4 == sum(point.bucket_counts) and len(point.explicit_bounds) + 1 == len(point.bucket_counts)
    assert 0 < point.min <= point.max <= point.sum
    assert {m.WhichOneof("data") for _, m, _ in of_function("AWS/Lambda/ConcurrentExecutions")} == {"gauge"}
    # Those of users, from the log and from PutMetricData.
    wait_until(lambda: any(p.as_double >= 12 for _, _, p in collector.points("Shop/Orders")), what="the embedded metrics")
    resource, metric, point = collector.points("Shop/Wait")[-1]
    assert metric.unit == "ms" and point.sum == 30 * point.count and attributes(point) == {"kind": "book"}
    assert resource["service.name"] == "staging" and "faas.name" not in resource
    cloudwatch = boto3.client("cloudwatch", endpoint_url=server.endpoint, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="x")
    cloudwatch.put_metric_data(Namespace=name, MetricData=[
        {"MetricName": "Fill level", "Value": 40, "Unit": "Percent"}, {"MetricName": "Fill level", "Value": 55.5, "Unit": "Percent"},
        {"MetricName": "Balance", "Value": -2, "Unit": "Count"},
        {"MetricName": "Size", "StatisticValues": {"SampleCount": 4, "Sum": 40, "Minimum": 1, "Maximum": 29}, "Unit": "Bytes"}])
    _, metric, point = wait_until(lambda: collector.points(f"{name}/Fill_level"), what="the gauge")[0]
    assert metric.WhichOneof("data") == "gauge" and metric.unit == "%" and point.as_double == 55.5
    _, metric, point = collector.points(f"{name}/Balance")[0]
    assert point.as_double == -2 and not metric.sum.is_monotonic
    _, metric, point = collector.points(f"{name}/Size")[0]
    assert (point.count, point.sum, point.min, point.max) == (4, 40, 1, 29) and metric.unit == "By" and sum(point.bucket_counts) == 4


def test_the_way_out_is_counted(server, collector, name):
    server.create(name, CODE)
    server.invoke(name)
    wait_until(lambda: collector.records(name), what="the log")
    counts = wait_until(lambda: (c := shown(server)) and c[("martlet_otlp_items_total", "logs", "exported")] > 0 and c, what="the counts")
    assert counts[("martlet_otlp_items_total", "logs", "dropped")] == counts[("martlet_otlp_items_total", "logs", "failed")] == 0


def test_delta(own_server, collectors, name):
    collector = collectors()
    server = own_server("--otlp-endpoint", collector.endpoint + "/otlp/", environment={
        **SOON, "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE": "delta", "OTEL_TRACES_EXPORTER": "none", "OTEL_LOGS_EXPORTER": "none"})
    server.create(name, CODE)
    KINDS["/otlp/v1/metrics"] = KINDS["/v1/metrics"]
    seen = lambda: sum(p.as_double for m in collector.messages("/otlp/v1/metrics") for r in m.resource_metrics for s in r.scope_metrics
                       for metric in s.metrics if metric.name == "AWS/Lambda/Invocations" and metric.sum.aggregation_temporality == 1
                       for p in metric.sum.data_points)
    for count in (1, 2):
        server.invoke(name)
        wait_until(lambda: seen() == count, what=f"{count} in sum")
    assert {path for path, *_ in collector.requests} == {"/otlp/v1/metrics"}


def test_busy_collectors_are_asked_again(own_server, collectors, name):
    collector = collectors()
    rejected = logs_service.ExportLogsServiceResponse()
    rejected.partial_success.rejected_log_records = 1
    rejected.partial_success.error_message = "one was bad"
    collector.troubles = [(503, {"Retry-After": "0"}, b""), (429, {"Retry-After": "0"}, b""), (200, {}, rejected.SerializeToString()), (400, {}, b"\x12\x03why")]
    server = own_server(environment={
        **SOON, "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": collector.endpoint + "/own/path?x=1", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"})
    server.create(name, "def handler(event, context):\n    print('words')\n")
    server.invoke(name)
    wait_until(lambda: len(collector.requests) >= 3, what="the repetitions")
    statuses = [(path, status) for path, status, *_ in collector.requests[:3]]
    assert statuses == [("/own/path?x=1", 503), ("/own/path?x=1", 429), ("/own/path?x=1", 200)]
    assert len({body for *_, body in collector.requests[:3]}) == 1
    # What is wrong with a request is wrong with it tomorrow, too.
    wait_until(lambda: len(collector.requests) >= 4 or server.invoke(name) and None, what="the refused request")
    wait_until(lambda: shown(server)[("martlet_otlp_items_total", "logs", "failed")] > 0, what="the count")
    counts = shown(server)
    assert counts[("martlet_otlp_items_total", "logs", "rejected")] == 1 and counts[("martlet_otlp_retries_total", "logs", "")] == 2
    assert "one was bad" in server.log and "status 400: why" in server.log


def test_a_dead_collector_harms_nobody(own_server, collectors, name):
    collector = collectors()
    endpoint, port = collector.endpoint, collector.port
    collector.stop()
    server = own_server("--otlp-endpoint", endpoint, environment=SOON)
    server.create(name, CODE, TracingConfig=ACTIVE)
    for _ in range(20):
        server.invoke(name).succeeded()
    wait_until(lambda: "does not take them now" in server.log, what="the warning")
    wait_until(lambda: shown(server)[("martlet_otlp_retries_total", "traces", "")] > 0, what="retries")
    began = time.monotonic()
    assert server.stop() == 0 and time.monotonic() - began < 20
    assert "could not be exported and are lost" in server.log


def test_a_collector_that_hangs_holds_nobody_up(own_server, name):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        server = own_server("--otlp-endpoint", f"http://127.0.0.1:{silent.getsockname()[1]}", environment={**SOON, "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip"})
        server.create(name, CODE, TracingConfig=ACTIVE)
        server.invoke(name).succeeded()
        began = time.monotonic()
        assert server.stop() == 0 and time.monotonic() - began < 25
        assert "goes without compression gzip" in server.log


# An extension that is a collector: it tells what the function's own SDK sends it.
COLLECTOR = """#!/usr/bin/python3
import http.server, json, threading, urllib.request, os
seen = []
class Answer(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        seen.append([self.path, self.headers["Content-Type"], len(self.rfile.read(int(self.headers["Content-Length"])))])
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def do_GET(self):
        body = json.dumps(seen).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_): pass
server = http.server.HTTPServer(("127.0.0.1", 4318), Answer)
threading.Thread(target=server.serve_forever, daemon=True).start()
base = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2020-01-01/extension"
request = urllib.request.Request(base + "/register", data=b'{"events": []}', headers={"Lambda-Extension-Name": "collector.py"}, method="POST")
identifier = urllib.request.urlopen(request).headers["Lambda-Extension-Identifier"]
urllib.request.urlopen(urllib.request.Request(base + "/event/next", headers={"Lambda-Extension-Identifier": identifier})).read()
"""


def test_a_functions_own_sdk_reaches_a_collector_in_its_sandbox(server, name):
    runtime = "python3.11" if "python3.11" in PYTHONS else PYTHONS[-1]
    target = new_directory()
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--target", target, "--python-version",
                    runtime[6:], "--only-binary=:all:", "opentelemetry-exporter-otlp-proto-http==1.45.2"], check=True)
    files = {"app.py": "import json, urllib.request\n"
                       "from opentelemetry.sdk.trace import TracerProvider\n"
                       "from opentelemetry.sdk.trace.export import SimpleSpanProcessor\n"
                       "from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter\n"
                       "provider = TracerProvider()\n"
                       "provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter()))\n"
                       "def handler(event, context):\n"
                       "    with provider.get_tracer('mine').start_as_current_span('work'): pass\n"
                       "    return json.load(urllib.request.urlopen('http://127.0.0.1:4318/'))\n"}
    for path in glob.glob(f"{target}/**/*", recursive=True):
        if os.path.isfile(path) and not path.endswith(".pyc"):
            with open(path, "rb") as content:
                files[os.path.relpath(path, target)] = content.read()
    layer = server.client.publish_layer_version(LayerName=name, Content={"ZipFile": package({"extensions/collector.py": (COLLECTOR, 0o755)})})
    server.create(name, files, runtime=runtime, Timeout=30, MemorySize=1769, Layers=[layer["LayerVersionArn"]])
    (path, kind, size), = server.invoke(name).succeeded()
    assert (path, kind) == ("/v1/traces", "application/x-protobuf") and size > 100


def test_what_is_left_goes_when_the_server_stops(own_server, collectors, name):
    collector = collectors()
    slow = {key: "3600000" for key in SOON}
    server = own_server("--otlp-endpoint", collector.endpoint, environment=slow)
    server.create(name, CODE, TracingConfig=ACTIVE)
    server.invoke(name).succeeded()
    assert server.stop() == 0
    assert any("REPORT" in record.body.string_value for _, record in collector.records(name))
    assert any(span.name == "Invocation" for _, span in collector.spans())
    assert collector.points("AWS/Lambda/Invocations")[-1][2].as_double == 1


def test_https(own_server, collectors, name):
    authority = Authority()
    collector = collectors(certificate=authority.certificate("good", "DNS:localhost,IP:127.0.0.1"))
    server = own_server("--otlp-endpoint", collector.endpoint, "--ca-file", authority.file, environment=SOON)
    server.create(name, CODE)
    server.invoke(name)
    wait_until(lambda: collector.records(name), what="the log")


@pytest.mark.parametrize("variables, word", [
    ({"OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4317"}, "http://HOST:PORT"),
    ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "only http/protobuf"),
    ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318", "OTEL_EXPORTER_OTLP_HEADERS": "secret"}, "NAME=VALUE"),
])
def test_settings_that_cannot_be(variables, word, tmp_path):
    done = subprocess.run([program(), "serve", "--port", "0", "--state", str(tmp_path / "state")], capture_output=True, text=True,
                          env={**os.environ, **variables}, timeout=30)
    assert done.returncode != 0 and word in done.stderr and "secret" not in done.stderr, done.stderr
