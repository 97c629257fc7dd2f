# Invoke: answers, logs, contexts, limits.
import base64
import json
import re
import urllib.request

import pytest

from conftest import error_of, package


def test_answer_log_and_headers(server, name):
    server.create(name, "def handler(event, context):\n    print('seen', event['a'])\n    return {'got': event}\n")
    answer = server.invoke(name, {"a": "ü"})
    assert answer.succeeded() == {"got": {"a": "ü"}}
    identifier = answer.request_id
    lines = answer.log.splitlines()
    assert lines[0] == f"START RequestId: {identifier} Version: $LATEST"
    assert lines[1] == "seen ü" and lines[2] == f"END RequestId: {identifier}"
    report = (r"REPORT RequestId: \S+\tDuration: \d+\.\d\d ms\tBilled Duration: \d+ ms\tMemory Size: 128 MB\t"
              r"Max Memory Used: \d+ MB\t")
    assert re.fullmatch(report + r"Init Duration: \d+\.\d\d ms\t", lines[3])
    assert answer.headers["x-amz-executed-version"] == "$LATEST"
    assert answer.headers["x-amzn-remapped-content-length"] == "0" and answer.headers["x-amzn-trace-id"].startswith("Root=1-")
    warm = server.invoke(name, {"a": 1})
    assert re.fullmatch(report, warm.log.splitlines()[3]), "a warm invocation has no Init Duration"


def test_log_result_is_the_last_four_kilobytes(server, name):
    server.create(name, "def handler(event, context):\n    for i in range(2000): print('line', i)\n", Timeout=10)
    answer = server.invoke(name)
    assert len(answer.log) == 4096 and "line 1999" in answer.log and "REPORT" in answer.log
    assert "LogResult" not in server.client.invoke(FunctionName=name)


def test_client_context(server, name):
    server.create(name, "def handler(e, c):\n    return [c.client_context.custom, c.client_context.env]\n")
    context = base64.b64encode(json.dumps({"custom": {"a": "b"}, "env": {"x": "y"}}).encode()).decode()
    assert server.invoke(name, ClientContext=context).succeeded() == [{"a": "b"}, {"x": "y"}]
    assert error_of(server.client.invoke, FunctionName=name, ClientContext="%%%")[0] == 400


def test_dry_run(server, name):
    server.create(name, "def handler(e, c):\n    raise SystemExit\n")
    response = server.client.invoke(FunctionName=name, InvocationType="DryRun")
    assert response["StatusCode"] == 204 and response["Payload"].read() == b""


def test_payload_must_be_json(server, name):
    server.create(name, "def handler(e, c):\n    return e\n")
    status, code, text = error_of(server.client.invoke, FunctionName=name, Payload=b"{'a'}")
    assert (status, code) == (400, "InvalidRequestContentException")
    assert text.startswith("Could not parse request body into json: Could not parse payload into json: Unexpected character")
    assert error_of(server.client.invoke, FunctionName=name + "x", Payload=b"oops")[0] == 404
    assert server.invoke(name, b"").succeeded() == {}
    for value in (b"null", b"1.5", b'"x"', b"[1]", b"true"):
        assert server.invoke(name, value).json == json.loads(value)


def test_six_mebibytes_in_and_out(server, name):
    server.create(name, "def handler(e, c):\n    return e\n", Timeout=30, MemorySize=1769)
    event = json.dumps("x" * (6 * 1024 * 1024 - 2)).encode()
    assert server.invoke(name, event).raw == event
    status, code, text = error_of(server.client.invoke, FunctionName=name, Payload=event + b" ")
    assert (status, code) == (413, "RequestTooLargeException")
    assert text == "Request must be smaller than 6291456 bytes for the InvokeFunction operation"


def test_big_bodies_use_memory_again(own_server, name):
    """Blocks of their size come from the kernel page by page, thousands of page faults for each body, unless they are kept."""
    server = own_server("--threads", "1")
    server.create(name, "def handler(event, context): return event", MemorySize=3008)

    def faults():
        with open(f"/proc/{server.process.pid}/stat") as stat:
            return int(stat.read().rpartition(")")[2].split()[7])
    for mebibytes, count in ((1, 30), (5, 10)):  # What is freed first decides what the allocator believes to be usual.
        for _ in range(count):
            assert len(server.invoke(name, "x" * ((mebibytes << 20) - 2)).raw) == mebibytes << 20
    before = faults()
    for _ in range(10):
        server.invoke(name, "x" * ((5 << 20) - 2))
    assert faults() - before < 10 * 500


def test_a_response_that_is_too_large(server, name):
    server.create(name, "def handler(e, c):\n    return 'x' * e\n", Timeout=30, MemorySize=1769)
    answer = server.invoke(name, 7 * 1024 * 1024)
    assert answer.error == "Unhandled" and answer.json == {
        "errorMessage": "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
        "errorType": "Function.ResponseSizeTooLarge"}
    assert server.invoke(name, 3).succeeded() == "xxx", "the environment goes on"


def test_any_credentials_and_none(server, name):
    server.create(name, "def handler(e, c):\n    return 1\n")
    url = f"{server.endpoint}/2015-03-31/functions/{name}/invocations"
    assert urllib.request.urlopen(urllib.request.Request(url, b"{}", method="POST"), timeout=10).read() == b"1"


def test_many_callers_get_an_environment_each_and_warm_ones_are_used_again(server, name):
    import concurrent.futures
    code = ("import time\nbusy = 0\nused = 0\n"
            "def handler(e, c):\n"
            "    global busy, used\n    busy += 1\n    used += 1\n    alone = busy == 1\n"
            "    time.sleep(e)\n    busy -= 1\n    return [c.log_stream_name, alone, used]\n")
    server.create(name, code, Timeout=20)
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        first = list(pool.map(lambda _: server.invoke(name, 0.7).succeeded(), range(12)))
        again = list(pool.map(lambda _: server.invoke(name, 0.2).succeeded(), range(12)))
    assert len({stream for stream, _, _ in first}) == 12, "as many environments as calls at once"
    assert {stream for stream, _, _ in again} <= {stream for stream, _, _ in first}, "warm ones are used again"
    assert all(alone for _, alone, _ in first + again), "never two at once in one environment"
