# Recorded scenarios: functions and their settings, code and its limits, layers, tags.
import json
import os
import urllib.request

import boto3
import botocore.exceptions
import pytest

from conftest import package
from replay import scenario

ZIP = {"ZipFile": package({"index.py": "def handler(event, context):\n    return event\n"})}
OTHER = {"ZipFile": package({"index.py": "def handler(event, context):\n    return 2\n"})}
# A function that tells what it was called with.
TELLING = {"ZipFile": package({"handler.py": (
    "TOLD = ('aws_request_id', 'client_context', 'function_name', 'function_version', 'invoked_function_arn',\n"
    "        'log_group_name', 'log_stream_name', 'memory_limit_in_mb')\n"
    "def handler(event, context):\n"
    "    return {'event': event, 'context': {name: getattr(context, name) for name in TOLD}}\n")})}
# Functions of the recordings that were made with a fixture.
FIXTURE = {
    "Handler": "handler.handler", "Timeout": 30, "Environment": {"Variables": {}},
    "Code": {"ZipFile": package({"handler.py": "def handler(event, context):\n    return event\n"})}}


@scenario("TestLambdaFunction::test_create_lambda_exceptions")
def create_refused(r):
    def create(step, **settings):
        r(step, "create_function", **{
            "FunctionName": r.name, "Runtime": "python3.9", "Handler": "index.handler", "Role": r.role, "Code": ZIP,
            **settings})

    create("invalid_role_arn_exc", Role="r1")
    create("invalid_runtime_exc", Runtime="non-existent-runtime")
    create("uppercase_runtime_exc", Runtime="PYTHON3.9")
    create("multiple_architectures", Architectures=["x86_64", "arm64"])
    create("uppercase_architecture", Architectures=["X86_64"])
    create("invalid_zip_exc", Runtime=r.runtime, Code={"ZipFile": b"this is not a zip file, just a random string"})
    # The SDK refuses this by itself.
    r.value("empty_architectures", r.recorded["empty_architectures"])


@scenario("TestLambdaFunction::test_update_lambda_exceptions")
def update_refused(r):
    r.create()
    for step, change in (
            ("invalid_role_arn_exc", {"Role": "r1"}), ("invalid_runtime_exc", {"Runtime": "non-existent-runtime"}),
            ("uppercase_runtime_exc", {"Runtime": "PYTHON3.9"})):
        r(step, "update_function_configuration", FunctionName=r.name, **change)


@scenario("TestLambdaFunction::test_redundant_updates")
def redundant_updates(r):
    r.create("create_response", inside="CreateFunctionResponse", Description="Initial description", **FIXTURE)
    change = {"FunctionName": r.name, "Description": "1st update description"}
    r("first_update_result", "update_function_configuration", **change)
    r.updated()
    r("get_fn_config_result", "get_function_configuration", FunctionName=r.name)
    r("get_fn_result", "get_function", FunctionName=r.name)
    r("redundant_update_result", "update_function_configuration", **change)
    r.updated()
    r("get_fn_result_after_redundant_update", "get_function", FunctionName=r.name)


@scenario("TestLambdaFunction::test_lambda_code_location_s3", "TestLambdaFeatures::test_upload_lambda_from_s3")
def code_in_s3(r):
    s3 = bucket(r)
    code = TELLING if "creation-response" in r.recorded else ZIP
    s3.put_object(Bucket=f"code-{r.account}", Key="code.zip", Body=code["ZipFile"])
    at = {"S3Bucket": f"code-{r.account}", "S3Key": "code.zip"}
    if "creation-response" in r.recorded:
        wanted = r.recorded["creation-response"]
        r.create("creation-response", Handler=wanted["Handler"], Timeout=wanted["Timeout"], Code=at)
        r("invocation-response", "invoke", FunctionName=r.name, Payload=json.dumps({"foo": "bar with 'quotes\""}))
        return
    r.create("create_response_s3", Code=at)
    r("get-function-response", "get_function", FunctionName=r.name)
    s3.put_object(Bucket=f"code-{r.account}", Key="code.zip", Body=OTHER["ZipFile"])
    r("update-function-response", "update_function_code", FunctionName=r.name, **at)
    # AWS was still at work on the update.
    r.updated()
    r.settled("get-function-response-updated")
    r("get-function-response-updated", "get_function", FunctionName=r.name)


@scenario("TestLambdaFunction::test_lambda_code_location_s3_errors")
def code_missing_in_s3(r):
    bucket(r)
    places = {"bucket": {"S3Bucket": "no-such-bucket-of-anybody", "S3Key": "code.zip"},
              "key": {"S3Bucket": f"code-{r.account}", "S3Key": "no-such-key"}}
    for what, place in places.items():
        r(f"create-error-wrong-{what}", "create_function", FunctionName=r.name, Runtime=r.runtime,
          Handler="index.handler", Role=r.role, Code=place)
    r.create()
    for what, place in places.items():
        r(f"update-error-wrong-{what}", "update_function_code", FunctionName=r.name, **place)


def bucket(r):
    """A client of the server's S3 whose account has a bucket `code-ACCOUNT`."""
    s3 = boto3.client(
        "s3", endpoint_url=r.server.endpoint, region_name="us-east-1", aws_access_key_id=r.account,
        aws_secret_access_key="x")
    try:
        s3.create_bucket(Bucket=f"code-{r.account}")
    except botocore.exceptions.ClientError as error:
        if error.response["Error"]["Code"] in ("BucketAlreadyOwnedByYou", "BucketAlreadyExists"):
            return s3
        pytest.skip(f"S3 is not built: {error}")
    return s3


@scenario("TestLambdaBaseFeatures::test_function_state")
def function_state(r):
    wanted = r.recorded["create-fn-response"]
    r.create("create-fn-response", wait=False, Handler=wanted["Handler"], Timeout=wanted["Timeout"],
             Environment=wanted.get("Environment"))
    r.active()
    r("get-fn-response", "get_function", FunctionName=r.name)


@scenario("TestLambdaFeatures::test_invocation_type_dry_run[python3.9]")
def dry_run(r):
    r.create()
    r("invoke-result", "invoke", FunctionName=r.name, Payload=b"{}", InvocationType="DryRun")


# Logging, SnapStart, sizes


@scenario("TestLoggingConfig::test_function_advanced_logging_configuration")
def logging(r):
    settings = {**FIXTURE, "MemorySize": 256, "Timeout": 5}
    r.create("create_response", inside="CreateFunctionResponse", LoggingConfig={"LogFormat": "JSON"}, **settings)
    r("get_function_response", "get_function", FunctionName=r.name)
    r("function_config", "get_function_configuration", FunctionName=r.name)
    r("updated_config", "update_function_configuration", FunctionName=r.name, LoggingConfig={"LogGroup": "cool_lambda"})
    r.updated()
    r("received_config", "get_function_configuration", FunctionName=r.name)


@scenario("TestLoggingConfig::test_advanced_logging_configuration_format_switch")
def logging_switch(r):
    settings = {**FIXTURE, "MemorySize": 256, "Timeout": 5}
    r.create("create_response", inside="CreateFunctionResponse", **settings)
    r("get_function_response", "get_function", FunctionName=r.name)
    r("function_config", "get_function_configuration", FunctionName=r.name)
    for suffix, form in (("", "JSON"), ("_v2", "Text")):
        r(f"updated_config{suffix}", "update_function_configuration", FunctionName=r.name,
          LoggingConfig={"LogFormat": form})
        r.updated()
        r(f"received_config{suffix}", "get_function_configuration", FunctionName=r.name)


@scenario("TestLambdaSnapStart::test_snapstart_exceptions")
def snapstart_refused(r):
    r("create_function_invalid_snapstart_apply", "create_function", FunctionName=r.name, Runtime=r.runtime,
      Handler="index.handler", Role=r.role, Code=ZIP, SnapStart={"ApplyOn": "invalidOption"})


@scenario(*(f"TestLambdaSnapStart::test_snapstart_lifecycle[{runtime}]" for runtime in ("python3.12", "python3.13")))
def snapstart(r):
    needs_snapstart(r)
    wanted = r.recorded["create_function_response"]
    settings = {**FIXTURE, "MemorySize": 1024, "Timeout": wanted["Timeout"], "Environment": wanted.get("Environment")}
    r.create("create_function_response", SnapStart={"ApplyOn": wanted["SnapStart"]["ApplyOn"]}, **settings)
    r.do("publish_version", FunctionName=r.name, Description="version1")
    r.published("1")
    r("get_function_response_latest", "get_function", FunctionName=r.name)
    r("get_function_response_version_1", "get_function", FunctionName=r.name, Qualifier="1")


@scenario(*(
    f"TestLambdaSnapStart::test_snapstart_update_function_configuration[{runtime}]"
    for runtime in ("python3.12", "python3.13")))
def snapstart_update(r):
    needs_snapstart(r)
    wanted = r.recorded["create_function_response"]
    settings = {**FIXTURE, "MemorySize": 1024, "Timeout": wanted["Timeout"], "Environment": wanted.get("Environment")}
    r.create("create_function_response", **settings)
    r("update_function_response", "update_function_configuration", FunctionName=r.name,
      SnapStart={"ApplyOn": "PublishedVersions"})
    r.updated()


def needs_snapstart(r):
    if int(r.runtime.split(".")[1]) < 12:
        pytest.skip("this host has no Python that SnapStart is for")


@scenario("TestLambdaSizeLimits::test_lambda_envvars_near_limit_succeeds")
def environment_near_limit(r):
    wanted = r.recorded["successful_create_fn_result"]["CreateFunctionResponse"]
    r.create("successful_create_fn_result", inside="CreateFunctionResponse", **{
        **FIXTURE, "Handler": wanted["Handler"], "Timeout": wanted["Timeout"], "MemorySize": wanted["MemorySize"],
        "Environment": wanted["Environment"], "Code": ZIP})


@scenario("TestLambdaSizeLimits::test_large_environment_variables_fails")
def environment_too_large(r):
    measured = r.recorded["failed_create_fn_result"]["Error"]["Message"].split("String measured: ", 1)[1]
    value = measured[len('{"LARGE_VAR":"'):-len('"}')]
    r("failed_create_fn_result", "create_function", FunctionName=r.name, Runtime=r.runtime, Role=r.role,
      **{**FIXTURE, "Environment": {"Variables": {"LARGE_VAR": value}}})


@scenario("TestLambdaSizeLimits::test_oversized_request_create_lambda")
def oversized_request(r):
    r("invalid_param_exc", "create_function", FunctionName=r.name, Runtime=r.runtime, Handler="index.handler",
      Role=r.role, Code={"ZipFile": os.urandom(55_000_000)})


def bomb(size):
    return package({"index.py": "def handler(event, context):\n    return event\n", "large": b"\0" * size})


@scenario("TestLambdaSizeLimits::test_oversized_unzipped_lambda", "TestLambdaSizeLimits::test_oversized_lambda")
def oversized(r):
    s3 = bucket(r)
    s3.put_object(Bucket=f"code-{r.account}", Key="large.zip", Body=bomb(262_144_000))
    r("invalid_param_exc", "create_function", FunctionName=r.name, Runtime=r.runtime, Handler="index.handler",
      Role=r.role, Code={"S3Bucket": f"code-{r.account}", "S3Key": "large.zip"})


@scenario("TestLambdaSizeLimits::test_large_lambda")
def large(r):
    s3 = bucket(r)
    files = {"handler.py": "def handler(event, context):\n    return event\n", "large": os.urandom(60_000_000)}
    s3.put_object(Bucket=f"code-{r.account}", Key="large.zip", Body=package(files))
    r.create("create_function_large_zip", Handler="handler.handler", Timeout=10,
             Code={"S3Bucket": f"code-{r.account}", "S3Key": "large.zip"})


# Layers


@scenario("TestLambdaLayer::test_layer_lifecycle")
def layer_lifecycle(r):
    r.create(**FIXTURE)
    r("get_fn_result", "get_function", FunctionName=r.name)
    r("get_fn_config_result", "get_function_configuration", FunctionName=r.name)
    layer = {
        "LayerName": "layer", "CompatibleRuntimes": ["python3.12"], "CompatibleArchitectures": ["x86_64"],
        "Content": ZIP, "Description": "description", "LicenseInfo": "license"}
    first = r("publish_result", "publish_layer_version", **layer)
    arn = first["LayerVersionArn"]
    r("update_fn_config", "update_function_configuration", FunctionName=r.name, Layers=[arn])
    r.updated()
    r("get_fn_config", "get_function_configuration", FunctionName=r.name)
    r("get_layer_ver_result", "get_layer_version", LayerName="layer", VersionNumber=1)
    r("get_layer_by_arn_version", "get_layer_version_by_arn", Arn=arn)
    r("publish_result_2", "publish_layer_version", **layer)
    r("list_layer_versions_predelete", "list_layer_versions", LayerName="layer")
    r("delete_layer_1", "delete_layer_version", LayerName="layer", VersionNumber=1)
    r("get_fn_config_postdelete", "get_function_configuration", FunctionName=r.name)
    r("delete_layer_2", "delete_layer_version", LayerName="layer", VersionNumber=2)
    r("list_layer_versions_postdelete", "list_layer_versions", LayerName="layer")
    r("publish_result_3", "publish_layer_version", **layer)


@scenario("TestLambdaLayer::test_layer_exceptions")
def layers_refused(r):
    r("publish_result", "publish_layer_version", LayerName="layer", CompatibleRuntimes=["python3.12"],
      CompatibleArchitectures=["x86_64"], Content=ZIP)
    r("publish_layer_version_exc_invalid_runtime_arch", "publish_layer_version", LayerName="layer-2", Content=ZIP,
      CompatibleRuntimes=["invalidruntime"], CompatibleArchitectures=["invalidarch"])
    r("publish_layer_version_exc_partially_invalid_values", "publish_layer_version", LayerName="layer-2", Content=ZIP,
      CompatibleRuntimes=["invalidruntime", "invalidruntime2", "nodejs20.x"],
      CompatibleArchitectures=["invalidarch", "x86_64"])
    r("get_layer_version_exc_layer_doesnotexist", "get_layer_version", LayerName="no-layer", VersionNumber=1)
    for name, number in (("negative", -1), ("zero", 0), ("2", 2)):
        r(f"get_layer_version_exc_layer_version_doesnotexist_{name}", "get_layer_version", LayerName="layer",
          VersionNumber=number)
    arn = f"arn:aws:lambda:us-east-1:{r.account}:layer:layer"
    r("get_layer_version_by_arn_exc_invalidarn", "get_layer_version_by_arn", Arn=arn)
    r("get_layer_version_by_arn_exc_nonexistentversion", "get_layer_version_by_arn", Arn=f"{arn}:2")
    r("delete_nonexistent_response", "delete_layer_version", LayerName="no-layer", VersionNumber=1)
    r("delete_nonexistent_version_response", "delete_layer_version", LayerName="layer", VersionNumber=2)
    r("delete_layer_version_exc_layerversion_invalid_version", "delete_layer_version", LayerName="layer",
      VersionNumber=-1)
    r("delete_layer_response", "delete_layer_version", LayerName="layer", VersionNumber=1)
    r("delete_layer_again_response", "delete_layer_version", LayerName="layer", VersionNumber=1)
    r("list_layers_exc_compatibleruntime_invalid", "list_layers", CompatibleRuntime="runtimedoesnotexist")
    r("list_layers_exc_compatiblearchitecture_invalid", "list_layers", CompatibleArchitecture="archdoesnotexist")
    r("list_nonexistent_layer", "list_layer_versions", LayerName="no-layer")
    r("publish_empty_result", "publish_layer_version", LayerName="layer-empty", CompatibleRuntimes=[],
      CompatibleArchitectures=[], Content=ZIP)


@scenario("TestLambdaLayer::test_layer_function_quota_exception")
def six_layers(r):
    arns = [r.do("publish_layer_version", LayerName=f"layer-{i}", Content=ZIP)["LayerVersionArn"] for i in range(6)]
    r("create_function_with_six_layers", "create_function", FunctionName=r.name, Runtime=r.runtime,
      Handler="index.handler", Role=r.role, Code=ZIP, Layers=arns)


@scenario("TestLambdaLayer::test_layer_s3_content")
def layer_in_s3(r):
    bucket(r).put_object(Bucket=f"code-{r.account}", Key="layer.zip", Body=ZIP["ZipFile"])
    published = r("publish_layer_result", "publish_layer_version", LayerName="layer",
                  Content={"S3Bucket": f"code-{r.account}", "S3Key": "layer.zip"})
    assert urllib.request.urlopen(published["Content"]["Location"], timeout=10).read() == ZIP["ZipFile"]


# Tags


@scenario("TestLambdaTags::test_tag_exceptions")
def tags_refused(r):
    r.create()
    unknown = r.arn.rsplit(":", 1)[0] + ":doesnotexist"
    tags = {"Tags": {"key": "value"}}
    r("tag_lambda_invalidarn", "tag_resource", Resource="arn:aws:something", **tags)
    r("tag_lambda_doesnotexist", "tag_resource", Resource=unknown, **tags)
    r("tag_lambda_qualifier_doesnotexist", "tag_resource", Resource=f"{r.arn}:v1", **tags)
    r("tag_empty_tags", "tag_resource", Resource=r.arn, Tags={})
    r("list_tag_lambda_empty", "list_tags", Resource=r.arn)
    r("untag_empty_keys", "untag_resource", Resource=r.arn, TagKeys=[])
    r("untag_nomatch", "untag_resource", Resource=r.arn, TagKeys=["somekey"])


@scenario("TestLambdaTags::test_tag_lifecycle")
def tags_of_a_function(r):
    r.create(Tags={"key_a": "value_a"}, **FIXTURE)

    def look(step):
        r(f"get_fn_response_{step}", "get_function", FunctionName=r.name)
        r(f"list_tags_response_{step}", "list_tags", Resource=r.arn)

    look("postfncreate")
    r("tag_resource_response", "tag_resource", Resource=r.arn, Tags={f"key_{c}": f"value_{c}" for c in "bcde"})
    look("postaddtags")
    r("tag_resource_overwrite", "tag_resource", Resource=r.arn, Tags={"key_b": "value_b", "key_c": "value_x"})
    look("overwrite")
    r.do("untag_resource", Resource=r.arn, TagKeys=["key_c", "key_d"])
    look("postuntag")
    r.do("untag_resource", Resource=r.arn, TagKeys=["key_a", "key_b", "key_e"])
    look("postuntagall")
    r.do("delete_function", FunctionName=r.name)
    r("list_tags_postdelete", "list_tags", Resource=r.arn)


@scenario("TestLambdaTags::test_tag_limits")
def tag_limits(r):
    def tags(count):
        return {f"{i}_key": f"{i}_value" for i in range(count)}

    wanted = r.recorded["get_fn_response"]["Configuration"]
    settings = {**FIXTURE, "Handler": wanted["Handler"], "Timeout": wanted["Timeout"]}
    r.create(**settings)
    r("tag_lambda_too_many_tags", "tag_resource", Resource=r.arn, Tags=tags(51))
    r("tag_response", "tag_resource", Resource=r.arn, Tags=tags(50))
    r("list_tags_response", "list_tags", Resource=r.arn)
    r("get_fn_response", "get_function", FunctionName=r.name)
    r("tag_lambda_too_many_tags_additional", "tag_resource", Resource=r.arn, Tags={"a_key": "a_value"})
    r("create_function_invalid_tags", "create_function", FunctionName=f"{r.name}-2", Runtime=r.runtime, Role=r.role,
      Tags=tags(51), **FIXTURE)


@scenario("TestLambdaTags::test_tag_versions")
def tags_of_versions(r):
    r.create(Publish=True)
    r("tag_resource_exception", "tag_resource", Resource=f"{r.arn}:1", Tags={"key": "value"})
    r("tag_resource_latest_exception", "tag_resource", Resource=f"{r.arn}:$LATEST", Tags={"key": "value"})


@scenario(
    "TestLambdaTag::test_tag_lifecycle", "TestLambdaTag::test_tag_lifecycle[lambda_function]",
    "TestLambdaTag::test_tag_lifecycle[event_source_mapping]")
def tag_lifecycle(r):
    r.create()
    arn = r.arn
    if r.parameter == "event_source_mapping":
        arn = r.do("create_event_source_mapping", FunctionName=r.name, BatchSize=1,
                   EventSourceArn=f"arn:aws:sqs:us-east-1:{r.account}:queue")["EventSourceMappingArn"]

    def step(name, operation, **arguments):
        r(name, operation, Resource=arn, **arguments)
        r(f"{name}_listtags", "list_tags", Resource=arn)

    step("tag_single_response", "tag_resource", Tags={"A": "tag-a"})
    step("tag_multiple_response", "tag_resource", Tags={"B": "tag-b", "C": "tag-c"})
    step("tag_overlap_response", "tag_resource", Tags={"C": "tag-c-newsuffix", "D": "tag-d"})
    step("untag_single_response", "untag_resource", TagKeys=["A"])
    step("untag_multiple_response", "untag_resource", TagKeys=["B", "C"])
    step("untag_nonexisting_response", "untag_resource", TagKeys=["F"])
    step("untag_existing_and_nonexisting_response", "untag_resource", TagKeys=["D", "F"])


@scenario("TestLambdaTag::test_create_tag_on_esm_create")
def tags_of_a_new_mapping(r):
    r.create()
    created = r.do("create_event_source_mapping", FunctionName=r.name, BatchSize=1, Tags={"testtag": "custom"},
                   EventSourceArn=f"arn:aws:sqs:us-east-1:{r.account}:queue")
    got = r.do("get_event_source_mapping", UUID=created["UUID"])
    r.value("get_event_source_mapping_with_tag", got["UUID"] == created["UUID"])
    r("list_tags_result", "list_tags", Resource=created["EventSourceMappingArn"])
