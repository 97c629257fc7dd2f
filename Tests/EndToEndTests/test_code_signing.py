# Code signing: configurations, the functions that use them, and what becomes of code that is not signed.
import signal
import threading

import pytest

from conftest import ROLE, error_of, package, wait_until
from test_iam import client_of
from test_metrics import statistic

ACCOUNT = "000000000000"
HANDLER = "def handler(event, context):\n    return {}\n"
PROFILE = f"arn:aws:signer:us-east-1:{ACCOUNT}:/signing-profiles/p/0123456789"
PUBLISHERS = {"SigningProfileVersionArns": [PROFILE]}
ABSENT = f"arn:aws:lambda:us-east-1:{ACCOUNT}:code-signing-config:csc-00000000000000000"
UNSIGNED = (
    400, "CodeVerificationFailedException",
    "Lambda cannot deploy the function. The function or layer might be signed using a signature that the client is not configured to "
    "accept. Check the provided signature for unsigned.")
NOT_FOUND = (404, "ResourceNotFoundException", f"The Lambda code signing configuration {ABSENT} can not be found.")
NOT_USABLE = (
    404, "CodeSigningConfigNotFoundException",
    f"The code signing configuration cannot be found. Check that the provided configuration is not deleted: {ABSENT}.")


def code(value, signed=False):
    """A package; with the file that AWS Signer puts into what it signs."""
    signature = {"META-INF/aws_signer_signature_v1.0.SF": "signature"} if signed else {}
    return package({"app.py": HANDLER.format(value), **signature})


def config(server, policy=None, **settings):
    """The ARN of a new configuration."""
    policies = {"CodeSigningPolicies": {"UntrustedArtifactOnDeployment": policy}} if policy else {}
    return server.client.create_code_signing_config(AllowedPublishers=PUBLISHERS, **policies, **settings)["CodeSigningConfig"]["CodeSigningConfigArn"]


def create(server, name, zip_file, **settings):
    answer = server.client.create_function(
        FunctionName=name, Runtime="python3.11", Handler="app.handler", Role=ROLE, Code={"ZipFile": zip_file}, **settings)
    server.client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.02, "MaxAttempts": 3000})
    return answer


def updated(server, name):
    server.client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.02, "MaxAttempts": 3000})


def shown(answer):
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


def used(server, name):
    return shown(server.client.get_function_code_signing_config(FunctionName=name))


# Configurations


def test_a_configuration_s_life(server):
    client = server.client
    answer = client.create_code_signing_config(AllowedPublishers=PUBLISHERS, Description="d", Tags={"a": "1"})
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 201
    made = answer["CodeSigningConfig"]
    arn, name = made["CodeSigningConfigArn"], made["CodeSigningConfigId"]
    assert made == {
        "CodeSigningConfigId": name, "CodeSigningConfigArn": f"arn:aws:lambda:us-east-1:{ACCOUNT}:code-signing-config:{name}",
        "Description": "d", "AllowedPublishers": PUBLISHERS, "CodeSigningPolicies": {"UntrustedArtifactOnDeployment": "Warn"},
        "LastModified": made["LastModified"]}
    assert name.startswith("csc-") and len(name) == 21
    assert client.get_code_signing_config(CodeSigningConfigArn=arn)["CodeSigningConfig"] == made
    assert client.list_tags(Resource=arn)["Tags"] == {"a": "1"}
    # What an update does not name stays.
    changed = client.update_code_signing_config(CodeSigningConfigArn=arn, CodeSigningPolicies={"UntrustedArtifactOnDeployment": "Enforce"})
    wanted = {**made, "CodeSigningPolicies": {"UntrustedArtifactOnDeployment": "Enforce"}}
    assert changed["CodeSigningConfig"] == {**wanted, "LastModified": changed["CodeSigningConfig"]["LastModified"]}
    other = {"SigningProfileVersionArns": [PROFILE + str(i) for i in range(20)]}
    client.update_code_signing_config(CodeSigningConfigArn=arn, AllowedPublishers=other, Description="")
    got = client.get_code_signing_config(CodeSigningConfigArn=arn)["CodeSigningConfig"]
    assert got == {**wanted, "AllowedPublishers": other, "Description": "", "LastModified": got["LastModified"]}
    pages = client.get_paginator("list_code_signing_configs").paginate(PaginationConfig={"PageSize": 1})
    assert [c for page in pages for c in page["CodeSigningConfigs"] if c["CodeSigningConfigArn"] == arn] == [got]
    assert client.delete_code_signing_config(CodeSigningConfigArn=arn)["ResponseMetadata"]["HTTPStatusCode"] == 204
    missing = NOT_FOUND[:2] + (NOT_FOUND[2].replace(ABSENT, arn),)
    for call in (client.get_code_signing_config, client.delete_code_signing_config, client.update_code_signing_config,
                 client.list_functions_by_code_signing_config):
        assert error_of(call, CodeSigningConfigArn=arn) == missing


@pytest.mark.parametrize("change, at", [
    ({"AllowedPublishers": None}, "null at 'allowedPublishers'"),
    ({"AllowedPublishers": {}}, "null at 'allowedPublishers.signingProfileVersionArns'"),
    ({"AllowedPublishers": {"SigningProfileVersionArns": []}}, "'allowedPublishers.signingProfileVersionArns'"),
    ({"AllowedPublishers": {"SigningProfileVersionArns": [PROFILE] * 21}}, "'allowedPublishers.signingProfileVersionArns'"),
    ({"AllowedPublishers": {"SigningProfileVersionArns": ["profile"]}}, "'allowedPublishers.signingProfileVersionArns'"),
    ({"CodeSigningPolicies": {"UntrustedArtifactOnDeployment": "Maybe"}}, "'codeSigningPolicies.untrustedArtifactOnDeployment'"),
    ({"Description": "x" * 257}, "'description'"),
    ({"Tags": {"a": "x" * 257}}, "'tags'"),
], ids=lambda v: v if isinstance(v, str) else "")
def test_what_is_refused(server, change, at):
    arguments = {key: value for key, value in {"AllowedPublishers": PUBLISHERS, **change}.items() if value is not None}
    status, code_, text = error_of(server.client.create_code_signing_config, **arguments)
    assert (status, code_) == (400, "ValidationException") and at in text, text


def test_a_wrong_arn_is_refused(server, name):
    create(server, name, code(1))
    for call in (server.client.get_code_signing_config, server.client.delete_code_signing_config, server.client.update_code_signing_config,
                 server.client.list_functions_by_code_signing_config):
        assert error_of(call, CodeSigningConfigArn="csc-1")[:2] == (400, "ValidationException")
    assert error_of(server.client.put_function_code_signing_config, FunctionName=name, CodeSigningConfigArn="csc-1")[:2] == (
        400, "ValidationException")


def test_others_do_not_see_it(server, name):
    arn = config(server)
    create(server, name, code(1))
    for other in (server.make_client(region="eu-west-1"), server.make_client(key="123456789012")):
        for call in (other.get_code_signing_config, other.update_code_signing_config, other.delete_code_signing_config,
                     other.list_functions_by_code_signing_config):
            assert error_of(call, CodeSigningConfigArn=arn)[0] == 404
        assert other.list_code_signing_configs()["CodeSigningConfigs"] == []
    # Another partition is another ARN: a function that used it by that would not keep it.
    for spelling in (arn.replace("arn:aws:", "arn:aws-cn:"), arn.replace("arn:aws:", "arn::")):
        assert error_of(server.client.put_function_code_signing_config, FunctionName=name, CodeSigningConfigArn=spelling)[0] == 404


# Functions that use one


def test_a_function_s_configuration(server, name):
    client, arn, second = server.client, config(server), config(server)
    create(server, name, code(1))
    assert used(server, name) == {}, "AWS answers nothing for a function without"
    answer = client.put_function_code_signing_config(FunctionName=name, CodeSigningConfigArn=arn)
    assert shown(answer) == used(server, name) == {"CodeSigningConfigArn": arn, "FunctionName": name}
    function = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{name}"
    assert client.list_functions_by_code_signing_config(CodeSigningConfigArn=arn)["FunctionArns"] == [function]
    client.put_function_code_signing_config(FunctionName=function, CodeSigningConfigArn=second)
    assert used(server, name)["CodeSigningConfigArn"] == second
    assert client.list_functions_by_code_signing_config(CodeSigningConfigArn=arn)["FunctionArns"] == []
    assert client.delete_function_code_signing_config(FunctionName=name)["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert used(server, name) == {}
    assert client.delete_function_code_signing_config(FunctionName=name)["ResponseMetadata"]["HTTPStatusCode"] == 204, "it is gone already"


def test_absent_functions_and_configurations(server, name):
    client = server.client
    create(server, name, code(1))
    put = client.put_function_code_signing_config
    assert error_of(put, FunctionName=name, CodeSigningConfigArn=ABSENT) == NOT_USABLE
    assert error_of(client.create_function, FunctionName=name + "-2", Runtime="python3.11", Handler="app.handler", Role=ROLE,
                    Code={"ZipFile": code(1)}, CodeSigningConfigArn=ABSENT) == NOT_USABLE
    assert error_of(client.get_code_signing_config, CodeSigningConfigArn=ABSENT) == NOT_FOUND
    for call, more in ((client.get_function_code_signing_config, {}), (client.delete_function_code_signing_config, {}),
                       (put, {"CodeSigningConfigArn": config(server)})):
        assert error_of(call, FunctionName=name + "-absent", **more)[:2] == (404, "ResourceNotFoundException")


def test_a_configuration_in_use_stays(server, name):
    client, arn = server.client, config(server)
    create(server, name, code(1), CodeSigningConfigArn=arn)
    assert used(server, name)["CodeSigningConfigArn"] == arn
    status, kind, text = error_of(client.delete_code_signing_config, CodeSigningConfigArn=arn)
    assert (status, kind) == (409, "ResourceConflictException") and arn in text
    client.delete_function(FunctionName=name)
    client.delete_code_signing_config(CodeSigningConfigArn=arn)


def test_no_function_is_left_with_a_deleted_configuration(server, name):
    """Deleting one while functions are told to use it: one of the two is refused, each time."""
    names = [f"{name}-{i}" for i in range(4)]
    for one in names:
        create(server, one, code(1))
    for _ in range(10):
        arn, put = config(server), []

        def use(one):
            try:
                server.client.put_function_code_signing_config(FunctionName=one, CodeSigningConfigArn=arn)
                put.append(one)
            except server.client.exceptions.CodeSigningConfigNotFoundException:
                pass
        threads = [threading.Thread(target=use, args=(one,)) for one in names]
        for thread in threads:
            thread.start()
        try:
            server.client.delete_code_signing_config(CodeSigningConfigArn=arn)
            deleted = True
        except server.client.exceptions.ResourceConflictException:
            deleted = False
        for thread in threads:
            thread.join()
        assert not (deleted and put)
        for one in put:
            server.client.delete_function_code_signing_config(FunctionName=one)


# What becomes of code


def test_enforce_refuses_what_is_not_signed(server, name):
    client, arn = server.client, config(server, "Enforce")
    assert error_of(client.create_function, FunctionName=name, Runtime="python3.11", Handler="app.handler", Role=ROLE,
                    Code={"ZipFile": code(1)}, CodeSigningConfigArn=arn) == UNSIGNED
    assert error_of(client.get_function, FunctionName=name)[0] == 404, "nothing was made"
    create(server, name, code(2, signed=True), CodeSigningConfigArn=arn)
    assert server.invoke(name).succeeded() == 2
    before = shown(client.get_function_configuration(FunctionName=name))
    for more in ({}, {"DryRun": True}, {"Publish": True}):
        assert error_of(client.update_function_code, FunctionName=name, ZipFile=code(3), **more) == UNSIGNED
    assert shown(client.get_function_configuration(FunctionName=name)) == before and server.invoke(name).succeeded() == 2
    client.update_function_code(FunctionName=name, ZipFile=code(4, signed=True))
    updated(server, name)
    assert server.invoke(name).succeeded() == 4


def test_enforce_looks_at_layers_too(server, name):
    client, arn = server.client, config(server, "Enforce")
    layers = {signed: client.publish_layer_version(LayerName=f"{name}-{signed}", Content={"ZipFile": code(0, signed)})["LayerVersionArn"]
              for signed in (True, False)}
    assert error_of(client.create_function, FunctionName=name, Runtime="python3.11", Handler="app.handler", Role=ROLE, Layers=[layers[False]],
                    Code={"ZipFile": code(1, signed=True)}, CodeSigningConfigArn=arn) == UNSIGNED
    create(server, name, code(1, signed=True), CodeSigningConfigArn=arn, Layers=[layers[True]])
    assert error_of(client.update_function_configuration, FunctionName=name, Layers=[layers[True], layers[False]]) == UNSIGNED
    client.update_function_configuration(FunctionName=name, Timeout=7)
    updated(server, name)
    assert [layer["Arn"] for layer in client.get_function_configuration(FunctionName=name)["Layers"]] == [layers[True]]


def test_warn_deploys_what_is_not_signed_and_says_so(own_server, name):
    server = own_server()
    arn = config(server, "Warn")
    create(server, name, code(1), CodeSigningConfigArn=arn)
    server.client.update_function_code(FunctionName=name, ZipFile=code(2))
    updated(server, name)
    assert server.invoke(name).succeeded() == 2
    said = [line for line in server.log.splitlines() if "without a signature" in line]
    assert len(said) == 2 and all(arn.rsplit(":", 1)[1] in line for line in said)
    cloudwatch = client_of(server, "cloudwatch")
    wait_until(lambda: statistic(server, cloudwatch, "SignatureValidationErrors", FunctionName=name) == 2, what="the metric")


def test_what_was_deployed_before_stays(server, name):
    client, arn = server.client, config(server, "Enforce")
    create(server, name, code(1))
    client.put_function_code_signing_config(FunctionName=name, CodeSigningConfigArn=arn)
    assert server.invoke(name).succeeded() == 1
    assert client.publish_version(FunctionName=name)["Version"] == "1", "nothing is deployed by that"
    assert error_of(client.update_function_code, FunctionName=name, ZipFile=code(2)) == UNSIGNED
    # A milder policy, or none, counts from the next deployment on.
    client.update_code_signing_config(CodeSigningConfigArn=arn, CodeSigningPolicies={"UntrustedArtifactOnDeployment": "Warn"})
    client.update_function_code(FunctionName=name, ZipFile=code(2))
    updated(server, name)
    client.update_code_signing_config(CodeSigningConfigArn=arn, CodeSigningPolicies={"UntrustedArtifactOnDeployment": "Enforce"})
    client.delete_function_code_signing_config(FunctionName=name)
    client.update_function_code(FunctionName=name, ZipFile=code(3))
    updated(server, name)
    assert server.invoke(name).succeeded() == 3


def test_kill(own_server, name):
    server = own_server()
    arn = config(server, "Enforce", Description="d", Tags={"a": "1"})
    create(server, name, code(1, signed=True), CodeSigningConfigArn=arn)
    before = server.client.get_code_signing_config(CodeSigningConfigArn=arn)["CodeSigningConfig"]
    server.stop(signal.SIGKILL)
    second = own_server(state=server.state)
    assert second.client.get_code_signing_config(CodeSigningConfigArn=arn)["CodeSigningConfig"] == before
    assert second.client.list_tags(Resource=arn)["Tags"] == {"a": "1"}
    assert error_of(second.client.update_function_code, FunctionName=name, ZipFile=code(2)) == UNSIGNED
    assert error_of(second.client.delete_code_signing_config, CodeSigningConfigArn=arn)[0] == 409
