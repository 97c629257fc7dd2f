# Extensions that others have written, unmodified, from PyPI: one that lets a function hear SIGTERM, and OpenTelemetry's
# instrumentation for Lambda, which exports its spans from an internal extension after the answer.
import base64
import gzip
import json
import os
import subprocess
import sys

import boto3
import pytest

from conftest import new_directory, package, wait_until
from test_extensions import CLIENT

SIGTERM = ["lambda-sigterm==0.1.2", "urllib3==2.5.0"]
OPENTELEMETRY = [
    "lambda-otel-lite==0.15.0", "opentelemetry-api==1.45.2", "opentelemetry-exporter-otlp-proto-common==1.45.2",
    "opentelemetry-propagator-aws-xray==1.0.2", "opentelemetry-proto==1.45.2", "opentelemetry-sdk==1.45.2",
    "opentelemetry-semantic-conventions==0.66b2", "otlp-stdout-span-exporter==0.16.0", "protobuf==7.36.2", "typing-extensions==4.16.0"]


def installed(requirements):
    """What a deployment package with these requirements holds. Their authors ask for newer Pythons than they need."""
    directory = new_directory()
    run = subprocess.run(
        [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-compile", "--no-deps", "--ignore-requires-python",
         "--target", directory, *requirements], capture_output=True, text=True)
    if run.returncode:
        pytest.skip(f"PyPI cannot be reached: {run.stderr[-300:]}")
    files = {}
    for folder, _, names in os.walk(directory):
        for name in names:
            path = os.path.join(folder, name)
            with open(path, "rb") as file:
                files[os.path.relpath(path, directory)] = (file.read(), 0o755 if name.endswith(".so") else 0o644)
    return files


@pytest.mark.alone  # AWS gives half a second, in which a busy host may not get everything done.
def test_lambda_sigterm(server, name):
    """It registers for no events, only so that the platform sends SIGTERM before the end."""
    client = CLIENT.replace("#!/usr/bin/python3", "").replace("NAME = os.path.basename(sys.argv[0])", "NAME = 'inside'")
    code = client + """
import lambda_sigterm
lambda_sigterm.register()
def ended(*_):
    put(os.environ['AWS_LAMBDA_FUNCTION_NAME'], 'cleaned up')
    sys.exit(0)
signal.signal(signal.SIGTERM, ended)
def handler(event, context): return 'ran'
"""
    s3 = boto3.client("s3", endpoint_url=server.endpoint, region_name="us-east-1", aws_access_key_id="000000000000", aws_secret_access_key="x")
    s3.create_bucket(Bucket="extension-notes")
    server.create(name, package({**installed(SIGTERM), "app.py": code}), Timeout=10, MemorySize=1769)
    assert server.invoke(name).succeeded() == "ran"
    server.client.delete_function(FunctionName=name)
    wait_until(lambda: s3.list_objects_v2(Bucket="extension-notes", Prefix=name).get("Contents"), 15, "what the function does at SIGTERM")


def test_open_telemetry_exports_a_span_after_each_answer(server, name):
    code = """
from lambda_otel_lite import init_telemetry, create_traced_handler
tracer, completion = init_telemetry()
traced = create_traced_handler(name='my-span', completion_handler=completion)
@traced
def handler(event, context):
    with tracer.start_as_current_span('inner'): return event
"""
    server.create(
        name, package({**installed(OPENTELEMETRY), "app.py": code}), Timeout=20, MemorySize=1769,
        Environment={"Variables": {"LAMBDA_EXTENSION_SPAN_PROCESSOR_MODE": "async"}})
    for i in range(3):
        answer = server.invoke(name, {"number": i})
        assert answer.succeeded() == {"number": i}
        spans = [json.loads(line) for line in answer.log.splitlines() if line.startswith("{") and "otlp" in line]
        assert len(spans) == 1, answer.log
        payload = gzip.decompress(base64.b64decode(spans[0]["payload"]))
        assert b"my-span" in payload and b"inner" in payload and answer.request_id.encode() in payload
