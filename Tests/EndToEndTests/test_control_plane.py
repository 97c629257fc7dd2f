# The control plane with boto3: what a deployment tool does, and what it is told when it is wrong.
import hashlib
import base64
import urllib.request

import pytest

from conftest import ROLE, error_of, package

CODE = {"app.py": "def handler(event, context):\n    return 1\n"}
WAIT = {"Delay": 0.02, "MaxAttempts": 3000}


def test_create_function_has_awss_defaults_and_becomes_active(server, name):
    created = server.client.create_function(
        FunctionName=name, Runtime="python3.11", Handler="app.handler", Role=ROLE, Code={"ZipFile": package(CODE)})
    assert created["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert (created["State"], created["StateReasonCode"], "LastUpdateStatus" in created) == ("Pending", "Creating", False)
    server.client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig=WAIT)
    got = server.client.get_function_configuration(FunctionName=name)
    assert got["FunctionArn"] == f"arn:aws:lambda:us-east-1:000000000000:function:{name}"
    assert (got["State"], got["LastUpdateStatus"], got["Version"]) == ("Active", "Successful", "$LATEST")
    assert (got["Timeout"], got["MemorySize"], got["PackageType"], got["Architectures"]) == (3, 128, "Zip", ["x86_64"])
    assert got["EphemeralStorage"] == {"Size": 512} and got["TracingConfig"] == {"Mode": "PassThrough"}
    assert got["LoggingConfig"] == {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{name}"}
    assert got["RevisionId"] != created["RevisionId"] and got["LastModified"].endswith("+0000")


def test_get_function_links_to_the_same_zip(server, name):
    code = package(CODE)
    server.create(name, code)
    got = server.client.get_function(FunctionName=name)
    assert got["Code"]["RepositoryType"] == "S3"
    assert urllib.request.urlopen(got["Code"]["Location"], timeout=10).read() == code
    digest = base64.b64encode(hashlib.sha256(code).digest()).decode()
    assert (got["Configuration"]["CodeSha256"], got["Configuration"]["CodeSize"]) == (digest, len(code))
    forged = got["Code"]["Location"].replace("Signature=", "Signature=0")
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(forged, timeout=10)
    assert refused.value.code == 403


def test_update_function_code_and_configuration(server, name):
    server.create(name, CODE)
    updated = server.client.update_function_code(
        FunctionName=name, ZipFile=package({"app.py": "def handler(event, context):\n    return 2\n"}))
    assert updated["LastUpdateStatus"] == "InProgress"
    server.client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig=WAIT)
    assert server.invoke(name).succeeded() == 2
    server.client.update_function_configuration(
        FunctionName=name, MemorySize=256, Environment={"Variables": {"AB": "b"}}, Description="new")
    server.client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig=WAIT)
    got = server.client.get_function_configuration(FunctionName=name)
    assert (got["MemorySize"], got["Environment"], got["Description"]) == (256, {"Variables": {"AB": "b"}}, "new")
    stale = error_of(server.client.update_function_configuration, FunctionName=name, RevisionId=updated["RevisionId"])
    assert stale[:2] == (412, "PreconditionFailedException")


def test_dry_run_of_update_changes_nothing(server, name):
    created = server.create(name, CODE)
    server.client.update_function_code(FunctionName=name, ZipFile=package({"app.py": "x = 1\n"}), DryRun=True)
    assert server.client.get_function_configuration(FunctionName=name)["CodeSha256"] == created["CodeSha256"]


def test_versions_are_frozen_and_deduplicated(server, name):
    server.create(name, {"app.py": "import os\ndef handler(e, c):\n    return [os.environ['VV'], c.function_version]\n"},
                  Environment={"Variables": {"VV": "one"}})
    first = server.client.publish_version(FunctionName=name, Description="first")
    assert (first["Version"], first["ResponseMetadata"]["HTTPStatusCode"]) == ("1", 201)
    server.client.get_waiter("published_version_active").wait(FunctionName=name, Qualifier="1", WaiterConfig=WAIT)
    assert server.client.publish_version(FunctionName=name)["Version"] == "1", "nothing has changed"
    server.client.update_function_configuration(FunctionName=name, Environment={"Variables": {"VV": "two"}})
    server.client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig=WAIT)
    assert server.client.publish_version(FunctionName=name)["Version"] == "2"
    assert server.invoke(name, Qualifier="1").succeeded() == ["one", "1"]
    answer = server.invoke(name, Qualifier="2")
    assert answer.succeeded() == ["two", "2"] and answer.version == "2"
    assert server.invoke(name).version == "$LATEST"
    pages = server.client.get_paginator("list_versions_by_function").paginate(
        FunctionName=name, PaginationConfig={"PageSize": 1})
    assert [v["Version"] for page in pages for v in page["Versions"]] == ["$LATEST", "1", "2"]
    server.client.delete_function(FunctionName=name, Qualifier="1")
    versions = server.client.list_versions_by_function(FunctionName=name)["Versions"]
    assert [v["Version"] for v in versions] == ["$LATEST", "2"]


def test_publish_on_create(server, name):
    assert server.create(name, CODE, Publish=True)["Version"] == "1"


def test_list_functions_in_pages(server, name):
    for i in range(3):
        server.create(f"{name}-{i}", CODE)
    pages = server.client.get_paginator("list_functions").paginate(PaginationConfig={"PageSize": 2})
    listed = [f["FunctionName"] for page in pages for f in page["Functions"]]
    assert len(listed) == len(set(listed)) and {f"{name}-{i}" for i in range(3)} <= set(listed)


def test_delete_function(server, name):
    server.create(name, CODE)
    assert server.client.delete_function(FunctionName=name)["ResponseMetadata"]["HTTPStatusCode"] == 204
    arn = f"arn:aws:lambda:us-east-1:000000000000:function:{name}"
    gone = (404, "ResourceNotFoundException", f"Function not found: {arn}")
    assert error_of(server.client.get_function, FunctionName=name) == gone
    assert error_of(server.client.delete_function, FunctionName=name) == gone
    assert error_of(server.client.invoke, FunctionName=name) == (*gone[:2], f"{gone[2]}:$LATEST")


def test_tags(server, name):
    arn = server.create(name, CODE, Tags={"a": "1"})["FunctionArn"]
    server.client.tag_resource(Resource=arn, Tags={"b": "2"})
    assert server.client.list_tags(Resource=arn)["Tags"] == {"a": "1", "b": "2"}
    server.client.untag_resource(Resource=arn, TagKeys=["a"])
    assert server.client.get_function(FunctionName=name)["Tags"] == {"b": "2"}


def test_get_account_settings(server, name):
    server.create(name, CODE)
    settings = server.client.get_account_settings()
    assert settings["AccountLimit"]["ConcurrentExecutions"] == 1000
    assert settings["AccountLimit"]["CodeSizeUnzipped"] == 262144000
    assert settings["AccountUsage"]["FunctionCount"] >= 1 and settings["AccountUsage"]["TotalCodeSize"] > 0


def test_names_and_arns_reach_the_same_function(server, name):
    server.create(name, CODE)
    for reference in (name, f"000000000000:function:{name}", f"arn:aws:lambda:us-east-1:000000000000:function:{name}",
                      f"{name}:$LATEST"):
        assert server.invoke(reference).succeeded() == 1
    elsewhere = f"arn:aws:lambda:eu-west-1:000000000000:function:{name}"
    assert error_of(server.client.invoke, FunctionName=elsewhere)[2] == (
        "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')")
    conflict = error_of(server.client.invoke, FunctionName=f"{name}:1", Qualifier="2")
    assert conflict[2] == "The derived qualifier from the function name does not match the specified qualifier."


def test_accounts_and_regions_are_separate(server, name):
    server.create(name, CODE)
    for other in (server.make_client(key="123456789012"), server.make_client(region="eu-west-1")):
        assert error_of(other.get_function, FunctionName=name)[0] == 404
        assert name not in [f["FunctionName"] for f in other.list_functions()["Functions"]]


@pytest.mark.parametrize("change, status, code, text", [
    ({"Role": "r1"}, 400, "ValidationException",
     "1 validation error detected: Value 'r1' at 'role' failed to satisfy constraint: Member must satisfy regular"),
    ({"Timeout": 901, "MemorySize": 64}, 400, "ValidationException", "2 validation errors detected: "),
    ({"Runtime": "nosuch1.0"}, 400, "InvalidParameterValueException",
     "Value nosuch1.0 at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [nodejs20.x, "),
    ({"Runtime": "ruby3.3"}, 400, "InvalidParameterValueException", "The runtime ruby3.3 is not available: "),
    ({"Environment": {"Variables": {"AWS_REGION": "x"}}}, 400, "InvalidParameterValueException",
     "Lambda was unable to configure your environment variables because the environment variables you have provided "
     "contains reserved keys"),
    ({"Environment": {"Variables": {"BIG": "x" * 5000}}}, 400, "InvalidParameterValueException",
     "Lambda was unable to configure your environment variables because the environment variables you have provided "
     "exceeded the 4KB limit."),
    ({"Code": {"ZipFile": b"no zip"}}, 400, "InvalidParameterValueException",
     "Could not unzip uploaded file. Please check your file, then try to upload again."),
])
def test_bad_input_is_refused_in_awss_words(server, name, change, status, code, text):
    arguments = {"FunctionName": name, "Runtime": "python3.11", "Handler": "app.handler", "Role": ROLE,
                 "Code": {"ZipFile": package(CODE)}, **change}
    answer = error_of(server.client.create_function, **arguments)
    assert answer[:2] == (status, code) and answer[2].startswith(text), answer
    assert error_of(server.client.get_function, FunctionName=name)[0] == 404


def test_a_function_is_created_once(server, name):
    server.create(name, CODE)
    again = error_of(server.client.create_function, FunctionName=name, Runtime="python3.11", Handler="app.handler",
                     Role=ROLE, Code={"ZipFile": package(CODE)})
    assert again == (409, "ResourceConflictException", f"Function already exist: {name}")


@pytest.mark.parametrize("operation, arguments", [
    ("checkpoint_durable_execution", {"DurableExecutionArn": "arn:aws:lambda:us-east-1:000000000000:function:f:1/durable-execution/e/1", "CheckpointToken": "t"}),
])
def test_what_is_not_built_names_itself(server, operation, arguments):
    status, code, text = error_of(getattr(server.client, operation), **arguments)
    model = "".join(part.title() for part in operation.split("_"))
    assert status == 501 and model in text and "UNIMPLEMENTED.txt" in text
