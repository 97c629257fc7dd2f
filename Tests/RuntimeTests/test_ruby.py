"""What a Ruby function sees and does, through our bootstrap, on every Ruby found."""

import json
import os
import re

ECHO = "def handler(event:, context:)\n  event\nend\n"


def test_echo_keeps_one_connection(start_ruby):
    environment = start_ruby(ECHO)
    for event in ({"a": [1, 2.5, None, True, "é\u2028"]}, [], "text", 7, None, {}, 2**70):
        assert environment.result(event) == event
    environment.await_next()
    assert len(environment.connections) == 1
    assert environment.requests[0][2]["user-agent"].startswith("aws-lambda-ruby/")


def test_six_mebibytes_both_ways(start_ruby):
    environment = start_ruby(ECHO)
    event = "é" * (3 * 1024 * 1024 - 2)
    assert environment.result(event) == event


def test_chunked_events(start_ruby):
    environment = start_ruby(ECHO, chunked=True)
    for event in ({"a": 1}, "x" * 300_000, None):
        assert environment.result(event) == event


def test_methods_of_classes(start_ruby):
    code = "module Shop\n  class Orders\n    def self.process(event:, context:)\n      [event, context.function_name]\n    end\n  end\nend\n"
    assert start_ruby(code, "app.Shop::Orders.process").result(1) == [1, "tested"]
    assert start_ruby({"lib/deep.rb": ECHO}, "lib/deep.handler").result(2) == 2


def test_bytes(start_ruby):
    call = start_ruby("require 'stringio'\ndef handler(event:, context:)\n  StringIO.new(\"\\x00\\xffraw\".b)\nend\n").call({})
    assert call.body == b"\x00\xffraw" and call.headers["content-type"] == "application/unknown"


def test_context(start_ruby):
    code = """
require 'logger'
LOG = Logger.new($stdout)
def handler(event:, context:)
  LOG.info('logged')
  puts 'printed ü'
  {id: context.aws_request_id, arn: context.invoked_function_arn, group: context.log_group_name, stream: context.log_stream_name,
   name: context.function_name, version: context.function_version, memory: context.memory_limit_in_mb,
   left: context.get_remaining_time_in_millis, deadline: context.deadline_ms, identity: context.identity, client: context.client_context,
   trace: ENV['_X_AMZN_TRACE_ID'], path: $LOAD_PATH.include?(ENV['LAMBDA_TASK_ROOT'])}
end
"""
    environment = start_ruby(code)
    call = environment.call({}, {"Lambda-Runtime-Cognito-Identity": '{"cognitoIdentityId":"i"}',
                                 "Lambda-Runtime-Client-Context": '{"custom":{"k":"v"}}', "Lambda-Runtime-Trace-Id": "Root=1-2-3"})
    seen = call.json
    assert (seen["id"], seen["name"], seen["version"], seen["memory"]) == (call.request_id, "tested", "$LATEST", "128")
    assert seen["group"] == "/aws/lambda/tested" and "[$LATEST]" in seen["stream"] and seen["arn"].endswith(":function:tested")
    assert seen["identity"] == {"cognitoIdentityId": "i"} and seen["client"] == {"custom": {"k": "v"}}
    assert seen["trace"] == "Root=1-2-3" and seen["path"] is True and seen["deadline"] > 10**12 and seen["left"] > 0
    assert "printed ü\n" in environment.output
    assert re.search(r"I, \[\d{4}-.*#\d+\]  INFO %s -- : logged\n" % call.request_id, environment.output)


def test_errors(start_ruby):
    code = "class Trouble < StandardError; end\ndef deep\n  raise Trouble, 'bad ü'\nend\ndef handler(event:, context:)\n  deep\nend\n"
    environment = start_ruby(code)
    call = environment.error({})
    assert (call.json["errorMessage"], call.json["errorType"]) == ("bad ü", "Function<Trouble>")
    assert [re.sub(r".*/app\.rb", "app.rb", frame) for frame in call.json["stackTrace"]] and len(call.json["stackTrace"]) == 2
    assert call.json["stackTrace"][0].split(":")[0:2] == [os.path.join(environment.task, "app.rb"), "3"]
    assert call.headers["lambda-runtime-function-error-type"] == "Function<Trouble>"
    stack = json.loads(call.headers["lambda-runtime-function-xray-error-cause"])["exceptions"][0]["stack"]
    assert (stack[0]["line"], stack[1]["line"]) == (3, 6)
    assert "Error raised from handler method\n" in environment.output
    assert environment.error({}).json["errorMessage"] == "bad ü", "it lives on"


def test_exceptions_that_are_no_standard_errors(start_ruby):
    environment = start_ruby("def handler(event:, context:)\n  raise NotImplementedError, 'later'\nend\n")
    assert environment.error({}).json["errorType"] == "Function<NotImplementedError>"
    assert environment.error({}).json["errorType"] == "Function<NotImplementedError>"


def test_an_answer_that_is_no_json(start_ruby):
    environment = start_ruby("def handler(event:, context:)\n  [Float::NAN]\nend\n")
    assert environment.error({}).json["errorType"] == "Function<JSON::GeneratorError>"


def test_handlers_that_do_not_exist(start_ruby):
    for code, handler, kind, message in (
            (ECHO, "other.handler", "Init<LoadError>", "cannot load such file -- other"),
            (ECHO, "app.other", "Init<NameError>", "undefined method `other'"),
            (ECHO, "app.Nobody.handler", "Init<NameError>", "uninitialized constant Nobody"),
            (ECHO, "app", "Init<ArgumentError>", "Invalid handler app, must be of form FILENAME.METHOD"),
            ("def handler(\n", "app.handler", "Init<SyntaxError>", "app.rb"),
            ("raise 'at the top'\n", "app.handler", "Init<RuntimeError>", "at the top")):
        environment = start_ruby(code, handler)
        failed = environment.init_error()
        assert failed.json["errorType"] == kind and message.replace("`", "'") in failed.json["errorMessage"].replace("`", "'")
        assert failed.headers["lambda-runtime-function-error-type"] == kind
        assert environment.exit().status == 1


def test_exit_ends_the_process(start_ruby):
    environment = start_ruby("def handler(event:, context:)\n  exit 3\nend\n")
    environment.deliver({})
    assert environment.exit().status == 3


def test_runtime_api_gone_ends_the_process(start_ruby):
    environment = start_ruby(ECHO)
    environment.await_next()
    environment.drop_connections()
    assert environment.exit().status == 1


def test_framed_log(start_ruby):
    reader, writer = os.pipe()
    code = "require 'logger'\ndef handler(event:, context:)\n  Logger.new($stdout).warn('framed')\n  ENV.key?('_LAMBDA_TELEMETRY_LOG_FD')\nend\n"
    environment = start_ruby(code, variables={"_LAMBDA_TELEMETRY_LOG_FD": str(writer)}, descriptors=(writer,))
    os.close(writer)
    assert environment.result({}) is False
    head = os.read(reader, 16)
    assert head[:4] == b"\xa5\x5a\x00\x13"
    assert b"framed" in os.read(reader, int.from_bytes(head[4:8], "big"))
    os.close(reader)


def test_json_log_format(start_ruby):
    code = "require 'logger'\ndef handler(event:, context:)\n  log = Logger.new($stdout)\n  log.info('plain')\n  log.debug('quiet')\n  raise 'x' if event\nend\n"
    environment = start_ruby(code, variables={"AWS_LAMBDA_LOG_FORMAT": "JSON", "AWS_LAMBDA_LOG_LEVEL": "INFO"})
    call = environment.error(True)
    first, last = [json.loads(line) for line in environment.output.splitlines() if line.startswith("{")]
    assert (first["message"], first["level"], first["requestId"]) == ("plain", "INFO", call.request_id)
    assert (last["level"], last["errorMessage"], last["requestId"]) == ("ERROR", "x", call.request_id)
