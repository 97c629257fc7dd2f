# Extensions as real programs in layers: a Python one, a compiled one, and those that break the rules.
import os
import shutil
import subprocess
import threading
import time

import pytest

from conftest import new_directory, package, running_programs, wait_until
from test_iam import client_of
from test_metrics import statistic

# `note` keeps what the extension saw where the function can read it; `put` where it outlives the environment.
CLIENT = """#!/usr/bin/python3
import http.client, json, os, signal, sys, time
NAME = os.path.basename(sys.argv[0])
class API:
    def __init__(self): self.connection = http.client.HTTPConnection(os.environ['AWS_LAMBDA_RUNTIME_API'])
    def call(self, method, path, body=None, **headers):
        self.connection.request(method, path, body, {k.replace('_', '-'): v for k, v in headers.items()})
        answer = self.connection.getresponse()
        text = answer.read()
        try: text = json.loads(text)
        except ValueError: text = text.decode()
        return answer.status, {k: v for k, v in answer.getheaders()}, text
    def register(self, *events, name=NAME, **headers):
        answer = self.call('POST', '/2020-01-01/extension/register', json.dumps({'events': events}), Lambda_Extension_Name=name, **headers)
        self.id = answer[1].get('Lambda-Extension-Identifier')
        return answer
    def next(self): return self.call('GET', '/2020-01-01/extension/event/next', Lambda_Extension_Identifier=self.id)
def note(*what):
    with open('/tmp/' + NAME, 'a') as file: file.write(json.dumps(what) + '\\n')
def put(key, what):
    host = os.environ['AWS_ENDPOINT_URL'].split('//')[1]
    to = http.client.HTTPConnection(host)
    credential = 'AWS4-HMAC-SHA256 Credential=%s/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0'
    to.request('PUT', '/extension-notes/' + key, json.dumps(what), {
        'Authorization': credential % os.environ['AWS_ACCESS_KEY_ID'], 'x-amz-security-token': os.environ['AWS_SESSION_TOKEN'],
        'x-amz-content-sha256': 'UNSIGNED-PAYLOAD', 'x-amz-date': '20260101T000000Z'})
    return to.getresponse().status
api = API()
"""

READER = """
import json, os, time
def notes(name):
    try:
        with open('/tmp/' + name) as file: return [json.loads(line) for line in file]
    except FileNotFoundError: return []
def handler(event, context):
    if event.get('print'): print(event['print'], flush=True)
    time.sleep(event.get('sleep', 0))
    if event.get('exit'): os._exit(event['exit'])
    while len(notes(event.get('of', 'witness'))) < event.get('want', 0): time.sleep(0.005)  # they are written at the same time
    return notes(event.get('of', 'witness'))
"""

WITNESS = CLIENT + """
note('variables', sorted(os.environ), os.getcwd())
note('registered', api.register('INVOKE', 'SHUTDOWN', Lambda_Extension_Accept_Feature='accountId'))
while True:
    status, headers, event = api.next()
    note('event', event, headers.get('Lambda-Extension-Event-Identifier'))
    if event['eventType'] == 'SHUTDOWN': break
"""


def layer(server, name, extensions):
    files = {f"extensions/{n}": content if isinstance(content, tuple) else (content, 0o755) for n, content in extensions.items()}
    return server.client.publish_layer_version(LayerName=name, Content={"ZipFile": package(files)})["LayerVersionArn"]


def create(server, name, extensions, code=READER, **settings):
    settings = {"Timeout": 10, "MemorySize": 512, **settings}
    return server.create(name, code, Layers=[layer(server, name, extensions)], **settings)


def kinds(notes):
    return [note[0] if note[0] != "event" else note[1]["eventType"] for note in notes]


def test_registration_and_what_an_extension_is_told(server, name):
    arn = create(server, name, {"witness": WITNESS})["FunctionArn"]
    first = server.invoke(name)
    second = server.invoke(name, {"want": 4})
    notes = second.succeeded()
    assert kinds(notes) == ["variables", "registered", "INVOKE", "INVOKE"]
    variables, directory = notes[0][1:]
    assert directory == "/" and not [v for v in variables if v.startswith("_")]
    assert not {"AWS_EXECUTION_ENV", "AWS_LAMBDA_LOG_GROUP_NAME", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR"} & set(variables)
    assert {"AWS_LAMBDA_RUNTIME_API", "AWS_LAMBDA_FUNCTION_NAME", "AWS_REGION", "AWS_SESSION_TOKEN"} <= set(variables)
    status, headers, body = notes[1][1]
    assert status == 200 and len(headers["Lambda-Extension-Identifier"]) == 36
    assert body == {"functionName": name, "functionVersion": "$LATEST", "handler": "app.handler", "accountId": "000000000000"}
    event, identifier = notes[2][1:]
    assert event.pop("deadlineMs") > time.time() * 1000 - 60000 and len(identifier) == 36
    tracing = event.pop("tracing")
    assert tracing["type"] == "X-Amzn-Trace-Id" and tracing["value"].startswith("Root=1-")
    assert event == {"eventType": "INVOKE", "requestId": first.request_id, "invokedFunctionArn": arn}
    assert notes[3][1]["requestId"] == second.request_id


def test_shutdown_is_told_after_a_time_out_and_tmp_is_kept(server, name):
    create(server, name, {"witness": WITNESS}, Timeout=1)
    server.invoke(name).succeeded()
    assert server.invoke(name, {"sleep": 30}).json["errorType"] == "Sandbox.Timedout"
    notes = server.invoke(name, {"want": 8}).succeeded()
    assert kinds(notes) == ["variables", "registered", "INVOKE", "INVOKE", "SHUTDOWN", "variables", "registered", "INVOKE"]
    shutdown = notes[4][1]
    assert shutdown["shutdownReason"] == "timeout" and set(shutdown) == {"eventType", "shutdownReason", "deadlineMs"}


def test_shutdown_is_told_after_a_crash(server, name):
    create(server, name, {"witness": WITNESS})
    assert server.invoke(name, {"exit": 3}).json["errorType"] == "Runtime.ExitError"
    notes = server.invoke(name).succeeded()
    assert [n[1]["shutdownReason"] for n in notes if n[0] == "event" and n[1]["eventType"] == "SHUTDOWN"] == ["failure"]


@pytest.fixture
def notes(server):
    import boto3
    s3 = boto3.client("s3", endpoint_url=server.endpoint, region_name="us-east-1", aws_access_key_id="000000000000", aws_secret_access_key="x",
                      config=boto3.session.Config(s3={"addressing_style": "path"}))
    s3.create_bucket(Bucket="extension-notes")

    def read(key):
        import json
        try:
            return json.loads(s3.get_object(Bucket="extension-notes", Key=key)["Body"].read())
        except s3.exceptions.NoSuchKey:
            return None

    return read


LAST_WORDS = CLIENT + """
api.register('INVOKE', 'SHUTDOWN')
while True:
    event = api.next()[2]
    if event['eventType'] == 'SHUTDOWN':
        put(os.environ['AWS_LAMBDA_FUNCTION_NAME'] + '/' + NAME, {'event': event, 'now': time.time() * 1000, 'runtime': os.path.exists('/tmp/terminated')})
        break
"""

TERMINATED = """
import signal
def ended(*_):
    open('/tmp/terminated', 'w').close()
    raise SystemExit
signal.signal(signal.SIGTERM, ended)
def handler(event, context): return 1
"""


def test_shutdown_when_the_environment_is_no_longer_needed(server, name, notes):
    """The runtime is asked to end first, then the extensions are told, and they have two seconds in all."""
    create(server, name, {"last": LAST_WORDS}, TERMINATED)
    server.invoke(name).succeeded()
    server.client.delete_function(FunctionName=name)
    words = wait_until(lambda: notes(f"{name}/last"), 15, "what the extension said at the end")
    assert words["event"]["shutdownReason"] == "spindown" and words["runtime"] is True
    assert 0 < words["event"]["deadlineMs"] - words["now"] <= 2000


def test_the_last_words_are_heard_when_the_server_stops(own_server):
    server = own_server()
    out = """api.register('SHUTDOWN')
while api.next()[2]['eventType'] != 'SHUTDOWN': pass
put('stopped', 'gone')
"""
    import boto3
    s3 = boto3.client("s3", endpoint_url=server.endpoint, region_name="us-east-1", aws_access_key_id="000000000000", aws_secret_access_key="x")
    s3.create_bucket(Bucket="extension-notes")
    create(server, "stopping", {"last": CLIENT + out})
    server.invoke("stopping").succeeded()
    assert server.stop() == 0
    again = own_server(state=server.state)
    s3 = boto3.client("s3", endpoint_url=again.endpoint, region_name="us-east-1", aws_access_key_id="000000000000", aws_secret_access_key="x")
    assert s3.get_object(Bucket="extension-notes", Key="stopped")["Body"].read() == b'"gone"'


SLOW = CLIENT + """
api.register('INVOKE')
while True:
    api.next()
    time.sleep(3)
"""


def test_an_invocation_ends_when_the_extensions_are_done(server, name):
    """The caller has its answer before; the concurrency stays taken, and REPORT tells the whole time."""
    create(server, name, {"slow": SLOW}, "def handler(event, context): return 1")
    server.invoke(name).succeeded()
    begun = time.monotonic()
    server.client.invoke(FunctionName=name, Payload=b"{}")["Payload"].read()
    assert time.monotonic() - begun < 3, "without the log the answer does not wait"
    log = server.invoke(name).log
    assert float(log.split("\tDuration: ")[1].split(" ")[0]) >= 3000
    cloudwatch = client_of(server, "cloudwatch")
    wait_until(lambda: statistic(server, cloudwatch, "PostRuntimeExtensionsDuration", "SampleCount", FunctionName=name) == 3, what="the metric")
    assert statistic(server, cloudwatch, "PostRuntimeExtensionsDuration", "Minimum", FunctionName=name) >= 1400


def test_an_extension_that_does_not_come_back_is_timed_out(server, name):
    create(server, name, {"hung": SLOW.replace("1.5", "60")}, "def handler(event, context): return 1", Timeout=3)
    answer = server.invoke(name)
    assert answer.succeeded() == 1 and "Task timed out after 3.00 seconds" in answer.log
    assert server.invoke(name).succeeded() == 1


def test_the_environment_waits_for_extensions_that_want_no_events(server, name):
    code = CLIENT + "note(api.register())\ntime.sleep(1)\nnote('ready')\napi.next()\n"
    create(server, name, {"witness": code})
    answer = server.invoke(name)
    assert answer.succeeded()[-1] == ["ready"]
    assert float(answer.log.split("Init Duration: ")[1].split(" ")[0]) > 1000


@pytest.mark.parametrize("code, error_type, message", [
    ("sys.exit(0)", "Extension.Crash", "exit code 0"),
    ("sys.exit(7)", "Extension.Crash", "exit status 7"),
    ("api.register('INVOKE'); os.kill(os.getpid(), 9)", "Extension.Crash", "signal: killed"),
    ("api.register('INVOKE'); api.next(); sys.exit(1)", "Extension.Crash", "exit status 1"),
    ("api.register('INVOKE')\nprint(api.call('POST', '/2020-01-01/extension/init/error', '{}', Lambda_Extension_Identifier=api.id, "
     "Lambda_Extension_Function_Error_Type='Extension.NoKey'))\ntime.sleep(9)", "Extension.InitError", "Extension.NoKey"),
    ("api.register('INVOKE'); api.next()\nprint(api.call('POST', '/2020-01-01/extension/exit/error', '{}', Lambda_Extension_Identifier=api.id, "
     "Lambda_Extension_Function_Error_Type='Extension.Lost'))\ntime.sleep(9)", "Extension.ExitError", "Extension.Lost"),
])
def test_extensions_that_fail_fail_the_invocation(server, name, code, error_type, message):
    create(server, name, {"bad": CLIENT + code + "\n"}, "import time\ndef handler(event, context): time.sleep(5)")
    answer = server.invoke(name)
    assert answer.error == "Unhandled"
    assert answer.json == {"errorType": error_type, "errorMessage": f"RequestId: {answer.request_id} Error: {message}"}
    assert f"Error Type: {error_type}" in answer.log


def test_an_extension_that_cannot_be_started(server, name):
    create(server, name, {"bad": "#!/no/such/interpreter\n"})
    answer = server.invoke(name)
    assert answer.json["errorType"] == "Extension.LaunchError"
    assert answer.json["errorMessage"].endswith("fork/exec /opt/extensions/bad: no such file or directory")


def test_files_that_are_not_executable_are_no_extensions(server, name):
    create(server, name, {"witness": WITNESS, "README": ("read me", 0o644), "lib/helper": ("#!/bin/false", 0o755)})
    assert kinds(server.invoke(name, {"want": 3}).succeeded()) == ["variables", "registered", "INVOKE"]


def test_what_the_api_refuses(server, name):
    code = CLIENT + """
import threading
def of(answer): return [answer[0], answer[2].get('errorType', 'OK')]
def next(**headers): return of(API().call('GET', '/2020-01-01/extension/event/next', **headers))
def post(path, body, **headers): return of(api.call('POST', '/2020-01-01/extension/' + path, body, **headers))
note(post('register', '{"events":[]}'))
note(post('register', '{', Lambda_Extension_Name=NAME))
note(post('register', '{"events":["BORED"]}', Lambda_Extension_Name=NAME))
note(post('register', '{"events":[],"configurationKeys":["A"]}', Lambda_Extension_Name=NAME))
note(post('register', '{"events":["SHUTDOWN"]}', Lambda_Extension_Name='internal'))
note(next())
note(next(Lambda_Extension_Identifier='me'))
note(next(Lambda_Extension_Identifier='8f5d1b6a-0d3b-4f57-9a64-2b7f5f0b3c11'))
identities = []
for i in range(10):
    note(of(api.register('INVOKE', name='internal-%d' % i)))
    if api.id: identities.append(api.id)
api.register('INVOKE')
note(of(api.call('POST', '/2020-01-01/extension/register', '{"events":[]}', Lambda_Extension_Name=NAME)))
note(post('init/error', '{}', Lambda_Extension_Identifier=api.id))
def follow(identity):
    mine = API()
    mine.id = identity
    while True: mine.next()
for identity in identities: threading.Thread(target=follow, args=(identity,), daemon=True).start()
api.next()
note(post('init/error', '{}', Lambda_Extension_Identifier=api.id, Lambda_Extension_Function_Error_Type='Extension.Late'))
note(api.call('POST', '/2020-01-01/extension/register', '{"events":[]}', Lambda_Extension_Name='late'))
while True: api.next()
"""
    create(server, name, {"witness": code}, MemorySize=1769)
    server.invoke(name).succeeded()
    answers = [note[0] if len(note) == 1 else note for note in server.invoke(name).succeeded()]
    assert [a for a in answers[:8]] == [
        [403, "Extension.InvalidExtensionName"], [403, "InvalidRequestFormat"], [403, "Extension.InvalidEventType"], [403, "InvalidRequestFormat"],
        [403, "Extension.InvalidEventType"], [403, "Extension.MissingExtensionIdentifier"], [403, "Extension.InvalidExtensionIdentifier"],
        [403, "Extension.UnknownExtensionIdentifier"]]
    assert answers[8:18] == [[200, "OK"]] * 9 + [[403, "Extension.TooManyExtensions"]]
    assert answers[18:21] == [[403, "Extension.InvalidExtensionState"], [403, "Extension.MissingHeader"], [403, "Extension.InvalidExtensionState"]]
    status, _, why = answers[21]
    assert (status, why) == (403, {"errorType": "Extension.RegistrationClosed", "errorMessage": "Extension registration closed already"})


INTERNAL = """
import http.client, json, os, threading
def call(method, path, body=None, **headers):
    connection = http.client.HTTPConnection(os.environ['AWS_LAMBDA_RUNTIME_API'])
    connection.request(method, '/2020-01-01/extension/' + path, body, {k.replace('_', '-'): v for k, v in headers.items()})
    answer = connection.getresponse()
    return answer.status, answer.getheader('Lambda-Extension-Identifier'), json.loads(answer.read())
def register(name, *events): return call('POST', 'register', json.dumps({'events': events}), Lambda_Extension_Name=name)
seen, refused = [], []
status, identifier, _ = register('inside', 'INVOKE')
refused += [register('inside', 'INVOKE')[2], register('other', 'SHUTDOWN')[2]]
def loop():
    while True: seen.append(call('GET', 'event/next', Lambda_Extension_Identifier=identifier)[2])
threading.Thread(target=loop, daemon=True).start()
def handler(event, context):
    late = register('late', 'INVOKE')
    return [status, refused, late[0], late[2], [e['requestId'] for e in seen]]
"""


def test_an_internal_extension(server, name):
    server.create(name, INTERNAL, Timeout=10, MemorySize=512)
    first = server.invoke(name)
    second = server.invoke(name)
    status, refused, late, why, seen = second.succeeded()
    assert status == 200 and [r["errorType"] for r in refused] == ["Extension.InvalidExtensionState", "Extension.InvalidEventType"]
    assert refused[0]["errorMessage"] == "Extension with this name already registered"
    assert late == 403 and why == {"errorType": "Extension.RegistrationClosed", "errorMessage": "Extension registration closed already"}
    assert seen[0] == first.request_id


def test_ten_extensions(server, name):
    create(server, name, {f"e{i}": CLIENT + "note(api.register('INVOKE'))\nwhile True: note(api.next())\n" for i in range(10)},
           READER + "\ndef handler(event, context): return [len(notes('e%d' % i)) for i in range(10)]\n", MemorySize=1769)
    server.invoke(name).succeeded()
    server.invoke(name).succeeded()
    assert all(count >= 3 for count in server.invoke(name).succeeded()), "registration and the two invocations before"


COMPILED = r"""
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>
static char answer[65536], id[64];
static int call(const char *request) {
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(atoi(strchr(getenv("AWS_LAMBDA_RUNTIME_API"), ':') + 1))};
  inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
  if (connect(fd, (struct sockaddr *)&to, sizeof to) < 0) exit(1);
  if (write(fd, request, strlen(request)) < 0) exit(2);
  size_t have = 0;
  for (ssize_t got; (got = read(fd, answer + have, sizeof answer - 1 - have)) > 0;) have += (size_t)got;
  answer[have] = 0;
  close(fd);
  return atoi(answer + 9);
}
int main(void) {
  char request[512];
  const char *body = "{\"events\":[\"INVOKE\",\"SHUTDOWN\"]}";
  snprintf(request, sizeof request, "POST /2020-01-01/extension/register HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
    "Lambda-Extension-Name: compiled\r\nContent-Length: %zu\r\n\r\n%s", strlen(body), body);
  if (call(request) != 200) return 3;
  sscanf(strcasestr(answer, "Lambda-Extension-Identifier:"), "%*s %36s", id);
  snprintf(request, sizeof request, "GET /2020-01-01/extension/event/next HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
    "Lambda-Extension-Identifier: %s\r\n\r\n", id);
  for (;;) {
    if (call(request) != 200) return 4;
    FILE *file = fopen("/tmp/compiled", "a");
    fprintf(file, "%s\n", strstr(answer, "\r\n\r\n") + 4);
    fclose(file);
    printf("the compiled extension has seen an event\n");
    fflush(stdout);
    if (strstr(answer, "\"SHUTDOWN\"")) return 0;
  }
}
"""


@pytest.fixture(scope="session")
def compiled_extension():
    compiler = shutil.which("cc")
    if not compiler:
        pytest.skip("no C compiler: apt-get install gcc libc6-dev")
    directory = new_directory()
    with open(f"{directory}/extension.c", "w") as source:
        source.write(COMPILED)
    subprocess.run([compiler, "-O1", "-D_GNU_SOURCE", "-o", f"{directory}/extension", f"{directory}/extension.c"], check=True)
    with open(f"{directory}/extension", "rb") as program:
        return program.read()


def test_a_compiled_extension_beside_a_python_one(server, name, compiled_extension):
    create(server, name, {"compiled": compiled_extension, "witness": WITNESS}, Timeout=1)
    first = server.invoke(name)
    first.succeeded()
    assert "the compiled extension has seen an event" in first.log, "what extensions print is in the function's log"
    server.invoke(name, {"sleep": 9})
    assert [e["eventType"] for e in server.invoke(name, {"of": "compiled", "want": 4}).succeeded()] == ["INVOKE", "INVOKE", "SHUTDOWN", "INVOKE"]


def test_concurrent_environments_have_extensions_of_their_own(server, name):
    create(server, name, {"witness": WITNESS})
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(server.invoke(name, {"sleep": 1}).succeeded())) for _ in range(4)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    identities = {answer[1][1][1]["Lambda-Extension-Identifier"] for answer in answers}
    assert len(answers) == len(identities) == 4 and all(len(answer) == 3 for answer in answers)


def test_environments_with_extensions_leave_no_descriptor(own_server):
    from test_telemetry import FUNCTION, OVER_HTTP
    server = own_server("--pools", "0")  # what waits has descriptors as well
    descriptors = lambda: len(os.listdir(f"/proc/{server.process.pid}/fd"))

    def cycle(name):
        create(server, name, {"sink": OVER_HTTP, "witness": WITNESS}, FUNCTION, Timeout=2)
        server.invoke(name).succeeded()
        server.invoke(name, {"exit": 1})
        server.invoke(name).succeeded()
        server.client.delete_function(FunctionName=name)

    cycle("warm")
    wait_until(lambda: not running_programs(server), 15, "the end of the first")
    before = descriptors()
    for i in range(3): cycle(f"f{i}")
    wait_until(lambda: not running_programs(server), 15, "the end of the others")
    wait_until(lambda: descriptors() <= before + 3, 10, "no more descriptors than before")
