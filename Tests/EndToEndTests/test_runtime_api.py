# The Runtime API as a runtime sees it: hand-written runtimes in a real sandbox that keep or break its rules.
import hashlib
import json

from conftest import package

# A runtime has `call(method, path, body, **headers)`; `told` shortens the answer to [status, error type or body].
BOOTSTRAP = """#!/usr/bin/python3
import hashlib, http.client, json, os, socket, sys, time
api = http.client.HTTPConnection('127.0.0.1', 9001)
def call(method, path, body=None, **headers):
    api.request(method, '/2018-06-01/' + path, body, {k.replace('_', '-'): v for k, v in headers.items()})
    answer = api.getresponse()
    return answer, answer.read()
def told(method, path, body=None, **headers):
    answer, body = call(method, path, body, **headers)
    try:
        return [answer.status, json.loads(body).get('errorType') or json.loads(body)]
    except ValueError:
        return [answer.status, body.decode()]
def take():
    answer, event = call('GET', 'runtime/invocation/next')
    return answer.getheader('Lambda-Runtime-Aws-Request-Id'), answer, event
def respond(identifier, body, kind='response', **headers):
    return told('POST', 'runtime/invocation/%s/%s' % (identifier, kind), body, **headers)
def raw(data, half_close=False):
    with socket.create_connection(('127.0.0.1', 9001)) as s:
        s.settimeout(5)
        s.sendall(data)
        if half_close: s.shutdown(socket.SHUT_WR)
        try: return s.recv(4096).decode()
        except OSError as e: return type(e).__name__
"""


def create(server, name, code, **settings):
    return server.create(name, {"bootstrap": (BOOTSTRAP + code, 0o755)}, runtime="provided.al2023", **{"Timeout": 10, **settings})


def test_its_states_and_what_they_allow(server, name):
    arn = create(server, name, """
unknown = '8f5d1b6a-0d3b-4f57-9a64-2b7f5f0b3c11'
seen = {'ping': told('GET', 'ping'), 'nothing': told('GET', 'runtime/nothing')[0],
        'response before next': respond(unknown, '1'), 'error before next': respond(unknown, '{}', 'error')}
while True:
    identifier, answer, event = take()
    again, _, same = take()
    seen['same event'] = [again == identifier, same == event]
    seen['headers'] = {k: v for k, v in answer.getheaders() if k.startswith('Lambda-')}
    seen['type'] = answer.getheader('Content-Type')
    seen['init error'] = told('POST', 'runtime/init/error', '{}')
    seen['nonsense'] = respond('nonsense', '1')
    seen['other id'] = respond(unknown, '1')
    seen['wrong method'] = told('GET', 'runtime/invocation/%s/response' % identifier)[0]
    seen['accepted'] = respond(identifier, json.dumps(seen))
    seen['twice'] = respond(identifier, '1')
    seen['error after response'] = respond(identifier, '{}', 'error')
""")["FunctionArn"]
    first = server.invoke(name).succeeded()
    assert first["ping"] == [200, "pong"] and first["nothing"] == 404 and first["wrong method"] in (404, 405)
    assert first["response before next"] == first["error before next"] == [403, "InvalidStateTransition"]
    assert first["same event"] == [True, True] and first["type"] == "application/json"
    assert first["init error"] == [403, "InvalidStateTransition"]
    assert first["nonsense"] == first["other id"] == [400, "InvalidRequestID"]
    headers = first["headers"]
    assert set(headers) == {f"Lambda-Runtime-{x}" for x in ("Aws-Request-Id", "Deadline-Ms", "Invoked-Function-Arn", "Trace-Id")}
    assert headers["Lambda-Runtime-Invoked-Function-Arn"] == arn and headers["Lambda-Runtime-Deadline-Ms"].isdigit()
    assert headers["Lambda-Runtime-Trace-Id"].startswith("Root=1-")
    second = server.invoke(name).succeeded()
    assert second["accepted"] == [202, {"status": "OK"}]
    assert second["twice"] == second["error after response"] == [403, "InvalidStateTransition"]


def test_an_error_is_passed_on_as_it_is(server, name):
    create(server, name, """
while True:
    identifier, _, event = take()
    respond(identifier, event, 'error', Lambda_Runtime_Function_Error_Type='Function.Own')
""")
    answer = server.invoke(name, {"errorType": "Mine", "errorMessage": "m", "more": 1})
    assert answer.error == "Unhandled" and answer.json == {"errorType": "Mine", "errorMessage": "m", "more": 1}
    assert server.invoke(name, {"again": True}).json == {"again": True}, "the runtime goes on"


def test_an_initialisation_error_of_the_runtime_s_own(server, name):
    create(server, name, """
told('POST', 'runtime/init/error', '{"errorType":"Function.NoSettings","errorMessage":"none"}',
     Lambda_Runtime_Function_Error_Type='Function.NoSettings')
sys.exit(1)
""")
    answer = server.invoke(name)
    assert answer.error == "Unhandled" and answer.json == {"errorType": "Function.NoSettings", "errorMessage": "none"}
    assert "Error Type: Function.NoSettings" in answer.log


def test_nothing_is_allowed_after_an_initialisation_error(server, name):
    create(server, name, """
told('POST', 'runtime/init/error', '{"errorType":"Function.Broken","errorMessage":"b"}',
     Lambda_Runtime_Function_Error_Type='Function.Broken')
after = told('GET', 'runtime/invocation/next')
print('NEXT', json.dumps(after))
sys.stdout.flush()
if after[0] == 200: respond('x', '1')
sys.exit(1)
""", Timeout=5)
    answer = server.invoke(name)
    assert answer.json == {"errorType": "Function.Broken", "errorMessage": "b"}
    assert 'NEXT [403, "InvalidStateTransition"]' in answer.log


def test_a_response_mode_that_is_unknown_fails_the_invocation(server, name):
    create(server, name, """
seen = None
if os.path.exists('/tmp/seen'): seen = json.load(open('/tmp/seen'))
while True:
    identifier, _, event = take()
    if event == b'"seen"':
        respond(identifier, json.dumps(seen))
        continue
    seen = respond(identifier, '1', Lambda_Runtime_Function_Response_Mode='odd')
    json.dump(seen, open('/tmp/seen', 'w'))
""", Timeout=5)
    answer = server.invoke(name)
    assert answer.error == "Unhandled" and answer.json["errorType"] == "Runtime.InvalidResponseModeHeader"
    assert server.invoke(name, "seen").succeeded() in ([400, "InvalidFunctionResponseMode"], None), "told, if it lived to see it"


def test_six_mebibytes_both_ways(server, name):
    create(server, name, """
while True:
    identifier, _, event = take()
    if json.loads(event)['want'] == 'digest': respond(identifier, json.dumps(hashlib.sha256(event).hexdigest()))
    else: respond(identifier, b'x' * json.loads(event)['want'])
""", MemorySize=1769)
    event = json.dumps({"want": "digest", "fill": ""}).encode()
    event = event[:-2] + b"y" * (6 * 1024 * 1024 - len(event)) + event[-2:]
    assert server.invoke(name, event).succeeded() == hashlib.sha256(event).hexdigest()
    largest = 6 * 1024 * 1024 + 100
    assert server.invoke(name, {"want": largest}).raw == b"x" * largest


def test_a_response_that_is_too_large_is_refused_and_the_runtime_goes_on(server, name):
    create(server, name, """
seen = None
while True:
    identifier, _, event = take()
    if event == b'"seen"': respond(identifier, json.dumps(seen))
    else: seen = respond(identifier, b'x' * (6 * 1024 * 1024 + 101))
""", MemorySize=1769)
    answer = server.invoke(name, 1)
    assert answer.error == "Unhandled" and answer.json["errorType"] == "Function.ResponseSizeTooLarge"
    assert server.invoke(name, "seen").succeeded() == [413, "RequestEntityTooLarge"]


def test_bodies_in_chunks_and_in_several_modes(server, name):
    create(server, name, """
def chunks(parts):
    for part in parts: yield part
while True:
    identifier, _, event = take()
    path = '/2018-06-01/runtime/invocation/%s/response' % identifier
    headers = {'Lambda-Runtime-Function-Response-Mode': 'streaming'} if event == b'"stream"' else {}
    api.request('POST', path, chunks([b'"one ', b'two ', b'three"']), headers, encode_chunked=True)
    api.getresponse().read()
""")
    assert server.invoke(name, "chunks").succeeded() == "one two three"
    assert server.invoke(name, "stream").succeeded() == "one two three", "a buffered call of a streaming function"


def test_a_response_that_is_cut_off(server, name):
    """Fewer bytes than declared, then nothing: the caller is told so, and not made to wait for the time-out."""
    create(server, name, """
while True:
    identifier, _, event = take()
    if event == b'"whole"':
        respond(identifier, '"whole"')
        continue
    head = 'POST /2018-06-01/runtime/invocation/%s/response HTTP/1.1\\r\\nHost: a\\r\\nContent-Length: 100\\r\\n\\r\\n' % identifier
    raw(head.encode() + b'"half', half_close=True)
    take()
""", Timeout=3)
    answer = server.invoke(name, "cut")
    assert answer.error == "Unhandled" and b"half" not in answer.raw, "half an answer is none"
    assert answer.json["errorType"] == "Runtime.TruncatedResponse"
    assert server.invoke(name, "whole").succeeded() == "whole"


def test_next_survives_a_broken_connection(server, name):
    """A runtime that hangs up while it waits, and asks again, loses no event."""
    create(server, name, """
import threading
rounds = 0
while True:
    rounds += 1
    with socket.create_connection(('127.0.0.1', 9001)) as s:  # asks, and hangs up without reading
        s.sendall(b'GET /2018-06-01/runtime/invocation/next HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n')
    identifier, _, event = take()
    respond(identifier, json.dumps([rounds, json.loads(event)]))
""")
    for i in range(1, 6):
        assert server.invoke(name, i).succeeded()[1] == i


def test_a_runtime_that_answers_and_then_dies(server, name):
    """The caller has its answer; the next one gets a new runtime."""
    create(server, name, """
started = time.time()
while True:
    identifier, _, event = take()
    respond(identifier, json.dumps(started))
    os._exit(7)
""")
    moments = [server.invoke(name).succeeded() for _ in range(4)]
    assert len(set(moments)) == 4


def test_a_runtime_that_answers_and_does_not_come_back_is_timed_out(server, name):
    create(server, name, """
identifier, _, event = take()
respond(identifier, '"done"')
time.sleep(60)
""", Timeout=1)
    assert server.invoke(name).succeeded() == "done"
    assert server.invoke(name).succeeded() == "done", "its environment was reset, or another one was made"


def test_pipelined_and_old_fashioned_requests(server, name):
    create(server, name, """
while True:
    identifier, _, event = take()
    ping = b'GET /2018-06-01/ping HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n'
    with socket.create_connection(('127.0.0.1', 9001)) as s:
        s.settimeout(5)
        s.sendall(ping * 5)
        data = b''
        while data.count(b'pong') < 5: data += s.recv(4096)
    old = raw(b'GET /2018-06-01/ping HTTP/1.0\\r\\n\\r\\n')
    respond(identifier, json.dumps([data.count(b'HTTP/1.1 200'), old.split()[1]]))
""")
    assert server.invoke(name).succeeded() == [5, "200"]


def test_client_context_of_several_lines_reaches_the_function_in_one(server, name):
    """The caller's base64 may hide line breaks; in a header of the Runtime API they would be an injection."""
    import base64
    create(server, name, """
while True:
    identifier, answer, event = take()
    respond(identifier, json.dumps([answer.getheader('Lambda-Runtime-Client-Context'), answer.getheader('Evil')]))
""", Timeout=3)
    context = json.dumps({"custom": {"a": "b"}}, indent=2) + "\r\nEvil: yes"
    response = server.invoke(name, ClientContext=base64.b64encode(json.dumps({"custom": {"a": "b"}}, indent=2).encode()).decode())
    text, evil = response.succeeded()
    assert json.loads(text) == {"custom": {"a": "b"}} and evil is None
    from conftest import error_of
    import botocore.exceptions
    try:
        answer = server.invoke(name, ClientContext=base64.b64encode(context.encode()).decode())
    except botocore.exceptions.ClientError as refused:
        assert refused.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    else:
        assert answer.succeeded()[1] is None
    assert server.invoke(name).succeeded() == [None, None]


def test_a_runtime_that_is_slow_to_come_back_is_waited_for(server, name):
    """As long as another one would take to start."""
    create(server, name, """
time.sleep(0.6)
started = time.monotonic_ns()
while True:
    identifier, _, _ = take()
    respond(identifier, json.dumps(started))
    time.sleep(0.15)
""")
    assert len({server.invoke(name).raw for _ in range(4)}) == 1
