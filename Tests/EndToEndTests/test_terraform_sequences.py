# What Terraform's AWS provider calls for each resource, in its order: create, wait, read, plan again without a difference,
# change, destroy, and look that it is gone. Terraform itself is not needed.
import json

import boto3
import botocore.exceptions
import pytest

from conftest import ROLE, error_of, make_queue, package, wait_until

CODE = package({"app.py": "def handler(event, context):\n    return 1\n"})
WAIT = {"Delay": 0.02, "MaxAttempts": 3000}
FAST = {"WaiterConfig": WAIT}


class Built:
    """A client whose calls skip the test while their operation is not built."""

    def __init__(self, client):
        self.client = client

    def __getattr__(self, name):
        method = getattr(self.client, name)

        def call(**arguments):
            try:
                answer = method(**arguments)
            except botocore.exceptions.ClientError as error:
                status = error.response["ResponseMetadata"]["HTTPStatusCode"]
                if error.response["Error"]["Code"] == "NotImplementedException" or status == 501:
                    pytest.skip(f"{name} is not built")
                raise
            answer.pop("ResponseMetadata", None)
            return answer

        return call if callable(method) and name not in ("get_waiter", "get_paginator") else method


@pytest.fixture
def aws(server):
    return Built(server.client)


@pytest.fixture
def function(aws, name):
    aws.create_function(FunctionName=name, Runtime="python3.11", Handler="app.handler", Role=ROLE, Code={"ZipFile": CODE},
                        Publish=True)
    aws.get_waiter("function_active_v2").wait(FunctionName=name, **FAST)
    return name


def is_missing(call, **arguments):
    try:
        call(**arguments)
    except botocore.exceptions.ClientError as error:
        assert error.response["Error"]["Code"] in ("ResourceNotFoundException", "ProvisionedConcurrencyConfigNotFoundException")
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 404
        return True
    return False


def refresh(aws, name):
    """What the provider reads of an aws_lambda_function."""
    got = aws.get_function(FunctionName=name)
    versions = [
        version for page in aws.client.get_paginator("list_versions_by_function").paginate(
            FunctionName=name, PaginationConfig={"PageSize": 10_000}) for version in page["Versions"]]
    signing = aws.get_function_code_signing_config(FunctionName=name)
    got["Code"].pop("Location")
    assert got["Configuration"]["FunctionArn"] == aws.get_function_configuration(FunctionName=name)["FunctionArn"]
    return {"function": got, "qualified_arn": versions[-1]["FunctionArn"], "version": versions[-1]["Version"],
            "signing": signing.get("CodeSigningConfigArn", ""),
            "tags": aws.list_tags(Resource=got["Configuration"]["FunctionArn"])["Tags"]}


def test_function(aws, name):
    asked = {
        "Description": "made by a plan", "MemorySize": 256, "Timeout": 7, "Tags": {"team": "a", "stage": "test"},
        "Environment": {"Variables": {"NAME": "value"}}, "Architectures": ["x86_64"], "EphemeralStorage": {"Size": 1024},
        "TracingConfig": {"Mode": "PassThrough"}, "PackageType": "Zip", "LoggingConfig": {"LogFormat": "JSON"}}
    aws.create_function(FunctionName=name, Runtime="python3.11", Handler="app.handler", Role=ROLE, Code={"ZipFile": CODE},
                        Publish=True, **asked)
    aws.get_waiter("function_active_v2").wait(FunctionName=name, **FAST)
    aws.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=3)
    first = refresh(aws, name)
    assert first["function"]["Tags"] == asked["Tags"] == first["tags"]
    assert first["function"]["Concurrency"] == {"ReservedConcurrentExecutions": 3}
    assert (first["version"], first["signing"]) == ("1", "")
    assert first["qualified_arn"] == first["function"]["Configuration"]["FunctionArn"] + ":1"
    for member in set(asked) - {"Tags", "LoggingConfig"}:
        assert first["function"]["Configuration"][member] == asked[member], member
    assert refresh(aws, name) == first, "a second plan finds no difference"

    aws.tag_resource(Resource=first["function"]["Configuration"]["FunctionArn"], Tags={"team": "b"})
    aws.untag_resource(Resource=first["function"]["Configuration"]["FunctionArn"], TagKeys=["stage"])
    aws.update_function_configuration(
        FunctionName=name, Timeout=9, Environment={"Variables": {}}, LoggingConfig={"LogFormat": "Text"}, Role=ROLE,
        Handler="app.handler", Runtime="python3.11", MemorySize=256, Description="", EphemeralStorage={"Size": 512},
        DeadLetterConfig={"TargetArn": ""}, KMSKeyArn="", VpcConfig={"SecurityGroupIds": [], "SubnetIds": []}, Layers=[],
        FileSystemConfigs=[], TracingConfig={"Mode": "PassThrough"}, SnapStart={"ApplyOn": "None"})
    aws.get_waiter("function_updated_v2").wait(FunctionName=name, **FAST)
    aws.update_function_code(FunctionName=name, ZipFile=package({"app.py": "x = 2\n"}), Architectures=["x86_64"])
    aws.get_waiter("function_updated_v2").wait(FunctionName=name, **FAST)
    aws.publish_version(FunctionName=name)
    aws.get_waiter("published_version_active").wait(FunctionName=name, Qualifier="2", **FAST)
    aws.delete_function_concurrency(FunctionName=name)
    second = refresh(aws, name)
    assert (second["version"], second["tags"]) == ("2", {"team": "b"})
    assert second["function"]["Configuration"]["Timeout"] == 9 and "Concurrency" not in second["function"]
    assert second["function"]["Configuration"]["CodeSha256"] != first["function"]["Configuration"]["CodeSha256"]
    assert refresh(aws, name) == second

    aws.delete_function(FunctionName=name)
    assert is_missing(aws.get_function, FunctionName=name)
    assert is_missing(aws.list_tags, Resource=first["function"]["Configuration"]["FunctionArn"])


def test_alias(aws, function):
    alias = {"FunctionName": function, "Name": "live"}
    created = aws.create_alias(**alias, FunctionVersion="1", Description="d")
    assert aws.get_alias(**alias) == created == aws.get_alias(**alias)
    aws.update_function_configuration(FunctionName=function, Timeout=5)
    aws.get_waiter("function_updated_v2").wait(FunctionName=function, **FAST)
    assert aws.publish_version(FunctionName=function)["Version"] == "2"
    updated = aws.update_alias(
        **alias, FunctionVersion="1", Description="d", RoutingConfig={"AdditionalVersionWeights": {"2": 0.5}})
    assert updated["RoutingConfig"] == {"AdditionalVersionWeights": {"2": 0.5}}
    aws.update_alias(**alias, FunctionVersion="2", Description="", RoutingConfig={"AdditionalVersionWeights": {}})
    got = aws.get_alias(**alias)
    assert (got["FunctionVersion"], got["Description"], "RoutingConfig" in got) == ("2", "", False)
    aws.delete_alias(**alias)
    assert is_missing(aws.get_alias, **alias)
    aws.delete_function(FunctionName=function)


def test_permission(aws, function):
    aws.add_permission(
        FunctionName=function, StatementId="AllowBucket", Action="lambda:InvokeFunction", Principal="s3.amazonaws.com",
        SourceArn="arn:aws:s3:::bucket", SourceAccount="000000000000")
    read = aws.get_policy(FunctionName=function)
    (statement,) = json.loads(read["Policy"])["Statement"]
    assert statement["Sid"] == "AllowBucket" and statement["Principal"] == {"Service": "s3.amazonaws.com"}
    assert statement["Condition"] == {
        "StringEquals": {"AWS:SourceAccount": "000000000000"}, "ArnLike": {"AWS:SourceArn": "arn:aws:s3:::bucket"}}
    assert aws.get_policy(FunctionName=function) == read
    aws.remove_permission(FunctionName=function, StatementId="AllowBucket")
    assert is_missing(aws.get_policy, FunctionName=function)
    assert is_missing(aws.remove_permission, FunctionName=function, StatementId="AllowBucket")
    aws.delete_function(FunctionName=function)


def test_function_url(aws, function):
    created = aws.create_function_url_config(
        FunctionName=function, AuthType="NONE", Cors={"AllowOrigins": ["*"], "MaxAge": 5}, InvokeMode="BUFFERED")
    aws.add_permission(
        FunctionName=function, StatementId="FunctionURLAllowPublicAccess", Action="lambda:InvokeFunctionUrl",
        Principal="*", FunctionUrlAuthType="NONE")
    read = aws.get_function_url_config(FunctionName=function)
    assert read["FunctionUrl"] == created["FunctionUrl"] and read["Cors"] == {"AllowOrigins": ["*"], "MaxAge": 5}
    assert aws.get_function_url_config(FunctionName=function) == read
    aws.update_function_url_config(FunctionName=function, AuthType="AWS_IAM")
    assert aws.get_function_url_config(FunctionName=function)["AuthType"] == "AWS_IAM"
    aws.delete_function_url_config(FunctionName=function)
    assert is_missing(aws.get_function_url_config, FunctionName=function)
    aws.delete_function(FunctionName=function)


def test_event_source_mapping(server, aws, function):
    make_queue(server.client, function)
    created = aws.create_event_source_mapping(
        FunctionName=function, EventSourceArn="arn:aws:sqs:us-east-1:000000000000:" + function, BatchSize=5, Enabled=False,
        Tags={"team": "a"})
    uuid = {"UUID": created["UUID"]}
    wait_until(lambda: aws.get_event_source_mapping(**uuid)["State"] == "Disabled", 10, "the mapping")
    read = aws.get_event_source_mapping(**uuid)
    assert (read["BatchSize"], read["FunctionArn"].endswith(f":function:{function}")) == (5, True)
    assert aws.list_tags(Resource=read["EventSourceMappingArn"])["Tags"] == {"team": "a"}
    assert aws.get_event_source_mapping(**uuid) == read
    aws.update_event_source_mapping(**uuid, BatchSize=6, Enabled=False)
    wait_until(lambda: aws.get_event_source_mapping(**uuid)["State"] == "Disabled", 10, "the mapping")
    assert aws.get_event_source_mapping(**uuid)["BatchSize"] == 6
    aws.delete_event_source_mapping(**uuid)
    wait_until(lambda: is_missing(aws.get_event_source_mapping, **uuid), 10, "the mapping's end")
    aws.delete_function(FunctionName=function)


def test_layer_version(aws, name):
    created = aws.publish_layer_version(
        LayerName=name, Description="d", LicenseInfo="MIT", CompatibleRuntimes=["python3.12"],
        CompatibleArchitectures=["x86_64"], Content={"ZipFile": CODE})
    version = {"LayerName": name, "VersionNumber": created["Version"]}
    read = aws.get_layer_version(**version)
    for member in ("LayerArn", "LayerVersionArn", "Description", "LicenseInfo", "CompatibleRuntimes", "CreatedDate"):
        assert read[member] == created[member], member
    aws.add_layer_version_permission(**version, StatementId="all", Action="lambda:GetLayerVersion", Principal="*")
    policy = json.loads(aws.get_layer_version_policy(**version)["Policy"])
    assert policy["Statement"][0]["Resource"] == created["LayerVersionArn"]
    aws.remove_layer_version_permission(**version, StatementId="all")
    assert is_missing(aws.get_layer_version_policy, **version)
    aws.delete_layer_version(**version)
    assert is_missing(aws.get_layer_version, **version)


def test_event_invoke_config(aws, function):
    aws.put_function_event_invoke_config(FunctionName=function, MaximumRetryAttempts=0, MaximumEventAgeInSeconds=60)
    read = aws.get_function_event_invoke_config(FunctionName=function)
    assert (read["MaximumRetryAttempts"], read["MaximumEventAgeInSeconds"]) == (0, 60)
    assert aws.get_function_event_invoke_config(FunctionName=function) == read
    aws.delete_function_event_invoke_config(FunctionName=function)
    assert is_missing(aws.get_function_event_invoke_config, FunctionName=function)
    aws.delete_function(FunctionName=function)


def test_provisioned_concurrency(aws, function):
    version = {"FunctionName": function, "Qualifier": "1"}
    aws.put_provisioned_concurrency_config(**version, ProvisionedConcurrentExecutions=1)
    wait_until(lambda: aws.get_provisioned_concurrency_config(**version)["Status"] == "READY", 30, "the environment")
    read = aws.get_provisioned_concurrency_config(**version)
    assert read["RequestedProvisionedConcurrentExecutions"] == read["AvailableProvisionedConcurrentExecutions"] == 1
    aws.delete_provisioned_concurrency_config(**version)
    assert is_missing(aws.get_provisioned_concurrency_config, **version)
    aws.delete_function(FunctionName=function)


def test_code_signing_config(aws, function):
    publishers = {"SigningProfileVersionArns": ["arn:aws:signer:us-east-1:000000000000:/signing-profiles/p/0123456789"]}
    created = aws.create_code_signing_config(AllowedPublishers=publishers, Description="d")["CodeSigningConfig"]
    config = {"CodeSigningConfigArn": created["CodeSigningConfigArn"]}
    assert created["CodeSigningPolicies"] == {"UntrustedArtifactOnDeployment": "Warn"}
    assert aws.get_code_signing_config(**config)["CodeSigningConfig"] == created
    aws.update_code_signing_config(**config, CodeSigningPolicies={"UntrustedArtifactOnDeployment": "Enforce"})
    aws.put_function_code_signing_config(FunctionName=function, **config)
    assert refresh(aws, function)["signing"] == created["CodeSigningConfigArn"]
    assert error_of(aws.client.delete_code_signing_config, **config)[0] == 409, "a function uses it"
    aws.delete_function_code_signing_config(FunctionName=function)
    aws.delete_code_signing_config(**config)
    assert is_missing(aws.get_code_signing_config, **config)
    aws.delete_function(FunctionName=function)


def test_runtime_management_and_recursion(aws, function):
    read = aws.get_runtime_management_config(FunctionName=function)
    assert read["UpdateRuntimeOn"] == "Auto"
    aws.put_runtime_management_config(FunctionName=function, UpdateRuntimeOn="FunctionUpdate")
    assert aws.get_runtime_management_config(FunctionName=function)["UpdateRuntimeOn"] == "FunctionUpdate"
    aws.put_runtime_management_config(FunctionName=function, UpdateRuntimeOn="Auto")
    assert aws.get_function_recursion_config(FunctionName=function) == {"RecursiveLoop": "Terminate"}
    aws.put_function_recursion_config(FunctionName=function, RecursiveLoop="Allow")
    assert aws.get_function_recursion_config(FunctionName=function) == {"RecursiveLoop": "Allow"}
    aws.delete_function(FunctionName=function)


def test_role_of_a_function(server, aws, name):
    iam = boto3.client("iam", endpoint_url=server.endpoint, region_name="us-east-1", aws_access_key_id="test",
                       aws_secret_access_key="x")
    trust = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
    try:
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]
    except (botocore.exceptions.ClientError, botocore.parsers.ResponseParserError) as error:
        pytest.skip(f"IAM is not built: {error}")
    assert iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"] == trust
    assert iam.list_role_policies(RoleName=name)["PolicyNames"] == []
    assert iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"] == []
    logs = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
    iam.attach_role_policy(RoleName=name, PolicyArn=logs)
    inline = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}]}
    iam.put_role_policy(RoleName=name, PolicyName="inline", PolicyDocument=json.dumps(inline))
    assert iam.get_role_policy(RoleName=name, PolicyName="inline")["PolicyDocument"] == inline
    aws.create_function(FunctionName=name, Runtime="python3.11", Handler="app.handler", Role=role["Arn"],
                        Code={"ZipFile": CODE})
    aws.get_waiter("function_active_v2").wait(FunctionName=name, **FAST)
    assert aws.get_function_configuration(FunctionName=name)["Role"] == role["Arn"]
    aws.delete_function(FunctionName=name)
    # Destroy.
    assert iam.list_instance_profiles_for_role(RoleName=name)["InstanceProfiles"] == []
    for policy in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
        iam.detach_role_policy(RoleName=name, PolicyArn=policy["PolicyArn"])
    for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
        iam.delete_role_policy(RoleName=name, PolicyName=policy)
    iam.delete_role(RoleName=name)
    assert error_of(iam.get_role, RoleName=name)[:2] == (404, "NoSuchEntity")
