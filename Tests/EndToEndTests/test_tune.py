# `martlet tune`: sizes side by side in a copy that leaves nothing behind, whatever happens; the function stays as it was.
import json
import os
import re
import signal
import subprocess
import time

import boto3
import pytest

from conftest import Server, error_of, package, program, wait_until
from test_cost import martlet

APP = """
import os
def handler(event, context):
    if event.get("fail"): raise ValueError("asked for")
    assert os.environ["WHO"] == "me" and event == {"n": 1}
    return context.memory_limit_in_mb
"""


@pytest.fixture(scope="module")
def server():
    server = Server()
    yield server
    assert server.stop() == 0


@pytest.fixture
def function(server, name):
    server.create(name, APP, MemorySize=192, Timeout=7, Environment={"Variables": {"WHO": "me"}}, LoggingConfig={"LogFormat": "JSON"})
    return name


def copies(server):
    return [f["FunctionName"] for f in server.client.list_functions()["Functions"] if "-tune-" in f["FunctionName"]]


def groups(server):
    """Log groups that copies have made, with how long they keep what is in them."""
    logs = boto3.client("logs", endpoint_url=server.endpoint, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="x")
    return [(group["logGroupName"], group.get("retentionInDays")) for group in logs.describe_log_groups()["logGroups"] if "tune" in group["logGroupName"]]


def test_sizes_are_shown_side_by_side(server, function):
    before = server.client.get_function_configuration(FunctionName=function)
    done = martlet(server, "tune", function, "--payload", '{"n": 1}', "--sizes", "256,128", "--invocations", "3")
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["MEMORY", "USED", "COLD", "AVERAGE", "P50", "P95", "BILLED", "A", "MILLION"]
    assert [line.split(" MB")[0] for line in lines[1:3]] == ["128", "256"]
    assert re.search(r"^Average time\n128 MB  [█▏▎▍▌▋▊▉]+ +[0-9.]+ ms\n256 MB", done.stdout, re.M)
    assert re.search(r"^Cost of a million\n128 MB  [█▏▎▍▌▋▊▉]+ +\$0\.\d+$", done.stdout, re.M)
    assert re.search(r"^cheapest: (128|256) MB, \$0\.\d+ a million$", done.stdout, re.M)
    assert re.search(r"^fastest:  (128|256) MB, [0-9.]+ ms on average$", done.stdout, re.M)
    assert "256 MB: 4 invocations" in done.stderr
    # Nothing of it remains but a log for a day, and nobody noticed.
    assert copies(server) == [] and groups(server) == [("/martlet/tune", 1)]
    after = server.client.get_function_configuration(FunctionName=function)
    assert after["RevisionId"] == before["RevisionId"] and after["MemorySize"] == 192


def test_json_has_the_figures(server, function):
    version = server.client.publish_version(FunctionName=function)["Version"]
    told = json.loads(martlet(
        server, "tune", function, "--qualifier", version, "--payload", '{"n": 1}', "--sizes", "128", "--invocations", "2", "--output", "json").stdout)
    (size,) = told["Sizes"]
    assert size["MemorySize"] == 128 == told["Cheapest"] == told["Fastest"]
    assert size["Invocations"] == 2 and 0 < size["P50Ms"] <= size["P95Ms"] and size["ColdMs"] > 0
    # Two tenths for a million requests, and a thousandth of the price of a GB-second for each millisecond of an eighth.
    assert abs(float(size["CostOfMillion"]) - 0.2 - size["AverageBilledMs"] * 16.6667 / 8000) < 1e-6


def test_a_function_that_fails_is_not_measured(server, function):
    done = martlet(server, "tune", function, "--payload", '{"fail": true}', "--sizes", "128", expected=1)
    assert "the function fails" in done.stderr and "asked for" in done.stderr
    assert copies(server) == []


def test_what_is_wrong_is_said_before_anything_is_made(server, function):
    for words in [("--sizes", "big"), ("--sizes", "64"), ("--sizes", ""), ("--invocations", "0")]:
        assert words[0] in martlet(server, "tune", function, *words, expected=64).stderr
    assert "Function not found" in martlet(server, "tune", "nobody", expected=2).stderr
    assert copies(server) == []


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_takes_the_copy_away(server, name, how):
    server.create(name, "import time\ndef handler(event, context): time.sleep(0.2)")
    process = subprocess.Popen(
        [program(), "tune", name, "--sizes", "128", "--invocations", "1000", "--endpoint", server.endpoint],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "test"})
    try:
        wait_until(lambda: copies(server), what="the copy")
        process.send_signal(how)
        _, errors = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 130, errors
    assert "the copy is deleted" in errors and "no server answers" not in errors
    assert copies(server) == []
