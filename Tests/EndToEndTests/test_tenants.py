# Functions that isolate tenants: each tenant has environments of its own, and the function knows for whom it runs.
import concurrent.futures
import json

import pytest

from conftest import error_of, wait_until, running_programs
from test_runtimes import NODES, PYTHONS

ISOLATED = {"TenancyConfig": {"TenantIsolationMode": "PER_TENANT"}}

CODE = """
import os, logging
seen = []
def handler(event, context):
    seen.append(context.tenant_id)
    logging.getLogger().warning('a line')
    with open('/tmp/tenants', 'a') as f: f.write(context.tenant_id + '\\n')
    if event: __import__('time').sleep(event)
    return {'tenant': context.tenant_id, 'seen': sorted(set(seen)), 'runs': len(seen), 'tmp': sorted(set(open('/tmp/tenants').read().split('\\n')) - {''}),
            'stream': context.log_stream_name}
"""


@pytest.fixture(scope="module")
def isolated(server):
    server.create("isolated", CODE, MemorySize=512, Timeout=10, LoggingConfig={"LogFormat": "JSON"}, **ISOLATED)
    return lambda tenant, event=None: server.invoke("isolated", event or 0, TenantId=tenant)


def test_tenants_never_share_an_environment(isolated):
    for _ in range(3):
        for tenant in ("blue", "green", "a/b:c=d+e-f@g h.i_j", "x" * 256):
            answer = isolated(tenant).succeeded()
            assert answer["tenant"] == tenant and answer["seen"] == [tenant] and answer["tmp"] == [tenant]
    assert isolated("blue").succeeded()["runs"] == 4, "and a tenant's own environment is used again"


def test_tenants_at_the_same_time(isolated):
    tenants = [f"t{i % 4}" for i in range(24)]
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda t: isolated(t, 0.05).succeeded(), tenants))
    assert [a["tenant"] for a in answers] == tenants and all(a["seen"] == [a["tenant"]] == a["tmp"] for a in answers)
    streams = {}
    for answer in answers:
        streams.setdefault(answer["stream"], set()).add(answer["tenant"])
    assert all(len(tenants) == 1 for tenants in streams.values())


def test_log_lines_name_the_tenant(isolated):
    lines = [json.loads(line) for line in isolated("blue").log.splitlines() if line.startswith('{"')]
    assert [line["tenantId"] for line in lines if line.get("message") == "a line"] == ["blue"]
    told = {line["type"]: line["record"].get("tenantId") for line in lines if "record" in line}
    assert told["platform.start"] == told["platform.report"] == "blue"


def test_a_tenant_is_needed_there_and_nowhere_else(server, isolated, name):
    server.create(name, "def handler(event, context):\n    return context.tenant_id\n")
    assert server.invoke(name).succeeded() is None
    missing = (400, "InvalidParameterValueException",
               "The invoked function is enabled with tenancy configuration. Add a valid tenant ID in your request and try again.")
    superfluous = (400, "InvalidParameterValueException",
                   "The invoked function is not enabled with tenancy configuration. Remove the tenant ID from your request and try again.")
    assert error_of(server.client.invoke, FunctionName="isolated") == missing
    assert error_of(server.client.invoke, FunctionName="isolated", InvocationType="DryRun") == missing
    assert error_of(server.client.invoke, FunctionName=name, TenantId="blue") == superfluous
    assert server.client.invoke(FunctionName="isolated", TenantId="blue", InvocationType="DryRun")["StatusCode"] == 204
    status, code, text = error_of(server.client.invoke, FunctionName="isolated", TenantId="no?")
    assert (status, code) == (400, "ValidationException") and "'tenantId'" in text


def test_the_setting_stays(server, isolated):
    assert server.client.get_function_configuration(FunctionName="isolated")["TenancyConfig"] == {"TenantIsolationMode": "PER_TENANT"}
    version = server.client.publish_version(FunctionName="isolated")["Version"]
    assert server.invoke("isolated", 0, TenantId="blue", Qualifier=version).succeeded()["runs"] == 1, "a version has environments of its own"


@pytest.mark.parametrize("call", ["provisioned", "url", "snapstart"])
def test_what_cannot_know_a_tenant_is_refused(server, isolated, name, call):
    if call == "provisioned":
        version = server.client.publish_version(FunctionName="isolated")["Version"]
        refusal = error_of(server.client.put_provisioned_concurrency_config, FunctionName="isolated", Qualifier=version, ProvisionedConcurrentExecutions=1)
    elif call == "url":
        refusal = error_of(server.client.create_function_url_config, FunctionName="isolated", AuthType="NONE")
    else:
        from conftest import ROLE, package
        refusal = error_of(server.client.create_function, FunctionName=name, Runtime="python3.12", Handler="a.b", Role=ROLE,
                           Code={"ZipFile": package({"a.py": ""})}, SnapStart={"ApplyOn": "PublishedVersions"}, **ISOLATED)
    assert refusal[:2] == (400, "InvalidParameterValueException") and "tenan" in refusal[2]


@pytest.mark.parametrize("runtime", NODES[:1])
def test_node_functions_know_their_tenant(server, name, runtime):
    server.create(name, "export const handler = async (event, context) => context.tenantId\n", runtime=runtime, MemorySize=512, **ISOLATED)
    assert server.invoke(name, TenantId="blue").succeeded() == "blue"


@pytest.mark.parametrize("runtime", NODES[:1])
def test_streams_have_tenants_too(server, name, runtime):
    server.create(name, "export const handler = awslambda.streamifyResponse(async (event, stream, context) => { stream.write(context.tenantId); stream.end() })\n",
                  runtime=runtime, MemorySize=512, **ISOLATED)
    for tenant in ("blue", "green"):
        events = server.client.invoke_with_response_stream(FunctionName=name, TenantId=tenant)["EventStream"]
        assert b"".join(e["PayloadChunk"]["Payload"] for e in events if "PayloadChunk" in e).decode() == tenant
    assert error_of(server.client.invoke_with_response_stream, FunctionName=name)[:2] == (400, "InvalidParameterValueException")


def test_environments_of_tenants_go_when_they_are_idle(own_server):
    server = own_server("--idle-timeout", "1")
    server.create("f", "def handler(event, context):\n    return context.tenant_id\n", **ISOLATED)
    for i in range(6):
        assert server.invoke("f", TenantId=f"t{i}").succeeded() == f"t{i}"
    assert len(running_programs(server)) > 1
    wait_until(lambda: not running_programs(server), 15, "the end of all of them")
    assert server.invoke("f", TenantId="t0").succeeded() == "t0"
