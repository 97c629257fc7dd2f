# LoggingConfig: what a function's log looks like in each format, and what the levels keep out of it.
import json

import pytest

from test_extensions import CLIENT, create
from test_layers import configure
from test_runtimes import NODES
from test_telemetry import OVER_HTTP, of

PYTHON = """
import json, logging, os
log = logging.getLogger()
def handler(event, context):
    if event.get('raise'): raise ValueError('as asked for')
    if event.get('variables'): return {k: v for k, v in os.environ.items() if k.startswith('AWS_LAMBDA_LOG_')}
    log.debug('a detail')
    log.info('a fact', extra={'order': 7})
    log.warning('a warning')
    log.error('an error')
    print('plain words')
    print('no end', end='')
"""


def records(log):
    """Lines that are JSON objects, and those that are not."""
    objects, others = [], []
    for line in log.splitlines():
        try:
            objects.append(json.loads(line))
        except ValueError:
            others.append(line)
    return objects, others


def own(log):
    return [r for r in records(log)[0] if "type" not in r]


def platform(log):
    return [r["type"] for r in records(log)[0] if "type" in r]


def test_text_is_the_default(server, name):
    server.create(name, PYTHON)
    log = server.invoke(name).log
    assert log.startswith("START RequestId: ") and "\tBilled Duration: " in log and "[WARNING]\t" in log and not records(log)[0]
    assert server.invoke(name, {"variables": True}).succeeded() == {
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": server.invoke(name, {"variables": True}).json["AWS_LAMBDA_LOG_STREAM_NAME"]}


def test_json_records_of_a_python_function(server, name):
    server.create(name, PYTHON, LoggingConfig={"LogFormat": "JSON"})
    answer = server.invoke(name)
    objects, others = records(answer.log)
    assert others == ["plain words", "no end"]
    assert [r["message"] for r in own(answer.log)] == ["a fact", "a warning", "an error"]
    fact = own(answer.log)[0]
    assert fact["level"] == "INFO" and fact["logger"] == "root" and fact["requestId"] == answer.request_id and fact["order"] == 7
    assert platform(answer.log) == ["platform.start", "platform.report"] and "START RequestId" not in answer.log
    start, report = objects[0], objects[-1]
    assert start["record"] == {"requestId": answer.request_id, "version": "$LATEST"}
    assert set(report["record"]["metrics"]) >= {"durationMs", "billedDurationMs", "memorySizeMB", "maxMemoryUsedMB", "initDurationMs"}
    assert "initDurationMs" not in records(server.invoke(name).log)[0][-1]["record"]["metrics"]
    variables = server.invoke(name, {"variables": True}).succeeded()
    assert variables["AWS_LAMBDA_LOG_FORMAT"] == "JSON" and variables["AWS_LAMBDA_LOG_LEVEL"] == "INFO"


@pytest.mark.parametrize("level, messages", [
    ("TRACE", ["a detail", "a fact", "a warning", "an error"]), ("DEBUG", ["a detail", "a fact", "a warning", "an error"]),
    ("INFO", ["a fact", "a warning", "an error"]), ("WARN", ["a warning", "an error"]), ("ERROR", ["an error"]), ("FATAL", [])])
def test_application_levels_of_a_python_function(server, name, level, messages):
    server.create(name, PYTHON, LoggingConfig={"LogFormat": "JSON", "ApplicationLogLevel": level})
    assert [r["message"] for r in own(server.invoke(name).log)] == messages


def test_an_uncaught_error_is_one_record(server, name):
    server.create(name, PYTHON, LoggingConfig={"LogFormat": "JSON"})
    answer = server.invoke(name, {"raise": True})
    record, = own(answer.log)
    assert record["errorType"] == "ValueError" and record["errorMessage"] == "as asked for" and record["stackTrace"]


@pytest.mark.parametrize("level, good, bad", [
    ("DEBUG", ["platform.start", "platform.runtimeDone", "platform.report"], ["platform.start", "platform.runtimeDone", "platform.report"]),
    ("INFO", ["platform.start", "platform.report"], ["platform.start", "platform.runtimeDone", "platform.report"]),
    ("WARN", [], ["platform.runtimeDone", "platform.report"])])
def test_system_levels(server, name, level, good, bad):
    code = "import os\ndef handler(event, context):\n    if event: os._exit(1)\n"
    server.create(name, code, LoggingConfig={"LogFormat": "JSON", "SystemLogLevel": level})
    assert platform(server.invoke(name).log) == good
    crashed = server.invoke(name, {"crash": True})
    assert platform(crashed.log) == bad
    report = [r for r in records(crashed.log)[0] if r.get("type") == "platform.report"][0]["record"]
    assert report["status"] == "error" and report["errorType"] == "Runtime.ExitError"


@pytest.mark.parametrize("runtime", NODES)
def test_json_records_of_a_node_function(server, name, runtime):
    code = """
export const handler = async (event) => {
  if (event.raise) throw new RangeError('as asked for');
  console.trace('t'); console.debug('d'); console.log('a fact', { order: 7 }); console.warn({ a: 1 }); console.error('an error');
};
"""
    server.create(name, code, runtime=runtime, LoggingConfig={"LogFormat": "JSON"})
    answer = server.invoke(name)
    assert [(r["level"], r["message"]) for r in own(answer.log)] == [("INFO", "a fact { order: 7 }"), ("WARN", {"a": 1}), ("ERROR", "an error")]
    assert all(r["requestId"] == answer.request_id for r in own(answer.log))
    record, = own(server.invoke(name, {"raise": True}).log)
    message = record.get("message", record)
    assert record["level"] == "ERROR" and (record.get("errorType") or message["errorType"]) == "RangeError"


# Its lines are records only by their form: the platform itself filters them.
CUSTOM = """#!/usr/bin/python3
import http.client, json, os
api = http.client.HTTPConnection(os.environ['AWS_LAMBDA_RUNTIME_API'])
while True:
    api.request('GET', '/2018-06-01/runtime/invocation/next')
    answer = api.getresponse()
    for line in json.loads(answer.read()): print(line, flush=True)
    api.request('POST', '/2018-06-01/runtime/invocation/%s/response' % answer.getheader('Lambda-Runtime-Aws-Request-Id'), 'null')
    api.getresponse().read()
"""


def test_records_of_a_custom_runtime_are_filtered(server, name):
    server.create(name, {"bootstrap": (CUSTOM, 0o755)}, runtime="provided.al2023", LoggingConfig={"LogFormat": "JSON", "ApplicationLogLevel": "WARN"})
    levels = ["trace", "DEBUG", "Info", "warn", "ERROR", "fatal", "loud"]
    lines = [json.dumps({"level": level, "message": level}) for level in levels] + ['{"message": "none"}', "words", '{"level": "DEBUG"']
    log = server.invoke(name, lines).log
    assert [r["message"] for r in own(log)] == ["warn", "ERROR", "fatal"], "what has no level counts as INFO"
    assert records(log)[1] == ["words", '{"level": "DEBUG"']
    configure(server, name, LoggingConfig={"LogFormat": "Text"})
    log = server.invoke(name, lines).log
    assert all(line in log for line in lines) and log.startswith("START ")


def test_the_name_of_the_log_group(server, name):
    server.create(name, PYTHON, LoggingConfig={"LogGroup": "/shared/by/many"})
    assert server.invoke(name, {"variables": True}).succeeded()["AWS_LAMBDA_LOG_GROUP_NAME"] == "/shared/by/many"


def test_subscribers_get_records_as_objects(server, name):
    code = "import logging, json, os, time\nlog = logging.getLogger()\n" + """
def handler(event, context):
    log.info('a fact')
    log.debug('a detail')
    print('words')
    while not os.path.exists('/tmp/sink.events'): time.sleep(0.01)
    with open('/tmp/sink.events') as file: return [json.loads(line) for line in file]
"""
    create(server, name, {"sink": OVER_HTTP}, code, LoggingConfig={"LogFormat": "JSON"})
    server.invoke(name).succeeded()
    events = server.invoke(name).succeeded()
    fact, words = of(events, "function")[:2]
    assert fact["message"] == "a fact" and fact["level"] == "INFO" and words == "words"
    assert {"platform.start", "platform.runtimeDone"} <= {e["type"] for e in events}, "subscribers get what the log leaves out"


def test_a_failed_initialisation_in_json(server, name):
    create(server, name, {"bad": CLIENT + "api.register('INVOKE'); sys.exit(3)\n"}, PYTHON, LoggingConfig={"LogFormat": "JSON"})
    log = server.invoke(name).log
    extension = [r["record"] for r in records(log)[0] if r["type"] == "platform.extension"][0]
    assert extension == {"name": "bad", "state": "Exited", "events": ["INVOKE"], "errorType": "Extension.Crash"}
    report = [r["record"] for r in records(log)[0] if r["type"] == "platform.initReport"][0]
    assert report["phase"] == "invoke" and report["status"] == "error" and report["errorType"] == "Extension.Crash"


def test_a_failed_initialisation_in_text(server, name):
    create(server, name, {"bad": CLIENT + "api.register('INVOKE'); sys.exit(3)\n"}, PYTHON)
    log = server.invoke(name).log
    assert "EXTENSION\tName: bad\tState: Exited\tEvents: [INVOKE]\tError Type: Extension.Crash\n" in log
    assert "\tPhase: invoke\tStatus: error\tError Type: Extension.Crash\n" in log
