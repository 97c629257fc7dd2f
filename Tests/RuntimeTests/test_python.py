"""What a Python function sees and does, through our bootstrap, on every CPython found."""

import datetime
import json
import os
import re
import signal

ECHO = "def handler(event, context):\n    return event\n"
NBSP = "\u00a0"
STAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


def test_echo_keeps_one_connection(start_python):
    environment = start_python(ECHO)
    for event in ({"a": [1, 2.5, None, True, "é\u2028"]}, [], "text", 7, None, {}):
        assert environment.result(event) == event
    environment.await_next()
    assert len(environment.connections) == 1
    assert environment.requests[0][2]["user-agent"].startswith("aws-lambda-python/3.")


def test_six_mebibytes_both_ways(start_python):
    environment = start_python(ECHO)
    event = "x" * (6 * 1024 * 1024 - 2)
    assert environment.result(event) == event
    many = [{"key": number, "text": "é" * 20} for number in range(60000)]
    assert environment.result(many) == many


def test_chunked_events(start_python):
    environment = start_python(ECHO, chunked=True)
    for event in ({"a": 1}, "x" * 300_000, None):
        assert environment.result(event) == event


def test_runtime_api_gone_ends_the_process(start_python):
    environment = start_python(ECHO)
    environment.await_next()
    environment.drop_connections()
    assert environment.exit().status == 1


def test_refused_answer_goes_on_with_next(start_python):
    environment = start_python(ECHO, status=413)
    assert environment.result(1) == 1
    assert environment.result(2) == 2


def test_runtime_api_failure_ends_the_process(start_python):
    environment = start_python(ECHO, status=500)
    assert environment.result(1) == 1
    assert environment.exit().status == 1


def test_default_timeout_of_sockets_is_not_for_us(start_python):
    code = "import socket\nsocket.setdefaulttimeout(0)\n" + ECHO
    environment = start_python(code)
    environment.await_next()
    assert environment.result(1) == 1


# Search path and handler names.


def test_search_path(start_python):
    code = "import sys\ndef handler(event, context):\n    return sys.path\n"
    environment = start_python(code)
    path = environment.result()
    version = "python%d.%d" % start_python.version
    runtime = environment.requests and path[3]
    assert path[:3] == [environment.task, "/opt/python/lib/%s/site-packages" % version, "/opt/python"]
    assert runtime.endswith("Runtimes/python")
    assert len(path) == len(set(path)) and path[-1].endswith("-packages")


def test_function_module_wins_over_standard_library(start_python):
    environment = start_python(
        {"app.py": "import json\ndef handler(e, c): return json.mine", "json.py": "mine = 'yes'"}
    )
    assert environment.result() == "yes"


def test_handler_with_slash_and_with_dots(start_python):
    files = {"pkg/__init__.py": "", "pkg/mod.py": ECHO}
    assert start_python(files, handler="pkg/mod.handler").result(1) == 1
    assert start_python(files, handler="pkg.mod.handler").result(2) == 2


def failed_init(environment):
    call = environment.init_error()
    document = call.json
    assert call.headers["lambda-runtime-function-error-type"] == document["errorType"]
    assert list(document) == ["errorMessage", "errorType", "requestId", "stackTrace"]
    assert document["requestId"] == ""
    gone = environment.exit()
    assert gone.status == 1
    assert re.search(r"\[WARNING\]\t%s\t\tLAMBDA_WARNING: Unhandled exception\." % STAMP, gone.output)
    title = "[ERROR] %s: %s\rTraceback (most recent call last):" % (document["errorType"], document["errorMessage"])
    assert title in gone.output
    return document, gone.output


def test_malformed_handler(start_python):
    document, _ = failed_init(start_python(ECHO, handler="handler"))
    assert document["errorType"] == "Runtime.MalformedHandlerName"
    assert document["errorMessage"] == "Bad handler 'handler': not enough values to unpack (expected 2, got 1)"


def test_module_missing(start_python):
    document, output = failed_init(start_python(ECHO, handler="absent.handler"))
    assert document["errorType"] == "Runtime.ImportModuleError"
    assert document["errorMessage"] == "Unable to import module 'absent': No module named 'absent'"
    assert document["stackTrace"] == []
    assert output.endswith("No module named 'absent'\rTraceback (most recent call last):\n")


def test_module_imports_something_missing(start_python):
    document, _ = failed_init(start_python("import nowhere_at_all\n"))
    assert document["errorMessage"] == "Unable to import module 'app': No module named 'nowhere_at_all'"


def test_builtin_module(start_python):
    document, _ = failed_init(start_python(ECHO, handler="sys.exit"))
    assert document["errorType"] == "Runtime.BuiltInModuleConflict"
    assert document["errorMessage"] == "Cannot use built-in module sys as a handler module"


def test_syntax_error(start_python):
    environment = start_python("def handler(event, context:\n    return 1\n")
    document, output = failed_init(environment)
    assert document["errorType"] == "Runtime.UserCodeSyntaxError"
    assert document["errorMessage"].startswith("Syntax error in module 'app': ")
    line = r'  File "%s/app.py" Line \d\n    .*' % re.escape(environment.task)
    assert re.match(line, document["stackTrace"][0])
    assert "\r" + NBSP * 2 + 'File "' in output


def test_handler_missing(start_python):
    document, _ = failed_init(start_python("x = 1\n"))
    assert document["errorType"] == "Runtime.HandlerNotFound"
    assert document["errorMessage"] == "Handler 'handler' missing on module 'app'"


def test_exception_while_importing(start_python):
    environment = start_python("def boom():\n    raise ValueError('no database')\nboom()\n")
    document, _ = failed_init(environment)
    assert (document["errorType"], document["errorMessage"]) == ("ValueError", "no database")
    stack = document["stackTrace"]
    first = r'  File ".*/importlib/__init__.py", line \d+, in import_module\n    return _bootstrap._gcd_import\(name\[level:\], package, level\)\n'
    assert re.fullmatch(first, stack[0]) and ", in _gcd_import" in stack[1]
    assert not re.search(r"/bootstrap\.py", "".join(stack))
    assert (
        stack[-1] == "  File \"%s/app.py\", line 2, in boom\n    raise ValueError('no database')\n" % environment.task
    )


def test_exit_while_importing(start_python):
    assert start_python("import sys\nsys.exit(3)\n").exit().status == 3


# Results.


def test_marshalling_rules(start_python):
    code = """
import collections, decimal, enum
Point = collections.namedtuple("Point", "x y")
class Color(enum.IntEnum):
    RED = 1
class Text(str):
    pass
def handler(event, context):
    return {
        "decimal": [decimal.Decimal("1.10"), decimal.Decimal("12345678901234567890.5")],
        "tuple": (1, 2), "point": Point(1, [Point(2, 3)]), "bytes": b"caf\\xc3\\xa9", "ordered": collections.OrderedDict(b=1, a=()),
        "enum": Color.RED, "text": Text("t"), "empty": [[], {}, ()], "float": [1.0, 1e100, -0.0],
        1: "int", None: "none", True: "true", 1.5: "float", b"key": "bytes",
    }
"""
    call = start_python(code).call()
    text = call.body.decode()
    assert '"decimal": [1.10, 12345678901234567890.5]' in text
    assert json.loads(text) == {
        "decimal": [1.1, 12345678901234567890.5],
        "tuple": [1, 2],
        "point": {"x": 1, "y": [{"x": 2, "y": 3}]},
        "bytes": "café",
        "ordered": {"b": 1, "a": []},
        "enum": 1,
        "text": "t",
        "empty": [[], {}, []],
        "float": [1.0, 1e100, -0.0],
        "1": "true",
        "null": "none",
        "1.5": "float",
        "key": "bytes",
    }
    assert call.headers["content-type"] == "application/json"


def test_named_tuple_alone(start_python):
    code = "import collections\nPair = collections.namedtuple('Pair', 'a b')\ndef handler(e, c):\n    return [Pair(1, (2,))]\n"
    assert start_python(code).call().body == b'[{"a": 1, "b": [2]}]'


def test_not_a_number(start_python):
    code = (
        "import decimal\ndef handler(e, c):\n    return [float('nan'), float('inf')] + [decimal.Decimal('NaN')] * e\n"
    )
    environment = start_python(code)
    assert environment.call(0).body == b"[NaN, Infinity]"
    assert environment.call(1).body == b"[NaN, Infinity, NaN]"


def test_answers_are_utf8_from_3_12_on(start_python):
    code = "class Text(str): pass\ndef handler(e, c):\n    return Text('é') if e else 'é'\n"
    old = start_python(code, variables={"AWS_EXECUTION_ENV": "AWS_Lambda_python3.11"})
    assert old.call(0).body == old.call(1).body == b'"\\u00e9"'
    new = start_python(code, variables={"AWS_EXECUTION_ENV": "AWS_Lambda_python3.12"})
    assert new.call(0).body == new.call(1).body == '"é"'.encode()


def test_bytes_pass_as_they_are(start_python):
    call = start_python("def handler(e, c):\n    return b'\\xff\\x00'\n").call()
    assert (call.kind, call.body, call.headers["content-type"]) == ("response", b"\xff\x00", "application/unknown")


def test_unmarshallable_results(start_python):
    code = """
def handler(event, context):
    if event == "set": return {"a": {1}}
    if event == "key": return {(1, 2): 3}
    if event == "circle":
        circle = []
        circle.append(circle)
        return circle
    return "fine"
"""
    environment = start_python(code)
    for event, reason in (
        ("set", "Object of type set is not JSON serializable"),
        ("key", "keys must be str, int, float, bool or None, not tuple"),
        ("circle", "Circular reference detected"),
    ):
        call = environment.error(event)
        assert call.json == {
            "errorMessage": "Unable to marshal response: " + reason,
            "errorType": "Runtime.MarshalError",
            "requestId": call.request_id,
            "stackTrace": [],
        }
    assert environment.result("x") == "fine"


def test_unreadable_events(start_python):
    environment = start_python(ECHO)
    for body, reason in (
        (b"{", "Expecting property name enclosed in double quotes"),
        (b"", "Expecting value: line 1 column 1 (char 0)"),
        (b"1 2", "Extra data"),
        (b'"\xff"', "'utf-8' codec can't decode byte 0xff"),
    ):
        document = environment.error(body).json
        assert document["errorType"] == "Runtime.UnmarshalError"
        assert document["errorMessage"].startswith("Unable to unmarshal input: " + reason)
    assert environment.result(b" \n[1]\r\n") == [1]


# Failures in the handler.


def test_handler_exception(start_python):
    code = "class Custom(Exception):\n    pass\ndef inner():\n    raise Custom('café')\ndef handler(event, context):\n    inner()\n"
    environment = start_python(code)
    call = environment.error()
    path = environment.task + "/app.py"
    assert call.json == {
        "errorMessage": "café",
        "errorType": "Custom",
        "requestId": call.request_id,
        "stackTrace": [
            '  File "%s", line 6, in handler\n    inner()\n' % path,
            "  File \"%s\", line 4, in inner\n    raise Custom('café')\n" % path,
        ],
    }
    assert call.headers["lambda-runtime-function-error-type"] == "Custom"
    cause = json.loads(call.headers["lambda-runtime-function-xray-error-cause"])
    assert cause["exceptions"][0]["type"] == "Custom"
    assert cause["exceptions"][0]["stack"][1] == {"label": "inner", "path": path, "line": 4}
    assert environment.output == (
        "[ERROR] Custom: café\rTraceback (most recent call last):"
        '\r%sFile "%s", line 6, in handler\r%sinner()' % (NBSP * 2, path, NBSP * 4)
        + "\r%sFile \"%s\", line 4, in inner\r%sraise Custom('café')\n" % (NBSP * 2, path, NBSP * 4)
    )
    assert environment.error().kind == "error"  # the environment lives on


def test_exception_without_message(start_python):
    call = start_python("def handler(event, context):\n    raise KeyError\n").error()
    assert (call.json["errorType"], call.json["errorMessage"]) == ("KeyError", "")


def test_exit_in_handler(start_python):
    for code, status in (("sys.exit(0)", 0), ("sys.exit(4)", 4), ("os._exit(5)", 5)):
        environment = start_python("import os, sys\ndef handler(event, context):\n    print('bye')\n    %s\n" % code)
        gone = environment.call()
        assert (gone.kind, gone.status, gone.output) == ("exit", status, "bye\n")


def test_base_exception_ends_the_process(start_python):
    gone = start_python("def handler(event, context):\n    raise KeyboardInterrupt()\n").call()
    assert gone.kind == "exit" and gone.status in (1, -signal.SIGINT, 130)
    assert "KeyboardInterrupt" in gone.output


# The context.


def test_context(start_python):
    code = """
def handler(event, context):
    identity, client = context.identity, context.client_context
    return [
        context.function_name, context.function_version, context.invoked_function_arn, context.memory_limit_in_mb,
        context.aws_request_id, context.log_group_name, context.log_stream_name, context.tenant_id,
        identity.cognito_identity_id, identity.cognito_identity_pool_id,
        client and [client.custom, client.env, client.client and client.client.app_title, hasattr(client, "w3c")],
        0 < context.get_remaining_time_in_millis() <= 30000, repr(context),
    ]
"""
    environment = start_python(code)
    request = "8e4d3c1e-0000-4000-8000-000000000001"
    stream = "2026/01/02/[$LATEST]0123456789abcdef0123456789abcdef"
    arn = "arn:aws:lambda:us-east-1:123456789012:function:tested"
    common = ["tested", "$LATEST", arn, "128", request, "/aws/lambda/tested", stream]
    assert environment.result(headers={"Lambda-Runtime-Aws-Request-Id": request}) == common + [
        None,
        None,
        None,
        None,
        True,
        "LambdaContext([aws_request_id=%s,log_group_name=/aws/lambda/tested,log_stream_name=%s,function_name=tested,"
        "memory_limit_in_mb=128,function_version=$LATEST,invoked_function_arn=%s,client_context=None,"
        "identity=CognitoIdentity([cognito_identity_id=None,cognito_identity_pool_id=None]),tenant_id=None])"
        % (request, stream, arn),
    ]
    given = environment.result(
        headers={
            "Lambda-Runtime-Aws-Request-Id": request,
            "Lambda-Runtime-Aws-Tenant-Id": "blue",
            "Lambda-Runtime-Cognito-Identity": '{"cognitoIdentityId":"id","cognitoIdentityPoolId":"pool"}',
            "Lambda-Runtime-Client-Context": '{"custom":{"ключ":"é"},"env":{"a":1},"client":{"app_title":"t"},"w3c":{}}',
        }
    )
    assert given[7:12] == ["blue", "id", "pool", [{"ключ": "é"}, {"a": 1}, "t", False], True]
    assert (
        "client_context=ClientContext([custom={'ключ': 'é'},env={'a': 1},client=Client([installation_id=None"
        in given[12]
    )


def test_remaining_time_is_never_negative(start_python):
    code = "def handler(event, context):\n    return context.get_remaining_time_in_millis()\n"
    assert start_python(code).result(timeout=-5) == 0


def test_bad_client_context(start_python):
    document = start_python(ECHO).error(headers={"Lambda-Runtime-Client-Context": "{"}).json
    assert document["errorType"] == "Runtime.LambdaContextUnmarshalError"
    assert document["errorMessage"].startswith("Unable to parse Client Context JSON: ")


def test_trace_id_is_of_the_invocation(start_python):
    code = "import os\ndef handler(event, context):\n    return os.environ.get('_X_AMZN_TRACE_ID')\n"
    environment = start_python(code)
    assert environment.result(headers={"Lambda-Runtime-Trace-Id": "Root=1"}) == "Root=1"
    assert environment.result(headers={"Lambda-Runtime-Trace-Id": "Root=2"}) == "Root=2"
    assert environment.result(headers={"Lambda-Runtime-Trace-Id": None}) is None


# Logs.

LOGGING = """
import logging
logger = logging.getLogger("mine")
def handler(event, context):
    logging.getLogger().setLevel(event["level"]) if "level" in event else None
    logging.debug("d %s", 1)
    logging.info("i")
    logger.warning("w\\nsecond")
    try:
        1 / 0
    except ZeroDivisionError:
        logger.exception("e")
    context.log("from context\\n")
    logger.error({"k": 1}, extra={"order": 7})
    return logging.getLogger().getEffectiveLevel()
"""


def test_text_logs(start_python):
    environment = start_python(LOGGING, variables={"TZ": "JST-9"})
    call = environment.call({})
    assert call.json == 30
    lines = environment.output
    stamp = STAMP + "\t" + call.request_id
    assert re.match(r"\[WARNING\]\t%s\tw\nsecond\n\[ERROR\]\t%s\te\nTraceback" % (stamp, stamp), lines)
    assert "ZeroDivisionError: division by zero\nfrom context\n[ERROR]" in lines
    stamped = datetime.datetime.fromisoformat(re.search(STAMP.split(r"\.")[0], lines).group()).replace(
        tzinfo=datetime.timezone.utc
    )
    assert abs(datetime.datetime.now(datetime.timezone.utc) - stamped) < datetime.timedelta(minutes=5)
    environment.call({"level": "INFO"})
    assert re.search(r"\[INFO\]\t%s\t[0-9a-f-]{36}\ti\n" % STAMP, environment.output)


def test_json_logs(start_python):
    variables = {"AWS_LAMBDA_LOG_FORMAT": "JSON", "AWS_LAMBDA_LOG_LEVEL": "INFO"}
    environment = start_python(LOGGING, variables=variables)
    call = environment.call({}, {"Lambda-Runtime-Aws-Tenant-Id": "blue"})
    assert call.json == 20
    lines = environment.output.splitlines()
    assert lines.pop(3) == "from context"
    info, warning, error, extra = (json.loads(line) for line in lines)
    stamp = info.pop("timestamp")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", stamp)
    assert info == {"level": "INFO", "message": "i", "logger": "root", "requestId": call.request_id, "tenantId": "blue"}
    assert (warning["message"], warning["logger"]) == ("w\nsecond", "mine")
    assert (error["errorType"], error["errorMessage"]) == ("ZeroDivisionError", "division by zero")
    assert error["stackTrace"][-1].endswith("1 / 0\n") or "1 / 0" in error["stackTrace"][-1]
    assert error["location"] == "%s/app.py:handler:12" % environment.task
    assert (extra["message"], extra["order"]) == ({"k": 1}, 7)


def test_json_error_log(start_python):
    environment = start_python(
        "def handler(e, c):\n    raise ValueError('x')\n", variables={"AWS_LAMBDA_LOG_FORMAT": "JSON"}
    )
    call = environment.error()
    line = json.loads(environment.output)
    assert line.pop("timestamp") and line.pop("level") == "ERROR"
    assert line == call.json


def test_trace_level_is_debug(start_python):
    code = "import logging\ndef handler(e, c):\n    return logging.getLogger().level\n"
    assert start_python(code, variables={"AWS_LAMBDA_LOG_LEVEL": "TRACE"}).result() == 10
    assert start_python(code, variables={"AWS_LAMBDA_LOG_LEVEL": "NONSENSE"}).result() == 30


def test_print_goes_out_before_the_answer(start_python):
    code = "import sys\ndef handler(e, c):\n    print('é', flush=False)\n    print('to err', file=sys.stderr)\n    print('part', end='')\n"
    environment = start_python(code)
    environment.call()
    assert environment.output == "é\nto err\npart"


def test_framed_logs(start_python):
    source, descriptor = os.pipe()
    code = "import logging, os\ndef handler(e, c):\n    logging.warning('é')\n    c.log('x')\n    return os.environ.get('_LAMBDA_TELEMETRY_LOG_FD')\n    \n"
    code += "def bad(e, c):\n    raise ValueError('y')\n"
    variables = {"_LAMBDA_TELEMETRY_LOG_FD": str(descriptor)}
    environment = start_python(code, variables=variables, descriptors=(descriptor,))
    call = environment.call()
    assert call.json is None and environment.output == ""
    (warning, first), (said, second) = frames(os.read(source, 65536))
    assert (warning, said, second) == (0xA55A0003, 0xA55A0003, "x")
    assert first.endswith("Z\t%s\té\n" % call.request_id)
    environment = start_python(code, "app.bad", variables, descriptors=(descriptor,))
    environment.error()
    ((kind, text),) = frames(os.read(source, 65536))
    assert kind == 0xA55A0017 and text.startswith(
        "[ERROR] ValueError: y\nTraceback (most recent call last):\n" + NBSP * 2 + "File"
    )
    os.close(source)
    os.close(descriptor)


def frames(data):
    while data:
        length = int.from_bytes(data[4:8], "big")
        yield int.from_bytes(data[:4], "big"), data[16 : 16 + length].decode()
        data = data[16 + length :]


# SnapStart.


def test_snapshot_hooks(start_python):
    code = """
from snapshot_restore_py import register_before_snapshot, register_after_restore
ran = []
register_before_snapshot(ran.append, "before 1")
register_before_snapshot(ran.append, "before 2")
@register_after_restore
def after():
    ran.append("after")
def handler(event, context):
    return ran
"""
    environment = start_python(code, variables={"AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start"})
    assert environment.arrival().path == "/2018-06-01/runtime/restore/next"
    assert environment.result() == ["before 2", "before 1", "after"]


def test_failing_snapshot_hooks(start_python):
    for hook, path, kind, status in (
        ("before_snapshot", "init/error", "Runtime.BeforeSnapshotError", 64),
        ("after_restore", "restore/error", "Runtime.AfterRestoreError", 65),
    ):
        code = "import snapshot_restore_py as s\ndef fail(): raise ValueError('h')\ns.register_%s(fail)\n" % hook + ECHO
        environment = start_python(code, variables={"AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start"})
        call = environment.arrival()
        if call.path.endswith("restore/next"):
            call = environment.arrival()
        assert call.path == "/2018-06-01/runtime/" + path
        assert call.headers["lambda-runtime-function-error-type"] == kind
        assert call.json["errorMessage"] == "h"
        assert environment.exit().status == status
