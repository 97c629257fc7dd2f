# STS: who somebody is, temporary credentials, and the credentials that a function finds in its environment.
import base64
import glob
import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest

from conftest import error_of, new_directory
from test_iam import TRUST, client_of


def with_credentials(server, service, c, region="us-east-1"):
    return client_of(server, service, key=c["AccessKeyId"], secret=c["SecretAccessKey"], token=c["SessionToken"], region=region)


def test_who_calls(server, name):
    assert client_of(server, "sts", key="anything").get_caller_identity()["Arn"] == "arn:aws:iam::000000000000:root"
    assert client_of(server, "sts", key="123456789012", region="eu-west-3").get_caller_identity()["Account"] == "123456789012"
    iam = client_of(server, key="123456789012")
    user = iam.create_user(UserName=name)["User"]
    key = iam.create_access_key(UserName=name)["AccessKey"]
    sts = client_of(server, "sts", key=key["AccessKeyId"])
    identity = sts.get_caller_identity()
    assert (identity["UserId"], identity["Account"], identity["Arn"]) == (user["UserId"], "123456789012", user["Arn"])
    assert sts.get_access_key_info(AccessKeyId=key["AccessKeyId"])["Account"] == "123456789012"
    assert error_of(sts.get_access_key_info, AccessKeyId="A" * 16)[:2] == (400, "ValidationError")
    iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
    assert sts.get_caller_identity()["Arn"] == "arn:aws:iam::000000000000:root", "a key that is gone is any key"


def test_assume_role(server, name):
    iam = client_of(server, key="121212121212")
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST, Path="/a/b/", MaxSessionDuration=7200)["Role"]
    sts = client_of(server, "sts", key="343434343434")
    answer = sts.assume_role(RoleArn=role["Arn"], RoleSessionName="me", DurationSeconds=7200, SourceIdentity="src", Policy=json.dumps(
        {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}))
    assert answer["AssumedRoleUser"] == {"AssumedRoleId": f"{role['RoleId']}:me", "Arn": f"arn:aws:sts::121212121212:assumed-role/{name}/me"}
    assert answer["PackedPolicySize"] > 0 and answer["SourceIdentity"] == "src"
    credentials = answer["Credentials"]
    assert re.fullmatch("ASIA[A-Z2-7]{16}", credentials["AccessKeyId"]) and len(credentials["SecretAccessKey"]) == 40
    assert 7100 < credentials["Expiration"].timestamp() - time.time() <= 7200
    assert sts.get_access_key_info(AccessKeyId=credentials["AccessKeyId"])["Account"] == "121212121212"
    as_role = with_credentials(server, "sts", credentials)
    assert as_role.get_caller_identity()["Arn"] == f"arn:aws:sts::121212121212:assumed-role/{name}/me"
    assert with_credentials(server, "iam", credentials).get_role(RoleName=name)["Role"]["RoleId"] == role["RoleId"], "the session is in the role's account"
    assert with_credentials(server, "lambda", credentials).list_functions()["Functions"] == []
    assert error_of(as_role.get_session_token)[:2] == (403, "AccessDenied")
    assert error_of(as_role.assume_role, RoleArn=role["Arn"], RoleSessionName="me", DurationSeconds=7200)[2].endswith("role chaining.")
    assert error_of(with_credentials(server, "iam", credentials).get_user) == (
        400, "ValidationError", "Must specify userName when calling with non-User credentials")
    forged = {**credentials, "SessionToken": credentials["SessionToken"][:-8] + "AAAAAAA="}
    assert with_credentials(server, "sts", forged).get_caller_identity()["Account"] == "000000000000"

    assert error_of(sts.assume_role, RoleArn=role["Arn"], RoleSessionName="me", DurationSeconds=7201) == (
        400, "ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
    assert error_of(sts.assume_role, RoleArn=role["Arn"] + "x", RoleSessionName="me") == (
        403, "AccessDenied", f"User: arn:aws:iam::343434343434:root is not authorized to perform: sts:AssumeRole on resource: {role['Arn']}x")
    assert error_of(sts.assume_role, RoleArn="arn:aws:s3:::not-a-role-at-all", RoleSessionName="me") == (
        400, "ValidationError", "arn:aws:s3:::not-a-role-at-all is invalid")
    assert error_of(sts.assume_role, RoleArn=role["Arn"], RoleSessionName="a b")[1] == "ValidationError"
    assert error_of(sts.assume_role, RoleArn=role["Arn"], RoleSessionName="me", Policy="{")[1] == "MalformedPolicyDocument"


def test_the_other_tokens(server, name):
    sts = client_of(server, "sts", key="565656565656")
    session = sts.get_session_token()["Credentials"]
    assert with_credentials(server, "sts", session).get_caller_identity()["Arn"] == "arn:aws:iam::565656565656:root"
    federated = sts.get_federation_token(Name="bob")
    assert federated["FederatedUser"] == {"FederatedUserId": "565656565656:bob", "Arn": "arn:aws:sts::565656565656:federated-user/bob"}
    assert with_credentials(server, "sts", federated["Credentials"]).get_caller_identity()["UserId"] == "565656565656:bob"

    role = client_of(server, key="565656565656").create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)["Role"]

    def token(**claims):
        part = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
        return f"e30.{part}.c2ln"
    ask = sts.assume_role_with_web_identity
    answer = sts.assume_role_with_web_identity(
        RoleArn=role["Arn"], RoleSessionName="web", WebIdentityToken=token(sub="s", iss="https://i", aud=["a"], exp=int(time.time()) + 60))
    assert (answer["SubjectFromWebIdentityToken"], answer["Provider"], answer["Audience"]) == ("s", "https://i", "a")
    assert answer["AssumedRoleUser"]["Arn"].endswith(f"assumed-role/{name}/web")
    assert error_of(ask, RoleArn=role["Arn"], RoleSessionName="web", WebIdentityToken="no-token")[1] == "InvalidIdentityToken"
    assert error_of(ask, RoleArn=role["Arn"], RoleSessionName="web", WebIdentityToken=token(sub="s", iss="i", exp=1))[1] == "ExpiredTokenException"
    assert error_of(sts.decode_authorization_message, EncodedMessage="x")[:2] == (400, "InvalidAuthorizationMessageException")
    assert error_of(sts.assume_role_with_saml, RoleArn=role["Arn"], PrincipalArn=role["Arn"], SAMLAssertion="xxxx")[:2] == (501, "NotImplemented")


def test_sessions_survive_a_restart(own_server):
    server = own_server()
    iam = client_of(server, key="787878787878")
    role = iam.create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)["Role"]
    credentials = client_of(server, "sts", key="787878787878").assume_role(RoleArn=role["Arn"], RoleSessionName="me")["Credentials"]
    server.stop(signal.SIGKILL)
    second = own_server(state=server.state)
    assert with_credentials(second, "sts", credentials).get_caller_identity()["Arn"] == "arn:aws:sts::787878787878:assumed-role/r/me"
    other = own_server()
    assert with_credentials(other, "sts", credentials).get_caller_identity()["Account"] == "000000000000", "another installation does not know them"


BOTO = ("import boto3, os\n"
        "def handler(event, context):\n"
        "    me = boto3.client('sts').get_caller_identity()\n"
        "    names = [f['FunctionName'] for f in boto3.client('lambda').list_functions()['Functions']]\n"
        "    return [me['Arn'], me['UserId'], me['Account'], context.function_name in names, os.environ['AWS_ACCESS_KEY_ID'], os.environ['AWS_REGION']]\n")


@pytest.fixture(scope="module")
def boto_files(python_runtimes):
    """boto3 with the models of Lambda and STS only."""
    runtime = "python3.11" if "python3.11" in python_runtimes else sorted(python_runtimes)[-1]
    target = new_directory()
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--target", target, "--python-version",
                    runtime[6:], "--only-binary=:all:", "boto3==1.44.5"], check=True)
    files = {"app.py": BOTO}
    for path in glob.glob(f"{target}/**/*", recursive=True):
        relative = os.path.relpath(path, target)
        if os.path.isfile(path) and not path.endswith(".pyc") and not re.match(r"bin/|botocore/data/(?!lambda/|sts/|endpoints|partitions|_retry|sdk)", relative):
            with open(path, "rb") as content:
                files[relative] = content.read()
    return runtime, files


@pytest.mark.parametrize("has_role", [True, False], ids=["role", "no-role"])
def test_a_function_is_its_role(server, name, boto_files, has_role):
    from conftest import package
    runtime, files = boto_files
    account, region = "909090909090", "eu-north-1"
    identifier = "AROA"
    if has_role:
        identifier = client_of(server, key=account).create_role(RoleName=name, Path="/x/", AssumeRolePolicyDocument=TRUST)["Role"]["RoleId"]
    client = client_of(server, "lambda", key=account, region=region)
    client.create_function(FunctionName=f"{name}-f", Runtime=runtime, Handler="app.handler", Timeout=30, MemorySize=1769,
                           Role=f"arn:aws:iam::{account}:role/x/{name}", Code={"ZipFile": package(files)})
    client.get_waiter("function_active_v2").wait(FunctionName=f"{name}-f", WaiterConfig={"Delay": 0.02, "MaxAttempts": 3000})
    answer = client.invoke(FunctionName=f"{name}-f")
    arn, user, seen, found, key, there = json.load(answer["Payload"])
    assert arn == f"arn:aws:sts::{account}:assumed-role/{name}/{name}-f" and seen == account and there == region
    assert user.startswith(identifier) and user.endswith(f":{name}-f") and len(user.split(":")[0]) == 21
    assert found, "calls from inside go to the function's account and region"
    assert re.fullmatch("ASIA[A-Z2-7]{16}", key)
