# The control plane in detail: what each call accepts, refuses and answers, asked with boto3 and without its own checks.
import base64
import hashlib
import re
import urllib.request

import botocore.exceptions
import pytest

from conftest import ROLE, error_of, package

CODE = {"app.py": "def handler(event, context):\n    return 1\n"}
WAIT = {"Delay": 0.02, "MaxAttempts": 3000}


def test_listed_functions_have_no_state(server, name):
    server.create(name, CODE, Publish=True)
    listed = next(f for page in server.client.get_paginator("list_functions").paginate() for f in page["Functions"]
                  if f["FunctionName"] == name)
    assert not {"State", "StateReason", "LastUpdateStatus", "RuntimeVersionConfig"} & set(listed)
    assert listed["Version"] == "$LATEST" and listed["FunctionArn"].endswith(f":function:{name}")
    everything = [f for page in server.client.get_paginator("list_functions").paginate(FunctionVersion="ALL") for f in page["Functions"]]
    mine = sorted(f["FunctionArn"].split(":function:")[1] for f in everything if f["FunctionName"] == name)
    assert mine == [f"{name}:$LATEST", f"{name}:1"]


def test_pages_of_any_size_hold_everything_once(server, name):
    for i in range(7):
        server.create(f"{name}-{i}", CODE)
    everything = {f"{name}-{i}" for i in range(7)}
    for size in (1, 3, 50, 10_000):
        pages = list(server.client.get_paginator("list_functions").paginate(PaginationConfig={"PageSize": size}))
        listed = [f["FunctionName"] for page in pages for f in page["Functions"]]
        assert len(listed) == len(set(listed)) and everything <= set(listed)
        assert all(len(page["Functions"]) <= min(size, 50) for page in pages)
    assert error_of(server.client.list_functions, Marker="no such marker")[:2] == (400, "InvalidParameterValueException")


def test_the_configuration_that_comes_back_is_the_one_that_was_sent(server, name):
    sent = {"Description": "d ü", "Timeout": 900, "MemorySize": 10240, "EphemeralStorage": {"Size": 10240},
            "Environment": {"Variables": {"AA": "1", "BB": ""}}, "TracingConfig": {"Mode": "Active"}, "Architectures": ["x86_64"],
            "LoggingConfig": {"LogFormat": "JSON", "ApplicationLogLevel": "DEBUG", "SystemLogLevel": "WARN", "LogGroup": "/own/group"}}
    server.create(name, CODE, **sent)
    got = server.client.get_function_configuration(FunctionName=name)
    assert {key: got[key] for key in sent} == sent
    assert got["SnapStart"] == {"ApplyOn": "None", "OptimizationStatus": "Off"}
    assert re.fullmatch(r"arn:aws:lambda:us-east-1::runtime:[0-9a-f]{64}", got["RuntimeVersionConfig"]["RuntimeVersionArn"])
    assert not {"DeadLetterConfig", "Layers", "VpcConfig", "KMSKeyArn", "FileSystemConfigs"} & set(got)


def test_an_update_changes_what_it_names_and_nothing_else(server, name):
    server.create(name, CODE, Description="kept", Timeout=7, Environment={"Variables": {"AA": "1"}})
    def update(**change):
        server.client.update_function_configuration(FunctionName=name, **change)
        server.client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig=WAIT)
        return server.client.get_function_configuration(FunctionName=name)
    before = server.client.get_function_configuration(FunctionName=name)
    after = update(MemorySize=512)
    changed = {k for k in before if k != "ResponseMetadata" and before[k] != after.get(k)}
    assert changed == {"MemorySize", "RevisionId", "LastModified"}
    assert "Environment" not in update(Environment={}) or update(Environment={})["Environment"] == {"Variables": {}}
    again = update(MemorySize=512)
    assert again["RevisionId"] != after["RevisionId"], "an update that changes nothing is one all the same"
    assert update(Description="")["Description"] == ""
    assert update(LoggingConfig={"LogFormat": "JSON"})["LoggingConfig"]["ApplicationLogLevel"] == "INFO"
    assert "ApplicationLogLevel" not in update(LoggingConfig={"LogFormat": "Text"})["LoggingConfig"]


def test_the_new_runtime_and_handler_of_an_update_are_used(server, name):
    server.create(name, {"app.py": "def one(e, c):\n    return 1\ndef two(e, c):\n    return 2\n", "index.js": "exports.x = async () => 3\n"},
                  handler="app.one")
    assert server.invoke(name).succeeded() == 1
    for change, expected in (({"Handler": "app.two"}, 2), ({"Runtime": "nodejs20.x", "Handler": "index.x"}, 3)):
        server.client.update_function_configuration(FunctionName=name, **change)
        server.client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig=WAIT)
        assert server.invoke(name).succeeded() == expected


def test_memory_size_and_time_out_of_an_update_are_used(server, name):
    server.create(name, "import time\ndef handler(e, c):\n    time.sleep(e)\n    return [c.memory_limit_in_mb, c.get_remaining_time_in_millis() > 5000]\n")
    assert server.invoke(name, 0).succeeded() == ["128", False]
    server.client.update_function_configuration(FunctionName=name, MemorySize=256, Timeout=60)
    server.client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig=WAIT)
    assert server.invoke(name, 0).succeeded() == ["256", True]


def test_code_updates_that_publish_and_guards_of_published_code(server, name):
    server.create(name, CODE)
    new = package({"app.py": "def handler(event, context):\n    return 2\n"})
    published = server.client.update_function_code(FunctionName=name, ZipFile=new, Publish=True)
    assert published["Version"] == "1" and published["FunctionArn"].endswith(f":{name}:1")
    server.client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig=WAIT)
    assert server.invoke(name, Qualifier="1").succeeded() == 2
    digest = base64.b64encode(hashlib.sha256(new).digest()).decode()
    assert server.client.publish_version(FunctionName=name, CodeSha256=digest)["Version"] == "1"
    wrong = error_of(server.client.publish_version, FunctionName=name, CodeSha256="other")
    assert wrong == (400, "InvalidParameterValueException", f"CodeSHA256 (other) is different from current CodeSHA256 in $LATEST "
                     f"({digest}). Please try again with the CodeSHA256 in $LATEST.")
    stale = error_of(server.client.publish_version, FunctionName=name, RevisionId="stale")
    assert stale[:2] == (412, "PreconditionFailedException") and stale[2].startswith("The Revision Id provided does not match")


def test_a_version_keeps_its_code_when_the_function_moves_on(server, name):
    old = package(CODE)
    server.create(name, old, Publish=True)
    server.client.update_function_code(FunctionName=name, ZipFile=package({"app.py": "def handler(event, context):\n    return 2\n"}))
    server.client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig=WAIT)
    location = server.client.get_function(FunctionName=name, Qualifier="1")["Code"]["Location"]
    assert urllib.request.urlopen(location, timeout=10).read() == old
    assert [server.invoke(name, Qualifier=q).succeeded() for q in ("1", "$LATEST")] == [1, 2]


def test_version_numbers_are_never_used_again(server, name):
    server.create(name, CODE, Publish=True)
    server.client.delete_function(FunctionName=name, Qualifier="1")
    assert error_of(server.client.invoke, FunctionName=name, Qualifier="1")[2].endswith(f"function:{name}:1")
    server.client.update_function_configuration(FunctionName=name, Description="x")
    server.client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig=WAIT)
    assert server.client.publish_version(FunctionName=name)["Version"] == "2"
    latest = error_of(server.client.delete_function, FunctionName=name, Qualifier="$LATEST")
    assert latest == (400, "InvalidParameterValueException", "$LATEST version cannot be deleted without deleting the function.")


def test_two_functions_share_their_code_and_outlive_each_other(server, name):
    code = package(CODE)
    server.create(name + "-a", code)
    server.create(name + "-b", code)
    server.client.delete_function(FunctionName=name + "-a")
    assert server.invoke(name + "-b").succeeded() == 1
    location = server.client.get_function(FunctionName=name + "-b")["Code"]["Location"]
    assert urllib.request.urlopen(location, timeout=10).read() == code


@pytest.mark.parametrize("call, arguments, status, code, text", [
    ("get_function", {"FunctionName": "absent"}, 404, "ResourceNotFoundException",
     "Function not found: arn:aws:lambda:us-east-1:000000000000:function:absent"),
    ("get_function", {"FunctionName": "absent", "Qualifier": "7"}, 404, "ResourceNotFoundException",
     "Function not found: arn:aws:lambda:us-east-1:000000000000:function:absent:7"),
    ("update_function_configuration", {"FunctionName": "absent"}, 404, "ResourceNotFoundException", "Function not found: "),
    ("update_function_code", {"FunctionName": "absent", "ZipFile": package(CODE)}, 404, "ResourceNotFoundException", "Function not found: "),
    ("publish_version", {"FunctionName": "absent"}, 404, "ResourceNotFoundException", "Function not found: "),
    ("list_versions_by_function", {"FunctionName": "absent"}, 404, "ResourceNotFoundException", "Function not found: "),
    ("get_function", {"FunctionName": "a b"}, 400, "ValidationException", "1 validation error detected: Value 'a b' at 'functionName'"),
    ("get_function", {"FunctionName": "f", "Qualifier": "a b"}, 400, "ValidationException", "1 validation error detected: Value 'a b' at 'qualifier'"),
    ("invoke", {"FunctionName": "f", "InvocationType": "Sometimes"}, 400, "ValidationException",
     "1 validation error detected: Value 'Sometimes' at 'invocationType' failed to satisfy constraint: Member must satisfy enum value set: ["),
    ("list_functions", {"FunctionVersion": "SOME"}, 400, "ValidationException", "1 validation error detected: Value 'SOME' at 'functionVersion'"),
    ("list_tags", {"Resource": "arn:aws:lambda:us-east-1:000000000000:function:absent"}, 404, "ResourceNotFoundException",
     "Function not found: arn:aws:lambda:us-east-1:000000000000:function:absent"),
    ("tag_resource", {"Resource": "nonsense", "Tags": {"a": "b"}}, 400, "ValidationException", "1 validation error detected: Value 'nonsense' at 'resource'"),
], ids=lambda v: v if isinstance(v, str) and v.islower() and " " not in v else "")
def test_errors_in_awss_words(server, call, arguments, status, code, text):
    answer = error_of(getattr(server.client, call), **arguments)
    assert answer[:2] == (status, code) and answer[2].startswith(text), answer


@pytest.mark.parametrize("change, status, code, text", [
    ({"FunctionName": "x" * 65}, 400, "InvalidParameterValueException", "1 validation error detected: Value '"),
    ({"FunctionName": "with space"}, 400, "ValidationException", "1 validation error detected: Value 'with space' at 'functionName'"),
    ({"Handler": "a b"}, 400, "ValidationException", "1 validation error detected: Value 'a b' at 'handler' failed to satisfy constraint: "
     "Member must satisfy regular expression pattern: [^\\s]+"),
    ({"Handler": "x" * 129}, 400, "ValidationException", "1 validation error detected: Value '"),
    ({"Timeout": 0}, 400, "ValidationException", "1 validation error detected: Value '0' at 'timeout' failed to satisfy constraint: "
     "Member must have value greater than or equal to 1"),
    ({"MemorySize": 127}, 400, "ValidationException", "1 validation error detected: Value '127' at 'memorySize'"),
    ({"MemorySize": 10241}, 400, None, ""),
    ({"EphemeralStorage": {"Size": 511}}, 400, "ValidationException", "1 validation error detected: Value '511' at 'ephemeralStorage.size'"),
    ({"Architectures": ["mips"]}, 400, "ValidationException", "1 validation error detected: Value '[mips]' at 'architectures' failed to satisfy constraint: "),
    ({"Architectures": []}, 400, "ValidationException", "1 validation error detected: "),
    ({"Environment": {"Variables": {"1A": "x"}}}, 400, "ValidationException", "1 validation error detected: Value '{1A=x}' at 'environment.variables' failed"),
    ({"TracingConfig": {"Mode": "Maybe"}}, 400, "ValidationException", "1 validation error detected: Value 'Maybe' at 'tracingConfig.mode'"),
    ({"LoggingConfig": {"LogFormat": "Text", "ApplicationLogLevel": "INFO"}}, 400, "InvalidParameterValueException",
     'LogLevel is not supported when LogFormat is set to "Text". Remove LogLevel from your request or change the LogFormat to "JSON" and try again.'),
    ({"PackageType": "Tar"}, 400, "ValidationException", "1 validation error detected: Value 'Tar' at 'packageType'"),
    ({"Tags": {f"k{i}": "v" for i in range(51)}}, 400, "InvalidParameterValueException", "Number of tags exceeds resource tag limit."),
    ({"Tags": {"aws:x": "v"}}, 400, None, ""),
    ({"Runtime": None}, 400, "InvalidParameterValueException",
     "Runtime and Handler are mandatory parameters for functions created with deployment packages."),
    ({"Handler": None}, 400, "InvalidParameterValueException",
     "Runtime and Handler are mandatory parameters for functions created with deployment packages."),
    ({"Role": None}, 400, "ValidationException", "1 validation error detected: Value null at 'role' failed to satisfy constraint: Member must not be null"),
    ({"Code": None}, 400, "ValidationException", "1 validation error detected: Value null at 'code' failed to satisfy constraint: Member must not be null"),
    ({"Code": {}}, 400, "InvalidParameterValueException", ""),
    ({"Code": {"S3Bucket": "b-c", "S3Key": "k"}}, None, None, ""),
    ({"Layers": ["arn:aws:lambda:us-east-1:000000000000:layer:none:1"]}, None, None, ""),
    ({"Environment": {"Variables": {"NUL": "a\0b"}}}, 400, None, ""),
    ({"Handler": "app\0.handler"}, 400, None, ""),
], ids=lambda v: re.sub(r"\W+", "-", str(v))[:40] if isinstance(v, dict) else "")
def test_what_create_function_refuses(server, name, change, status, code, text):
    arguments = {"FunctionName": name, "Runtime": "python3.11", "Handler": "app.handler", "Role": ROLE, "Code": {"ZipFile": package(CODE)}, **change}
    answer = error_of(server.client.create_function, **{k: v for k, v in arguments.items() if v is not None})
    assert answer[0] == (status or answer[0]) and answer[0] < 502 and answer[0] != 500, answer
    assert code in (None, answer[1]) and answer[2].startswith(text), answer
    assert error_of(server.client.get_function, FunctionName=name)[0] == 404, "nothing was made"


def test_names_at_the_limit(server):
    longest = "x" * 64
    server.create(longest, CODE)
    assert server.invoke(longest).succeeded() == 1
    for odd in ("a", "0", "-", "_", "A-b_9"):
        server.create(odd, CODE)
        assert server.invoke(odd).succeeded() == 1
        server.client.delete_function(FunctionName=odd)
    server.client.delete_function(FunctionName=longest)


def test_environment_variables_of_every_kind_arrive(server, name):
    variables = {"EMPTY": "", "LINES": "a\nb\r\nc", "EQUALS": "=a==", "UNICODE": "üñ☃𝄞", "QUOTES": "'\"`$(id)\\", "SPACES": "  x  ", "LONG": "x" * 3500}
    server.create(name, f"import os\ndef handler(e, c):\n    return {{k: os.environ[k] for k in {list(variables)}}}\n",
                  Environment={"Variables": variables})
    assert server.invoke(name).succeeded() == variables


def test_tags_and_their_limits(server, name):
    arn = server.create(name, CODE)["FunctionArn"]
    assert error_of(server.client.tag_resource, Resource=arn + ":1", Tags={"a": "b"})[2] == (
        "Tags on function aliases and versions are not supported. Please specify a function ARN.")
    server.client.tag_resource(Resource=arn, Tags={f"k{i}": "v" for i in range(50)})
    assert error_of(server.client.tag_resource, Resource=arn, Tags={"one more": "v"})[0] == 400
    server.client.tag_resource(Resource=arn, Tags={"k0": "changed"})
    server.client.untag_resource(Resource=arn, TagKeys=["k1", "k2", "never there"])
    tags = server.client.list_tags(Resource=arn)["Tags"]
    assert len(tags) == 48 and tags["k0"] == "changed"
    assert error_of(server.client.untag_resource, Resource=arn, TagKeys=[])[1] == "ValidationException"


def test_an_invocation_right_after_creation(server, name):
    """Without any waiter: it is served, or refused as AWS refuses what is Pending."""
    server.client.create_function(FunctionName=name, Runtime="python3.11", Handler="app.handler", Role=ROLE, Code={"ZipFile": package(CODE)})
    try:
        assert server.invoke(name).succeeded() == 1
    except botocore.exceptions.ClientError as error:
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 409
        assert error.response["Error"]["Message"] == ("The operation cannot be performed at this time. "
                                                      "The function is currently in the following state: Pending")


def test_every_error_has_its_type_and_request_id_in_the_headers(server):
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        server.client.get_function(FunctionName="absent")
    metadata = caught.value.response["ResponseMetadata"]
    assert metadata["HTTPHeaders"]["x-amzn-errortype"] == "ResourceNotFoundException"
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", metadata["RequestId"])
    assert isinstance(caught.value, server.client.exceptions.ResourceNotFoundException)
