# Remote endpoints over HTTPS: moto with certificates of an authority that the test makes, on free ports of loopback.
import os
import subprocess
import sys

import pytest

from conftest import ROLE, Server, error_of, new_directory, package, program, wait_until
from test_remote_endpoints import KEYS, Moto, free_port, is_open
from test_remote_sqs import Remote


def openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


class Authority:
    """Signs certificates for names."""

    def __init__(self):
        self.directory = new_directory()
        self.file = f"{self.directory}/ca.pem"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=Test Authority",
                "-keyout", f"{self.directory}/ca.key", "-out", self.file)

    def certificate(self, name, subject):
        path = f"{self.directory}/{name}"
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", f"/CN={name}", "-keyout", f"{path}.key", "-out", f"{path}.csr")
        with open(f"{path}.ext", "w") as file:
            file.write(f"subjectAltName={subject}\n")
        openssl("x509", "-req", "-in", f"{path}.csr", "-CA", self.file, "-CAkey", f"{self.directory}/ca.key", "-CAcreateserial", "-days", "2",
                "-extfile", f"{path}.ext", "-out", f"{path}.pem")
        return f"{path}.pem", f"{path}.key"


class SecureMoto(Moto):
    def __init__(self, authority, certificate):
        self.authority, self.port = authority, free_port()
        self.endpoint = f"https://localhost:{self.port}"
        self.log = open(f"{new_directory()}/moto", "wb")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port), "-s", "-c", certificate[0], "-k", certificate[1]],
            stdout=self.log, stderr=self.log, env={**os.environ})
        wait_until(lambda: is_open(self.port) or self.process.poll() is not None, 60, "moto's port")
        assert self.process.poll() is None

    def client(self, service="s3", **settings):
        import boto3
        import botocore.config
        return boto3.client(
            service, endpoint_url=self.endpoint, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test",
            verify=self.authority.file, config=botocore.config.Config(s3={"addressing_style": "path"}))


@pytest.fixture(scope="module")
def authority():
    return Authority()


@pytest.fixture(scope="module")
def moto(authority):
    moto = SecureMoto(authority, authority.certificate("good", "DNS:localhost,IP:127.0.0.1"))
    yield moto
    moto.stop()


def refusal(endpoint, own_server, *flags):
    server = own_server("--endpoint", f"sqs={endpoint}", *flags, environment=KEYS)
    server.create("f", "def handler(event, context):\n    pass\n")
    status, code, text = error_of(server.client.create_event_source_mapping, FunctionName="f", EventSourceArn="arn:aws:sqs:us-east-1:000000000000:q")
    assert (status, code) == (500, "ServiceException") and endpoint in text
    return text


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_queues_and_objects_over_https(moto, authority, own_server, name, host):
    endpoint = f"https://{host}:{moto.port}"
    server = own_server("--endpoint", f"sqs={endpoint}", "--endpoint", f"s3={endpoint}", environment={**KEYS, "MARTLET_CA_FILE": authority.file})
    mapped = Remote(moto, server, name)
    mapped.send(*(f"m{i}" for i in range(12)))
    mapped.uuid = mapped.map()
    mapped.wait_for(12)
    wait_until(lambda: mapped.left() == [0, 0], 20, "the deletion")
    mapped.update(Enabled=False)
    s3 = moto.client()
    s3.create_bucket(Bucket="code")
    s3.put_object(Bucket="code", Key="k", Body=package({"app.py": "def handler(event, context):\n    return 'by TLS'\n"}))
    server.client.create_function(
        FunctionName="coded", Runtime="python3.11", Handler="app.handler", Role=ROLE, Code={"S3Bucket": "code", "S3Key": "k"})
    assert server.invoke("coded").succeeded() == "by TLS"


def test_certificates_of_strangers_are_refused(moto, own_server):
    assert "the certificate of the server is not trusted" in refusal(moto.endpoint, own_server)


def test_certificates_for_other_names_are_refused(authority, own_server):
    moto = SecureMoto(authority, authority.certificate("other", "DNS:other.example"))
    try:
        for host in ("localhost", "127.0.0.1"):
            text = refusal(f"https://{host}:{moto.port}", own_server, "--ca-file", authority.file)
            assert "the certificate of the server is for another name" in text, text
    finally:
        moto.stop()


def test_servers_without_tls(own_server):
    moto = Moto()
    try:
        assert "TLS" in refusal(f"https://127.0.0.1:{moto.port}", own_server)
    finally:
        moto.stop()


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_file_that_is_none(content):
    path = f"{new_directory()}/ca.pem"
    if content:
        with open(path, "w") as file:
            file.write(content)
    done = subprocess.run(
        [program(), "serve", "--port", "0", "--state", f"{new_directory()}/state", "--ca-file", path], capture_output=True, text=True, timeout=20)
    assert done.returncode != 0 and f"--ca-file {path}" in done.stderr
