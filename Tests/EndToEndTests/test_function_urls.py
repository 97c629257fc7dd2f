# Function URLs: plain HTTP clients on one side, functions on the other.
import base64
import http.client
import json
import re
import shutil
import subprocess
import urllib.parse

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from test_response_streaming import STREAM, collect, gate, node, stream  # noqa: F401  (fixtures)
from test_runtime_api import create as create_runtime
from conftest import error_of

ECHO = "def handler(event, context):\n    return event"
# Says what the request asks it to say.
SAYS = """import json
def handler(event, context):
    if event.get('rawPath') == '/fail': raise ValueError('secret')
    return json.loads(event['body'])
"""


class URL:
    """A function's address, asked without a name service: the connection goes to the server, the name into `Host`."""

    def __init__(self, server, name, auth="NONE", **settings):
        self.server = server
        config = server.client.create_function_url_config(FunctionName=name, AuthType=auth, **settings)
        self.address = config["FunctionUrl"]
        self.arn = config["FunctionArn"]
        self.host = urllib.parse.urlsplit(self.address).netloc
        self.id = self.host.split(".")[0]

    def open(self, method="GET", target="/", body=None, headers=None, host=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
        connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        connection.putheader("Host", host or self.host)
        for key, value in (headers.items() if isinstance(headers, dict) else headers or []):
            connection.putheader(key, value)
        if isinstance(body, str):
            body = body.encode()
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        return connection.getresponse()

    def ask(self, *arguments, **named):
        answer = self.open(*arguments, **named)
        return answer.status, answer, answer.read()

    def event(self, *arguments, **named):
        status, _, body = self.ask(*arguments, **named)
        assert status == 200, body
        return json.loads(body)

    def says(self, value):
        """The answer to what a function says."""
        return self.ask("POST", "/", json.dumps(value), {"Content-Type": "application/json"})


@pytest.fixture
def echo(server, name):
    server.create(name, ECHO)
    return URL(server, name)


@pytest.fixture
def says(server, name):
    server.create(name, SAYS)
    return URL(server, name)


def test_the_event_is_aws_s(echo):
    assert re.fullmatch(rf"http://[a-z0-9]{{32}}\.lambda-url\.us-east-1\.localhost:{echo.server.port}/", echo.address)
    event = echo.event(
        "POST", "/a%20b/c?x=1&y=%26&x=2&z", '{"k": "é"}',
        [("Content-Type", "application/json; charset=utf-8"), ("X-Multi", "1"), ("x-multi", "2"), ("User-Agent", "tester"),
         ("Cookie", "a=1; b=2"), ("X-Forwarded-For", "6.6.6.6"), ("X-Amzn-Tls-Version", "forged")])
    context = event.pop("requestContext")
    headers = event.pop("headers")
    assert event == {
        "version": "2.0", "routeKey": "$default", "rawPath": "/a b/c", "rawQueryString": "x=1&y=%26&x=2&z",
        "cookies": ["a=1", "b=2"], "queryStringParameters": {"x": "1,2", "y": "&", "z": ""}, "body": '{"k": "é"}',
        "isBase64Encoded": False}
    http_context, time, epoch = context.pop("http"), context.pop("time"), context.pop("timeEpoch")
    request_id = context.pop("requestId")
    name = echo.host.split(":")[0]
    assert context == {
        "accountId": "anonymous", "apiId": echo.id, "domainName": name, "domainPrefix": echo.id, "routeKey": "$default",
        "stage": "$default"}
    assert http_context == {
        "method": "POST", "path": "/a b/c", "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "tester"}
    assert re.fullmatch(r"\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000", time) and epoch > 1_700_000_000_000
    assert re.fullmatch(r"[0-9a-f-]{36}", request_id)
    assert headers.pop("x-amzn-trace-id").startswith("Root=1-")
    assert headers == {
        "host": echo.host, "content-type": "application/json; charset=utf-8", "x-multi": "1,2", "user-agent": "tester",
        "content-length": "11", "x-forwarded-for": "127.0.0.1", "x-forwarded-port": str(echo.server.port),
        "x-forwarded-proto": "http"}


def test_what_is_empty_is_left_out(echo):
    event = echo.event()
    assert not {"cookies", "queryStringParameters", "body"} & set(event)
    assert event["rawQueryString"] == "" and event["rawPath"] == "/" and event["isBase64Encoded"] is False
    assert echo.event(target="/pa2%Fth/1")["rawPath"] == "/pa2%Fth/1", "what is no encoding is kept"


@pytest.mark.parametrize("content_type, is_text", [
    ("text/csv", True), ("application/json", True), ("application/vnd.x+json", True), ("image/svg+xml", True),
    ("application/javascript", True), ("application/xml;charset=x", True), ("application/octet-stream", False),
    ("application/x-www-form-urlencoded", False), ("multipart/form-data; boundary=x", False), (None, False)])
def test_which_bodies_are_text(echo, content_type, is_text):
    event = echo.event("PUT", "/", "abc", {"Content-Type": content_type} if content_type else {})
    assert event["isBase64Encoded"] is not is_text
    assert event["body"] == ("abc" if is_text else base64.b64encode(b"abc").decode())
    assert echo.event("PUT", "/", b"\xff", {"Content-Type": "text/plain"})["isBase64Encoded"], "no text in spite of its name"


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_every_method_reaches_the_function(server, name, method):
    server.create(name, "def handler(event, context):\n    return {'statusCode': 200, 'headers': "
                        "{'X-Method': event['requestContext']['http']['method']}, 'body': 'b'}")
    status, answer, body = URL(server, name).ask(method)
    assert (status, answer.getheader("X-Method"), body) == (200, method, b"" if method == "HEAD" else b"b")


@pytest.mark.parametrize("value, status, content_type, body", [
    ({"a": 1}, 200, "application/json", b'{"a": 1}'),
    ("text", 200, "application/json", b"text"),
    (17, 200, "application/json", b"17"),
    (True, 200, "application/json", b"true"),
    ([1, "b"], 200, "application/json", b'[1, "b"]'),
    ({"statusCode": 201}, 201, "application/json", b""),
    ({"statusCode": "202", "body": "x"}, 202, "application/json", b"x"),
    ({"statusCode": 404, "headers": {"content-type": "text/html"}, "body": "<p>"}, 404, "text/html", b"<p>"),
    ({"statusCode": 200, "body": base64.b64encode(b"\0\1\xff").decode(), "isBase64Encoded": True}, 200,
     "application/json", b"\0\1\xff"),
    ({"statusCode": 200, "body": {"a": [1]}}, 200, "application/json", b'{"a":[1]}'),
    ({"statusCode": 204, "body": "x"}, 204, "application/json", b""),
    ({"statusCode": 500, "body": "own"}, 500, "application/json", b"own"),
    ({"statusCode": "many", "body": "x"}, 502, "application/json", b"Internal Server Error"),
    ({"statusCode": 99}, 502, "application/json", b"Internal Server Error"),
    ({"statusCode": 200, "body": "%", "isBase64Encoded": True}, 502, "application/json", b"Internal Server Error"),
    ({"statusCode": 200, "headers": {"a b": "c"}}, 502, "application/json", b"Internal Server Error"),
], ids=repr)
def test_what_becomes_of_what_a_function_says(says, value, status, content_type, body):
    answer = says.says(value)
    assert (answer[0], answer[1].getheader("Content-Type"), answer[2]) == (status, content_type, body)
    assert re.fullmatch(r"[0-9a-f-]{36}", answer[1].getheader("x-amzn-RequestId"))
    assert answer[1].getheader("X-Amzn-Trace-Id").startswith("Root=1-") and answer[1].getheader("Date").endswith(" GMT")


def test_headers_and_cookies_of_an_answer(says):
    _, answer, _ = says.says({
        "statusCode": 200, "cookies": ["a=1; Secure", "b=2"], "body": "abc",
        "headers": {"X-Number": 5, "X-Forged": "a\r\nSet-Cookie: c=3", "Content-Length": "9999", "Connection": "close",
                    "Transfer-Encoding": "gzip", "Server": "mine", "Date": "today", "WWW-Authenticate": "Basic", "X-None": None}})
    assert answer.headers.get_all("Set-Cookie") == ["a=1; Secure", "b=2"]
    assert answer.getheader("X-Number") == "5" and answer.getheader("X-Forged") == "a  Set-Cookie: c=3"
    assert answer.getheader("Content-Length") == "3" and answer.getheader("Transfer-Encoding") is None
    assert answer.getheader("x-amzn-Remapped-Server") == "mine" and answer.getheader("x-amzn-Remapped-Date") == "today"
    assert answer.getheader("x-amzn-Remapped-WWW-Authenticate") == "Basic" and answer.getheader("Server") is None
    assert answer.getheader("X-None") is None


def test_failures_keep_their_reasons_to_themselves(server, says, name):
    status, answer, body = says.ask(target="/fail")
    assert (status, body) == (502, b"Internal Server Error") and answer.getheader("Content-Type") == "application/json"
    server.create(f"{name}-slow", "import time\ndef handler(event, context): time.sleep(30)", Timeout=1)
    assert URL(server, f"{name}-slow").ask()[0::2] == (504, b"Internal Server Error")
    create_runtime(server, f"{name}-odd", "while True: respond(take()[0], 'no JSON')")
    assert URL(server, f"{name}-odd").ask()[0::2] == (502, b"Internal Server Error")


def test_what_is_too_large(echo):
    for size in (6_291_456, 5_000_000):
        status, _, body = echo.ask("POST", "/", b"x" * size)
        assert status == 413 and b"6291456 bytes" in body, "five megabytes are more as base64"
    assert echo.ask("PUT", "/", b"x" * 20_000_000)[0] == 413


def test_large_bodies_both_ways(says):
    assert says.says("x" * 3_000_000)[2] == b"x" * 3_000_000


def test_no_room(says, name):
    says.server.client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    status, answer, body = says.says(1)
    assert status == 429 and answer.getheader("x-amzn-ErrorType") == "TooManyRequestsException"
    assert json.loads(body) == {
        "Reason": "ReservedFunctionConcurrentInvocationLimitExceeded", "Type": "User", "message": "Rate Exceeded."}


FORBIDDEN = {"Message": "Forbidden. For troubleshooting Function URL authorization issues, see: "
                        "https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html"}


def test_who_must_sign(server, name):
    server.create(name, ECHO)
    url = URL(server, name, auth="AWS_IAM")
    for headers in ({}, {"Authorization": "Bearer x"}):
        status, answer, body = url.ask(headers=headers)
        assert status == 403 and json.loads(body) == FORBIDDEN
        assert answer.getheader("x-amzn-ErrorType") == "AccessDeniedException"
    request = AWSRequest("GET", url.address)
    SigV4Auth(Credentials("111122223333", "secret"), "lambda", "us-east-1").add_auth(request)
    event = url.event(headers=dict(request.headers))
    assert event["requestContext"]["accountId"] == "111122223333"
    assert event["requestContext"]["authorizer"] == {"iam": {
        "accessKey": "111122223333", "accountId": "111122223333", "callerId": "111122223333", "cognitoIdentity": None,
        "principalOrgId": None, "userArn": "arn:aws:iam::111122223333:root", "userId": "111122223333"}}
    server.client.update_function_url_config(FunctionName=name, AuthType="NONE")
    event = url.event(headers=dict(request.headers))
    assert event["requestContext"]["accountId"] == "anonymous" and "authorizer" not in event["requestContext"]


def test_an_address_that_is_nobody_s(echo, name):
    nobody = "z" * 32 + echo.host[32:]
    assert echo.ask(host=nobody)[0] == 403 and json.loads(echo.ask(host=nobody)[2]) == FORBIDDEN
    assert echo.ask()[0] == 200
    echo.server.client.delete_function_url_config(FunctionName=name)
    assert echo.ask()[0] == 403
    again = URL(echo.server, name)
    assert again.id != echo.id and again.ask()[0] == 200
    echo.server.client.delete_function(FunctionName=name)
    assert again.ask()[0] == 403


def test_the_url_of_an_alias(server, name):
    server.create(name, "def handler(event, context):\n    return [context.function_version, context.invoked_function_arn]")
    version = server.client.publish_version(FunctionName=name)["Version"]
    server.client.create_alias(FunctionName=name, Name="live", FunctionVersion=version)
    url = URL(server, name, Qualifier="live")
    assert url.arn.endswith(f":{name}:live") and url.event() == ["1", url.arn]
    assert URL(server, name).event()[0] == "$LATEST"
    server.client.delete_alias(FunctionName=name, Name="live")
    assert url.ask()[0] == 403


def test_by_any_host_and_by_a_path(echo):
    event = echo.event(host=f"{echo.id.upper()}.lambda-url.us-east-1.on.aws")
    assert event["requestContext"]["domainName"] == f"{echo.id}.lambda-url.us-east-1.on.aws"
    for target, path in ((f"/_martlet/url/{echo.id}", "/"), (f"/_martlet/url/{echo.id}/", "/"), (f"/_martlet/url/{echo.id}/a/b?c=d", "/a/b")):
        event = echo.event(target=target, host=f"127.0.0.1:{echo.server.port}")
        assert event["rawPath"] == path and event["requestContext"]["domainPrefix"] == echo.id
        assert event["requestContext"]["domainName"] == f"{echo.id}.lambda-url.us-east-1.localhost"
    assert echo.ask(target="/_martlet/url/nobody/", host="127.0.0.1")[0] == 403


def test_paths_of_other_services_are_the_function_s_own(echo):
    for target in ("/2015-03-31/functions", "/_martlet/health", "/bucket/key", "/?Action=ListRoles&Version=2010-05-08"):
        assert echo.event(target=target)["rawPath"] == urllib.parse.urlsplit(target).path


CORS = {"AllowOrigins": ["https://a.example", "https://*.b.example"], "AllowMethods": ["GET", "PUT"], "MaxAge": 60,
        "AllowHeaders": ["x-one", "x-two"], "ExposeHeaders": ["x-three"], "AllowCredentials": True}


def test_browsers_are_answered_without_the_function(server, name):
    server.create(name, ECHO)
    url = URL(server, name, auth="AWS_IAM", Cors=CORS)
    question = {"Origin": "https://x.b.example", "Access-Control-Request-Method": "PUT"}
    status, answer, body = url.ask("OPTIONS", headers=question)
    assert (status, body) == (200, b"")
    told = {k.lower(): v for k, v in answer.getheaders() if k.lower().startswith("access-control-")}
    assert told == {
        "access-control-allow-origin": "https://x.b.example", "access-control-allow-methods": "GET,PUT",
        "access-control-allow-headers": "x-one,x-two", "access-control-max-age": "60",
        "access-control-allow-credentials": "true", "access-control-expose-headers": "x-three"}
    for stranger in ("https://evil.example", "https://a.example.evil", "https://b.example"):
        _, answer, _ = url.ask("OPTIONS", headers={**question, "Origin": stranger})
        assert answer.getheader("Access-Control-Allow-Origin") is None
    server.client.update_function_url_config(FunctionName=name, AuthType="NONE")
    _, answer, _ = url.ask(headers={"Origin": "https://a.example"})
    assert answer.getheader("Access-Control-Allow-Origin") == "https://a.example"
    assert answer.getheader("Access-Control-Expose-Headers") == "x-three" and answer.getheader("Vary") == "Origin"
    assert url.ask()[1].getheader("Access-Control-Allow-Origin") is None
    server.client.update_function_url_config(FunctionName=name, Cors={"AllowOrigins": ["*"]})
    assert url.ask(headers={"Origin": "null"})[1].getheader("Access-Control-Allow-Origin") == "*"
    server.client.update_function_url_config(FunctionName=name, Cors={})
    assert url.event("OPTIONS", headers=question)["requestContext"]["http"]["method"] == "OPTIONS"


PAGE = """
exports.handler = awslambda.streamifyResponse(async (event, stream) => {
  const query = event.queryStringParameters ?? {};
  if (!query.plain) {
    stream = awslambda.HttpResponseStream.from(stream, {
      statusCode: 201, headers: { 'Content-Type': 'text/event-stream', 'X-Own': 'yes', Server: 'mine' }, cookies: ['a=1', 'b=2'] });
  }
  stream.write('data: first\\n\\n');
  if (query.bucket) {
    while ((await fetch(`${process.env.AWS_ENDPOINT_URL}/${query.bucket}/go`)).status !== 200) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
  if (query.fail) throw new Error('secret');
  stream.end('data: second\\n\\n');
});
"""


def test_a_streaming_url_answers_while_the_function_runs(server, name, gate):
    node(server, name, PAGE)
    url = URL(server, name, InvokeMode="RESPONSE_STREAM")
    answer = url.open(target=f"/?bucket={gate.bucket}")
    assert answer.status == 201 and answer.getheader("Transfer-Encoding") == "chunked"
    assert answer.getheader("Content-Type") == "text/event-stream" and answer.getheader("X-Own") == "yes"
    assert answer.headers.get_all("Set-Cookie") == ["a=1", "b=2"] and answer.getheader("x-amzn-Remapped-Server") == "mine"
    assert answer.read1() == b"data: first\n\n"
    gate()
    assert answer.read() == b"data: second\n\n"
    status, answer, body = url.ask(target="/?plain=1")
    assert (status, answer.getheader("Content-Type")) == (200, "application/octet-stream")
    assert body == b"data: first\n\ndata: second\n\n"


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_server_sent_events_with_curl(server, name, gate):
    node(server, name, PAGE)
    url = URL(server, name, InvokeMode="RESPONSE_STREAM")
    with subprocess.Popen(
        ["curl", "-sN", "-H", f"Host: {url.host}", f"{server.endpoint}/?bucket={gate.bucket}"], stdout=subprocess.PIPE) as curl:
        assert curl.stdout.readline() == b"data: first\n"
        gate()
        assert curl.stdout.read() == b"\ndata: second\n\n"
    assert curl.returncode == 0


def test_an_error_half_way_breaks_the_answer_off(server, name):
    node(server, name, PAGE)
    answer = URL(server, name, InvokeMode="RESPONSE_STREAM").open(target="/?fail=1")
    with pytest.raises(http.client.IncompleteRead) as caught:
        answer.read()
    assert caught.value.partial == b"data: first\n\n"


def test_a_streaming_function_behind_a_url_that_does_not_stream(server, name):
    node(server, name, PAGE)
    status, answer, body = URL(server, name).ask()
    assert (status, body) == (201, b"data: first\n\ndata: second\n\n")
    assert answer.getheader("X-Own") == "yes" and answer.headers.get_all("Set-Cookie") == ["a=1", "b=2"]
    assert server.invoke(name).raw.startswith(b'{"statusCode":201,'), "Invoke shows the prelude as it is"
    assert collect(stream(server, name))[0].count(b"\0" * 8) == 1


def test_a_function_that_does_not_stream_behind_a_url_that_does(server, name):
    server.create(name, SAYS)
    url = URL(server, name, InvokeMode="RESPONSE_STREAM")
    status, _, body = url.says({"statusCode": 418, "body": "x"})
    assert status == 200 and json.loads(body) == {"statusCode": 418, "body": "x"}, "nothing is inferred"
    assert url.ask(target="/fail")[0] == 502


@pytest.mark.parametrize("prelude, status", [
    (b"{}", 200), (b'{"statusCode":404,"multiValueHeaders":{"x-m":["1","2"]}}', 404), (b"[]", 502), (b"{", 502),
    (b'{"statusCode":"x"}', 502), (b'{"headers":{"a b":"c"}}', 502)])
def test_preludes_in_single_bytes(server, name, prelude, status):
    create_runtime(server, name, STREAM + f"""
while True:
    identifier, _, event = take()
    stream = Stream(identifier, 'application/vnd.awslambda.http-integration-response')
    for byte in {prelude!r} + bytes(8) + b'body': stream.write(bytes([byte]))
    stream.end()
""")
    for mode in ("BUFFERED", "RESPONSE_STREAM"):
        url = URL(server, name, InvokeMode=mode)
        answer = url.ask()
        assert answer[0] == status and answer[2] == (b"Internal Server Error" if status == 502 else b"body"), mode
        if status == 404:
            assert answer[1].headers.get_all("x-m") == ["1", "2"]
        server.client.delete_function_url_config(FunctionName=name)


def test_a_prelude_without_end(server, name):
    create_runtime(server, name, STREAM + """
while True:
    identifier, _, event = take()
    stream = Stream(identifier, 'application/vnd.awslambda.http-integration-response')
    for _ in range(40): stream.write(b'x' * 65536)
    stream.end()
""")
    assert URL(server, name, InvokeMode="RESPONSE_STREAM").ask()[0] == 502


def test_urls_outlive_the_server(own_server):
    first = own_server()
    first.create("f", ECHO)
    url = URL(first, "f")
    first.stop()
    second = own_server(state=first.state)
    url.server = second
    assert url.event()["rawPath"] == "/"
    assert error_of(second.client.create_function_url_config, FunctionName="f", AuthType="NONE")[0] == 409
