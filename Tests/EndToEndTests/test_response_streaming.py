# Responses that are passed on while the function makes them: InvokeWithResponseStream, and Invoke of what streams.
import base64
import concurrent.futures
import hashlib
import http.client
import json
import os
import random
import signal
import socket
import time

import boto3
import botocore.config
import pytest
from botocore.eventstream import EventStreamBuffer

from conftest import descendants, error_of, is_gone, wait_until
from test_extensions import CLIENT, layer
from test_runtime_api import create as create_runtime

MEBIBYTE = 1 << 20

# What a hand-written runtime streams with, and how it waits for the test: for an object in a bucket.
STREAM = """
class Stream:
    def __init__(self, identifier, content_type='application/octet-stream', trailers=True):
        self.s = socket.create_connection(('127.0.0.1', 9001))
        self.s.sendall(('POST /2018-06-01/runtime/invocation/%s/response HTTP/1.1\\r\\nHost: x\\r\\nContent-Type: %s\\r\\n'
            'Lambda-Runtime-Function-Response-Mode: streaming\\r\\nTransfer-Encoding: chunked\\r\\n'
            'Trailer: Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body\\r\\n\\r\\n'
            % (identifier, content_type)).encode())
    def write(self, data):
        self.s.sendall(b'%x\\r\\n%s\\r\\n' % (len(data), data))
    def end(self, **trailers):
        self.s.sendall(b'0\\r\\n' + b''.join(
            ('%s: %s\\r\\n' % (k.replace('_', '-'), v)).encode() for k, v in trailers.items()) + b'\\r\\n')
        answer = http.client.HTTPResponse(self.s)
        answer.begin()
        return answer.status, answer.read()
def wait_for(bucket):
    while True:
        s3 = http.client.HTTPConnection('127.0.0.1', 4566)
        s3.request('GET', '/%s/go' % bucket)
        if s3.getresponse().status == 200: return
        time.sleep(0.01)
"""

GREETING = """
exports.handler = awslambda.streamifyResponse(async (event, stream, context) => {
  stream.setContentType('text/plain');
  stream.write('first ');
  if (event.bucket) {
    while ((await fetch(`${process.env.AWS_ENDPOINT_URL}/${event.bucket}/go`)).status !== 200) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
  if (event.fail) throw new TypeError('half way');
  stream.write('second');
  stream.end();
});
"""


def create(server, name, code, **settings):
    return create_runtime(server, name, STREAM + code, **settings)


def node(server, name, code=GREETING, **settings):
    return server.create(name, {"app.js": code}, runtime="nodejs20.x", **{"Timeout": 10, **settings})


@pytest.fixture
def gate(server, name):
    """A bucket for which a function waits until the test opens it."""
    s3 = boto3.client(
        "s3", endpoint_url=server.endpoint, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="x",
        config=botocore.config.Config(s3={"addressing_style": "path"}))
    bucket = "gate-" + hashlib.sha256(name.encode()).hexdigest()[:16]
    s3.create_bucket(Bucket=bucket)
    opened = lambda: s3.put_object(Bucket=bucket, Key="go", Body=b"1")
    opened.bucket = bucket
    return opened


def stream(server, name, event=None, **settings):
    return server.client.invoke_with_response_stream(
        FunctionName=name, Payload=json.dumps(event if event is not None else {}).encode(), **settings)


def collect(answer):
    """The payload, and what InvokeComplete says."""
    pieces, complete = [], None
    for event in answer["EventStream"]:
        assert complete is None, "nothing comes after the end"
        if "PayloadChunk" in event:
            pieces.append(event["PayloadChunk"]["Payload"])
        else:
            complete = event["InvokeComplete"]
    assert complete is not None, "the stream has an end"
    return b"".join(pieces), complete


def test_the_first_byte_comes_before_the_function_ends(server, name, gate):
    node(server, name)
    answer = stream(server, name, {"bucket": gate.bucket}, LogType="Tail")
    assert answer["StatusCode"] == 200 and answer["ExecutedVersion"] == "$LATEST"
    assert answer["ResponseStreamContentType"] == "application/vnd.amazon.eventstream"
    events = iter(answer["EventStream"])
    assert next(events) == {"PayloadChunk": {"Payload": b"first "}}
    gate()
    assert next(events) == {"PayloadChunk": {"Payload": b"second"}}
    log = base64.b64decode(next(events)["InvokeComplete"]["LogResult"]).decode()
    assert log.startswith("START RequestId: ") and "\nREPORT RequestId: " in log
    assert next(events, None) is None


def test_a_runtime_of_its_own_streams_too(server, name, gate):
    create(server, name, """
while True:
    identifier, _, event = take()
    stream = Stream(identifier)
    stream.write(b'first')
    wait_for(json.loads(event)['bucket'])
    stream.write(b'second')
    stream.end()
""")
    events = iter(stream(server, name, {"bucket": gate.bucket})["EventStream"])
    assert next(events) == {"PayloadChunk": {"Payload": b"first"}}
    gate()
    assert list(events) == [{"PayloadChunk": {"Payload": b"second"}}, {"InvokeComplete": {}}]
    assert collect(stream(server, name, {"bucket": gate.bucket})) == (b"firstsecond", {}), "and again, warm"


def test_an_error_half_way_is_in_the_last_event(server, name):
    node(server, name)
    payload, complete = collect(stream(server, name, {"fail": True}))
    assert payload == b"first " and complete["ErrorCode"] == "TypeError"
    details = json.loads(complete["ErrorDetails"])
    assert details["errorMessage"] == "half way" and details["errorType"] == "TypeError"
    whole = server.invoke(name, {"fail": True})
    assert whole.error == "Unhandled" and whole.json["errorMessage"] == "half way"


def test_an_error_before_the_first_byte(server, name):
    node(server, name, "exports.handler = awslambda.streamifyResponse(async () => { throw new Error('at once') })")
    payload, complete = collect(stream(server, name, LogType="Tail"))
    assert payload == b"" and complete["ErrorCode"] == "Unhandled"
    assert json.loads(complete["ErrorDetails"])["errorMessage"] == "at once"
    assert "at once" in base64.b64decode(complete["LogResult"]).decode()


def test_a_streaming_function_answers_invoke_with_one_whole_payload(server, name):
    node(server, name)
    answer = server.invoke(name)
    assert answer.error is None and answer.raw == b"first second"


def test_what_is_streamed_to_invoke_has_its_limit(server, name):
    create(server, name, """
while True:
    identifier, _, event = take()
    stream = Stream(identifier)
    for _ in range(7): stream.write(b'x' * (1 << 20))
    print(stream.end()[0], flush=True)
""")
    answer = server.invoke(name)
    assert answer.error == "Unhandled" and answer.json["errorType"] == "Function.ResponseSizeTooLarge"
    payload, complete = collect(stream(server, name))
    assert len(payload) == 7 * MEBIBYTE and complete == {}, "streamed, the limit is another one"


def test_a_function_that_does_not_stream_is_streamed_at_its_end(server, name):
    server.create(name, "def handler(event, context):\n    if 'fail' in event: raise ValueError('no')\n    return event")
    assert collect(stream(server, name, {"a": 1})) == (b'{"a": 1}', {})
    payload, complete = collect(stream(server, name, {"fail": 1}))
    assert payload == b"" and complete["ErrorCode"] == "Unhandled"
    assert json.loads(complete["ErrorDetails"])["errorType"] == "ValueError"
    big = "x" * (3 * MEBIBYTE)
    assert collect(stream(server, name, big)) == (json.dumps(big).encode(), {})


def test_time_outs_and_ends_in_the_middle(server, name):
    create(server, name, """
while True:
    identifier, _, event = take()
    how = json.loads(event)
    if how == 'well':
        respond(identifier, json.dumps(os.path.exists('/tmp/was-here')))
        continue
    open('/tmp/was-here', 'w').close()
    stream = Stream(identifier)
    stream.write(how.encode())
    if how == 'hang': time.sleep(100)
    if how == 'exit': os._exit(3)
    if how == 'cut': stream.s.shutdown(socket.SHUT_RDWR)
""", Timeout=2)
    arn = server.client.get_function(FunctionName=name)["Configuration"]["FunctionArn"]
    payload, complete = collect(stream(server, name, "hang", LogType="Tail"))
    assert payload == b"hang" and complete["ErrorCode"] == "Sandbox.Timedout"
    assert json.loads(complete["ErrorDetails"])["errorMessage"].endswith("Error: Task timed out after 2.00 seconds")
    assert "Task timed out after 2.00 seconds" in base64.b64decode(complete["LogResult"]).decode()
    payload, complete = collect(stream(server, name, "exit", LogType="Tail"))
    assert payload == b"exit" and complete["ErrorCode"] == "Runtime.ExitError"
    assert "exit status 3" in json.loads(complete["ErrorDetails"])["errorMessage"]
    assert "\tStatus: error\tError Type: Runtime.ExitError" in base64.b64decode(complete["LogResult"]).decode()
    payload, complete = collect(stream(server, name, "cut"))
    assert payload == b"cut" and complete["ErrorCode"] == "Runtime.TruncatedResponse"
    assert server.invoke(name, "well").succeeded() is True, "the environment lives on"
    assert arn


def test_what_a_runtime_may_not_do_while_it_responds(server, name):
    create(server, name, """
while True:
    identifier, _, event = take()
    stream = Stream(identifier)
    while told('GET', 'runtime/invocation/next')[0] == 200: pass  # the head has not come yet
    stream.write(json.dumps([told('GET', 'runtime/invocation/next'), respond(identifier, '1'),
        respond(identifier, '{}', 'error'), told('POST', 'runtime/init/error', '{}')[0]]).encode())
    told_at_the_end = stream.end()[0]
    assert told_at_the_end == 202
""")
    refused = [403, "InvalidStateTransition"]
    for _ in range(2):
        payload, complete = collect(stream(server, name))
        assert json.loads(payload) == [refused, refused, refused, 403] and complete == {}


def test_a_caller_who_leaves_does_not_end_the_function(server, name, gate):
    create(server, name, """
count = 0
while True:
    identifier, _, event = take()
    bucket = json.loads(event).get('bucket')
    if bucket is None:
        respond(identifier, json.dumps(count))
        continue
    stream = Stream(identifier)
    stream.write(b'x')
    wait_for(bucket)
    for _ in range(64): stream.write(b'x' * (1 << 16))
    count += stream.end()[0]
""")
    server.client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
    answer = stream(server, name, {"bucket": gate.bucket})
    assert next(iter(answer["EventStream"]))
    answer["EventStream"].close()
    gate()
    assert when_free(server, name, {}) == 202, "the function has come to its end"


def when_free(server, name, event):
    """The answer of a function with one environment, as soon as that has time."""
    def answered():
        try:
            return server.invoke(name, event).succeeded()
        except server.client.exceptions.TooManyRequestsException:
            return None

    return wait_until(answered, 20, "the end of the invocation before")


def test_refusals_come_as_errors(server, name):
    assert error_of(server.client.invoke_with_response_stream, FunctionName=name)[:2] == (404, "ResourceNotFoundException")
    node(server, name)
    call = server.client.invoke_with_response_stream
    assert error_of(call, FunctionName=name, Payload=b"{")[:2] == (400, "InvalidRequestContentException")
    assert error_of(call, FunctionName=name, InvocationType="Event")[:2] == (400, "ValidationException")
    assert error_of(call, FunctionName=name, Payload=b'"' + b"x" * (6 * MEBIBYTE) + b'"')[:2] == (413, "RequestTooLargeException")
    server.client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    assert error_of(call, FunctionName=name)[:2] == (429, "TooManyRequestsException")


def peak(server):
    """The most memory that the server has ever had, in bytes."""
    with open(f"/proc/{server.process.pid}/status") as text:
        return next(int(line.split()[1]) << 10 for line in text if line.startswith("VmHWM"))


def slow_reader(server, name, event=b"{}"):
    """A connection whose answer is read by nobody yet, and into small buffers."""
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    s.connect(("127.0.0.1", server.port))
    path = f"/2021-11-15/functions/{name}/response-streaming-invocations"
    s.sendall(b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (path.encode(), len(event), event))
    return s


def processor_time(server):
    """Of all functions of a server."""
    total = 0
    for pid in descendants(server.process.pid):
        try:
            with open(f"/proc/{pid}/stat") as text:
                total += sum(map(int, text.read().rsplit(")", 1)[1].split()[11:13]))
        except (FileNotFoundError, ProcessLookupError):
            pass
    return total


def come_to_rest(server):
    """Returns when no function of the server makes progress."""
    history = []

    def rests():
        history.append(processor_time(server))
        return len(history) > 30 and len(set(history[-30:])) == 1

    wait_until(rests, 60, "a function that waits")


def test_two_hundred_megabytes_pass_in_flat_memory_and_not_one_byte_more(own_server):
    server = own_server()
    create(server, "big", """
while True:
    identifier, _, event = take()
    if json.loads(event) == 'told':
        respond(identifier, json.dumps(told_at_the_end))
        continue
    stream = Stream(identifier)
    piece = bytes(range(256)) * 256
    for _ in range((200 if json.loads(event) == 'more' else 8) * 16): stream.write(piece)
    if json.loads(event) == 'more': stream.write(b'x')
    told_at_the_end = [*stream.end()]
    told_at_the_end[1] = json.loads(told_at_the_end[1]).get('errorType')
""", Timeout=120)
    assert collect(stream(server, "big", "warm up"))[1] == {}
    before = peak(server)
    reader = slow_reader(server, "big", b'"more"')
    come_to_rest(server)
    assert peak(server) - before < 32 * MEBIBYTE, "a reader who does not read holds the function up"
    response = http.client.HTTPResponse(reader)
    response.begin()
    assert response.getheader("Transfer-Encoding") == "chunked"
    buffer, total, complete = EventStreamBuffer(), 0, None
    while data := response.read(MEBIBYTE):
        buffer.add_data(data)
        for event in buffer:
            if event.headers[":event-type"] == "PayloadChunk":
                total += len(event.payload)
            else:
                complete = json.loads(event.payload)
    assert 199 * MEBIBYTE < total <= 200 * MEBIBYTE
    assert complete["ErrorCode"] == "Function.ResponseSizeTooLarge"
    assert "(209715200 bytes)" in complete["ErrorDetails"]
    assert peak(server) - before < 32 * MEBIBYTE
    assert server.invoke("big", "told").succeeded() == [413, "RequestEntityTooLarge"]


def test_a_reader_who_never_reads_keeps_the_function_only_until_its_time_out(own_server):
    server = own_server()
    create(server, "endless", """
while True:
    identifier, _, event = take()
    if json.loads(event) == 'short':
        respond(identifier, '1')
        continue
    stream = Stream(identifier)
    while True: stream.write(b'x' * 65536)
""", Timeout=2)
    server.client.put_function_concurrency(FunctionName="endless", ReservedConcurrentExecutions=1)
    reader = slow_reader(server, "endless", b'"long"')
    reader.recv(1)
    assert error_of(server.client.invoke, FunctionName="endless")[1] == "TooManyRequestsException"
    assert when_free(server, "endless", "short") == 1
    reader.close()


def test_a_server_that_stops_finishes_what_it_streams(own_server):
    server = own_server()
    create(server, "last", """
while True:
    identifier, _, event = take()
    stream = Stream(identifier)
    stream.write(b'first')
    wait_for(json.loads(event)['bucket'])
    for _ in range(100): stream.write(b'x' * 65536)
    stream.end()
""", Timeout=30)
    s3 = boto3.client(
        "s3", endpoint_url=server.endpoint, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="x",
        config=botocore.config.Config(s3={"addressing_style": "path"}))
    s3.create_bucket(Bucket="gate")
    answer = stream(server, "last", {"bucket": "gate"})
    s3.put_object(Bucket="gate", Key="go", Body=b"1")
    events = iter(answer["EventStream"])
    assert next(events)
    server.process.send_signal(signal.SIGTERM)
    rest = list(events)
    assert sum(len(e["PayloadChunk"]["Payload"]) for e in rest[:-1]) == 100 * 65536 and rest[-1] == {"InvokeComplete": {}}
    assert server.process.wait(30) == 0 and is_gone(server.process.pid)


def test_many_streams_at_once_are_each_their_own(server, name):
    create(server, name, """
while True:
    identifier, _, event = take()
    stream = Stream(identifier)
    for _ in range(40): stream.write(event * 100)
    stream.end()
""")
    answers = [stream(server, name, {"n": n}) for n in range(12)]
    for n, answer in enumerate(answers):
        payload, complete = collect(answer)
        assert payload == json.dumps({"n": n}).encode() * 4000 and complete == {}
    assert os.path.exists(server.state)


def test_node_is_held_up_within_its_memory(own_server):
    server = own_server()
    node(server, "pipe", """
const { pipeline } = require('node:stream/promises');
const { Readable } = require('node:stream');
exports.handler = awslambda.streamifyResponse(async (event, stream) => {
  if (event === 'mark') { stream.end(String(stream.writableHighWaterMark)); return; }
  const piece = Buffer.alloc(1 << 16, 'x');
  await pipeline(Readable.from((function* () { for (let n = 0; n < 190 * 16; n += 1) yield piece; })()), stream);
}, { highWaterMark: 4711 });
""", Timeout=110, MemorySize=128)
    assert collect(stream(server, "pipe", "mark")) == (b"4711", {})
    reader = slow_reader(server, "pipe", b'"long"')
    come_to_rest(server)
    response = http.client.HTTPResponse(reader)
    response.begin()
    body = response.read()
    assert len(body) > 190 * MEBIBYTE and body.endswith(b"{}" + body[-4:]), "whole, and with a good end"


def test_nothing_leaks_whatever_becomes_of_streams(own_server):
    server = own_server()
    create(server, "chaos", """
while True:
    identifier, _, event = take()
    how = json.loads(event)
    if how == 'well':
        respond(identifier, '1')
        continue
    stream = Stream(identifier)
    for n in range(20):
        stream.write(b'x' * 50_000)
        if n == 10 and how == 'exit': os._exit(1)
        if n == 10 and how == 'hang': time.sleep(100)
        if n == 10 and how == 'cut': break
    if how == 'cut': stream.s.close()
    elif how == 'error': stream.end(Lambda_Runtime_Function_Error_Type='Function.Own')
    else: stream.end()
""", Timeout=3)
    server.client.put_function_concurrency(FunctionName="chaos", ReservedConcurrentExecutions=4)
    expected = {"exit": "Runtime.ExitError", "hang": "Sandbox.Timedout", "cut": "Runtime.TruncatedResponse",
                "error": "Function.Own", "whole": None, "leave": None}
    chance = random.Random(7)

    def once(how):
        while True:
            try:
                answer = stream(server, "chaos", how)
                break
            except server.client.exceptions.TooManyRequestsException:
                pass
        if how == "leave":
            next(iter(answer["EventStream"]))
            answer["EventStream"].close()
            return True
        payload, complete = collect(answer)
        assert complete.get("ErrorCode") == expected[how], (how, complete)
        size = 10**6 if how in ("whole", "error") else 550_000
        assert len(payload) == size, (how, len(payload))
        return True

    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        kinds = [chance.choice(sorted(expected)) for _ in range(60)]
        assert all(pool.map(once, kinds))
        when_free(server, "chaos", "well")
        readers = []
        for _ in range(4):
            def admitted():
                reader = slow_reader(server, "chaos", b'"hang"')
                if reader.recv(12) == b"HTTP/1.1 200":
                    return reader
                reader.close()
                return None
            readers.append(wait_until(admitted, 10, "room for another one"))
        assert error_of(server.client.invoke, FunctionName="chaos")[1] == "TooManyRequestsException", "four, and no fifth"
        for reader in readers:
            reader.close()


def test_the_log_waits_for_extensions_and_the_payload_does_not(server, name, gate):
    waits = CLIENT + f"""
api.register('INVOKE')
while True:
    api.next()
    while True:
        s3 = http.client.HTTPConnection('127.0.0.1', 4566)
        s3.request('GET', '/{gate.bucket}/go')
        if s3.getresponse().status == 200: break
        time.sleep(0.01)
"""
    node(server, name, Layers=[layer(server, name, {"waits": waits})])
    events = iter(stream(server, name, LogType="Tail")["EventStream"])
    payload = b""
    while payload != b"first second":
        payload += next(events)["PayloadChunk"]["Payload"]
    gate()
    log = base64.b64decode(next(events)["InvokeComplete"]["LogResult"]).decode()
    assert log.count("\nREPORT RequestId: ") == 1
    assert collect(stream(server, name)) == (b"first second", {}), "who wants no log need not wait"


def test_the_rate_of_aws(own_server, name):
    """Of 20 MiB, 14 have to wait at 7 MiB/s, but for what lies in the buffers between runtime and server."""
    server = own_server("--streaming-rate", str(7 * MEBIBYTE))
    create_runtime(server, name, STREAM + """
while True:
    identifier, answer, event = take()
    stream = Stream(identifier)
    for _ in range(320): stream.write(bytes(65536))
    stream.end()
""", MemorySize=512)
    collect(stream(server, name))
    began = time.monotonic()
    payload, complete = collect(stream(server, name))
    assert len(payload) == 20 * MEBIBYTE and time.monotonic() - began > 1
