import glob
import io
import os
import re
import shutil
import subprocess
import zipfile

import pytest

from fake_runtime_api import Environment

RUNTIMES = os.path.join(os.path.dirname(__file__), "..", "..", "Runtimes")
PYTHON_BOOTSTRAP = os.path.realpath(os.path.join(RUNTIMES, "python", "bootstrap.py"))
JAVA_BOOTSTRAP = os.path.realpath(os.path.join(RUNTIMES, "java", "bootstrap.jar"))
RUBY_BOOTSTRAP = os.path.realpath(os.path.join(RUNTIMES, "ruby", "bootstrap.rb"))
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


def found_javas():
    """One of each version: `java` on PATH and below /usr/lib/jvm, and what MARTLET_JAVAS lists (paths joined by colons)."""
    candidates = [shutil.which("java")] + sorted(glob.glob("/usr/lib/jvm/*/bin/java")) + os.environ.get("MARTLET_JAVAS", "").split(":")
    found = {}
    for path in candidates:
        if path:
            told = subprocess.run([path, "-version"], capture_output=True, text=True).stderr
            found.setdefault(re.search(r'"(?:1\.)?(\d+)', told).group(1), path)
    return found


def found_rubies():
    """`ruby` on PATH, and what MARTLET_RUBIES lists (paths joined by colons)."""
    candidates = [shutil.which("ruby")] + os.environ.get("MARTLET_RUBIES", "").split(":")
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
    if "java" in metafunc.fixturenames:
        javas = found_javas()
        metafunc.parametrize("java", javas.values(), ids=javas.keys())
    if "ruby" in metafunc.fixturenames:
        rubies = found_rubies()
        metafunc.parametrize("ruby", rubies, ids=["%d.%d" % version(path) for path in rubies])


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


class Classes:
    """Compiled Java, by the path of each class file."""

    def __init__(self, folder):
        self.files = {}
        for path in glob.glob(folder + "/**/*.class", recursive=True):
            with open(path, "rb") as content:
                self.files[os.path.relpath(path, folder)] = content.read()

    def jar(self):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for name, content in self.files.items():
                archive.writestr(name, content)
        return buffer.getvalue()


@pytest.fixture(scope="session")
def java_classes(tmp_path_factory):
    """Compiles {file name: source}, the same sources once. The interfaces of AWS that our own jar carries are on the class path."""
    compiler = shutil.which("javac")
    known = {}

    def compile(sources):
        key = repr(sorted(sources.items()))
        if key not in known:
            if compiler is None:
                pytest.skip("no javac on this host: apt-get install openjdk-17-jdk-headless")
            folder = str(tmp_path_factory.mktemp("java"))
            for name, text in sources.items():
                path = os.path.join(folder, "source", name)
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, "w", encoding="utf-8") as file:
                    file.write(text)
            paths = [os.path.join(folder, "source", name) for name in sources]
            subprocess.run(
                [compiler, "--release", "8", "-nowarn", "-Xlint:-options", "-encoding", "UTF-8", "-cp", JAVA_BOOTSTRAP, "-g", "-d",
                 folder + "/classes", *paths], check=True)
            known[key] = Classes(folder + "/classes")
        return known[key]

    return compile


@pytest.fixture
def start_java(environment, java, java_classes):
    def start(code, handler, variables=None, files=None, **more):
        sources = code if isinstance(code, dict) else {"App.java": code}
        classes = java_classes(sources).files
        command = [java, "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto", "-Dfile.encoding=UTF-8", "-cp", JAVA_BOOTSTRAP,
                   "martlet.Bootstrap"]
        return environment(command, {**classes, **(files or {})}, handler, variables, **more)

    return start


@pytest.fixture
def start_ruby(environment, ruby):
    def start(code, handler="app.handler", variables=None, **more):
        files = code if isinstance(code, dict) else {"app.rb": code}
        return environment([ruby, RUBY_BOOTSTRAP], files, handler, variables, **more)

    start.version = version(ruby)
    return start
