# AWS_LAMBDA_EXEC_WRAPPER: a script of the function's, or of a layer's, that starts the runtime in its own way.
import os

import pytest

from conftest import package
from test_layers import BOOTSTRAP, layer
from test_runtimes import NODES, PYTHONS

# As the AWS documentation shows it: options are put before the last argument.
INSERTING = """#!/bin/bash
args=("$@")
args=("${args[@]:0:$#-1}" %s "${args[@]: -1}")
export WRAPPED="$0 $#"
exec "${args[@]}"
"""
PYTHON = "import os, sys\ndef handler(event, context):\n    return [os.environ.get('WRAPPED'), sys.warnoptions, sys.argv[0]]\n"
NODE = "export const handler = async () => [process.env.WRAPPED, process.execArgv]\n"


def wrapper(path, **more):
    return {"Variables": {"AWS_LAMBDA_EXEC_WRAPPER": path, **more}}


@pytest.mark.parametrize("runtime", PYTHONS[:1])
@pytest.mark.parametrize("place", ["/var/task", "/opt"])
def test_a_wrapper_starts_python(server, name, runtime, place):
    script = {"bin/wrapper": (INSERTING % "-W error::UserWarning", 0o755)}
    if place == "/opt":
        settings, files = {"Layers": [layer(server, name, script)]}, {}
    else:
        settings, files = {}, script
    server.create(
        name, {"app.py": PYTHON, **files}, runtime=runtime, Environment=wrapper(f"{place}/bin/wrapper"), **settings)
    assert server.invoke(name).succeeded() == [
        f"{place}/bin/wrapper 2", ["error::UserWarning"], "/var/runtime/bootstrap.py"]


@pytest.mark.parametrize("runtime", NODES[:1])
def test_a_wrapper_starts_node(server, name, runtime):
    server.create(
        name, {"app.mjs": NODE, "wrapper": (INSERTING % "--no-warnings", 0o755)}, runtime=runtime,
        Environment=wrapper("/var/task/wrapper"))
    wrapped, options = server.invoke(name).succeeded()
    assert wrapped.startswith("/var/task/wrapper ") and "--no-warnings" in options


@pytest.mark.parametrize("path, mode, code, says", [
    ("/var/task/none", 0o755, 127, "/var/task/none: does not exist"),
    ("/var/task/wrapper", 0o644, 126, "/var/task/wrapper: is not an executable"),
    ("/var/task/wrapper", 0o755, 5, "the wrapper gives up"),
])
def test_a_wrapper_that_cannot_start_anything(server, name, path, mode, code, says):
    server.create(
        name, {"app.py": PYTHON, "wrapper": ("#!/bin/sh\necho the wrapper gives up; exit 5\n", mode)},
        Environment=wrapper(path))
    answer = server.invoke(name)
    assert answer.error == "Unhandled" and answer.json["errorType"] == "Runtime.ExitError"
    assert answer.json["errorMessage"].endswith(f"Runtime exited with error: exit status {code}")
    assert says in answer.log


def test_an_empty_name_is_no_wrapper(server, name):
    server.create(name, {"app.py": PYTHON}, Environment=wrapper(""))
    assert server.invoke(name).succeeded()[0] is None


def test_os_only_runtimes_ignore_it(server, name):
    server.create(
        name, package({"bootstrap": (BOOTSTRAP, 0o755)}), runtime="provided.al2023",
        Environment=wrapper("/var/task/none", PATH=os.environ["PATH"]))
    assert server.invoke(name).succeeded()[0] == "/var/task/bootstrap"
