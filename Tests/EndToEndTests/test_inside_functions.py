# Functions that use AWS's SDK, and what every interpreter of this host makes of the usual mistakes.
import glob
import json
import os
import re
import subprocess
import sys

import pytest

from conftest import ROOT, new_directory, package
from test_runtimes import NODES, PYTHONS

MODERN = [r for r in PYTHONS if int(r.split(".")[1]) >= 8]


def test_boto3_in_a_function_reaches_this_server(server, name):
    """The stock SDK, without any setting, finds the platform through AWS_ENDPOINT_URL and signs with the role's credentials."""
    runtime = "python3.11" if "python3.11" in MODERN else MODERN[-1]
    target = new_directory()
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--target", target, "--python-version",
                    runtime[6:], "--only-binary=:all:", "boto3==1.44.5"], check=True)
    files = {"app.py": "import boto3\nclient = boto3.client('lambda')\n"
                       "def handler(event, context):\n"
                       "    if 'call' in event:\n"
                       "        inner = client.invoke(FunctionName=context.function_name, Payload=b'{}')\n"
                       "        import json; return ['outer', json.load(inner['Payload'])]\n"
                       "    return [f['FunctionName'] for f in client.list_functions()['Functions']].count(context.function_name)\n"}
    for path in glob.glob(f"{target}/**/*", recursive=True):
        relative = os.path.relpath(path, target)
        # Of botocore's 400 service models only the one that is used, so that the package stays small.
        if os.path.isfile(path) and not path.endswith(".pyc") and not re.match(r"bin/|botocore/data/(?!lambda/|endpoints|partitions|_retry|sdk)", relative):
            with open(path, "rb") as content:
                files[relative] = content.read()
    server.create(name, files, runtime=runtime, Timeout=30, MemorySize=1769)
    assert server.invoke(name).succeeded() in (0, 1)
    assert server.invoke(name, {"call": 1}).succeeded()[0] == "outer", "a function that calls itself gets a second environment"


@pytest.mark.parametrize("runtime", MODERN)
def test_each_python_reports_a_function_s_mistakes(server, name, runtime):
    server.create(name, "import sys\ndef inner(x):\n    raise RuntimeError('ü ' + x)\ndef handler(event, context):\n"
                  "    if event == 'exit': sys.exit(3)\n    if event == 'set': return {1}\n    if event == 'deep': return handler(event, context)\n"
                  "    inner(event)\n", runtime=runtime, Timeout=10, MemorySize=512)
    answer = server.invoke(name, "x")
    assert answer.error == "Unhandled" and answer.json["errorMessage"] == "ü x" and answer.json["errorType"] == "RuntimeError"
    assert len(answer.json["stackTrace"]) == 2 and 'File "/var/task/app.py", line 3, in inner' in answer.json["stackTrace"][1]
    assert answer.json["requestId"] == answer.request_id
    assert "[ERROR] RuntimeError: ü x\n" in answer.log.replace("\r", "\n")
    assert server.invoke(name, "set").json["errorType"] == "Runtime.MarshalError"
    assert server.invoke(name, "deep").json["errorType"] == "RecursionError"
    assert server.invoke(name, "exit").error == "Unhandled"


@pytest.mark.parametrize("runtime", MODERN)
@pytest.mark.parametrize("handler, files, kind, text", [
    ("handler", {"handler.py": ""}, "Runtime.MalformedHandlerName", "Bad handler 'handler': not enough values to unpack (expected 2, got 1)"),
    ("sys.exit", {"a.py": ""}, "Runtime.BuiltInModuleConflict", "Cannot use built-in module sys as a handler module"),
    ("gone.handler", {"a.py": ""}, "Runtime.ImportModuleError", "Unable to import module 'gone': No module named 'gone'"),
    ("a.handler", {"a.py": "def other(): pass\n"}, "Runtime.HandlerNotFound", "Handler 'handler' missing on module 'a'"),
    ("a.handler", {"a.py": "x = (\n"}, "Runtime.UserCodeSyntaxError", "Syntax error in module 'a'"),
    ("a.handler", {"a.py": "1/0\n"}, "ZeroDivisionError", "division by zero"),
], ids=["malformed", "built-in", "no-module", "no-handler", "syntax", "exception"])
def test_each_python_reports_what_keeps_it_from_starting(server, name, runtime, handler, files, kind, text):
    server.create(name, package(files), runtime=runtime, handler=handler, Timeout=10, MemorySize=1769)
    answer = server.invoke(name)
    assert answer.error == "Unhandled" and answer.json["errorType"] == kind and answer.json["errorMessage"].startswith(text)


@pytest.mark.parametrize("runtime", NODES)
def test_each_node_reports_a_function_s_mistakes(server, name, runtime):
    code = ("export const handler = async (event, context) => {\n"
            "  console.log('a line', {x: 1}); console.error('an error line')\n"
            "  if (event === 'type') return null.x\n"
            "  if (event === 'throw') throw {not: 'an Error'}\n"
            "  if (event === 'circular') { const a = {}; a.a = a; return a }\n"
            "  if (event === 'exit') process.exit(3)\n"
            "  if (event === 'uncaught') { setTimeout(() => { throw new Error('from a timer') }, 1); await new Promise(r => setTimeout(r, 5000)) }\n"
            "  if (event === 'forever') await new Promise(() => {})\n"
            "  return [context.awsRequestId, context.getRemainingTimeInMillis() <= 3000, process.env.AWS_EXECUTION_ENV, typeof context.done]\n}\n")
    server.create(name, code, runtime=runtime, Timeout=3, MemorySize=512)
    well = server.invoke(name)
    identifier, in_time, environment, _ = well.succeeded()
    assert identifier == well.request_id and in_time and environment == f"AWS_Lambda_{runtime}"
    assert f"\t{well.request_id}\tINFO\ta line {{ x: 1 }}\n" in well.log and f"\t{well.request_id}\tERROR\tan error line\n" in well.log
    failed = server.invoke(name, "type")
    assert failed.error == "Unhandled" and failed.json["errorType"] == "TypeError" and failed.json["trace"][0].startswith("TypeError: ")
    assert "\tERROR\tInvoke Error \t{" in failed.log
    assert server.invoke(name, "throw").error == "Unhandled" and server.invoke(name, "circular").error == "Unhandled"
    assert server.invoke(name, "exit").json["errorMessage"].endswith("Runtime exited with error: exit status 3")
    assert server.invoke(name, "uncaught").json["errorMessage"] != ""
    assert server.invoke(name, "forever").raw == b"null", "nothing is left to wait for"
    assert server.invoke(name).error is None


@pytest.mark.parametrize("runtime", NODES)
@pytest.mark.parametrize("handler, files, kind", [
    ("gone.handler", {"a.js": ""}, "Runtime.ImportModuleError"),
    ("a.handler", {"a.js": "exports.other = 1\n"}, "Runtime.HandlerNotFound"),
    ("a.handler", {"a.js": "exports.handler = (\n"}, "Runtime.UserCodeSyntaxError"),
    ("a.handler", {"a.mjs": "import 'absent'\n"}, "Error"),  # AWS tells apart only what require() misses
    ("a", {"a.js": ""}, "Runtime.MalformedHandlerName"),
    ("../a.handler", {"a.js": ""}, "Runtime.MalformedHandlerName"),
    ("a.handler", {"a.js": "throw new RangeError('at start')\n"}, "RangeError"),
], ids=["no-module", "no-handler", "syntax", "no-import", "no-dot", "up", "exception"])
def test_each_node_reports_what_keeps_it_from_starting(server, name, runtime, handler, files, kind):
    server.create(name, package(files), runtime=runtime, handler=handler, Timeout=10, MemorySize=1769)
    answer = server.invoke(name)
    assert answer.error == "Unhandled" and answer.json["errorType"] == kind, answer.raw


def test_structured_logs(server, name):
    server.create(name, "import logging\ndef handler(e, c):\n    logging.getLogger().info('kept'); logging.getLogger().debug('dropped')\n"
                  "    print('{\"own\": 1}')\n    return 1\n", LoggingConfig={"LogFormat": "JSON", "ApplicationLogLevel": "INFO"})
    answer = server.invoke(name)
    assert answer.succeeded() == 1
    lines = [json.loads(line) for line in answer.log.splitlines() if line.startswith("{")]
    logged = next(line for line in lines if line.get("message") == "kept")
    assert logged["level"] == "INFO" and logged["requestId"] == answer.request_id
    assert "dropped" not in answer.log and {"own": 1} in lines


def test_the_example_for_the_quick_start_is_there():
    for example in ("custom-runtime-bash", "custom-runtime-c", "node-orders", "python-thumbnails", "swift-words"):
        assert os.access(f"{ROOT}/Examples/{example}/build.sh", os.R_OK)
