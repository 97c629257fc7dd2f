"""The functions of Examples/, built by their own build.sh and run against the fake Runtime API."""

import base64
import json
import os
import shutil
import signal
import subprocess
import zipfile

import pytest

from conftest import NODE_BOOTSTRAP, PYTHON_BOOTSTRAP, found_pythons, version

EXAMPLES = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", "..", "Examples"))


@pytest.fixture(scope="session")
def built():
    """The path of an example's zip, built anew when a source is newer."""

    def build(name, *arguments):
        folder = os.path.join(EXAMPLES, name)
        archive = os.path.join(folder, "build", "function.zip")
        sources = [os.path.join(folder, entry) for entry in os.listdir(folder) if entry != "build"]
        newest = max(os.path.getmtime(path) for path in sources)
        if arguments or not os.path.exists(archive) or os.path.getmtime(archive) < newest:
            done = subprocess.run([os.path.join(folder, "build.sh"), *arguments], capture_output=True, text=True)
            assert done.returncode == 0, done.stdout + done.stderr
        return archive

    return build


@pytest.fixture
def start(environment, built, tmp_path):
    """Unpacks an example and starts it; `command` gets the folder of the code."""

    def run(name, handler, command):
        code = tmp_path / "code"
        with zipfile.ZipFile(built(name)) as archive:
            for entry in archive.infolist():
                path = archive.extract(entry, code)
                os.chmod(path, entry.external_attr >> 16)
        return environment(command(str(code)), {}, handler, {"LAMBDA_TASK_ROOT": str(code)})

    return run


def bootstrap(code):
    return [os.path.join(code, "bootstrap")]


def test_zip_is_repeatable(built):
    archive = built("custom-runtime-bash")
    with open(archive, "rb") as file:
        first = file.read()
    os.remove(archive)
    with open(built("custom-runtime-bash"), "rb") as file:
        assert file.read() == first


def test_python_thumbnails(start, built):
    built("python-thumbnails")
    with open(os.path.join(EXAMPLES, "python-thumbnails", "build", "python-version")) as file:
        wanted = tuple(int(part) for part in file.read().strip().split("."))
    pythons = [path for path in found_pythons() if version(path) == wanted]
    if not pythons:
        pytest.skip("built for a Python that is not here")
    environment = start("python-thumbnails", "app.handler", lambda code: [pythons[0], PYTHON_BOOTSTRAP])
    with open(os.path.join(EXAMPLES, "quickstart-event.json")) as file:
        event = json.load(file)
    answer = environment.result(event)
    assert (answer["width"], answer["height"], answer["format"]) == (48, 32, "PNG")
    assert base64.b64decode(answer["thumbnail"]).startswith(b"\x89PNG")
    assert "PNG 96x64 -> PNG 48x32" in environment.output
    for bad, reason in (
        ([], 'the event must be an object with "image"'),
        ({"image": "AAAA", "width": 0}, '"width" must be a whole number from 1 to 4096, not 0'),
        ({"image": "!"}, '"image" is not base64'),
        ({"image": "AAAA"}, '"image" is not an image Pillow can read'),
    ):
        document = environment.error(bad).json
        assert document["errorType"] == "BadRequest" and document["errorMessage"].startswith(reason)


@pytest.mark.skipif(not shutil.which("node"), reason="no node")
def test_node_orders(start):
    environment = start("node-orders", "index.handler", lambda code: ["node", NODE_BOOTSTRAP])
    order = {
        "orderId": "A-1",
        "lines": [{"sku": "tea", "quantity": 3, "unitPrice": 4.35}],
        "discountPercent": 10,
        "taxPercent": 20,
    }
    assert environment.result(order) == {
        "orderId": "A-1",
        "currency": "EUR",
        "lines": [{"sku": "tea", "quantity": 3, "total": "13.05"}],
        "subtotal": "13.05",
        "discount": "1.31",
        "tax": "2.35",
        "total": "14.09",
    }
    document = environment.error({"orderId": "", "lines": [{"sku": "tea", "quantity": 0.5, "unitPrice": -1}]}).json
    assert document["errorType"] == "InvalidOrder"
    assert document["errorMessage"] == (
        "orderId must be a text; lines[0].quantity must be a whole number from 1; lines[0].unitPrice must be a number from 0"
    )
    assert '\tINFO\t{"event":"priced"' in environment.output


@pytest.mark.skipif(not shutil.which("swiftc"), reason="no swiftc")
def test_swift_words(start):
    environment = start("swift-words", "any", bootstrap)
    answer = environment.result({"text": 'To be, or not to be: "ça" \\ \n😀'})
    assert answer == {
        "words": 7,
        "unique": 5,
        "characters": 30,
        "top": [
            {"word": word, "count": count} for word, count in (("be", 2), ("to", 2), ("not", 1), ("or", 1), ("ça", 1))
        ],
    }
    assert environment.result(b'"\\u00e7\\ud83d\\ude00 a\\tb"')["words"] == 3
    assert environment.result("word " * 1_000_000)["words"] == 1_000_000
    assert environment.error(b"{").json["errorType"] == "Function.SyntaxError"
    assert environment.error({"text": 1}).json == {
        "errorMessage": 'The event must have "text", a string',
        "errorType": "Function.BadRequest",
    }
    assert "7 words, 5 different\n" in environment.output


def test_custom_runtime_bash(start):
    environment = start("custom-runtime-bash", "some.handler", bootstrap)
    call = environment.call({"text": "é" * 1000})
    assert call.json == {"handler": "some.handler", "requestId": call.request_id, "event": {"text": "é" * 1000}}
    assert environment.error({"action": "error"}).json["errorType"] == "Function.Asked"
    assert environment.call({"action": "exit"}).status == 7


@pytest.mark.skipif(not shutil.which("cc"), reason="no C compiler")
def test_custom_runtime_c(start):
    environment = start("custom-runtime-c", "some.handler", bootstrap)
    big = "x" * (6 * 1024 * 1024 - 2)
    assert environment.result({"a": 1}) == {"a": 1}
    assert environment.result(big) == big
    assert environment.error({"action": "error"}).json["errorMessage"] == "failed as asked"
    assert environment.call({"action": "crash"}).status == -signal.SIGSEGV


@pytest.mark.skipif(not shutil.which("cc"), reason="no C compiler")
def test_custom_runtime_c_exits(start):
    assert start("custom-runtime-c", "some.handler", bootstrap).call({"action": "exit"}).status == 7
