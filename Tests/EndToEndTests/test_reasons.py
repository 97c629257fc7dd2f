# Why was I throttled, why was it cold? Told by metrics, traces and `martlet explain`.
import concurrent.futures
import json
import os
import subprocess
import urllib.error
import urllib.request

import pytest

from conftest import Server, program, running_programs, wait_until
from test_iam import client_of
from test_metrics import statistic
from test_reserved_concurrency import admitted
from test_tracing import header_of, invoke_with, new_root, segments, of

CODE = """
import os, time
def handler(event, context):
    time.sleep((event or {}).get("sleep", 0))
    if (event or {}).get("exit"): os._exit(3)
    return context.log_stream_name
"""


@pytest.fixture(scope="module")
def own():
    server = Server()
    yield server
    assert server.stop() == 0


def martlet(server, *arguments):
    done = subprocess.run([program(), *arguments], capture_output=True, text=True, timeout=60,
                          env={**os.environ, "MARTLET_ENDPOINT": server.endpoint})
    assert done.returncode == 0, done.stderr
    return done.stdout


def reasons(server, name, kind="cold_start"):
    """Reasons with their counts, as Prometheus gets them."""
    with urllib.request.urlopen(f"{server.endpoint}/_martlet/metrics") as answer:
        lines = answer.read().decode().splitlines()
    found = {}
    for line in lines:
        if line.startswith(f"martlet_function_{kind}_reasons_total{{") and f'function="{name}"' in line:
            found[line.split('reason="')[1].split('"')[0]] = int(float(line.split()[-1]))
    return found


def together(server, name, count):
    """So many invocations at once, each in an environment of its own."""
    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        found = [answer.succeeded() for answer in pool.map(lambda _: server.invoke(name, {"sleep": 0.7}), range(count))]
    assert len(set(found)) == count


def test_cold_starts_have_reasons(own, name):
    own.create(name, CODE, Timeout=1)
    own.invoke(name).succeeded()
    own.invoke(name).succeeded()
    assert reasons(own, name) == {"NewCode": 1}
    together(own, name, 3)
    assert reasons(own, name) == {"NewCode": 1, "AllBusy": 2}
    own.client.update_function_configuration(FunctionName=name, MemorySize=256)
    own.client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.02, "MaxAttempts": 3000})
    assert own.invoke(name, {"sleep": 5}).error
    assert reasons(own, name) == {"NewCode": 2, "AllBusy": 2}
    assert own.invoke(name, {"exit": True}).error
    own.invoke(name).succeeded()
    own.invoke(name).succeeded()
    assert reasons(own, name) == {"NewCode": 2, "AllBusy": 2, "TimedOut": 1, "Exited": 1}
    version = own.client.publish_version(FunctionName=name)["Version"]
    own.client.get_waiter("published_version_active").wait(FunctionName=name, Qualifier=version, WaiterConfig={"Delay": 0.02, "MaxAttempts": 3000})
    own.invoke(name, Qualifier=version).succeeded()
    assert reasons(own, name)["NewVersion"] == 1
    cloudwatch = client_of(own, "cloudwatch")
    wait_until(lambda: statistic(own, cloudwatch, "ColdStarts", namespace="Martlet/Lambda", FunctionName=name, Reason="AllBusy") == 2, 10, "the metric")
    shown = martlet(own, "explain", name)
    assert "Cold starts: 7 times since the server was started: 2 AllBusy, 2 NewCode, 1 Exited, 1 NewVersion, 1 TimedOut" in shown
    assert "cold start, because of TimedOut: the invocation before ran into the function's time-out." in shown
    assert shown.startswith("Nothing that this server knows of is in the way.")


def test_an_initialisation_that_fails_is_repeated(own, name):
    own.create(name, "import os, pathlib\nmark = pathlib.Path('/tmp/mark')\nfirst = not mark.exists()\nmark.touch()\n"
                     "if first: os._exit(1)\ndef handler(event, context): return 1\n")
    own.invoke(name).succeeded()
    assert reasons(own, name) == {"NewCode": 1, "InitFailed": 1}


def test_provisioned_concurrency_and_what_spills_over(own, name):
    own.create(name, CODE, Timeout=10)
    version = own.client.publish_version(FunctionName=name)["Version"]
    own.client.put_provisioned_concurrency_config(FunctionName=name, Qualifier=version, ProvisionedConcurrentExecutions=1)

    def status():
        return own.client.get_provisioned_concurrency_config(FunctionName=name, Qualifier=version)["Status"]
    wait_until(lambda: status() == "READY", 20, "the provisioned environment")
    assert reasons(own, name) == {"ProvisionedConcurrency": 1}
    # One that dies is replaced.
    own.invoke(name, {"exit": True}, Qualifier=version)
    wait_until(lambda: reasons(own, name) == {"ProvisionedConcurrency": 2}, 20, "another one")
    wait_until(lambda: status() == "READY", 20, "the level")
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: own.invoke(name, {"sleep": 0.7}, Qualifier=version).succeeded(), range(2)))
    assert reasons(own, name) == {"ProvisionedConcurrency": 2, "ProvisionedConcurrencySpillover": 1}
    cloudwatch = client_of(own, "cloudwatch")
    wait_until(lambda: statistic(own, cloudwatch, "ProvisionedConcurrencySpilloverInvocations", FunctionName=name) >= 1, 10, "the metric")


def test_idle_environments_and_restarts(own_server, name):
    first = own_server("--idle-timeout", "1")
    first.create(name, CODE)
    first.invoke(name).succeeded()
    wait_until(lambda: not running_programs(first), 15, "the end of the idle environment")
    first.invoke(name).succeeded()
    assert reasons(first, name) == {"NewCode": 1, "Expired": 1}
    assert first.stop() == 0
    second = own_server(state=first.state)
    second.invoke(name).succeeded()
    assert reasons(second, name) == {"ServerStart": 1}
    second.client.update_function_configuration(FunctionName=name, MemorySize=256)
    second.client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.02, "MaxAttempts": 3000})
    second.invoke(name).succeeded()
    assert reasons(second, name) == {"ServerStart": 1, "NewCode": 1}


def test_tenants(own, name):
    own.create(name, CODE, TenancyConfig={"TenantIsolationMode": "PER_TENANT"})
    for tenant in ("a", "b", "a"):
        own.invoke(name, TenantId=tenant).succeeded()
    assert reasons(own, name) == {"NewTenant": 2}


def test_throttles_have_reasons(own_server, name):
    server = own_server("--concurrency", "1")
    server.create(name, CODE, Timeout=30)
    other = f"{name}-other"
    server.create(other, CODE)

    def refused(function):
        try:
            server.client.invoke(FunctionName=function)
            return None
        except server.client.exceptions.TooManyRequestsException as error:
            return error.response["Reason"]
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        running = pool.submit(admitted, server, name, {"sleep": 2})
        found = wait_until(lambda: refused(other), 5, "the one unit to be taken")
        assert found == "ConcurrentInvocationLimitExceeded"
        running.result()
    server.client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    assert refused(name) == "ReservedFunctionConcurrentInvocationLimitExceeded"
    throttled = reasons(server, other, "throttle")
    assert set(throttled) == {"AccountConcurrency"}
    assert reasons(server, name, "throttle")["ReservedConcurrencyZero"] == 1
    shown = martlet(server, "explain", "function", other)
    assert f"! It was refused with 429 {throttled['AccountConcurrency']} times since the server was started" in shown
    assert "429, because all concurrency of the account that is not set aside was in use (AccountConcurrency)." in shown
    found = json.loads(martlet(server, "explain", name, "--output", "json"))
    assert found["verdict"] == "The function's reserved concurrency is 0: nothing can be invoked."
    cloudwatch = client_of(server, "cloudwatch")
    wait_until(lambda: statistic(server, cloudwatch, "Throttles", namespace="Martlet/Lambda", FunctionName=name, Reason="ReservedConcurrencyZero") == 1, 10, "the metric")
    # As on AWS, next to it.
    assert statistic(server, cloudwatch, "Throttles", FunctionName=name) >= 1


def test_traces_tell_them(own, name):
    own.create(name, CODE, TracingConfig={"Mode": "Active"})
    xray = client_of(own, "xray")
    cold, warm, refused = new_root(), new_root(), new_root()
    invoke_with(own, name, header_of(cold))
    invoke_with(own, name, header_of(warm))
    own.client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    with pytest.raises(urllib.error.HTTPError):
        invoke_with(own, name, header_of(refused))
    assert of(segments(xray, cold, 2), "AWS::Lambda::Function")["annotations"] == {"cold_start_reason": "NewCode"}
    assert "annotations" not in of(segments(xray, warm, 2), "AWS::Lambda::Function")
    assert segments(xray, refused, 1)[0]["annotations"] == {"throttle_reason": "ReservedConcurrencyZero"}
    assert "cold start: NewCode" in martlet(own, "trace", cold)
    assert "429 throttle error ReservedConcurrencyZero" in martlet(own, "trace", refused)
    listed = martlet(own, "trace", "--filter", 'annotation.throttle_reason = "ReservedConcurrencyZero"')
    assert refused in listed and cold not in listed
