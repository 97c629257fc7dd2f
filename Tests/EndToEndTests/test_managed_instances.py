# Functions of capacity providers: environments that several invocations share, each of which is told its own end.
import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from conftest import error_of, wait_until
from test_capacity_providers import ARN, MANDATORY

# A runtime of several threads, each with a parked `/next`. What it does is in the event; `together` waits until that many
# invocations are in its hands at the same time.
BOOTSTRAP = """#!/usr/bin/python3
import http.client, json, os, socket, sys, threading, time
condition, arrived = threading.Condition(), set()
workers = int(os.environ['AWS_LAMBDA_MAX_CONCURRENCY'])
released = set()
def say(line):
    sys.stdout.write(line + '\\n')
    sys.stdout.flush()
def post(path, body, **headers):
    api = http.client.HTTPConnection('127.0.0.1', 9001)
    api.request('POST', '/2018-06-01/runtime/' + path, body, {k.replace('_', '-'): v for k, v in headers.items()})
    answer = api.getresponse()
    return answer.status, answer.read().decode()
def meet(group, count):
    with condition:
        arrived.add(group)
        condition.notify_all()
        condition.wait_for(lambda: len([1 for g in arrived if g[0] == group[0]]) >= count, 20)
        return sorted(g[1] for g in arrived if g[0] == group[0])
def work(number):
    api = http.client.HTTPConnection('127.0.0.1', 9001)
    while True:
        api.request('GET', '/2018-06-01/runtime/invocation/next')
        answer = api.getresponse()
        event = json.loads(answer.read())
        head = {k.lower(): v for k, v in answer.getheaders()}
        identifier = head['lambda-runtime-aws-request-id']
        path = 'invocation/%s/' % identifier
        if 'say' in event:
            say(json.dumps({'requestId': identifier, 'level': 'INFO', 'message': event['say']}))
        seen = meet((event['group'], event['me']), event['together']) if 'together' in event else None
        if 'wait for' in event:
            with condition:
                condition.wait_for(lambda: event['wait for'] in released, 30)
        if 'release' in event:
            with condition:
                released.add(event['release'])
                condition.notify_all()
        if event.get('exit') is not None:
            os._exit(event['exit'])
        if 'error' in event:
            post(path + 'error', json.dumps({'errorType': event['error'], 'errorMessage': event['me']}),
                 Lambda_Runtime_Function_Error_Type=event['error'])
            continue
        if event.get('cut'):
            with socket.create_connection(('127.0.0.1', 9001)) as s:
                s.sendall(('POST /2018-06-01/runtime/%sresponse HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 100\\r\\n\\r\\n{"a"' % path).encode())
            continue
        if 'parts' in event:
            api2 = http.client.HTTPConnection('127.0.0.1', 9001)
            api2.putrequest('POST', '/2018-06-01/runtime/%sresponse' % path)
            api2.putheader('Lambda-Runtime-Function-Response-Mode', 'streaming')
            api2.putheader('Transfer-Encoding', 'chunked')
            api2.endheaders()
            for part in event['parts']:
                api2.send(b'%x\\r\\n%s\\r\\n' % (len(part), part.encode()))
                meet((event['group'] + part[0], event['me']), 2)
            api2.send(b'0\\r\\n\\r\\n')
            api2.getresponse().read()
            continue
        told = {'me': event.get('me'), 'id': identifier, 'thread': number, 'pid': os.getpid(), 'seen': seen, 'pid_namespace': os.readlink('/proc/self/ns/pid'),
                'trace': head['lambda-runtime-trace-id'], 'deadline': int(head['lambda-runtime-deadline-ms']),
                'type': os.environ['AWS_LAMBDA_INITIALIZATION_TYPE'], 'max': workers}
        headers = {'Lambda_Runtime_Invocation_Id': head['lambda-runtime-invocation-id']} if event.get('named') else {}
        late = post(path + 'response', json.dumps(told), **headers)
        if 'note' in event:
            with open('/tmp/' + event['note'], 'w') as f: json.dump(late, f)
"""
TAIL = """
if os.environ.get('FAIL'):
    post('init/error', json.dumps({'errorType': 'Runtime.Sad', 'errorMessage': 'no'}), Lambda_Runtime_Function_Error_Type='Runtime.Sad')
    sys.exit(3)
for number in range(workers): threading.Thread(target=work, args=(number,)).start()
"""


@pytest.fixture(scope="module", autouse=True)
def provider(server):
    server.client.create_capacity_provider(CapacityProviderName="instances", **MANDATORY)
    wait_until(lambda: server.client.get_capacity_provider(CapacityProviderName="instances")["CapacityProvider"]["State"] == "Active", 10)


def managed(concurrency, **more):
    return {"LambdaManagedInstancesCapacityProviderConfig": {
        "CapacityProviderArn": ARN + "instances", "PerExecutionEnvironmentMaxConcurrency": concurrency, **more}}


def create(server, name, concurrency, **settings):
    code = {"bootstrap": (BOOTSTRAP + TAIL, 0o755)}
    server.create(name, code, runtime="provided.al2023", CapacityProviderConfig=managed(concurrency),
                  **{"Timeout": 20, "MemorySize": 512, **settings})


def together(server, name, events):
    with ThreadPoolExecutor(len(events)) as pool:
        return list(pool.map(lambda event: server.invoke(name, event), events))


def group(count, **more):
    return [{"group": "g", "me": f"n{i}", "together": count, **more} for i in range(count)]


def test_invocations_share_an_environment_and_each_gets_its_own(server, name):
    create(server, name, 8)
    answers = together(server, name, [{**event, "say": f"hello from {event['me']}"} for event in group(8)])
    told = [a.succeeded() for a in answers]
    assert len({t["pid"] for t in told}) == 1 and len({t["thread"] for t in told}) == 8
    for number, (answer, t) in enumerate(zip(answers, told)):
        assert t["me"] == f"n{number}" and t["seen"] == [f"n{i}" for i in range(8)], "all of them were there at once"
        assert t["type"] == "lambda-managed-instances" and t["max"] == 8
        assert answer.headers["x-amzn-requestid"] == t["id"]
        root = next(p for p in answer.headers["x-amzn-trace-id"].split(";") if p.startswith("Root="))
        assert t["trace"].startswith(root)
    assert len({t["id"] for t in told}) == len({t["trace"] for t in told}) == 8
    for answer, t in zip(answers, told):
        lines = [json.loads(line) for line in answer.log.splitlines()]
        assert [l["message"] for l in lines if "message" in l] == [f"hello from {t['me']}"], answer.log
        assert {l["record"]["requestId"] for l in lines if "record" in l} == {t["id"]}
        assert [l["type"] for l in lines if "type" in l] == ["platform.start", "platform.report"]


def test_errors_belong_to_who_made_them(server, name):
    create(server, name, 3)
    events = group(3)
    events[1]["error"] = "Function.Sorry"
    answers = together(server, name, events)
    assert [a.error for a in answers] == [None, "Unhandled", None]
    assert answers[1].json == {"errorType": "Function.Sorry", "errorMessage": "n1"}
    assert answers[0].json["me"] == "n0" and answers[2].json["me"] == "n2"


def test_an_answer_that_is_cut_off_is_one_callers_failure(server, name):
    create(server, name, 3)
    events = group(3)
    events[2]["cut"] = True
    answers = together(server, name, events)
    assert [a.error for a in answers] == [None, None, "Unhandled"]
    assert answers[2].json["errorType"] == "Runtime.TruncatedResponse"


def test_a_time_out_is_one_invocations_own(server, name):
    create(server, name, 3, Timeout=1)
    first = server.invoke(name, {"me": "a"}).succeeded()
    with ThreadPoolExecutor(1) as pool:
        late = pool.submit(server.invoke, name, {"me": "late", "wait for": "the end", "note": "late"})
        told = [server.invoke(name, {"me": str(i)}).succeeded() for i in range(20)]
        late = late.result()
    assert late.error == "Unhandled" and late.json["errorType"] == "Sandbox.Timedout"
    assert "Task timed out after 1.00 seconds" in late.json["errorMessage"]
    assert {t["pid"] for t in told} == {first["pid"]}
    # Its thread is not lost: what it answers now is dropped, and it takes the next event.
    after = [server.invoke(name, event).succeeded() for event in ({"me": "r", "release": "the end"}, {"me": "s"})]
    assert {t["pid"] for t in after} == {first["pid"]}, "the environment goes on"
    assert len({a.succeeded()["thread"] for a in together(server, name, [{**e, "group": "l"} for e in group(3)])}) == 3


def test_who_finds_no_place_gets_another_environment_and_one_in_which_all_hang_goes(server, name):
    create(server, name, 2, Timeout=2)
    first = server.invoke(name, {"me": "a"}).succeeded()["pid_namespace"]
    # Two that begin to answer, one part each, and hang then: both are there when the third comes.
    held = [server.client.invoke_with_response_stream(
        FunctionName=name, Payload=json.dumps({"group": f"g{i}", "me": "x", "parts": ["a"]}).encode()) for i in range(2)]
    second = server.invoke(name, {"me": "z"}).succeeded()["pid_namespace"]
    assert second != first
    for stream in held:
        *parts, end = stream["EventStream"]
        assert [p["PayloadChunk"]["Payload"] for p in parts] == [b"a"]
        assert end["InvokeComplete"]["ErrorCode"] == "Sandbox.Timedout"
    told = [a.succeeded()["pid_namespace"] for a in together(server, name, group(2))]
    assert set(told) == {second}, "the first has no place left that will be free again"


def test_a_crash_is_everybodys(server, name):
    create(server, name, 4)
    events = group(4)
    events[0]["exit"] = 7
    for event in events[1:]:
        event["wait for"] = "never"
    answers = together(server, name, events)
    for answer in answers:
        assert answer.error == "Unhandled"
        assert answer.json == {
            "errorType": "Runtime.ExitError",
            "errorMessage": f"RequestId: {answer.request_id} Error: Runtime exited with error: exit status 7"}
        report = [json.loads(line) for line in answer.log.splitlines()][-1]
        assert report["type"] == "platform.report" and report["record"]["requestId"] == answer.request_id
        assert report["record"]["errorType"] == "Runtime.ExitError"
    assert server.invoke(name, {"me": "again"}).succeeded()["me"] == "again", "another environment takes its place"


def test_an_initialisation_that_fails_is_told_to_all_who_wait(server, name):
    create(server, name, 3, Environment={"Variables": {"FAIL": "1"}})
    for answer in together(server, name, group(3)):
        assert answer.error == "Unhandled" and answer.json == {"errorType": "Runtime.Sad", "errorMessage": "no"}


def test_streams_are_kept_apart(server, name):
    create(server, name, 2)

    def stream(event):
        answer = server.client.invoke_with_response_stream(FunctionName=name, Payload=json.dumps(event).encode())
        return b"".join(e["PayloadChunk"]["Payload"] for e in answer["EventStream"] if "PayloadChunk" in e).decode()

    events = [{"group": "s", "me": f"n{i}", "parts": [f"a{i}", f"b{i}", f"c{i}"]} for i in range(2)]
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(stream, events)) == ["a0b0c0", "a1b1c1"]


def test_a_scaling_configuration_limits_the_environments(server, name):
    create(server, name, 2, Timeout=2)
    server.client.publish_version(FunctionName=name)
    server.client.get_waiter("function_active_v2").wait(FunctionName=name, Qualifier="1", WaiterConfig={"Delay": 0.02, "MaxAttempts": 3000})
    server.client.put_function_scaling_config(FunctionName=name, Qualifier="1", FunctionScalingConfig={"MaxExecutionEnvironments": 1})
    held = [server.client.invoke_with_response_stream(
        FunctionName=name, Qualifier="1", Payload=json.dumps({"group": f"g{i}", "me": "x", "parts": ["a"]}).encode()) for i in range(2)]
    assert error_of(server.client.invoke, FunctionName=name, Qualifier="1", Payload=b'{"me": "z"}')[:2] == (429, "TooManyRequestsException")
    assert server.invoke(name, {"me": "z"}).succeeded()["me"] == "z", "other versions have limits of their own"
    for stream in held:
        list(stream["EventStream"])
    assert server.invoke(name, {"me": "z"}, Qualifier="1").succeeded()["me"] == "z"


def test_python_serves_as_many_as_its_processes(server, name):
    code = """
import os, time, json, logging
def handler(event, context):
    open('/tmp/here-' + event['me'], 'w').close()
    logging.getLogger().warning('hello from ' + event['me'])
    if event.get('alone') is None:
        end = time.time() + 20
        while len([f for f in os.listdir('/tmp') if f.startswith('here-n')]) < event['together'] and time.time() < end: time.sleep(0.01)
    if 'exit' in event: os._exit(event['exit'])
    if 'raise' in event: raise ValueError(event['me'])
    return [event['me'], os.getpid(), context.aws_request_id, os.environ['_X_AMZN_TRACE_ID']]
"""
    server.create(name, code, CapacityProviderConfig=managed(4), MemorySize=1024, Timeout=30)
    events = group(4)
    events[3]["raise"] = True
    answers = together(server, name, events)
    told = [a.succeeded() for a in answers[:3]]
    assert [t[0] for t in told] == ["n0", "n1", "n2"] and len({t[1] for t in told}) == 3
    assert [t[2] for t in told] == [a.request_id for a in answers[:3]]
    assert answers[3].json["errorType"] == "ValueError" and answers[3].json["requestId"] == answers[3].request_id
    for number, answer in enumerate(answers):
        assert f"hello from n{number}" in answer.log and answer.log.count("hello from") == 1, answer.log
    # One process ends: everybody is told at once, and the next invocation starts anew.
    events = [{**e, "together": 4} for e in group(4)]
    events[2]["exit"] = 5
    for event in events[:2] + events[3:]:
        event["together"] = 99
    for answer in together(server, name, events):
        assert answer.json["errorType"] == "Runtime.ExitError" and "exit status 5" in answer.json["errorMessage"], answer.json
    assert server.invoke(name, {"me": "last", "alone": 1}).succeeded()[0] == "last"


def test_node_serves_them_on_one_event_loop(server, name):
    code = """
const waiting = {};
let count = 0;
export const handler = async (event, context) => {
  console.log(`hello from ${event.me}`);
  await new Promise((resume) => { waiting[event.me] = resume; count += 1; if (count >= event.together) Object.values(waiting).forEach((f) => f()); });
  console.log(`bye from ${event.me}`);
  if (event.raise) throw new RangeError(event.me);
  if (event.crash) setTimeout(() => { throw new Error('nobody catches this'); }, 0);
  if (event.together > 90 || event.crash) await new Promise(() => {});
  return [event.me, context.awsRequestId, context.xRayTraceId, context.getRemainingTimeInMillis() > 0];
};
"""
    server.create(name, code, runtime="nodejs20.x", CapacityProviderConfig=managed(5), MemorySize=1024, Timeout=30)
    events = group(5)
    events[4]["raise"] = True
    answers = together(server, name, events)
    for number, answer in enumerate(answers):
        assert [json.loads(l)["message"] for l in answer.log.splitlines() if "message" in l and "from n" in l] == [
            f"hello from n{number}", f"bye from n{number}"], answer.log
    told = [a.succeeded() for a in answers[:4]]
    assert [t[:2] for t in told] == [[f"n{i}", a.request_id] for i, a in enumerate(answers[:4])]
    assert len({t[2] for t in told}) == 4 and all(t[2].startswith("Root=") and t[3] for t in told)
    assert answers[4].json["errorType"] == "RangeError" and answers[4].json["errorMessage"] == "n4"
    events = [{"me": f"m{i}", "together": 1, "crash": i == 2} for i in range(5)]
    for event in events[:2] + events[3:]:
        event["together"] = 99
    for answer in together(server, name, events[:2] + events[3:] + events[2:3]):
        assert answer.json["errorType"] == "Runtime.ExitError" and "exit status 129" in answer.json["errorMessage"], answer.json
