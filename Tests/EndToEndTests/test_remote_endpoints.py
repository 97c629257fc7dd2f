# Code from a remote S3: an independent implementation (moto) in a process of its own, on a free port of loopback.
import os
import socket
import subprocess
import sys

import boto3
import botocore.config
import pytest

from conftest import ROLE, error_of, new_directory, package, program, wait_until

HANDLER = "def handler(event, context):\n    return {text!r}\n"
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def is_open(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Moto:
    """`action_limit`: after that many calls moto checks signatures and policies."""

    def __init__(self, action_limit=None):
        self.port = free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}"
        environment = dict(os.environ)
        if action_limit is not None:
            environment["INITIAL_NO_AUTH_ACTION_COUNT"] = str(action_limit)
        self.log = open(f"{new_directory()}/moto", "wb")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)],
            stdout=self.log, stderr=self.log, env=environment)
        wait_until(lambda: is_open(self.port) or self.process.poll() is not None, 60, "moto's port")
        assert self.process.poll() is None

    def client(self, service="s3", region="us-east-1", key="test", secret="test"):
        return boto3.client(
            service, endpoint_url=self.endpoint, region_name=region, aws_access_key_id=key, aws_secret_access_key=secret,
            config=botocore.config.Config(s3={"addressing_style": "path"}))

    def stop(self):
        self.process.terminate()
        self.process.wait(20)
        self.log.close()


@pytest.fixture(scope="module")
def moto():
    moto = Moto()
    moto.client().create_bucket(Bucket="code")
    yield moto
    moto.stop()


@pytest.fixture(scope="module")
def remote(moto):
    from conftest import Server

    server = Server("--endpoint", f"s3={moto.endpoint}", environment=KEYS)
    yield server
    server.stop()


def create(server, name, **code):
    created = server.client.create_function(
        FunctionName=name, Runtime="python3.11", Handler="app.handler", Role=ROLE, Code=code)
    server.client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.02, "MaxAttempts": 3000})
    return created


def test_function_from_a_remote_bucket(moto, remote, name):
    key = "folder with space/ä+b=c.zip"
    moto.client().put_object(Bucket="code", Key=key, Body=package({"app.py": HANDLER.format(text="one")}))
    create(remote, name, S3Bucket="code", S3Key=key)
    assert remote.invoke(name).succeeded() == "one"
    moto.client().put_object(Bucket="code", Key=key, Body=package({"app.py": HANDLER.format(text="two")}))
    updated = remote.client.update_function_code(FunctionName=name, S3Bucket="code", S3Key=key, Publish=True)
    assert updated["Version"] == "1"
    remote.client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.02, "MaxAttempts": 3000})
    assert remote.invoke(name).succeeded() == "two"


def test_layer_from_a_remote_bucket(moto, remote, name):
    zipped = package({"python/shared.py": "value = 'from the bucket'\n"})
    moto.client().put_object(Bucket="code", Key="layer.zip", Body=zipped)
    layer = remote.client.publish_layer_version(LayerName=name, Content={"S3Bucket": "code", "S3Key": "layer.zip"})
    assert layer["Content"]["CodeSize"] == len(zipped)
    remote.client.create_function(
        FunctionName=name, Runtime="python3.11", Handler="app.handler", Role=ROLE, Layers=[layer["LayerVersionArn"]],
        Code={"ZipFile": package({"app.py": "import shared\ndef handler(event, context):\n    return shared.value\n"})})
    remote.client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.02, "MaxAttempts": 3000})
    assert remote.invoke(name).succeeded() == "from the bucket"
    assert error_of(remote.client.publish_layer_version, LayerName=name, Content={"S3Bucket": "code", "S3Key": "missing"}) == (
        400, "InvalidParameterValueException",
        "Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: The specified key does not exist.")


def test_a_version_of_the_object(moto, remote, name):
    s3 = moto.client()
    s3.create_bucket(Bucket="versioned")
    s3.put_bucket_versioning(Bucket="versioned", VersioningConfiguration={"Status": "Enabled"})
    versions = [
        s3.put_object(Bucket="versioned", Key="k", Body=package({"app.py": HANDLER.format(text=text)}))["VersionId"]
        for text in ("first", "second")]
    create(remote, name, S3Bucket="versioned", S3Key="k", S3ObjectVersion=versions[0])
    assert remote.invoke(name).succeeded() == "first"


def test_what_is_missing_is_said_in_the_words_of_aws(moto, remote, name):
    def attempt(**code):
        status, error, message = error_of(
            remote.client.create_function, FunctionName=name, Runtime="python3.11", Handler="app.handler", Role=ROLE,
            Code=code)
        assert (status, error) == (400, "InvalidParameterValueException")
        return message

    assert attempt(S3Bucket="code", S3Key="missing") == (
        "Error occurred while GetObject. S3 Error Code: NoSuchKey. "
        "S3 Error Message: The specified key does not exist.")
    assert attempt(S3Bucket="no-such-bucket", S3Key="missing").startswith(
        "Error occurred while GetObject. S3 Error Code: NoSuchBucket. "
        "S3 Error Message: The specified bucket does not exist")


def test_a_package_larger_than_a_request_may_be(moto, remote, name):
    noise = os.urandom(60 << 20)
    moto.client().put_object(Bucket="code", Key="large", Body=package({"app.py": HANDLER.format(text="large"), "noise": noise}))
    created = create(remote, name, S3Bucket="code", S3Key="large")
    assert created["CodeSize"] > 60 << 20
    assert remote.invoke(name).succeeded() == "large"


def test_wrong_credentials(own_server, name):
    # Five calls are free: they make an identity that may read, and what it reads.
    moto = Moto(action_limit=5)
    try:
        iam = moto.client("iam")
        iam.create_user(UserName="reader")
        iam.put_user_policy(
            UserName="reader", PolicyName="p",
            PolicyDocument='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}')
        key = iam.create_access_key(UserName="reader")["AccessKey"]
        s3 = moto.client()
        s3.create_bucket(Bucket="code")
        s3.put_object(Bucket="code", Key="k", Body=package({"app.py": HANDLER.format(text="allowed")}))

        def server(secret):
            return own_server("--endpoint", f"s3={moto.endpoint}", environment={
                "MARTLET_ENDPOINT_S3_ACCESS_KEY_ID": key["AccessKeyId"], "MARTLET_ENDPOINT_S3_SECRET_ACCESS_KEY": secret})

        create(server(key["SecretAccessKey"]), name, S3Bucket="code", S3Key="k")
        status, error, message = error_of(
            server("wrong").client.create_function, FunctionName=name, Runtime="python3.11", Handler="app.handler",
            Role=ROLE, Code={"S3Bucket": "code", "S3Key": "k"})
        assert (status, error) == (400, "InvalidParameterValueException")
        assert "S3 Error Code: SignatureDoesNotMatch" in message
    finally:
        moto.stop()


def test_endpoint_that_is_down(own_server, name):
    endpoint = f"http://127.0.0.1:{free_port()}"
    server = own_server(environment={"MARTLET_ENDPOINT_S3": endpoint})
    status, error, message = error_of(
        server.client.create_function, FunctionName=name, Runtime="python3.11", Handler="app.handler", Role=ROLE,
        Code={"S3Bucket": "code", "S3Key": "k"})
    assert (status, error) == (500, "ServiceException")
    assert endpoint in message and "--endpoint" in message and "connection refused" in message


@pytest.mark.parametrize("flag, words", [
    ("s3", "SERVICE=URL"), ("sts=http://127.0.0.1:1", "sts cannot be remote"), ("s3=localhost", "http://HOST:PORT")])
def test_flags_that_make_no_sense(flag, words):
    done = subprocess.run(
        [program(), "serve", "--state", f"{new_directory()}/state", "--endpoint", flag], capture_output=True, text=True,
        timeout=20)
    assert done.returncode != 0 and words in done.stderr
