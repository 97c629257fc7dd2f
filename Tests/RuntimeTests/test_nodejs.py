"""What a Node.js function sees and does, through our bootstrap, on every Node found."""

import base64
import json
import os
import re

import pytest

ECHO = "exports.handler = async (event) => event;\n"
STAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


@pytest.fixture
def has_callbacks(start_node):
    return start_node.version < (24,)


def needs_callbacks(start_node):
    if start_node.version >= (24,):
        pytest.skip("callbacks ended with Node 24")


def test_echo_keeps_one_connection(start_node):
    environment = start_node(ECHO)
    for event in ({"a": [1, 2.5, None, True, "é\u2028"]}, [], "text", 7, None, {}):
        assert environment.result(event) == event
    environment.await_next()
    assert len(environment.connections) == 1
    assert environment.requests[0][2]["user-agent"].startswith("aws-lambda-nodejs/")


def test_six_mebibytes_both_ways(start_node):
    environment = start_node(ECHO)
    event = "x" * (6 * 1024 * 1024 - 2)
    assert environment.result(event) == event
    many = [{"key": number, "text": "é" * 20} for number in range(60000)]
    assert environment.result(many) == many


def test_chunked_events(start_node):
    environment = start_node(ECHO, chunked=True)
    for event in ({"a": 1}, "x" * 300_000, None):
        assert environment.result(event) == event


def test_runtime_api_gone_ends_the_process(start_node):
    environment = start_node(ECHO)
    environment.await_next()
    environment.drop_connections()
    assert environment.exit().status == 1


def test_refused_answer_goes_on_with_next(start_node):
    environment = start_node(ECHO, status=413)
    assert environment.result(1) == 1
    assert environment.result(2) == 2


def test_runtime_api_failure_ends_the_process(start_node):
    environment = start_node(ECHO, status=500)
    assert environment.result(1) == 1
    assert environment.exit().status == 1


# Finding the handler.


def test_module_kinds(start_node):
    script = "exports.handler = async () => [typeof module, 'script'];\n"
    module = "export const handler = async () => [typeof module, 'module'];\n"
    for files, handler, kind in (
        ({"index.js": script}, "index.handler", "script"),
        ({"index.cjs": script}, "index.handler", "script"),
        ({"index.mjs": module}, "index.handler", "module"),
        ({"index.js": module, "package.json": '{"type":"module"}'}, "index.handler", "module"),
        ({"src/index.js": "await 1;" + module, "package.json": '{"type":"module"}'}, "src/index.handler", "module"),
        (
            {"src/index.js": script, "src/package.json": "{}", "package.json": '{"type":"module"}'},
            "src/index.handler",
            "script",
        ),
        ({"index": script}, "index.handler", "script"),
        ({"node_modules/pkg/index.js": script}, "pkg.handler", "script"),
    ):
        assert start_node(files, handler).result()[1] == kind


def test_nested_handlers(start_node):
    code = "exports.a = { b: { c: async () => 'deep' } };\n"
    assert start_node({"dir/file.js": code}, "dir/file.a.b.c").result() == "deep"


def test_top_level_await(start_node):
    code = "const got = await new Promise((done) => setTimeout(done, 1, 'later'));\nexport const handler = async () => got;\n"
    assert start_node({"index.mjs": code}).result() == "later"


def test_top_level_await_for_ever(start_node):
    assert start_node({"index.mjs": "await new Promise(() => {});\n"}).exit().status == 13


def test_packages_on_node_path(start_node, tmp_path):
    layer = tmp_path / "layer" / "nodejs" / "node_modules"
    (layer / "both").mkdir(parents=True)
    (layer / "both" / "package.json").write_text('{"name":"both","exports":{"import":"./m.mjs","require":"./c.cjs"}}')
    (layer / "both" / "m.mjs").write_text("export default 'imported';")
    (layer / "both" / "c.cjs").write_text("module.exports = 'required';")
    variables = {"NODE_PATH": "%s:/nowhere/node_modules" % layer}
    script = "const both = require('both');\nexports.handler = async () => both;\n"
    assert start_node({"index.js": script}, variables=variables).result() == "required"
    if start_node.version >= (18, 19):
        module = "import both from 'both';\nexport const handler = async () => both;\n"
        assert start_node({"index.mjs": module}, variables=variables).result() == "imported"


def failed_init(environment, status=129):
    call = environment.init_error()
    document = call.json
    assert list(document) == ["errorType", "errorMessage", "trace"]
    assert call.headers["lambda-runtime-function-error-type"] == document["errorType"]
    gone = environment.exit()
    assert gone.status == status
    line = re.search(r"^%s\tundefined\tERROR\tUn[a-zA-Z ]+ \t(\{.*\})$" % STAMP, gone.output, re.M)
    logged = json.loads(line.group(1))
    assert (logged["errorType"], logged["errorMessage"]) == (document["errorType"], document["errorMessage"])
    return document


def test_module_missing(start_node):
    document = failed_init(start_node(ECHO, "absent.handler"))
    assert document["errorType"] == "Runtime.ImportModuleError"
    assert document["errorMessage"].startswith("Error: Cannot find module 'absent'\nRequire stack:\n- ")
    assert document["trace"][0] == "Runtime.ImportModuleError: Error: Cannot find module 'absent'"


def test_module_requires_something_missing(start_node):
    document = failed_init(start_node("require('nowhere-at-all');\n"))
    assert document["errorType"] == "Runtime.ImportModuleError"
    assert document["errorMessage"].startswith("Error: Cannot find module 'nowhere-at-all'\nRequire stack:\n- ")


def test_module_imports_something_missing(start_node):
    environment = start_node({"index.mjs": "import 'nowhere-at-all';\n"})
    document = failed_init(environment)
    assert document["errorType"] == "Error"
    assert document["errorMessage"].startswith("Cannot find package 'nowhere-at-all' imported from ")
    assert '"code":"ERR_MODULE_NOT_FOUND"' in environment.output


def test_handler_missing(start_node):
    document = failed_init(start_node("exports.x = 1;\n"))
    assert document["errorType"] == "Runtime.HandlerNotFound"
    assert document["errorMessage"] == "index.handler is undefined or not exported"
    document = failed_init(start_node("exports.handler = 1;\n"))
    assert document["errorMessage"] == "index.handler is not a function"


def test_malformed_handlers(start_node):
    document = failed_init(start_node(ECHO, "handler"))
    assert (document["errorType"], document["errorMessage"]) == ("Runtime.MalformedHandlerName", "Bad handler")
    document = failed_init(start_node(ECHO, "../index.handler"))
    assert document["errorType"] == "Runtime.MalformedHandlerName"
    assert document["errorMessage"].startswith("'../index.handler' is not a valid handler name.")


def test_syntax_error(start_node):
    for name in ("index.js", "index.mjs"):
        document = failed_init(start_node({name: "const x = ;\n"}))
        assert document["errorType"] == "Runtime.UserCodeSyntaxError"
        assert document["errorMessage"] == "SyntaxError: Unexpected token ';'"


def test_exception_while_loading(start_node):
    document = failed_init(start_node("function boom() { throw new TypeError('no database'); }\nboom();\n"))
    assert (document["errorType"], document["errorMessage"]) == ("TypeError", "no database")
    assert document["trace"][1].strip().startswith("at boom (")


def test_unhandled_rejection_while_loading(start_node):
    code = "Promise.reject(new Error('x'));\nawait new Promise((done) => setTimeout(done, 1000));\n"
    document = failed_init(start_node({"index.mjs": code}), 128)
    assert (document["errorType"], document["errorMessage"]) == ("Runtime.UnhandledPromiseRejection", "Error: x")


# Results.


def test_results(start_node):
    code = """exports.handler = async (event) => ({
      undefined: undefined, date: new Date(0), nan: [NaN], string: 'é', code: () => 1, thenable: { then(done) { done('t'); } } })[event];"""
    environment = start_node(code)
    assert environment.result("undefined") is None
    assert environment.result("date") == "1970-01-01T00:00:00.000Z"
    assert environment.result("nan") == [None]
    assert environment.result("code") is None
    assert environment.call("string").body == '"é"'.encode()
    assert environment.result("thenable") == "t"


def test_thenables(start_node):
    assert start_node("exports.handler = () => ({ then(done) { done('t'); } });").result() == "t"
    assert (
        start_node("exports.handler = () => ({ then(_, fail) { fail(new RangeError('t')); } });")
        .error()
        .json["errorType"]
        == "RangeError"
    )


def test_unserializable_results(start_node):
    code = "exports.handler = async (event) => { if (event) return 1n; const a = []; a.push(a); return a; };"
    environment = start_node(code)
    for event in (0, 1):
        document = environment.error(event).json
        assert (document["errorType"], document["errorMessage"]) == ("Error", "Unable to stringify response body")


def test_unreadable_event(start_node):
    environment = start_node(ECHO)
    assert environment.error(b"{").json["errorType"] == "SyntaxError"
    assert environment.result(1) == 1


def test_callbacks(start_node):
    needs_callbacks(start_node)
    code = """exports.handler = (event, context, callback) => {
      if (event === 'error') callback(new RangeError('r'));
      else if (event === 'text') callback('just text');
      else if (event === 'later') setTimeout(() => callback(null, 'later'), 1);
      else if (event === 'twice') { callback(null, 1); callback(new Error('ignored once waiting')); }
      else if (event === 'done') context.done(null, 'd');
      else if (event === 'succeed') { context.succeed('s'); context.fail(new Error('too late')); callback('too late'); }
      else if (event === 'fail') context.fail(new Error('f'));
      else if (event === 'nothing') return 'not a result';
      else callback(undefined, { event });
    };"""
    environment = start_node(code)
    assert environment.result("x") == {"event": "x"}
    assert environment.result("later") == "later"
    assert environment.result("done") == "d"
    assert environment.result("succeed") == "s"
    assert environment.result("nothing") is None
    assert environment.error("error").json["errorType"] == "RangeError"
    assert environment.error("fail").json["errorMessage"] == "f"
    assert environment.error("text").json == {"errorType": "string", "errorMessage": "just text", "trace": []}
    assert environment.result("x") == {"event": "x"}


def test_callback_waits_for_empty_event_loop(start_node):
    needs_callbacks(start_node)
    code = """exports.handler = (event, context, callback) => {
      context.callbackWaitsForEmptyEventLoop = event;
      const order = { late: false };
      setTimeout(() => { order.late = true; }, 200);
      callback(null, order);
    };"""
    environment = start_node(code)
    assert environment.result(True) == {"late": True}
    assert environment.result(False) == {"late": False}


def test_callback_handlers_refused_by_node_24(start_node):
    if start_node.version < (24,):
        pytest.skip("callbacks still work")
    document = failed_init(start_node("exports.handler = (event, context, callback) => callback(null, 1);"))
    assert document["errorType"] == "Runtime.CallbackHandlerDeprecated"
    assert "removed support for callback-based function handlers starting with Node.js 24" in document["errorMessage"]
    assert start_node("exports.handler = (event) => [event];").result(1) == [1]


def test_promise_that_never_settles(start_node):
    environment = start_node("exports.handler = () => new Promise(() => {});")
    assert environment.result() is None
    assert environment.result() is None


# Failures in the handler.


def test_handler_exception(start_node):
    code = """class Custom extends Error { constructor(text) { super(text); this.name = 'Custom'; this.extra = 7; } }
function inner() { throw new Custom('café\\nsecond'); }
exports.handler = async () => { inner(); };"""
    environment = start_node(code)
    call = environment.error()
    document = call.json
    assert list(document) == ["errorType", "errorMessage", "trace"]
    assert (document["errorType"], document["errorMessage"]) == ("Custom", "café\nsecond")
    assert document["trace"][2] == "    at inner (%s/index.js:2:26)" % environment.task
    assert call.headers["lambda-runtime-function-error-type"] == "Custom"
    cause = json.loads(call.headers["lambda-runtime-function-xray-error-cause"])
    assert cause["exceptions"][0]["message"] == "café\nsecond"
    assert cause["exceptions"][0]["stack"][0] == {"path": environment.task + "/index.js", "line": 2, "label": "inner"}
    line = re.fullmatch(r"%s\t%s\tERROR\tInvoke Error \t(.*)\n" % (STAMP, call.request_id), environment.output)
    logged = json.loads(line.group(1))
    assert list(logged) == ["errorType", "errorMessage", "name", "extra", "stack"]
    assert (logged["extra"], logged["stack"]) == (7, document["trace"])
    assert environment.error().kind == "error"  # the environment lives on


def test_thrown_things_that_are_no_errors(start_node):
    environment = start_node("exports.handler = async (event) => { throw event; };")
    assert environment.error("text").json == {"errorType": "string", "errorMessage": "text", "trace": []}
    assert environment.error(7).json == {"errorType": "number", "errorMessage": "7", "trace": []}
    assert environment.error(None).json == {"errorType": "object", "errorMessage": "null", "trace": []}
    assert environment.error({"a": 1}).json["errorMessage"] == "[object Object]"


def test_synchronous_exception(start_node):
    document = start_node("exports.handler = () => { throw new TypeError('now'); };").error().json
    assert (document["errorType"], document["errorMessage"]) == ("TypeError", "now")


def test_uncaught_exception(start_node):
    code = "exports.handler = () => new Promise(() => { setTimeout(() => { throw new TypeError('stray'); }, 1); });"
    environment = start_node(code)
    document = environment.error().json
    assert (document["errorType"], document["errorMessage"]) == ("TypeError", "stray")
    gone = environment.exit()
    assert gone.status == 129
    assert '\tERROR\tUncaught Exception \t{"errorType":"TypeError"' in gone.output


def test_unhandled_rejection(start_node):
    code = "exports.handler = () => new Promise(() => { Promise.reject(new Error('lost')); });"
    environment = start_node(code)
    document = environment.error().json
    assert document["errorType"] == "Runtime.UnhandledPromiseRejection"
    assert document["errorMessage"] == "Error: lost"
    gone = environment.exit()
    assert gone.status == 128
    logged = json.loads(gone.output.split("Unhandled Promise Rejection \t")[1])
    assert list(logged) == ["errorType", "errorMessage", "reason", "promise", "stack"]
    assert logged["reason"]["errorMessage"] == "lost"


def test_exit_in_handler(start_node):
    for status in (0, 4):
        environment = start_node("exports.handler = async () => { console.log('bye'); process.exit(%d); };" % status)
        gone = environment.call()
        assert (gone.kind, gone.status) == ("exit", status)
        assert gone.output.endswith("INFO\tbye\n")


# The context.


def test_context(start_node, has_callbacks):
    code = """exports.handler = async (event, context) => {
      const left = context.getRemainingTimeInMillis();
      const methods = ['done', 'fail', 'succeed'].filter((name) => typeof context[name] === 'function').length;
      return { ...context, left: left > 0 && left <= 30000, methods };
    };"""
    environment = start_node(code)
    request = "8e4d3c1e-0000-4000-8000-000000000001"
    plain = {
        "callbackWaitsForEmptyEventLoop": True,
        "functionVersion": "$LATEST",
        "functionName": "tested",
        "memoryLimitInMB": "128",
        "logGroupName": "/aws/lambda/tested",
        "logStreamName": "2026/01/02/[$LATEST]0123456789abcdef0123456789abcdef",
        "invokedFunctionArn": "arn:aws:lambda:us-east-1:123456789012:function:tested",
        "awsRequestId": request,
        "left": True,
        "methods": 3 if has_callbacks else 0,
    }
    assert environment.result(headers={"Lambda-Runtime-Aws-Request-Id": request}) == plain
    given = {"identity": {"cognitoIdentityId": "i"}, "clientContext": {"custom": {"ключ": "é"}}, "tenantId": "blue"}
    headers = {
        "Lambda-Runtime-Aws-Request-Id": request,
        "Lambda-Runtime-Aws-Tenant-Id": "blue",
        "Lambda-Runtime-Cognito-Identity": json.dumps(given["identity"]),
        "Lambda-Runtime-Client-Context": json.dumps(given["clientContext"], ensure_ascii=False),
    }
    assert environment.result(headers=headers) == {**plain, **given}


def test_trace_id_is_of_the_invocation(start_node):
    environment = start_node("exports.handler = async () => process.env._X_AMZN_TRACE_ID;")
    assert environment.result(headers={"Lambda-Runtime-Trace-Id": "Root=1"}) == "Root=1"
    assert environment.result(headers={"Lambda-Runtime-Trace-Id": "Root=2"}) == "Root=2"
    assert environment.result(headers={"Lambda-Runtime-Trace-Id": None}) is None


# Logs.

LOGGING = """console.log('at start');
exports.handler = async () => {
  console.log('two\\nlines %s', 1, { a: 1 });
  console.debug('d'); console.info('i'); console.warn('w'); console.error(new RangeError('e')); console.trace('t');
  process.stdout.write('raw\\n');
  console.log({ k: [1] });
  console.error('said', new RangeError('e'));
};"""


def test_text_logs(start_node):
    environment = start_node(LOGGING)
    call = environment.call()
    lines = environment.output.split("\n")
    assert re.fullmatch(STAMP + r"\tundefined\tINFO\tat start", lines[0])
    said = [line.split("\t", 2) for line in lines[1:6]]
    assert {line[1] for line in said} == {call.request_id}
    assert [line[2] for line in said[:4]] == ["INFO\ttwo\rlines 1 { a: 1 }", "DEBUG\td", "INFO\ti", "WARN\tw"]
    assert said[4][2].startswith("ERROR\tRangeError: e\r    at ")
    assert lines[6].endswith("\tTRACE\tt") and lines[7] == "raw" and lines[8].endswith("\tINFO\t{ k: [ 1 ] }")


def test_json_logs(start_node):
    variables = {"AWS_LAMBDA_LOG_FORMAT": "JSON", "AWS_LAMBDA_LOG_LEVEL": "INFO"}
    environment = start_node(LOGGING, variables=variables)
    call = environment.call(headers={"Lambda-Runtime-Aws-Tenant-Id": "blue"})
    lines = environment.output.splitlines()
    assert lines.pop(5) == "raw"
    start, two, info, warn, error, document, said = (json.loads(line) for line in lines)
    assert list(start) == ["timestamp", "level", "message"]
    assert re.fullmatch(STAMP, two.pop("timestamp"))
    assert two == {
        "level": "INFO",
        "requestId": call.request_id,
        "tenantId": "blue",
        "message": "two\nlines 1 { a: 1 }",
    }
    assert (info["level"], warn["level"]) == ("INFO", "WARN")
    assert (error["message"]["errorType"], error["message"]["errorMessage"]) == ("RangeError", "e")
    assert document["message"] == {"k": [1]}
    assert (said["errorType"], said["errorMessage"], said["stackTrace"][0]) == ("RangeError", "e", "RangeError: e")


def test_json_error_log(start_node):
    variables = {"AWS_LAMBDA_LOG_FORMAT": "JSON"}
    environment = start_node("exports.handler = async () => { throw new Error('x'); };", variables=variables)
    call = environment.error()
    line = json.loads(environment.output)
    assert (line["level"], line["requestId"]) == ("ERROR", call.request_id)
    assert line["message"] == {"errorType": "Error", "errorMessage": "x", "stackTrace": call.json["trace"]}


def test_framed_logs(start_node):
    source, descriptor = os.pipe()
    variables = {"_LAMBDA_TELEMETRY_LOG_FD": str(descriptor)}
    code = "exports.handler = async () => { console.warn('é\\n2'); return process.env._LAMBDA_TELEMETRY_LOG_FD; };"
    environment = start_node(code, variables=variables, descriptors=(descriptor,))
    call = environment.call()
    assert call.json is None and environment.output == ""
    data = os.read(source, 65536)
    assert int.from_bytes(data[:4], "big") == 0xA55A0013
    assert int.from_bytes(data[4:8], "big") == len(data) - 16
    assert data[16:].decode().endswith("\t%s\tWARN\té\n2\n" % call.request_id)
    os.close(source)
    os.close(descriptor)


# Response streams.

STREAMING = """exports.handler = awslambda.streamifyResponse(async (event, stream, context) => {
  if (event === 'zombie') { setImmediate(() => stream.write('too late')); setTimeout(() => stream.end('too late'), 1); }
  if (event === 'early' || event === 'zombie') throw new RangeError('early');
  if (event === 'http') stream = awslambda.HttpResponseStream.from(stream, { statusCode: 201 });
  else stream.setContentType('text/plain');
  if (event === 'empty') { stream.end(); return; }
  stream.write('one ');
  await new Promise((done) => setImmediate(done));
  if (event === 'late') throw new RangeError('late');
  stream.write(Buffer.from('two'));
  if (event === 'end') stream.on('finish', () => stream.emit('error', new RangeError('too late')));
  if (event !== 'open') stream.end();
});"""


def test_response_streams(start_node):
    environment = start_node(STREAMING)
    call = environment.call("x")
    assert (call.kind, call.body, call.headers["content-type"]) == ("response", b"one two", "text/plain")
    assert call.headers["lambda-runtime-function-response-mode"] == "streaming"
    assert call.headers["trailer"] == "Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body"
    call = environment.call("http")
    assert call.headers["content-type"] == "application/vnd.awslambda.http-integration-response"
    assert call.body == b'{"statusCode":201}' + bytes(8) + b"one two"
    assert environment.call("empty").body == b""
    assert environment.call("open").body == b"one two"
    assert environment.call("x").body == b"one two"


def test_response_streams_that_fail(start_node):
    environment = start_node(STREAMING)
    assert environment.error("early").json["errorType"] == "RangeError"
    call = environment.call("late")
    assert (call.kind, call.body) == ("response", b"one ")
    assert call.trailers["lambda-runtime-function-error-type"] == "RangeError"
    document = json.loads(base64.b64decode(call.trailers["lambda-runtime-function-error-body"]))
    assert document["errorMessage"] == "late"
    assert environment.error("zombie").json["errorType"] == "RangeError"
    assert environment.call("end").body == b"one two"
    assert environment.call("x").body == b"one two"


def test_large_response_stream(start_node):
    code = """const { pipeline } = require('node:stream/promises'); const { Readable } = require('node:stream');
exports.handler = awslambda.streamifyResponse(async (event, stream) => {
  await pipeline(Readable.from(Array.from({ length: 120 }, () => Buffer.alloc(65536, 'x'))), stream);
});"""
    assert start_node(code).call().body == b"x" * 120 * 65536


def test_malformed_streaming_handler(start_node):
    code = "exports.handler = async () => 1;\nexports.handler[Symbol.for('aws.lambda.runtime.handler.streaming')] = 'request';"
    document = failed_init(start_node(code))
    assert document["errorType"] == "Runtime.MalformedStreamingHandler"
