# The Telemetry API and the Logs API: extensions that subscribe over HTTP and TCP, and what they are told.
import json

import pytest

from conftest import wait_until
from test_extensions import CLIENT, create
from test_runtimes import NODES

# A subscriber keeps what it gets in /tmp/NAME.events, one event to a line. `TYPES`, `BUFFERING` and `API` are the test's.
SUBSCRIBER = CLIENT + """
import http.server, socketserver, threading
done = threading.Condition()
seen = set()
def take(events):
    with open('/tmp/%s.events' % NAME, 'a') as file:
        for event in events: file.write(json.dumps(event) + '\\n')
    with done:
        for event in events:
            if event['type'] == 'platform.runtimeDone': seen.add(event['record']['requestId'])
        done.notify_all()
class Sink(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers['Content-Length']))
        SLOW
        take(json.loads(body))
        note('batch', self.command, self.path, self.headers['Content-Type'], len(json.loads(body)))
        self.send_response(200)
        self.end_headers()
    do_PUT = do_POST
    def log_message(self, *_): pass
class Lines(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile: take([json.loads(line)])
def listen(kind=Sink):
    server = socketserver.ThreadingTCPServer(('0.0.0.0', 0), kind) if kind is Lines else http.server.ThreadingHTTPServer(('0.0.0.0', 0), kind)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]
def subscribe(body, path='/2022-07-01/telemetry', **headers):
    return api.call('PUT', path, body if isinstance(body, str) else json.dumps(body), **{'Lambda_Extension_Identifier': api.id, **headers})
def http_to(port, **more): return {'protocol': 'HTTP', 'URI': 'http://sandbox.localdomain:%d/events' % port, **more}
ALL = ['platform', 'function', 'extension']
QUICK = {'timeoutMs': 25}
def follow(waits=True):
    while True:
        event = api.next()[2]
        if event['eventType'] == 'SHUTDOWN': break
        if waits:
            with done: done.wait_for(lambda: event['requestId'] in seen, 5)
"""

OVER_HTTP = SUBSCRIBER.replace("SLOW", "") + """
api.register('INVOKE', 'SHUTDOWN')
note('subscribed', subscribe({'schemaVersion': '2022-12-13', 'types': ALL, 'buffering': QUICK, 'destination': http_to(listen())}))
print('the extension speaks', flush=True)
follow()
"""

FUNCTION = """
import json, os, sys, time
print('while it initialises', flush=True)
def lines(name):
    try:
        with open('/tmp/' + name) as file: return [json.loads(line) for line in file if line.endswith('\\n')]
    except FileNotFoundError: return []
def handler(event, context):
    for line in event.get('print', []): print(line, flush=True)
    if event.get('flood'):
        for i in range(event['flood']): sys.stdout.write('x' * 999 + '\\n')
    time.sleep(event.get('sleep', 0))
    if event.get('raise'): raise ValueError('as asked for')
    if event.get('exit'): os._exit(event['exit'])
    end = time.time() + event.get('patience', 0)
    while time.time() < end and event.get('until', '') not in [e['type'] for e in lines(event['of'] + '.events')]: time.sleep(0.02)
    return [lines(event.get('of', 'sink') + '.events'), lines(event.get('of', 'sink'))]
"""


def types(events):
    return [e["type"] for e in events]


def of(events, kind):
    return [e["record"] for e in events if e["type"] == kind]


def test_every_event_of_an_invocation_over_http(server, name):
    create(server, name, {"sink": OVER_HTTP}, FUNCTION)
    first = server.invoke(name, {"print": ["one", "two"]})
    first.succeeded()
    events, notes = server.invoke(name, {"of": "sink", "patience": 5, "until": "platform.report"}).succeeded()
    kinds = types(events)
    cold = kinds[:kinds.index("platform.report") + 1]
    told = [k for k in cold if k.startswith("platform.")]
    assert told[:1] + told[4:] == ["platform.initStart", "platform.initReport", "platform.start", "platform.runtimeDone", "platform.report"]
    # The extension and the runtime initialise side by side.
    assert sorted(told[1:4]) == ["platform.extension", "platform.initRuntimeDone", "platform.telemetrySubscription"]
    assert of(events, "function")[:3] == ["while it initialises", "one", "two"]
    assert kinds.index("platform.start") < kinds.index("function", kinds.index("platform.start")) < kinds.index("platform.runtimeDone")
    assert of(events, "extension") == ["the extension speaks"]
    assert all(set(e) == {"time", "type", "record"} and e["time"].endswith("Z") and len(e["time"]) == 24 for e in events)
    started = of(events, "platform.initStart")[0]
    assert started["initializationType"] == "on-demand" and started["phase"] == "init" and started["functionName"] == name
    assert started["functionVersion"] == "$LATEST" and started["runtimeVersion"].startswith("python:3.11.v")
    assert started["runtimeVersionArn"].startswith("arn:aws:lambda:us-east-1::runtime:") and started["instanceMaxMemory"] == 512 << 20
    assert "/[$LATEST]" in started["instanceId"]
    assert of(events, "platform.telemetrySubscription") == [{"name": "sink", "state": "Subscribed", "types": ["platform", "function", "extension"]}]
    assert of(events, "platform.extension") == [{"name": "sink", "state": "Ready", "events": ["INVOKE", "SHUTDOWN"]}]
    assert of(events, "platform.initRuntimeDone") == [{"initializationType": "on-demand", "phase": "init", "status": "success"}]
    initialised = of(events, "platform.initReport")[0]
    assert initialised["metrics"]["durationMs"] > 0 and initialised["status"] == "success"
    assert of(events, "platform.start")[0] == {"requestId": first.request_id, "version": "$LATEST"}
    done = of(events, "platform.runtimeDone")[0]
    assert done["requestId"] == first.request_id and done["status"] == "success"
    assert done["metrics"]["durationMs"] > 0 and done["metrics"]["producedBytes"] > 0
    assert [s["name"] for s in done["spans"]] == ["responseLatency", "responseDuration", "runtimeOverhead"]
    report = of(events, "platform.report")[0]
    assert report["requestId"] == first.request_id and report["status"] == "success"
    metrics = report["metrics"]
    assert metrics["memorySizeMB"] == 512 and metrics["durationMs"] >= done["metrics"]["durationMs"]
    assert metrics["initDurationMs"] == pytest.approx(initialised["metrics"]["durationMs"], abs=0.01)
    assert metrics["billedDurationMs"] == -(-(metrics["durationMs"] + metrics["initDurationMs"]) // 1)
    assert [s["name"] for s in report["spans"]] == ["extensionOverhead"]
    assert notes[0][1][0] == 200 and notes[0][1][2] == "OK"
    assert {tuple(n[1:4]) for n in notes[1:]} == {("POST", "/events", "application/json")}
    logged = float(first.log.split("\tDuration: ")[1].split(" ")[0])
    assert logged == pytest.approx(metrics["durationMs"], abs=1), "REPORT and platform.report tell the same"


def test_failures_are_told(server, name):
    create(server, name, {"sink": OVER_HTTP}, FUNCTION, Timeout=2)
    raised, late = server.invoke(name, {"raise": True}), server.invoke(name, {"sleep": 30})
    assert raised.json["errorType"] == "ValueError" and late.json["errorType"] == "Sandbox.Timedout"
    crashed = server.invoke(name, {"exit": 9})
    events, _ = server.invoke(name).succeeded()
    done = {r["requestId"]: (r["status"], r.get("errorType")) for r in of(events, "platform.runtimeDone")}
    reports = {r["requestId"]: (r["status"], r.get("errorType")) for r in of(events, "platform.report")}
    assert done[raised.request_id][0] == reports[raised.request_id][0] == "error"
    assert done[late.request_id] == reports[late.request_id] == ("timeout", None)
    assert done[crashed.request_id] == reports[crashed.request_id] == ("error", "Runtime.ExitError")
    # The function may be faster than the first delivery of its newest initialisation.
    told = lambda: of(server.invoke(name).succeeded()[0], "platform.initStart")
    wait_until(lambda: len(told()) == 3, what="the third initialisation")
    phases = [(r["phase"], r["initializationType"]) for r in told()]
    assert phases == [("init", "on-demand"), ("invoke", "on-demand"), ("invoke", "on-demand")]


def test_traces_that_are_sampled_are_told(server, name):
    create(server, name, {"sink": OVER_HTTP}, FUNCTION)
    trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
    client = server.make_client()
    client.meta.events.register("before-send.lambda.Invoke", lambda request, **_: request.headers.__setitem__("X-Amzn-Trace-Id", trace))
    server.invoke(name, client=client).succeeded()
    events, _ = server.invoke(name, {"of": "sink", "patience": 5, "until": "platform.report"}).succeeded()
    for kind in ("platform.start", "platform.runtimeDone", "platform.report"):
        tracing = of(events, kind)[0]["tracing"]
        assert tracing["type"] == "X-Amzn-Trace-Id" and tracing["value"].startswith(trace.split(";")[0]) and f";Parent={tracing['spanId']};Sampled=1" in tracing["value"]


def test_over_tcp(server, name):
    code = SUBSCRIBER.replace("SLOW", "") + """
api.register('INVOKE', 'SHUTDOWN')
subscribe({'schemaVersion': '2022-07-01', 'types': ['platform', 'function'], 'buffering': QUICK, 'destination': {'protocol': 'TCP', 'port': listen(Lines)}})
follow()
"""
    create(server, name, {"sink": code}, FUNCTION)
    ids = [server.invoke(name, {"print": [f"number {i}"]}).request_id for i in range(3)]
    events, _ = server.invoke(name).succeeded()
    assert [r["requestId"] for r in of(events, "platform.runtimeDone")] == ids
    assert of(events, "function") == ["while it initialises", "number 0", "number 1", "number 2"] and not of(events, "extension")


def test_the_logs_api(server, name):
    code = SUBSCRIBER.replace("SLOW", "") + """
api.register('INVOKE', 'SHUTDOWN')
note(subscribe({'types': ['platform', 'function'], 'buffering': QUICK, 'destination': http_to(listen(), method='PUT', encoding='JSON')}, '/2020-08-15/logs'))
follow(waits=False)
"""
    create(server, name, {"sink": code}, FUNCTION)
    first = server.invoke(name, {"print": ["hello"]})
    first.succeeded()
    events, notes = server.invoke(name, {"of": "sink", "patience": 3, "until": "platform.report"}).succeeded()
    # The extension and the runtime initialise side by side.
    assert sorted(types(events)[:3]) == ["function", "platform.extension", "platform.logsSubscription"]
    assert types(events)[3:6] == ["platform.start", "function", "platform.end"]
    assert of(events, "platform.report")[0] == {"requestId": first.request_id, "metrics": of(events, "platform.report")[0]["metrics"]}
    assert notes[0][0][2] == "OK" and notes[1][1] == "PUT"


def test_what_subscriptions_are_refused(server, name):
    code = SUBSCRIBER.replace("SLOW", "") + """
def of(answer): return [answer[0], answer[2].get('errorType') if isinstance(answer[2], dict) else answer[2]]
good = {'schemaVersion': '2022-12-13', 'types': ['platform'], 'destination': http_to(8080)}
api.id = '8f5d1b6a-0d3b-4f57-9a64-2b7f5f0b3c11'
note(of(subscribe(good)))
api.register('INVOKE')
for change in [{'schemaVersion': '1999-01-01'}, {'schemaVersion': None}, {'types': []}, {'types': ['weather']}, {'destination': None},
        {'destination': {'protocol': 'SMTP'}}, {'destination': http_to(9001)}, {'destination': {'protocol': 'TCP', 'port': 9001}},
        {'destination': {'protocol': 'TCP'}}, {'destination': {'protocol': 'HTTP', 'URI': 'http://example.com:80/'}},
        {'destination': {'protocol': 'HTTP', 'URI': 'sandbox.localdomain'}}, {'destination': http_to(8080, method='PUT')},
        {'buffering': {'maxItems': 999}}, {'buffering': {'maxItems': 10001}}, {'buffering': {'maxBytes': 262143}},
        {'buffering': {'maxBytes': 1048577}}, {'buffering': {'timeoutMs': 24}}, {'buffering': {'timeoutMs': 30001}}]:
    note(of(subscribe({k: v for k, v in {**good, **change}.items() if v is not None})))
note(of(subscribe('{')))
note(of(api.call('PUT', '/2022-07-01/telemetry', json.dumps(good))))
note(of(api.call('PUT', '/2022-07-01/telemetry', json.dumps(good), Lambda_Extension_Identifier='x')))
note(of(subscribe({**good, 'buffering': {'maxItems': 1000, 'maxBytes': 1048576, 'timeoutMs': 30000}})))
note(of(subscribe({**good, 'schemaVersion': '2021-03-18'}, '/2020-08-15/logs')))
api.next()
note(of(subscribe(good)))
note(of(subscribe({**good, 'schemaVersion': '2021-03-18'}, '/2020-08-15/logs')))
while True: api.next()
"""
    create(server, name, {"sink": code}, FUNCTION)
    server.invoke(name).succeeded()
    _, notes = server.invoke(name).succeeded()
    answers = [n[0] for n in notes]
    assert answers[0] == [403, "Extension.UnknownExtensionIdentifier"]
    assert answers[1:20] == [[400, "ValidationError"]] * 19
    assert answers[20:] == [
        [403, "Extension.MissingExtensionIdentifier"], [403, "Extension.InvalidExtensionIdentifier"], [200, "OK"], [400, "ValidationError"],
        [403, "Telemetry.SubscriptionClosed"], [403, "Logs.SubscriptionClosed"]]


def test_a_subscriber_that_is_too_slow_is_told_what_it_lost(server, name):
    code = SUBSCRIBER.replace("SLOW", "time.sleep(0.7)") + """
api.register('SHUTDOWN')
subscribe({'schemaVersion': '2022-12-13', 'types': ['platform', 'function'], 'buffering': QUICK, 'destination': http_to(listen())})
follow()
"""
    create(server, name, {"sink": code}, FUNCTION, Timeout=60, MemorySize=1769)
    server.invoke(name, {"flood": 12000}).succeeded()
    events, _ = server.invoke(name, {"of": "sink", "patience": 30, "until": "platform.logsDropped"}).succeeded()
    lost = of(events, "platform.logsDropped")[0]
    got = len([r for r in of(events, "function") if r.startswith("xxx")])
    assert lost["droppedRecords"] > 0 and lost["droppedBytes"] > 1000 * lost["droppedRecords"] and "slower" in lost["reason"]
    assert got <= 12000


def test_a_subscriber_that_listens_late_gets_everything(server, name):
    """Deliveries that fail are repeated."""
    code = SUBSCRIBER.replace("SLOW", "") + """
import socket
api.register('INVOKE', 'SHUTDOWN')
with socket.socket() as free:
    free.bind(('127.0.0.1', 0))
    port = free.getsockname()[1]
subscribe({'schemaVersion': '2022-12-13', 'types': ['platform'], 'buffering': QUICK, 'destination': http_to(port)})
time.sleep(0.3)
server = http.server.ThreadingHTTPServer(('127.0.0.1', port), Sink)
threading.Thread(target=server.serve_forever, daemon=True).start()
follow()
"""
    create(server, name, {"sink": code}, FUNCTION)
    server.invoke(name).succeeded()
    events, _ = server.invoke(name).succeeded()
    # The runtime initialises while the extension subscribes.
    assert types(events)[0] == "platform.initStart" and {"platform.telemetrySubscription", "platform.runtimeDone"} <= set(types(events))


def test_the_rest_comes_before_shutdown(server, name):
    """What waits for a batch when the environment is reset is delivered before the extension is told to end."""
    code = SUBSCRIBER.replace("SLOW", "") + """
api.register('INVOKE', 'SHUTDOWN')
subscribe({'schemaVersion': '2022-12-13', 'types': ['function'], 'buffering': {'timeoutMs': 30000}, 'destination': http_to(listen())})
while api.next()[2]['eventType'] != 'SHUTDOWN': pass
time.sleep(0.3)
"""
    create(server, name, {"sink": code}, FUNCTION, Timeout=2)
    server.invoke(name, {"print": ["do not lose this"]}).succeeded()
    server.invoke(name, {"exit": 1})
    events, _ = server.invoke(name).succeeded()
    assert of(events, "function")[:2] == ["while it initialises", "do not lose this"]


@pytest.mark.skipif(not NODES, reason="no Node on this host")
def test_provisioned_environments_and_streams(server, name):
    """Initialised when the extension is; a streamed response is told with the time that it took."""
    code = """
export const handler = awslambda.streamifyResponse(async (event, stream) => {
  const fs = await import('node:fs');
  stream.write('[');
  await new Promise((done) => setTimeout(done, 300));
  stream.write(fs.readFileSync('/tmp/sink.events', 'utf8').trim().split('\\n').join(','));
  stream.end(']');
});
"""
    create(server, name, {"sink": OVER_HTTP}, {"app.mjs": code}, runtime=NODES[-1])
    version = server.client.publish_version(FunctionName=name)["Version"]
    server.client.put_provisioned_concurrency_config(FunctionName=name, Qualifier=version, ProvisionedConcurrentExecutions=1)
    wait_until(lambda: server.client.get_provisioned_concurrency_config(FunctionName=name, Qualifier=version)["Status"] == "READY", 20, "READY")
    first = server.invoke(name, Qualifier=version)
    assert first.error is None
    events = server.invoke(name, Qualifier=version).succeeded()
    started = of(events, "platform.initStart")
    assert [(s["initializationType"], s["phase"], s["functionVersion"]) for s in started] == [("provisioned-concurrency", "init", version)]
    streamed = server.client.invoke_with_response_stream(FunctionName=name, Qualifier=version)
    assert b"".join(e["PayloadChunk"]["Payload"] for e in streamed["EventStream"] if "PayloadChunk" in e).endswith(b"]")
    events = wait_until(lambda: [
        e for e in server.invoke(name, Qualifier=version).succeeded()
        if e["type"] == "platform.runtimeDone" and e["record"]["requestId"] == streamed["ResponseMetadata"]["RequestId"]], 10, "the stream's end")
    spans = {s["name"]: s["durationMs"] for s in events[0]["record"]["spans"]}
    assert spans["responseDuration"] >= 290 and spans["responseLatency"] < 290 and events[0]["record"]["metrics"]["producedBytes"] > 100
    server.client.delete_function(FunctionName=name)


# Like OpenTelemetry's collector layer: from records to spans, one for each invocation with its initialisation as a child, exported
# to a collector that is another function here.
COLLECTOR = SUBSCRIBER.replace("SLOW", "") + """
import datetime
def nanoseconds(text): return int(datetime.datetime.fromisoformat(text.replace('Z', '+00:00')).timestamp() * 1e9)
spans, open_spans = [], {}
def record(event):
    kind, body = event['type'], event['record']
    if kind == 'platform.initStart': open_spans['init'] = {'name': 'init', 'start': nanoseconds(event['time'])}
    if kind == 'platform.initReport':
        span = open_spans.pop('init')
        spans.append({**span, 'end': span['start'] + int(body['metrics']['durationMs'] * 1e6), 'status': body['status']})
    if kind == 'platform.start':
        tracing = body.get('tracing', {})
        trace = dict(part.split('=') for part in tracing.get('value', '').split(';') if part)
        open_spans[body['requestId']] = {'name': 'invoke', 'start': nanoseconds(event['time']), 'trace': trace.get('Root'), 'parent': trace.get('Parent'),
                                         'id': tracing.get('spanId'), 'logs': []}
    if kind == 'function':
        for span in open_spans.values(): span.setdefault('logs', []).append(body)
    if kind == 'platform.runtimeDone':
        span = open_spans.pop(body['requestId'])
        spans.append({**span, 'end': span['start'] + int(body['metrics']['durationMs'] * 1e6), 'status': body['status'], 'request': body['requestId']})
inner = take
def take(events):
    for event in events: record(event)
    inner(events)
api.register('INVOKE', 'SHUTDOWN')
subscribe({'schemaVersion': '2022-12-13', 'types': ['platform', 'function'], 'buffering': QUICK, 'destination': http_to(listen())})
while True:
    event = api.next()[2]
    if event['eventType'] == 'INVOKE':
        with done: done.wait_for(lambda: event['requestId'] in seen, 5)
    while spans:
        span = spans.pop(0)
        put('spans/%s/%s' % (os.environ['AWS_LAMBDA_FUNCTION_NAME'], span.get('request', 'init')), span)
    if event['eventType'] == 'SHUTDOWN': break
"""


def test_a_collector_exports_a_span_for_each_invocation(server, name):
    import boto3
    s3 = boto3.client("s3", endpoint_url=server.endpoint, region_name="us-east-1", aws_access_key_id="000000000000", aws_secret_access_key="x")
    s3.create_bucket(Bucket="extension-notes")
    create(server, name, {"collector": COLLECTOR}, FUNCTION)
    ids = ["1-5759e988-bd862e3fe1be46a99427279%d" % i for i in range(3)]
    client = server.make_client()
    headers = {}
    client.meta.events.register("before-send.lambda.Invoke", lambda request, **_: request.headers.update(headers) if headers else None)
    requests = []
    for i, root in enumerate(ids):
        headers["X-Amzn-Trace-Id"] = f"Root={root};Parent=53995c3f42cd8ad{i};Sampled=1"
        requests.append(server.invoke(name, {"print": [f"call {i}"]}, client=client).request_id)

    def spans():
        listed = s3.list_objects_v2(Bucket="extension-notes", Prefix=f"spans/{name}/").get("Contents", [])
        found = {o["Key"].rsplit("/", 1)[1]: json.loads(s3.get_object(Bucket="extension-notes", Key=o["Key"])["Body"].read()) for o in listed}
        return found if len(found) == 4 else None

    found = wait_until(spans, 10, "three spans of invocations and one of the initialisation")
    assert found["init"]["status"] == "success"
    for i, request in enumerate(requests):
        span = found[request]
        assert span["trace"] == ids[i] and span["parent"] not in ("", f"53995c3f42cd8ad{i}") and span["logs"] == [f"call {i}"]
        assert span["status"] == "success" and span["end"] > span["start"] and len(span["id"]) == 16
