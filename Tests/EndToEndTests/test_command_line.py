# The martlet command and the aws command, as people type them.
import json
import os
import subprocess

import pytest

from conftest import ROLE, package, program

CODE = "def handler(event, context):\n    print('logged')\n    if event.get('fail'): raise ValueError('asked for')\n    return event\n"


@pytest.fixture
def martlet(server):
    def run(*arguments, stdin=None):
        return subprocess.run([program(), *arguments], capture_output=True, text=True, input=stdin, timeout=60,
                              env={**os.environ, "MARTLET_ENDPOINT": server.endpoint})
    return run


@pytest.fixture
def aws(server):
    def run(*arguments):
        done = subprocess.run(
            ["aws", "lambda", *arguments, "--endpoint-url", server.endpoint], capture_output=True, text=True, timeout=60,
            env={**os.environ, "AWS_DEFAULT_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y", "AWS_PAGER": ""})
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.strip().startswith("{") else done.stdout
    return run


def test_a_function_from_creation_to_deletion(martlet, name, tmp_path):
    (tmp_path / "f.zip").write_bytes(package({"app.py": CODE}))
    created = martlet("function", "create", name, "--zip", f"{tmp_path}/f.zip", "--runtime", "python3.11", "--handler",
                      "app.handler", "--env", "MODE=test", "--memory", "256")
    assert created.returncode == 0 and created.stdout == f"arn:aws:lambda:us-east-1:000000000000:function:{name} is Active\n"
    assert name in martlet("function", "list").stdout
    assert name in [f["FunctionName"] for f in json.loads(martlet("function", "list", "--output", "json").stdout)]
    shown = json.loads(martlet("function", "get", name, "--output", "json").stdout)["Configuration"]
    assert (shown["MemorySize"], shown["Environment"]) == (256, {"Variables": {"MODE": "test"}})
    assert "MemorySize" in martlet("function", "get", name).stdout
    (tmp_path / "event.json").write_text('{"from": "file"}')
    for arguments, stdin, event in [
            (["--payload", '{"a": 1}'], None, {"a": 1}), (["--payload", f"@{tmp_path}/event.json"], None, {"from": "file"}),
            (["--payload", "-"], '{"from": "stdin"}', {"from": "stdin"}), ([], None, {})]:
        run = martlet("invoke", name, *arguments, stdin=stdin)
        assert run.returncode == 0 and json.loads(run.stdout) == event
        assert "logged\n" in run.stderr and "REPORT RequestId" in run.stderr
    failed = martlet("invoke", name, "--payload", '{"fail": true}')
    assert failed.returncode == 1 and json.loads(failed.stdout)["errorType"] == "ValueError"
    whole = json.loads(martlet("invoke", name, "--output", "json").stdout)
    assert whole["Payload"] == {} and whole["FunctionError"] is None and "logged" in whole["Log"]
    assert martlet("function", "delete", name).returncode == 0
    gone = martlet("invoke", name)
    assert gone.returncode == 2 and "ResourceNotFoundException" in gone.stderr and gone.stdout == ""


def test_no_server_is_said_with_the_fix(martlet):
    run = martlet("function", "list", "--endpoint", "http://127.0.0.1:1")
    assert run.returncode == 2 and "martlet serve" in run.stderr


def test_runtime_list(martlet):
    text = martlet("runtime", "list").stdout
    assert "python3.11" in text and "provided.al2023" in text and "install" in text
    listed = {r["Runtime"]: r for r in json.loads(martlet("runtime", "list", "--output", "json").stdout)}
    assert listed["provided.al2023"]["Available"] and not listed["ruby3.3"]["Available"]


def test_doctor(martlet):
    run = martlet("doctor", "--output", "json")
    report = {g["Guarantee"]: g for g in json.loads(run.stdout)}
    assert {"user namespace", "read-only root", "seccomp allow-list", "memory limit"} <= set(report)
    assert run.returncode == (0 if all(g["Holds"] for g in report.values()) else 1)
    assert all(g["How"] for g in report.values())


@pytest.mark.parametrize("verb", [[], ["serve"], ["invoke"], ["function"], ["function", "create"], ["runtime"], ["doctor"]])
def test_help(martlet, verb):
    run = martlet(*verb, "--help")
    assert run.returncode == 0 and "USAGE: martlet" in run.stdout


def test_wrong_settings_are_refused_with_the_choices(martlet):
    run = martlet("serve", "--isolation", "some")
    assert run.returncode == 64 and "full, none" in run.stderr
    assert martlet("serve", "--account", "12").returncode == 64


def test_the_aws_command(aws, name, tmp_path):
    (tmp_path / "f.zip").write_bytes(package({"app.py": CODE}))
    created = aws("create-function", "--function-name", name, "--runtime", "python3.11", "--handler", "app.handler",
                  "--role", ROLE, "--zip-file", f"fileb://{tmp_path}/f.zip")
    assert created["State"] == "Pending"
    aws("wait", "function-active-v2", "--function-name", name)
    invoked = aws("invoke", "--function-name", name, "--payload", '{"a": 1}', f"{tmp_path}/out")
    assert invoked["StatusCode"] == 200 and json.loads((tmp_path / "out").read_text()) == {"a": 1}
    aws("update-function-configuration", "--function-name", name, "--timeout", "9")
    aws("wait", "function-updated-v2", "--function-name", name)
    assert aws("get-function-configuration", "--function-name", name)["Timeout"] == 9
    assert aws("publish-version", "--function-name", name)["Version"] == "1"
    assert name in [f["FunctionName"] for f in aws("list-functions")["Functions"]]
    aws("delete-function", "--function-name", name)
