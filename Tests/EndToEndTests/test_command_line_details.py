# More of the martlet command and the aws command: qualifiers, packages of every kind, mistakes and their exit codes.
import base64
import io
import json
import os
import subprocess
import zipfile

import pytest

from conftest import ROLE, new_directory, package, program
from test_command_line import aws, martlet  # noqa: F401, fixtures

CODE = "def handler(event, context):\n    print('logged')\n    return [event, context.function_version]\n"


def test_versions_and_exit_codes(server, martlet, name):
    assert martlet("--version").returncode == 0 and martlet("--version").stdout.strip()
    for arguments in (["nonsense"], ["invoke"], ["function"], ["function", "create"], ["invoke", "a", "--nonsense"]):
        run = martlet(*arguments)
        assert run.returncode != 0 or "USAGE" in run.stdout, arguments
        assert "USAGE" in run.stderr.upper() + run.stdout.upper()


def test_invoke_with_qualifiers_and_arns(server, martlet, name):
    arn = server.create(name, CODE, Publish=True)["FunctionArn"]
    for reference in (name, f"{name}:1", arn, f"000000000000:function:{name}"):
        run = martlet("invoke", reference, "--payload", '"x"')
        assert run.returncode == 0 and json.loads(run.stdout)[0] == "x", run.stderr
    assert json.loads(martlet("invoke", f"{name}:1").stdout)[1] == "1"


def test_invoke_says_what_is_wrong(server, martlet, name, tmp_path):
    server.create(name, CODE)
    for arguments, stdin in ([["--payload", "{no json"], None], [["--payload", f"@{tmp_path}/absent"], None], [["--payload", "-"], "nope"]):
        run = martlet("invoke", name, *arguments, stdin=stdin)
        assert run.returncode not in (0, 1) and run.stdout == "" and run.stderr, (arguments, run)


def test_invoke_writes_the_answer_as_it_is(server, martlet, name):
    """Large, not ASCII, and without anything of the log in it: `martlet invoke f | jq` works."""
    server.create(name, "def handler(event, context):\n    print('noise')\n    return {'u': 'ü', 'x': 'x' * 3000000}\n", MemorySize=1769, Timeout=20)
    run = martlet("invoke", name)
    answer = json.loads(run.stdout)
    assert answer["u"] == "ü" and len(answer["x"]) == 3_000_000 and "noise" in run.stderr and "noise" not in run.stdout


def test_function_create_from_a_directory_or_a_file(server, martlet, name, tmp_path):
    """Whatever `--help` promises for packages is tried; a zip at the least."""
    text = martlet("function", "create", "--help").stdout
    (tmp_path / "f.zip").write_bytes(package({"app.py": CODE}))
    assert "--zip" in text
    absent = martlet("function", "create", name, "--zip", f"{tmp_path}/absent.zip", "--runtime", "python3.11", "--handler", "app.handler")
    assert absent.returncode != 0 and "absent.zip" in absent.stderr
    made = martlet("function", "create", name, "--zip", f"{tmp_path}/f.zip", "--runtime", "python3.11", "--handler", "app.handler", "--output", "json")
    assert made.returncode == 0 and json.loads(made.stdout)["FunctionName"] == name
    again = martlet("function", "create", name, "--zip", f"{tmp_path}/f.zip", "--runtime", "python3.11", "--handler", "app.handler")
    assert again.returncode != 0 and "Function already exist" in again.stderr
    wrong = martlet("function", "create", name + "x", "--zip", f"{tmp_path}/f.zip", "--runtime", "python9.9", "--handler", "app.handler")
    assert wrong.returncode != 0 and "python9.9" in wrong.stderr


def test_function_get_and_delete_of_what_is_not_there(server, martlet):
    for verb in ("get", "delete"):
        run = martlet("function", verb, "absent")
        assert run.returncode != 0 and "Function not found" in run.stderr and run.stdout == ""


def test_doctor_and_runtime_list_as_text(martlet):
    doctor = martlet("doctor")
    assert "GUARANTEE" in doctor.stdout and "seccomp" in doctor.stdout
    assert "policies of IAM are kept but not enforced" in doctor.stdout
    runtimes = martlet("runtime", "list")
    assert runtimes.returncode == 0
    for runtime in ("python3.8", "python3.13", "nodejs20.x", "nodejs24.x", "provided.al2", "java21", "dotnet8", "ruby3.4"):
        assert any(line.split()[0] == runtime for line in runtimes.stdout.splitlines() if line), runtime


@pytest.mark.parametrize("verb", [["function", "list"], ["function", "get"], ["function", "delete"], ["runtime", "list"]])
def test_help_of_the_rest(martlet, verb):
    run = martlet(*verb, "--help")
    assert run.returncode == 0 and "USAGE: martlet " + " ".join(verb) in run.stdout and "OVERVIEW" in run.stdout


def test_every_option_of_serve_is_explained(martlet):
    text = martlet("serve", "--help").stdout
    for option in ("port", "address", "state", "account", "region", "isolation", "user", "outbound", "idle-timeout", "concurrency",
                   "log-level", "log-format"):
        assert f"--{option}" in text
        if option != "help":
            assert "MARTLET_" + option.replace("-", "_").upper() in text, option


def test_the_aws_command_with_logs_context_tags_and_versions(aws, name, tmp_path):
    (tmp_path / "f.zip").write_bytes(package({"app.py": "def handler(e, c):\n    print('seen')\n    if e: 1/0\n    return c.client_context.custom\n"}))
    arn = aws("create-function", "--function-name", name, "--runtime", "python3.11", "--handler", "app.handler", "--role", ROLE,
              "--zip-file", f"fileb://{tmp_path}/f.zip", "--tags", "a=1,b=2", "--environment", "Variables={AB=c}", "--publish")["FunctionArn"]
    aws("wait", "function-active-v2", "--function-name", name)
    context = base64.b64encode(b'{"custom":{"k":"v"}}').decode()
    invoked = aws("invoke", "--function-name", name, "--log-type", "Tail", "--client-context", context, f"{tmp_path}/out")
    assert "seen\n" in base64.b64decode(invoked["LogResult"]).decode()
    assert json.loads((tmp_path / "out").read_text()) == {"k": "v"}
    failed = aws("invoke", "--function-name", name, "--payload", "1", f"{tmp_path}/out")
    assert failed["FunctionError"] == "Unhandled" and json.loads((tmp_path / "out").read_text())["errorType"] == "ZeroDivisionError"
    unqualified = arn.rsplit(":", 1)[0] if arn.endswith(":1") else arn
    assert aws("list-tags", "--resource", unqualified)["Tags"] == {"a": "1", "b": "2"}
    versions = aws("list-versions-by-function", "--function-name", name)["Versions"]
    assert [v["Version"] for v in versions] == ["$LATEST", "1"]
    assert aws("get-account-settings")["AccountLimit"]["ConcurrentExecutions"] == 1000


def test_the_aws_command_reports_errors(server):
    for arguments, text in ((["get-function", "--function-name", "absent"], "(ResourceNotFoundException)"),
                            (["get-layer-version", "--layer-name", "absent", "--version-number", "1"], "(ResourceNotFoundException)"), (["invoke", "--function-name", "absent", "/dev/null"], "(ResourceNotFoundException)")):
        run = subprocess.run(["aws", "lambda", *arguments, "--endpoint-url", server.endpoint], capture_output=True, text=True, timeout=60,
                             env={**os.environ, "AWS_DEFAULT_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y",
                                  "AWS_PAGER": "", "AWS_MAX_ATTEMPTS": "1"})
        assert run.returncode in (254, 255) and text in run.stderr, run.stderr


def test_the_sdk_s_way_to_the_server_by_environment(server, name):
    """AWS_ENDPOINT_URL_LAMBDA and no flag at all."""
    run = subprocess.run(["aws", "lambda", "list-functions", "--max-items", "1"], capture_output=True, text=True, timeout=60,
                         env={**os.environ, "AWS_ENDPOINT_URL_LAMBDA": server.endpoint, "AWS_DEFAULT_REGION": "us-east-1",
                              "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y", "AWS_PAGER": ""})
    assert run.returncode == 0 and "Functions" in json.loads(run.stdout)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can change the root directory")
def test_where_no_sandbox_can_be_made_it_is_said_with_the_reason(tmp_path):
    """In a chroot the kernel makes no user namespaces. The server does not start, rather than fail every invocation."""
    def inside(*arguments):
        script = 'mount --rbind / "$0" && exec chroot "$0" "$@"'
        return subprocess.run(["unshare", "--mount", "sh", "-c", script, str(tmp_path), program(), *arguments], capture_output=True, text=True, timeout=30)
    doctor = inside("doctor")
    reason = "user namespace: Operation not permitted (a chroot, a container or a sysctl forbids it)"
    assert doctor.returncode == 1 and reason in doctor.stdout and "No sandbox can be made on this host" in doctor.stdout
    assert "Only root" not in doctor.stdout and " yes " not in doctor.stdout
    server = inside("serve", "--port", "0", "--state", f"{new_directory()}/state")
    assert server.returncode == 1 and reason in server.stderr and "--isolation none" in server.stderr and "serves" not in server.stderr
