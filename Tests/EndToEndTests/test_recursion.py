# A function that calls itself by the platform's own API is stopped; trace headers go in and out.
import re

import pytest

from conftest import error_of
from test_sts import boto_files  # noqa: F401

ROOT = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
PARENT = "53995c3f42cd8ad8"

# Passes the trace on as the SDKs do; without one it starts fast.
LOOP = """
import http.client, json, os
HEADERS = {'Authorization': 'AWS4-HMAC-SHA256 Credential=%s/20260101/%s/lambda/aws4_request, SignedHeaders=host, Signature=0' % (
    os.environ['AWS_ACCESS_KEY_ID'], os.environ['AWS_REGION']), 'X-Amz-Security-Token': os.environ['AWS_SESSION_TOKEN']}
def handler(event, context):
    trace = os.environ['_X_AMZN_TRACE_ID']
    if event['left'] == 0: return [trace]
    call = http.client.HTTPConnection(os.environ['AWS_ENDPOINT_URL'][7:])
    event = {'left': event['left'] - 1, 'next': context.function_name, 'name': event.get('next', context.function_name)}
    call.request('POST', '/2015-03-31/functions/%s/invocations' % event['name'], json.dumps(event), HEADERS | {'X-Amzn-Trace-Id': trace})
    answer = call.getresponse()
    told = json.loads(answer.read())
    return [trace] + told if answer.status == 200 else [trace, answer.status, answer.headers['x-amzn-ErrorType'], told['Type'], told['Message']]
"""

# The stock SDK does it by itself, because _X_AMZN_TRACE_ID and AWS_LAMBDA_FUNCTION_NAME are there.
BOTO = """
import json, os, boto3
client = boto3.client('lambda')
def handler(event, context):
    trace = os.environ['_X_AMZN_TRACE_ID']
    if event['left'] == 0: return [trace]
    try:
        answer = client.invoke(FunctionName=context.function_name, Payload=json.dumps({'left': event['left'] - 1}))
        return [trace] + json.load(answer['Payload'])
    except client.exceptions.RecursiveInvocationException as e:
        return [trace, 'stopped']
"""


@pytest.fixture
def loop(server, name):
    server.create(name, LOOP, Timeout=60, MemorySize=1769)
    return name


def test_the_sdk_passes_the_trace_on(server, name, boto_files):
    """Three invocations of a chain that has been through the function thirteen times already, and no more."""
    runtime, files = boto_files
    server.create(name, files | {"app.py": BOTO}, runtime=runtime, Timeout=60, MemorySize=1769)
    own = re.search("Lineage=1:(.*):0", server.invoke(name, {"left": 0}).succeeded()[0]).group(1)
    client = tracing(server, f"{ROOT};Lineage=1:{own}:12")
    told = server.invoke(name, {"left": 9}, client=client).succeeded()
    assert [unparented(header) for header in told[:-1]] == [f"{unparented(ROOT)};Lineage=1:{own}:{n}" for n in (13, 14, 15)]
    assert told[-1] == "stopped" and len({re.search("Parent=([^;]+)", header).group(1) for header in told[:-1]} - {PARENT}) == 3


def unparented(header):
    """Every traced invocation is the parent of what it calls."""
    return re.sub(";Parent=[0-9a-f]{16}", "", header)


def tracing(server, header):
    client = server.make_client()
    client.meta.events.register("before-sign.lambda.Invoke", lambda request, **_: request.headers.add_header("X-Amzn-Trace-Id", header))
    return client


def test_a_function_that_calls_itself_is_stopped(server, loop):
    told = server.invoke(loop, {"left": 40}).succeeded()
    assert told[-4:] == [400, "RecursiveInvocationException", "User",
                         "Lambda has detected your function being invoked in a recursive loop with other Amazon Web Services resources "
                         "and stopped your function's invocation."]
    traces = told[:-4]
    assert len(traces) == 16, "sixteen invocations in one chain, and not one more"
    assert len({trace.split(";")[0] for trace in traces}) == 1, "all of one trace"
    lineages = [re.fullmatch(r"Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0;Lineage=1:([0-9a-f]{8}):(\d+)", t).groups() for t in traces]
    assert len({name for name, _ in lineages}) == 1 and [int(n) for _, n in lineages] == list(range(16))


def test_short_chains_are_nobody_s_business(server, loop):
    assert len(server.invoke(loop, {"left": 9}).succeeded()) == 10
    assert len(server.invoke(loop, {"left": 9}).succeeded()) == 10, "each call from outside begins a chain"


def test_a_loop_that_is_allowed(server, loop):
    server.client.put_function_recursion_config(FunctionName=loop, RecursiveLoop="Allow")
    assert len(server.invoke(loop, {"left": 20}).succeeded()) == 21
    server.client.put_function_recursion_config(FunctionName=loop, RecursiveLoop="Terminate")
    assert server.invoke(loop, {"left": 20}).succeeded()[-4] == 400


def test_two_functions_that_call_each_other(server, loop):
    other = loop + "-other"
    server.create(other, LOOP, Timeout=60, MemorySize=1769)
    told = server.invoke(loop, {"left": 60, "next": other}).succeeded()
    assert told[-4] == 400 and len(told) - 4 == 32, "sixteen times each"
    assert told[-5].count("|") == 1


def test_trace_headers_go_in_and_out(server, name):
    server.create(name, "import os\ndef handler(event, context):\n    return os.environ['_X_AMZN_TRACE_ID']\n")

    def traced(header):
        answer = server.invoke(name, client=tracing(server, header) if header else None)
        assert answer.succeeded() == answer.headers["x-amzn-trace-id"], "the caller is told what the function sees"
        return answer.json
    assert re.fullmatch(r"Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0;Lineage=1:[0-9a-f]{8}:0", traced(None))
    assert re.fullmatch(re.escape(unparented(ROOT)) + ";Lineage=1:[0-9a-f]{8}:0", unparented(traced(ROOT)))
    assert f"Parent={PARENT}" not in traced(ROOT), "its own segment is the parent of what it does"
    untraced = ROOT.replace("Sampled=1", "Sampled=0")
    assert traced(untraced).startswith(untraced + ";Lineage=")
    own = re.search("Lineage=1:(.*):0", traced(ROOT)).group(1)
    assert traced(f"{untraced};Lineage=1:{own}:7") == f"{untraced};Lineage=1:{own}:8"
    assert traced(f"{untraced};Lineage=25:0a0b0c0d:3|{own}:2") == f"{untraced};Lineage=1:0a0b0c0d:3|1:{own}:3"
    assert not traced("nonsense").startswith("nonsense")


def test_a_chain_that_comes_from_elsewhere(server, name):
    """The header alone decides, whoever sent it."""
    server.create(name, "import os\ndef handler(event, context):\n    return os.environ['_X_AMZN_TRACE_ID']\n")
    own = re.search("Lineage=1:(.*):0", server.invoke(name).succeeded()).group(1)
    assert error_of(tracing(server, f"{ROOT};Lineage=1:{own}:15").invoke, FunctionName=name)[:2] == (400, "RecursiveInvocationException")
