# Every paginator and every waiter that boto3 has for Lambda, and the same lists with the aws command.
import json
import os
import subprocess
import sys

import botocore.exceptions
import pytest

from conftest import make_queue, package

CODE = package({"app.py": "def handler(event, context):\n    return 1\n"})
WAIT = {"Delay": 0.02, "MaxAttempts": 3000}


@pytest.fixture(scope="module")
def account(server):
    """An account of its own, so that its lists hold what these tests made."""
    number = "300000000001"
    return number, server.make_client(key=number)


def make(client, operation, **arguments):
    try:
        return getattr(client, operation)(**arguments)
    except botocore.exceptions.ClientError as error:
        if error.response["Error"]["Code"] == "NotImplementedException":
            pytest.skip(f"{operation} is not built")
        raise


def function(client, number, name, **settings):
    role = f"arn:aws:iam::{number}:role/r"
    try:
        client.get_function(FunctionName=name)
    except client.exceptions.ResourceNotFoundException:
        client.create_function(
            FunctionName=name, Runtime="python3.11", Handler="app.handler", Role=role, Code={"ZipFile": CODE}, **settings)
        client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig=WAIT)
    return name


def versions(client, number, name, count):
    function(client, number, name)
    for i in range(count):
        client.update_function_configuration(FunctionName=name, Description=str(i))
        client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig=WAIT)
        client.publish_version(FunctionName=name)
    return name


def functions(client, number):
    names = [function(client, number, f"page-{i}") for i in range(5)]
    return {}, "FunctionName", names


def function_versions(client, number):
    name = versions(client, number, "page-versions", 4)
    return {"FunctionName": name}, "Version", ["$LATEST", "1", "2", "3", "4"]


def aliases(client, number):
    name = versions(client, number, "page-aliases", 1)
    names = [make(client, "create_alias", FunctionName=name, Name=f"a{i}", FunctionVersion="1")["Name"] for i in range(5)]
    return {"FunctionName": name}, "Name", names


def layers(client, number):
    names = [f"page-layer-{i}" for i in range(5)]
    for name in names:
        make(client, "publish_layer_version", LayerName=name, Content={"ZipFile": CODE})
    return {}, "LayerName", names


def layer_versions(client, number):
    for _ in range(5):
        make(client, "publish_layer_version", LayerName="page-versions", Content={"ZipFile": CODE})
    return {"LayerName": "page-versions"}, "Version", [5, 4, 3, 2, 1]


def provisioned(client, number):
    name = versions(client, number, "page-provisioned", 3)
    for version in ("1", "2", "3"):
        make(client, "put_provisioned_concurrency_config", FunctionName=name, Qualifier=version,
             ProvisionedConcurrentExecutions=1)
    arns = [f"arn:aws:lambda:us-east-1:{number}:function:{name}:{version}" for version in ("1", "2", "3")]
    return {"FunctionName": name}, "FunctionArn", arns


def event_invoke_configs(client, number):
    name = versions(client, number, "page-events", 3)
    for version in ("$LATEST", "1", "2"):
        make(client, "put_function_event_invoke_config", FunctionName=name, Qualifier=version, MaximumRetryAttempts=1)
    arns = [f"arn:aws:lambda:us-east-1:{number}:function:{name}:{version}" for version in ("$LATEST", "1", "2")]
    return {"FunctionName": name}, "FunctionArn", arns


def urls(client, number):
    name = versions(client, number, "page-urls", 1)
    make(client, "create_function_url_config", FunctionName=name, AuthType="NONE")
    for alias in ("a", "b"):
        client.create_alias(FunctionName=name, Name=alias, FunctionVersion="1")
        client.create_function_url_config(FunctionName=name, Qualifier=alias, AuthType="NONE")
    arn = f"arn:aws:lambda:us-east-1:{number}:function:{name}"
    return {"FunctionName": name}, "FunctionArn", [arn, f"{arn}:a", f"{arn}:b"]


def mappings(client, number):
    name = function(client, number, "page-mappings")
    for i in range(5):
        make_queue(client, f"q{i}", number)
    uuids = [make(
        client, "create_event_source_mapping", FunctionName=name, Enabled=False,
        EventSourceArn=f"arn:aws:sqs:us-east-1:{number}:q{i}")["UUID"] for i in range(5)]
    return {"FunctionName": name}, "UUID", uuids


def signing_configs(client, number):
    arns = [make(client, "create_code_signing_config", AllowedPublishers={"SigningProfileVersionArns": [
        f"arn:aws:signer:us-east-1:{number}:/signing-profiles/p/012345678{i}"]})["CodeSigningConfig"][
            "CodeSigningConfigArn"] for i in range(3)]
    return {}, "CodeSigningConfigArn", arns


def signed_functions(client, number):
    config = make(client, "create_code_signing_config", AllowedPublishers={"SigningProfileVersionArns": [
        f"arn:aws:signer:us-east-1:{number}:/signing-profiles/p/0123456789"]})["CodeSigningConfig"]
    arn = {"CodeSigningConfigArn": config["CodeSigningConfigArn"]}
    names = [function(client, number, f"page-signed-{i}") for i in range(3)]
    for name in names:
        client.put_function_code_signing_config(FunctionName=name, **arn)
    return arn, None, [f"arn:aws:lambda:us-east-1:{number}:function:{name}" for name in names]


def capacity_providers(client, number):
    names = [f"page-capacity-{i}" for i in range(3)]
    for name in names:
        make(client, "create_capacity_provider", CapacityProviderName=name,
             VpcConfig={"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]},
             PermissionsConfig={"CapacityProviderOperatorRoleArn": f"arn:aws:iam::{number}:role/operator"})
    arns = [f"arn:aws:lambda:us-east-1:{number}:capacity-provider:{name}" for name in names]
    return {}, "CapacityProviderArn", arns


LISTS = {
    "list_functions": functions, "list_versions_by_function": function_versions, "list_aliases": aliases,
    "list_layers": layers, "list_layer_versions": layer_versions, "list_provisioned_concurrency_configs": provisioned,
    "list_function_event_invoke_configs": event_invoke_configs, "list_function_url_configs": urls,
    "list_event_source_mappings": mappings, "list_code_signing_configs": signing_configs,
    "list_functions_by_code_signing_config": signed_functions, "list_capacity_providers": capacity_providers,
}
# Their elements cannot be made before durable executions and managed instances are built.
EMPTY = {
    "list_function_versions_by_capacity_provider", "get_durable_execution_history", "get_durable_execution_state",
    "list_durable_executions_by_function"}
_made = {}


def made(operation, account):
    number, client = account
    if operation not in _made:
        _made[operation] = LISTS[operation](client, number)
    return _made[operation]


def test_every_paginator_has_a_test(server):
    import botocore.session
    names = botocore.session.get_session().get_paginator_model("lambda")._paginator_config
    operations = {method for method, name in server.client.meta.method_to_api_mapping.items() if name in names}
    assert operations == set(LISTS) | EMPTY


@pytest.mark.parametrize("operation", sorted(LISTS))
@pytest.mark.parametrize("size", [1, 2, 50])
def test_paginator(account, operation, size):
    arguments, member, wanted = made(operation, account)
    pages = list(account[1].get_paginator(operation).paginate(**arguments, PaginationConfig={"PageSize": size}))
    key = account[1].get_paginator(operation).result_keys[0].expression
    elements = [element for page in pages for element in page[key]]
    got = [element if member is None else element[member] for element in elements]
    assert len(got) == len(set(got)), "none comes twice"
    assert [value for value in got if value in wanted] == wanted or sorted(map(str, wanted)) == sorted(
        str(value) for value in got if value in wanted)
    assert all(len(page[key]) <= size for page in pages)
    assert all("NextMarker" in page for page in pages[:-1]) and "NextMarker" not in pages[-1]


@pytest.mark.parametrize("operation", sorted(LISTS))
def test_broken_marker(account, operation):
    arguments, _, _ = made(operation, account)
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        getattr(account[1], operation)(**arguments, Marker="no-such-marker")
    assert caught.value.response["Error"]["Code"] == "InvalidParameterValueException"


@pytest.mark.parametrize("operation", sorted(LISTS))
def test_pages_with_the_aws_command(server, account, operation):
    arguments, member, wanted = made(operation, account)
    command = operation.replace("_", "-")
    environment = {
        **os.environ, "AWS_ACCESS_KEY_ID": account[0], "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": server.endpoint, "AWS_PAGER": ""}
    environment.pop("AWS_SESSION_TOKEN", None)
    options = []
    for name, value in arguments.items():
        dashed = "".join(f"-{c.lower()}" if c.isupper() else c for c in name).lstrip("-")
        options += [f"--{dashed}", value]
    aws = os.path.join(os.path.dirname(sys.executable), "aws")
    run = subprocess.run([aws, "lambda", command, "--page-size", "2", "--output", "json", *options],
                         env=environment, capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    (elements,) = [value for value in json.loads(run.stdout).values() if isinstance(value, list)]
    got = [element if member is None else element[member] for element in elements]
    assert set(map(str, wanted)) <= set(map(str, got))


def test_every_waiter(server, account):
    number, client = account
    name = "waits"
    role = f"arn:aws:iam::{number}:role/r"
    client.create_function(FunctionName=name, Runtime="python3.11", Handler="app.handler", Role=role, Code={"ZipFile": CODE})
    waited = {"function_exists", "function_active", "function_active_v2", "function_updated", "function_updated_v2",
              "published_version_active"}
    assert set(client.waiter_names) == waited
    for waiter in ("function_exists", "function_active", "function_active_v2"):
        client.get_waiter(waiter).wait(FunctionName=name, WaiterConfig=WAIT)
    for waiter in ("function_updated", "function_updated_v2"):
        client.update_function_configuration(FunctionName=name, Description=waiter)
        client.get_waiter(waiter).wait(FunctionName=name, WaiterConfig=WAIT)
    version = client.publish_version(FunctionName=name)["Version"]
    client.get_waiter("published_version_active").wait(FunctionName=name, Qualifier=version, WaiterConfig=WAIT)
    with pytest.raises(botocore.exceptions.WaiterError):
        client.get_waiter("function_exists").wait(FunctionName="missing", WaiterConfig={"Delay": 0.01, "MaxAttempts": 2})
