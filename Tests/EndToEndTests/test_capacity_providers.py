# Capacity providers: kept, shown, changed and removed as AWS does it, though no instance is ever started for them.
import signal

import pytest

from conftest import ROLE, error_of, package, wait_until

CODE = package({"app.py": "def handler(event, context):\n    return 1\n"})
ARN = "arn:aws:lambda:us-east-1:000000000000:capacity-provider:"
MANDATORY = {
    "VpcConfig": {"SubnetIds": ["subnet-0a1b", "subnet-2c3d"], "SecurityGroupIds": ["sg-0a1b"]},
    "PermissionsConfig": {"CapacityProviderOperatorRoleArn": "arn:aws:iam::000000000000:role/operator"}}


def create(server, name, **settings):
    return server.client.create_capacity_provider(CapacityProviderName=name, **{**MANDATORY, **settings})["CapacityProvider"]


def get(server, name):
    return server.client.get_capacity_provider(CapacityProviderName=name)["CapacityProvider"]


def active(server, name):
    return wait_until(lambda: (found := get(server, name))["State"] == "Active" and found, 10, f"{name} to be active")


def is_gone(server, name):
    try:
        return get(server, name)["State"] not in ("Active", "Pending", "Deleting")
    except server.client.exceptions.ResourceNotFoundException:
        return True


def names(server, **arguments):
    pages = server.client.get_paginator("list_capacity_providers").paginate(**arguments)
    return {p["CapacityProviderArn"].removeprefix(ARN) for page in pages for p in page["CapacityProviders"]}


def test_created_pending_and_soon_active(server, name):
    everything = {
        "InstanceRequirements": {"Architectures": ["arm64"], "AllowedInstanceTypes": ["m7g.*", "c7g.large"]},
        "CapacityProviderScalingConfig": {
            "MaxVCpuCount": 40, "ScalingMode": "Manual",
            "ScalingPolicies": [{"PredefinedMetricType": "LambdaCapacityProviderAverageCPUUtilization", "TargetValue": 62.5}]},
        "KmsKeyArn": "arn:aws:kms:us-east-1:000000000000:key/k",
        "PropagateTags": {"Mode": "Explicit", "ExplicitTags": {"team": "a"}},
        "TelemetryConfig": {"LoggingConfig": {"SystemLogLevel": "WARN", "LogGroup": "/capacity/x"}}}
    response = server.client.create_capacity_provider(CapacityProviderName=name, Tags={"a": "1"}, **MANDATORY, **everything)
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 202
    made = response["CapacityProvider"]
    assert made["State"] == "Pending" and made["CapacityProviderArn"] == ARN + name
    got = active(server, name)
    assert got == {**made, "State": "Active"} == {
        "CapacityProviderArn": ARN + name, "State": "Active", "LastModified": made["LastModified"], **MANDATORY, **everything}
    assert server.client.list_tags(Resource=ARN + name)["Tags"] == {"a": "1"}
    assert server.client.get_capacity_provider(CapacityProviderName=ARN + name)["CapacityProvider"] == got, "its ARN is a name too"
    assert name in names(server) and name in names(server, State="Active") and name not in names(server, State="Failed")


def test_updated_member_by_member(server, name):
    create(server, name, CapacityProviderScalingConfig={"MaxVCpuCount": 4}, PropagateTags={"Mode": "None"})
    before = active(server, name)
    changed = server.client.update_capacity_provider(CapacityProviderName=name, CapacityProviderScalingConfig={"MaxVCpuCount": 8})
    assert changed["ResponseMetadata"]["HTTPStatusCode"] == 202
    after = get(server, name)
    assert after == changed["CapacityProvider"] == {
        **before, "CapacityProviderScalingConfig": {"MaxVCpuCount": 8}, "LastModified": after["LastModified"]}
    assert after["LastModified"] >= before["LastModified"]
    # What only a new one can be told is not looked at.
    server.client.update_capacity_provider(CapacityProviderName=ARN + name, TelemetryConfig={"LoggingConfig": {"SystemLogLevel": "DEBUG"}})
    assert get(server, name)["TelemetryConfig"] == {"LoggingConfig": {"SystemLogLevel": "DEBUG"}}
    assert get(server, name)["VpcConfig"] == MANDATORY["VpcConfig"]


def test_deleted_and_made_anew(server, name):
    create(server, name, Tags={"a": "1"})
    active(server, name)
    response = server.client.delete_capacity_provider(CapacityProviderName=name)
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 202 and response["CapacityProvider"]["State"] == "Deleting"
    wait_until(lambda: is_gone(server, name), 10, "its end")
    missing = (404, "ResourceNotFoundException", f"Capacity provider not found: {ARN}{name}")
    client = server.client
    for call in (client.get_capacity_provider, client.update_capacity_provider, client.delete_capacity_provider,
                 client.list_function_versions_by_capacity_provider):
        assert error_of(call, CapacityProviderName=name) == missing
        assert error_of(call, CapacityProviderName=ARN + name) == missing
    assert error_of(client.list_tags, Resource=ARN + name) == missing
    assert name not in names(server)
    create(server, name)
    active(server, name)
    assert client.list_tags(Resource=ARN + name)["Tags"] == {}, "nothing is left of the one before"


def test_there_is_one_of_a_name_in_an_account_and_region(server, name):
    create(server, name)
    assert error_of(server.client.create_capacity_provider, CapacityProviderName=name, **MANDATORY) == (
        409, "ResourceConflictException", f"Capacity provider already exists: {ARN}{name}")
    for other in (server.make_client(region="eu-west-1"), server.make_client(key="123456789012")):
        assert error_of(other.get_capacity_provider, CapacityProviderName=name)[0] == 404
        assert error_of(other.get_capacity_provider, CapacityProviderName=ARN + name)[0] == 404
        assert other.list_capacity_providers()["CapacityProviders"] == []
        assert other.create_capacity_provider(CapacityProviderName=name, **MANDATORY)["CapacityProvider"]["CapacityProviderArn"] != ARN + name


@pytest.mark.parametrize("change, at", [
    ({"CapacityProviderName": "a b"}, "'capacityProviderName'"),
    ({"CapacityProviderName": "x" * 141}, "'capacityProviderName'"),
    ({"VpcConfig": None}, "null at 'vpcConfig'"),
    ({"PermissionsConfig": None}, "null at 'permissionsConfig'"),
    ({"VpcConfig": {"SubnetIds": [], "SecurityGroupIds": []}}, "'vpcConfig.subnetIds'"),
    ({"VpcConfig": {"SubnetIds": ["net"], "SecurityGroupIds": []}}, "'vpcConfig.subnetIds"),
    ({"VpcConfig": {"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"] * 6}}, "'vpcConfig.securityGroupIds'"),
    ({"PermissionsConfig": {"CapacityProviderOperatorRoleArn": "role"}}, "'permissionsConfig.capacityProviderOperatorRoleArn'"),
    ({"InstanceRequirements": {"Architectures": ["mips"]}}, "'instanceRequirements.architectures"),
    ({"CapacityProviderScalingConfig": {"MaxVCpuCount": 1}}, "'capacityProviderScalingConfig.maxVCpuCount'"),
    ({"CapacityProviderScalingConfig": {"ScalingMode": "Never"}}, "'capacityProviderScalingConfig.scalingMode'"),
    ({"CapacityProviderScalingConfig": {"ScalingPolicies": [
        {"PredefinedMetricType": "LambdaCapacityProviderAverageCPUUtilization", "TargetValue": 100.5}]}}, "targetValue'"),
    ({"PropagateTags": {"Mode": "All"}}, "'propagateTags.mode'"),
    ({"TelemetryConfig": {"LoggingConfig": {"SystemLogLevel": "LOUD"}}}, "systemLogLevel'"),
    ({"Tags": {"": "v"}}, "'tags'"),
], ids=lambda v: v if isinstance(v, str) else "")
def test_what_is_refused(server, name, change, at):
    arguments = {"CapacityProviderName": name, **MANDATORY, **change}
    status, code, text = error_of(
        server.client.create_capacity_provider, **{key: value for key, value in arguments.items() if value is not None})
    assert (status, code) == (400, "ValidationException") and at in text, text
    assert error_of(server.client.get_capacity_provider, CapacityProviderName=name)[0] == 404, "nothing was made"


def test_lists_are_checked(server):
    assert error_of(server.client.list_capacity_providers, State="Gone")[:2] == (400, "ValidationException")
    assert error_of(server.client.list_capacity_providers, MaxItems=51)[:2] == (400, "ValidationException")


def test_functions_that_name_it_keep_it(server, name):
    """AWS runs such functions on instances. Here they are kept, listed with their versions, and run on this host."""
    create(server, name)
    active(server, name)
    client = server.client
    provider = {"LambdaManagedInstancesCapacityProviderConfig": {"CapacityProviderArn": ARN + name}}
    client.create_function(
        FunctionName=name, Runtime="python3.11", Handler="app.handler", Role=ROLE, Code={"ZipFile": CODE}, CapacityProviderConfig=provider)
    client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.02, "MaxAttempts": 3000})
    assert client.get_function_configuration(FunctionName=name)["CapacityProviderConfig"] == provider

    def versions():
        answer = client.list_function_versions_by_capacity_provider(CapacityProviderName=name)
        assert answer["CapacityProviderArn"] == ARN + name
        return [v["FunctionArn"].rsplit(":", 1)[1] for v in answer["FunctionVersions"]]
    assert versions() == ["$LATEST"]
    client.publish_version(FunctionName=name)
    assert versions() == ["$LATEST", "1"]
    in_use = (409, "ResourceConflictException", f"The capacity provider {ARN}{name} is used by function versions and can not be deleted.")
    assert error_of(client.delete_capacity_provider, CapacityProviderName=name) == in_use
    assert server.invoke(name).succeeded() == 1
    client.delete_function(FunctionName=name)
    client.delete_capacity_provider(CapacityProviderName=name)
    wait_until(lambda: is_gone(server, name), 10, "its end")


def test_kill_on_the_way_to_a_state(own_server):
    """kill -9 right after the answers: every one of them is active after a restart, or gone if it was to go."""
    server = own_server()
    for i in range(6):
        create(server, f"stay-{i}", Tags={"n": str(i)})
        create(server, f"go-{i}")
        active(server, f"go-{i}")
    for i in range(6):
        server.client.delete_capacity_provider(CapacityProviderName=f"go-{i}")
        create(server, f"late-{i}")
    server.stop(signal.SIGKILL)
    second = own_server(state=server.state)
    for i in range(6):
        active(second, f"stay-{i}")
        active(second, f"late-{i}")
        wait_until(lambda: is_gone(second, f"go-{i}"), 10, "its end")
        assert second.client.list_tags(Resource=f"{ARN}stay-{i}")["Tags"] == {"n": str(i)}
    assert names(second) == {f"{kind}-{i}" for kind in ("stay", "late") for i in range(6)}
