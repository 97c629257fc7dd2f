# What a function sees and may do in each runtime: real interpreters, real programs, the official client.
import json
import os
import subprocess
import sys

import pytest

from conftest import ROOT, package, program, wait_until

RUNTIMES = [r for r in json.loads(subprocess.run(
    [program(), "runtime", "list", "--output", "json"], capture_output=True, text=True, check=True).stdout) if r["Available"]]
PYTHONS = [r["Runtime"] for r in RUNTIMES if r["Runtime"].startswith("python")]
NODES = [r["Runtime"] for r in RUNTIMES if r["Runtime"].startswith("nodejs")]

CONTEXT = """
import os, sys, logging
logging.getLogger().setLevel(logging.INFO)
runs = 0
def handler(event, context):
    global runs
    runs += 1
    logging.info('logged')
    print('printed')
    return {
        'python': '%d.%d' % sys.version_info[:2], 'name': context.function_name, 'version': context.function_version,
        'arn': context.invoked_function_arn, 'memory': context.memory_limit_in_mb, 'id': context.aws_request_id,
        'group': context.log_group_name, 'stream': context.log_stream_name, 'left': context.get_remaining_time_in_millis(),
        'environment': dict(os.environ), 'cwd': os.getcwd(), 'runs': runs, 'pid': os.getpid()}
"""


@pytest.mark.parametrize("runtime", PYTHONS)
def test_python(server, name, runtime):
    arn = server.create(name, {"pkg/app.py": CONTEXT}, runtime=runtime, handler="pkg/app.handler", Timeout=9,
                        Environment={"Variables": {"MINE": "ü", "LANG": "C"}})["FunctionArn"]
    answer = server.invoke(name)
    seen = answer.succeeded()
    assert runtime == "python" + seen["python"] and seen["name"] == name and seen["version"] == "$LATEST"
    assert (seen["arn"], seen["memory"], seen["id"]) == (arn, "128", answer.request_id)
    assert seen["group"] == f"/aws/lambda/{name}" and "/[$LATEST]" in seen["stream"]
    assert 0 < seen["left"] <= 9000 and seen["cwd"] == "/var/task"
    environment = seen["environment"]
    for key, value in {
            "MINE": "ü", "LANG": "C", "TZ": ":UTC", "_HANDLER": "pkg/app.handler", "AWS_REGION": "us-east-1",
            "AWS_LAMBDA_FUNCTION_NAME": name, "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128", "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9001",
            "LAMBDA_TASK_ROOT": "/var/task", "LAMBDA_RUNTIME_DIR": "/var/runtime",
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{runtime}", "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_STREAM_NAME": seen["stream"]}.items():
        assert environment.get(key) == value, key
    assert "printed\n" in answer.log and "[INFO]\t" in answer.log and "\tlogged\n" in answer.log
    again = server.invoke(name).succeeded()
    assert (again["runs"], again["pid"]) == (2, seen["pid"]), "module state lives on"


@pytest.mark.parametrize("runtime", NODES)
@pytest.mark.parametrize("files", [
    {"app.js": "exports.handler = async (event, context) => { console.log('said'); return [event, context.functionName] }\n"},
    {"app.mjs": "export const handler = async (event, context) => { console.log('said'); return [event, context.functionName] }\n"},
    {"app.cjs": "module.exports.handler = async (event, context) => { console.log('said'); return [event, context.functionName] }\n"},
    {"package.json": '{"type":"module"}',
     "app.js": "await 1; export async function handler(event, context) { console.log('said'); return [event, context.functionName] }\n"},
], ids=["commonjs", "mjs", "cjs", "type-module"])
def test_node(server, name, runtime, files):
    server.create(name, package(files), runtime=runtime)
    answer = server.invoke(name, {"a": 1})
    assert answer.succeeded() == [{"a": 1}, name]
    assert f"\t{answer.request_id}\tINFO\tsaid\n" in answer.log


def built(example):
    directory = f"{ROOT}/Examples/{example}"
    subprocess.run(["bash", f"{directory}/build.sh"], check=True, capture_output=True)
    with open(f"{directory}/build/function.zip", "rb") as archive:
        return archive.read()


def test_a_bootstrap_in_bash(server, name):
    server.create(name, built("custom-runtime-bash"), runtime="provided.al2023", Timeout=10)
    assert server.invoke(name, {"a": 1}).error is None
    assert server.invoke(name, {"a": 2}).error is None


def test_a_bootstrap_in_c(server, name):
    server.create(name, built("custom-runtime-c"), runtime="provided.al2", Timeout=10)
    assert server.invoke(name, {"a": 1}).error is None
    assert server.invoke(name, {"action": "crash"}).json["errorType"] == "Runtime.ExitError"
    assert server.invoke(name, {"a": 1}).error is None


def test_a_bootstrap_in_swift(server, name):
    server.create(name, built("swift-words"), runtime="provided.al2023", Timeout=10)
    answer = server.invoke(name, {"text": "one two two"})
    assert answer.error is None and "two" in answer.raw.decode()


def test_a_python_function_with_packages_from_pypi(server, name):
    directory = f"{ROOT}/Examples/python-thumbnails"
    runtime = max((r for r in PYTHONS if int(r.split(".")[1]) >= 9), key=lambda r: int(r.split(".")[1]))
    subprocess.run(["bash", f"{directory}/build.sh", runtime[6:]], check=True, capture_output=True)
    with open(f"{directory}/build/function.zip", "rb") as archive:
        server.create(name, archive.read(), runtime=runtime, Timeout=30, MemorySize=512)
    with open(f"{ROOT}/Examples/quickstart-event.json") as event:
        thumbnail = server.invoke(name, json.load(event)).succeeded()
    assert (thumbnail["width"], thumbnail["height"], thumbnail["format"]) == (48, 32, "PNG")


def test_a_node_function(server, name):
    server.create(name, built("node-orders"), runtime=NODES[0], handler="index.handler", Timeout=10)
    assert server.invoke(name, {"no": "order"}).error == "Unhandled", "it says what is wrong with the order"


@pytest.fixture(scope="session")
def official_client(tmp_path_factory, python_runtimes):
    """awslambdaric from PyPI in a package whose bootstrap starts it with an interpreter of this host."""
    version = next(r[6:] for r in ("python3.12", "python3.11", "python3.10", "python3.13") if r in python_runtimes)
    target = tmp_path_factory.mktemp("awslambdaric")
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--target", target, "--only-binary=:all:",
         "--python-version", version, "--implementation", "cp", "--platform", "manylinux2014_x86_64",
         "--platform", "manylinux_2_28_x86_64", "awslambdaric==4.2.2"], check=True)
    files = {}
    for directory, _, names in os.walk(target):
        for file in names:
            path = os.path.join(directory, file)
            with open(path, "rb") as content:
                files[os.path.relpath(path, target)] = content.read()
    return f"python{version}", files


def test_the_official_python_client(server, name, official_client):
    """Under the managed runtime's own root, where the interpreter is at /var/lang, but with AWS's client in it."""
    runtime, files = official_client
    code = ("import os, sys\n"
            "if os.environ.get('OFFICIAL') and 'awslambdaric' not in sys.modules:\n"
            "    os.execv(sys.executable, [sys.executable, '-m', 'awslambdaric', 'app.handler'])\n"
            "def handler(event, context):\n"
            "    print('from the official client')\n"
            "    if event.get('fail'): raise KeyError('x')\n"
            "    return [event, context.aws_request_id, 'awslambdaric.bootstrap' in sys.modules]\n")
    server.create(name, {**files, "app.py": code}, runtime=runtime, Timeout=10, MemorySize=512,
                  Environment={"Variables": {"OFFICIAL": "1"}})
    for event in ({"a": 1}, {"a": 2}):
        answer = server.invoke(name, event)
        assert answer.succeeded() == [event, answer.request_id, True]
        assert "from the official client" in answer.log
    failed = server.invoke(name, {"fail": True})
    assert failed.error == "Unhandled" and failed.json["errorType"] == "KeyError"
    assert len(server.invoke(name, {"big": "x" * 5_000_000}).raw) > 5_000_000


RULES = """#!/usr/bin/python3
# A runtime that calls the Runtime API in wrong ways, and answers with what it was told.
import http.client, json
api = http.client.HTTPConnection('127.0.0.1', 9001)
def call(method, path, body=None, **headers):
    api.request(method, '/2018-06-01/' + path, body, {k.replace('_', '-'): v for k, v in headers.items()})
    answer = api.getresponse()
    text = answer.read().decode()
    return answer, text
def told(method, path, body=None, **headers):
    answer, text = call(method, path, body, **headers)
    try:
        return [answer.status, json.loads(text).get('errorType') or json.loads(text)]
    except ValueError:
        return [answer.status, text]
seen = {'ping': told('GET', 'ping'), 'unknown': told('GET', 'runtime/nothing')[0],
        'early': told('POST', 'runtime/invocation/8f5d1b6a-0d3b-4f57-9a64-2b7f5f0b3c11/response', '1')}
while True:
    answer, event = call('GET', 'runtime/invocation/next')
    identifier = answer.getheader('Lambda-Runtime-Aws-Request-Id')
    again, same = call('GET', 'runtime/invocation/next')
    seen['same event'] = [again.getheader('Lambda-Runtime-Aws-Request-Id') == identifier, same == event]
    seen['headers'] = {k: v for k, v in answer.getheaders() if k.startswith('Lambda-')}
    seen['init error'] = told('POST', 'runtime/init/error', '{}')
    seen['wrong id'] = told('POST', 'runtime/invocation/nonsense/response', '1')
    accepted = told('POST', 'runtime/invocation/%s/response' % identifier, json.dumps(seen))
    seen['accepted'] = accepted
    seen['twice'] = told('POST', 'runtime/invocation/%s/response' % identifier, '1')
"""


def test_the_rules_of_the_runtime_api(server, name):
    arn = server.create(name, {"bootstrap": (RULES, 0o755)}, runtime="provided.al2023", Timeout=10, MemorySize=1769)["FunctionArn"]
    first = server.invoke(name).succeeded()
    assert first["ping"] == [200, "pong"] and first["unknown"] == 404
    assert first["early"] == [403, "InvalidStateTransition"]
    assert first["same event"] == [True, True]
    assert first["init error"] == [403, "InvalidStateTransition"]
    assert first["wrong id"] == [400, "InvalidRequestID"]
    assert first["headers"]["Lambda-Runtime-Invoked-Function-Arn"] == arn
    assert first["headers"]["Lambda-Runtime-Deadline-Ms"].isdigit()
    assert first["headers"]["Lambda-Runtime-Trace-Id"].startswith("Root=1-")
    second = server.invoke(name).succeeded()
    assert second["accepted"] == [202, {"status": "OK"}]
    assert second["twice"] == [403, "InvalidStateTransition"]


def test_an_answer_that_is_not_json_is_passed_on(server, name):
    code = RULES.split("seen = {")[0] + (
        "while True:\n"
        "    answer, event = call('GET', 'runtime/invocation/next')\n"
        "    call('POST', 'runtime/invocation/%s/response' % answer.getheader('Lambda-Runtime-Aws-Request-Id'), 'plain ' + event)\n")
    server.create(name, {"bootstrap": (code, 0o755)}, runtime="provided.al2023", Timeout=10)
    assert server.invoke(name, {"a": 1}).raw == b'plain {"a": 1}'


def test_a_function_calls_the_platform_in_its_own_account(server, name):
    """AWS_ENDPOINT_URL and the credentials lead back to this server, from inside of a network of its own."""
    code = ("import json, os, urllib.request\n"
            "def handler(event, context):\n"
            "    scope = 'AWS4-HMAC-SHA256 Credential=%s/20260101/%s/lambda/aws4_request, SignedHeaders=host, Signature=0' % (\n"
            "        os.environ['AWS_ACCESS_KEY_ID'], os.environ['AWS_REGION'])\n"
            "    call = urllib.request.Request(os.environ['AWS_ENDPOINT_URL'] + '/2015-03-31/functions/' + context.function_name\n"
            "                                  + '/configuration',\n"
            "                                  headers={'Authorization': scope, 'X-Amz-Security-Token': os.environ['AWS_SESSION_TOKEN']})\n"
            "    return json.load(urllib.request.urlopen(call, timeout=5))['FunctionArn']\n")
    client = server.make_client(key="123456789012", region="eu-west-1")
    client.create_function(FunctionName=name, Runtime="python3.11", Handler="app.handler", Timeout=10,
                           Role="arn:aws:iam::123456789012:role/r", Code={"ZipFile": package({"app.py": code})})
    client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.02, "MaxAttempts": 3000})
    assert server.invoke(name, client=client).succeeded() == f"arn:aws:lambda:eu-west-1:123456789012:function:{name}"
