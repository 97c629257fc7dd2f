# Scaling as on AWS: how fast a function may grow, how often it may be invoked, and what stays as it is provisioned.
import collections
import concurrent.futures
import json
import subprocess
import time
import urllib.request

from asynchronous import Events
from conftest import program, wait_until
from test_iam import client_of
from test_reasons import reasons

CODE = """
import os, time
def handler(event, context):
    time.sleep((event or {}).get("sleep", 0))
    if (event or {}).get("exit"): os._exit(3)
    return context.log_stream_name
"""


def outcome(server, name, event=None, **settings):
    try:
        answer = server.invoke(name, event, **settings)
        return answer.error or "ok"
    except server.client.exceptions.TooManyRequestsException as error:
        assert error.response["Error"]["Message"] == "Rate Exceeded."
        return error.response["Reason"]


def together(server, name, count, event):
    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        return collections.Counter(pool.map(lambda _: outcome(server, name, event), range(count)))


def test_a_function_grows_only_so_fast(own_server, name):
    server = own_server("--scaling-rate", "2")
    server.create(name, CODE, Timeout=20)
    server.create(f"{name}-other", CODE, Timeout=20)
    found = together(server, name, 6, {"sleep": 1.5})
    assert set(found) == {"ok", "FunctionInvocationRateLimitExceeded"} and 2 <= found["ok"] <= 4
    assert reasons(server, name, "throttle") == {"ScalingRate": found["FunctionInvocationRateLimitExceeded"]}
    # What there is can be used, and other functions have a rate of their own.
    assert outcome(server, name) == "ok"
    assert outcome(server, f"{name}-other") == "ok"
    # Provisioned concurrency does not count.
    version = server.client.publish_version(FunctionName=name)["Version"]
    server.client.put_provisioned_concurrency_config(FunctionName=name, Qualifier=version, ProvisionedConcurrentExecutions=5)
    wait_until(lambda: server.client.get_provisioned_concurrency_config(FunctionName=name, Qualifier=version)["Status"] == "READY", 20, "five environments")


def test_events_wait_until_the_function_may_grow(own_server, name):
    server = own_server("--scaling-rate", "1")
    events = Events(server)
    events.create(name)
    for number in range(4):
        events.send(name, {"number": number, "sleep": 0.3})
    wait_until(lambda: reasons(server, name, "throttle"), 10, "an event that is refused")
    events.settle()
    for _ in range(8):
        events.advance("5m")
    assert len(events.runs(name)) == 4
    assert set(reasons(server, name, "throttle")) == {"ScalingRate"}


def test_requests_have_a_rate_where_that_is_asked_for(own_server, name):
    server = own_server("--request-rate", "1")
    server.create(name, CODE)
    server.client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
    assert outcome(server, name) == "ok"
    began, served = time.monotonic(), 0
    while (found := outcome(server, name)) == "ok":
        served += 1
        assert time.monotonic() < began + 20, f"{served} were served"
    assert found == "ReservedFunctionInvocationRateLimitExceeded"
    assert served <= 1 + (time.monotonic() - began) + 1
    assert reasons(server, name, "throttle") == {"ReservedRequestRate": 1}
    # It comes back by itself.
    wait_until(lambda: outcome(server, name) == "ok", 5, "room for one more")
    # Without a reservation there is one for each of a thousand.
    server.create(f"{name}-common", CODE)
    assert {outcome(server, f"{name}-common") for _ in range(30)} == {"ok"}


def page(server):
    with urllib.request.urlopen(f"{server.endpoint}/_martlet/fast-start") as answer:
        return json.load(answer)["initialisations"]


def test_initialisations_take_turns(own_server, name):
    """Many functions cold at once: each is served, also those made ahead; and who waits takes what becomes free meanwhile."""
    server = own_server("--initialisations", "1")
    names = [f"{name}-{number}" for number in range(12)]
    for one in names:
        server.create(one, CODE, Timeout=30)
    version = server.client.publish_version(FunctionName=names[0])["Version"]
    server.client.put_provisioned_concurrency_config(FunctionName=names[0], Qualifier=version, ProvisionedConcurrentExecutions=6)
    with concurrent.futures.ThreadPoolExecutor(48) as pool:
        found = list(pool.map(lambda number: outcome(server, names[number % 12]), range(48)))
    assert found == ["ok"] * 48
    wait_until(lambda: server.client.get_provisioned_concurrency_config(FunctionName=names[0], Qualifier=version)["Status"] == "READY", 20, "six environments")
    assert page(server)["running"] == page(server)["waiting"] == 0
    assert page(server)["delayed"] > 0
    figures = urllib.request.urlopen(f"{server.endpoint}/_martlet/metrics").read().decode()
    assert 'martlet_initialisations{state="waiting"} 0' in figures and "martlet_initialisations_delayed_total" in figures


def test_who_initialises_for_long_keeps_nobody_waiting(own_server, name):
    """What a function does when it starts may need another function to start."""
    server = own_server("--initialisations", "1")
    server.create(name, CODE)
    server.create(f"{name}-outer", f"""
import boto3, os
answer = boto3.client("lambda", endpoint_url=os.environ["AWS_ENDPOINT_URL"]).invoke(FunctionName="{name}")["StatusCode"]
def handler(event, context):
    return answer
""", Timeout=30)
    assert server.invoke(f"{name}-outer").json == 200


def test_turns_are_given_back_by_those_who_fail(own_server, name):
    server = own_server("--initialisations", "1")
    server.create(name, "import os\nos._exit(1)\n")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: outcome(server, name), range(8)))
    assert found == ["Unhandled"] * 8
    assert page(server)["running"] == page(server)["waiting"] == 0


def test_limits_that_are_none(own_server):
    refused = subprocess.run([program(), "serve", "--request-rate=-1"], capture_output=True, text=True, timeout=20)
    assert refused.returncode != 0 and "--request-rate (MARTLET_REQUEST_RATE): a number from 0 to 1000000" in refused.stderr
    helped = subprocess.run([program(), "serve", "--help"], capture_output=True, text=True, timeout=20).stdout
    assert "--scaling-rate" in helped and "--request-rate" in helped and "--initialisations" in helped


def test_what_is_provisioned_is_kept_though_a_start_fails(own_server, name):
    """One of the environments dies, and the next ones cannot initialise at first."""
    server = own_server()
    s3 = client_of(server, "s3")
    s3.create_bucket(Bucket=name)
    server.create(name, """
import os, urllib.error, urllib.request
try:
    urllib.request.urlopen(f"{os.environ['AWS_ENDPOINT_URL']}/{os.environ['BUCKET']}/broken")
    os._exit(1)
except urllib.error.HTTPError:
    pass
def handler(event, context):
    if event.get("exit"): os._exit(3)
    return os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"]
""", Timeout=20, MemorySize=512, Environment={"Variables": {"BUCKET": name}})
    version = server.client.publish_version(FunctionName=name)["Version"]
    server.client.put_provisioned_concurrency_config(FunctionName=name, Qualifier=version, ProvisionedConcurrentExecutions=2)

    def level():
        found = server.client.get_provisioned_concurrency_config(FunctionName=name, Qualifier=version)
        return found["Status"], found["AvailableProvisionedConcurrentExecutions"]
    wait_until(lambda: level() == ("READY", 2), 20, "the level")
    s3.put_object(Bucket=name, Key="broken", Body=b"")
    assert server.invoke(name, {"exit": True}, Qualifier=version).error
    wait_until(lambda: level() == ("FAILED", 1), 20, "a start that fails")
    assert server.invoke(name, Qualifier=version).succeeded() == "provisioned-concurrency"
    s3.delete_object(Bucket=name, Key="broken")
    wait_until(lambda: level() == ("READY", 2), 60, "the level, again")
