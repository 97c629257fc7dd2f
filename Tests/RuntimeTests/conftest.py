import glob
import os
import re
import shutil
import subprocess

import pytest

from fake_runtime_api import Environment

RUNTIMES = os.path.join(os.path.dirname(__file__), "..", "..", "Runtimes")
PYTHON_BOOTSTRAP = os.path.realpath(os.path.join(RUNTIMES, "python", "bootstrap.py"))
NODE_BOOTSTRAP = os.path.realpath(os.path.join(RUNTIMES, "nodejs", "bootstrap.mjs"))


def found_pythons():
    """Each CPython from 3.8 on, one per path: version managers, the system's, and what MARTLET_PYTHONS lists."""
    candidates = glob.glob(os.path.expanduser("~/.pyenv/versions/*/bin/python3.*")) + ["/usr/bin/python3"]
    candidates += [path for path in os.environ.get("MARTLET_PYTHONS", "").split(":") if path]
    found = []
    for path in sorted(candidates):
        name = re.fullmatch(r"python3(?:\.(\d+))?", os.path.basename(path))
        if name and os.access(path, os.X_OK) and (name.group(1) is None or int(name.group(1)) >= 8):
            found.append(path)
    return found


def found_nodes():
    """`node` on PATH, and what MARTLET_NODES lists (paths joined by colons)."""
    candidates = [shutil.which("node")] + os.environ.get("MARTLET_NODES", "").split(":")
    return [path for path in candidates if path]


def version(path):
    text = subprocess.run([path, "--version"], capture_output=True, text=True).stdout
    return tuple(int(part) for part in re.findall(r"\d+", text)[:2])


def pytest_generate_tests(metafunc):
    if "python" in metafunc.fixturenames:
        pythons = found_pythons()
        metafunc.parametrize("python", pythons, ids=[path.replace("/", "_")[-24:] for path in pythons])
    if "node" in metafunc.fixturenames:
        nodes = found_nodes()
        metafunc.parametrize("node", nodes, ids=["%d.%d" % version(path) for path in nodes])


@pytest.fixture
def environment(tmp_path):
    """Starts environments and ends them with the test."""
    started = []

    def start(command, files, handler, variables=None, **more):
        folder = str(tmp_path / str(len(started)))
        os.mkdir(folder)
        started.append(Environment(command, folder, files, handler, variables, **more))
        return started[-1]

    yield start
    for one in started:
        one.stop()


@pytest.fixture
def start_python(environment, python):
    def start(code, handler="app.handler", variables=None, **more):
        files = code if isinstance(code, dict) else {"app.py": code}
        return environment([python, PYTHON_BOOTSTRAP], files, handler, variables, **more)

    start.version = version(python)
    return start


@pytest.fixture
def start_node(environment, node):
    def start(code, handler="index.handler", variables=None, **more):
        files = code if isinstance(code, dict) else {"index.js": code}
        return environment([node, NODE_BOOTSTRAP], files, handler, variables, **more)

    start.version = version(node)
    return start
