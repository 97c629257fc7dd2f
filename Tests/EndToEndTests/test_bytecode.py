# Packages are compiled when functions are made: what functions find, and that whatever is in a package, it works as before.
import base64
import json
import os
import py_compile
import re
import urllib.request

import pytest

from conftest import ROLE, package, wait_until

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs a root of its own")

#: Large enough to be compiled ahead.
LARGE = "".join(f"def function_{i}(x):\n    return x + {i}\n" for i in range(1000)) + "def fail():\n    raise ValueError('mine')\n"
TELL = """
import os, traceback
def handler(event, context):
    import large
    try: large.fail()
    except ValueError as error: frame = traceback.extract_tb(error.__traceback__)[-1]
    cached = large.__spec__.cached
    head = open(cached, 'rb').read(8) if os.path.exists(cached) else b''
    return {'cached': cached, 'flags': list(head[4:8]), 'sum': large.function_7(1), 'frame': [frame.filename, frame.lineno, frame.line],
            'files': sorted(os.path.relpath(os.path.join(d, f), '/var/task') for d, _, fs in os.walk('/var/task') for f in fs)}
"""
UNCHECKED = [1, 0, 0, 0]


def test_a_module_of_a_package_is_compiled_before_it_is_imported(server, name):
    server.create(name, package({"app.py": TELL, "large.py": LARGE, "inner/__init__.py": "", "inner/other.py": LARGE}))
    seen = server.invoke(name).succeeded()
    assert seen["cached"] == "/var/task/__pycache__/large.cpython-311.pyc" and seen["flags"] == UNCHECKED and seen["sum"] == 8
    assert seen["frame"] == ["/var/task/large.py", 2002, "raise ValueError('mine')"]
    assert "inner/__pycache__/other.cpython-311.pyc" in seen["files"] and "__pycache__/app.cpython-311.pyc" in seen["files"]


def test_a_layer_is_compiled_for_opt(server, name):
    layer = server.client.publish_layer_version(LayerName=name, Content={"ZipFile": package({"python/large.py": LARGE})})
    server.create(name, package({"app.py": TELL}), Layers=[layer["LayerVersionArn"]])
    seen = server.invoke(name).succeeded()
    assert seen["cached"] == "/opt/python/__pycache__/large.cpython-311.pyc" and seen["flags"] == UNCHECKED
    assert seen["frame"][0] == "/opt/python/large.py" and seen["files"] == ["app.py"]


def test_small_packages_are_left_alone(server, name):
    server.create(name, package({"app.py": TELL, "large.py": "def function_7(x): return x\ndef fail(): raise ValueError()\n"}))
    assert server.invoke(name).succeeded()["files"] == ["app.py", "large.py"]


def test_a_handler_of_usual_size_is_compiled(server, name):
    usual = "".join(LARGE.splitlines(True)[:150]) + LARGE[LARGE.index("def fail"):]
    assert 2048 < len(usual) < 5000
    server.create(name, package({"app.py": TELL, "large.py": usual}))
    assert server.invoke(name).succeeded()["flags"] == UNCHECKED


def test_an_update_is_compiled(server, name):
    server.create(name, package({"app.py": TELL, "large.py": LARGE}))
    assert server.invoke(name).succeeded()["sum"] == 8
    server.client.update_function_code(FunctionName=name, ZipFile=package({"app.py": TELL, "large.py": LARGE.replace("x + 7\n", "x + 700\n")}))
    server.client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.02, "MaxAttempts": 3000})
    seen = server.invoke(name).succeeded()
    assert seen["sum"] == 701 and seen["flags"] == UNCHECKED


def test_what_came_compiled_for_another_source_is_not_believed(server, name, tmp_path):
    (tmp_path / "large.py").write_text(LARGE.replace("x + 7\n", "x + 13\n"))
    old = py_compile.compile(str(tmp_path / "large.py"), doraise=True)
    with open(old, "rb") as file:
        server.create(name, package({"app.py": TELL, "large.py": LARGE, "__pycache__/large.cpython-311.pyc": file.read()}))
    seen = server.invoke(name).succeeded()
    assert seen["sum"] == 8 and seen["flags"] == UNCHECKED


def test_what_cannot_be_compiled_keeps_nobody_from_running(server, name):
    files = {"app.py": TELL, "large.py": LARGE, "broken.py": "def (:\n", "nul.py": "x = '\0'\n", "deep.py": "x = " + "(" * 5000 + ")" * 5000,
             "latin.py": b"# caf\xe9\n", "zipfile.py": "raise SystemExit('shadowed')",
             "inner/__pycache__": "a file\n", "inner/other.py": LARGE, "dir.py/inside.py": "x = 1\n"}
    server.create(name, package(files))
    seen = server.invoke(name).succeeded()
    assert seen["sum"] == 8


def test_a_compiler_that_needs_too_much_is_ended(server, name):
    """Constants that the compiler folds: it would take many gigabytes."""
    hungry = "x = [" + ",".join(f"('a' * 4096) * {i % 7 + 1}" for i in range(60000)) + "]\n"
    server.create(name, package({"app.py": TELL, "large.py": LARGE, "hungry.py": hungry}))
    assert server.invoke(name).succeeded()["sum"] == 8


def test_who_waits_for_long_is_told_how_far_it_is(own_server):
    server = own_server("--log-level", "info")
    server.client.create_function(FunctionName="f", Runtime="python3.11", Handler="app.handler", Role=ROLE, Code={"ZipFile": package(
        {"app.py": TELL, "large.py": LARGE, **{f"module_{i}.py": LARGE + f"# {i}\n" for i in range(400)}})})
    said = []

    def ask():
        with urllib.request.urlopen(f"{server.endpoint}/_martlet/explain?kind=function&name=f") as answer:
            said.append([finding["text"] for finding in json.load(answer)["findings"]])

    def is_active():
        ask()
        return server.client.get_function(FunctionName="f")["Configuration"]["State"] == "Active"
    wait_until(is_active, 120, "a function that is ready")
    assert said[0][0] == "The function is Pending: The function is being created. Who invokes it waits."
    progress = [re.fullmatch(r"Its packages are compiled: for (\d+) s, with (\d+) KiB of results so far\..*", text) for texts in said for text in texts]
    steps = [(int(step[1]), int(step[2])) for step in progress if step]
    assert steps == sorted(steps) and steps[-1][0] >= 1 and steps[-1][1] > 1000
    ask()
    assert not any("compiled" in text for text in said[-1]) and server.invoke("f").succeeded()["flags"] == UNCHECKED
    if steps[-1][0] > 5: assert "compiling a package" in server.log


@pytest.fixture(params=["too little", "all of it"])
def compiled_ahead(request, tmp_path):
    """Files of a package in which nothing is to be compiled."""
    if request.param == "too little":
        return {"app.py": TELL, "data": os.urandom(50_000)}
    files = {"app.py": TELL + f"# {os.urandom(8).hex()}\n", "large.py": LARGE}
    for file, source in list(files.items()):
        (tmp_path / file).write_text(source)
        path = py_compile.compile(str(tmp_path / file), invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH, doraise=True)
        with open(path, "rb") as compiled:
            files[f"__pycache__/{os.path.basename(path)}"] = compiled.read()
    return files


def test_a_package_with_nothing_to_compile_is_looked_at_once(server, name, compiled_ahead):
    """Else every start of the server would start a compiler for each function of the kind."""
    server.create(name, package(compiled_ahead))
    answer = server.client.get_function(FunctionName=name)["Configuration"]
    key = base64.b64decode(answer["CodeSha256"]).hex()
    assert [found for found in os.listdir(f"{server.state}/trees") if found.startswith(f"{key}+task")] == [f"{key}+task-python3.11-nothing"]


#: The same in JavaScript.
BIG = "".join(f"exports.f{i} = function (x) {{ return x + {i}; }};\n" for i in range(1000)) + "exports.loader = new Error().stack.split('\\n')[2];\n"
TELL_JS = """
const fs = require('fs');
exports.handler = async () => {
  const big = require('big');
  return { sum: big.f7(1), compiled: big.loader.includes('/var/runtime/compiled.mjs'), where: require.resolve('big'),
           files: fs.readdirSync('/var/task', { recursive: true, withFileTypes: true }).filter((e) => e.isFile()).map((e) => e.path + '/' + e.name).sort() };
};
"""
NODE = {"runtime": "nodejs20.x", "handler": "index.handler"}


def node_package(**files):
    return package({"index.js": TELL_JS, "node_modules/big.js": BIG, **files})


def wait_for_update(server, name):
    server.client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.02, "MaxAttempts": 3000})


def test_a_module_of_node_is_compiled_before_it_is_required(server, name):
    server.create(name, node_package(), **NODE)
    seen = server.invoke(name).succeeded()
    assert seen["sum"] == 8 and seen["compiled"] and seen["where"] == "/var/task/node_modules/big.js"
    (cache,) = set(seen["files"]) - {"/var/task/index.js", "/var/task/node_modules/big.js"}
    assert cache.startswith("/var/task/node_modules/.cache/martlet/v20.")


def test_an_update_of_a_node_function_is_compiled(server, name):
    server.create(name, node_package(), **NODE)
    assert server.invoke(name).succeeded()["sum"] == 8
    server.client.update_function_code(FunctionName=name, ZipFile=package({"index.js": TELL_JS, "node_modules/big.js": BIG.replace("x + 7;", "x + 8;")}))
    wait_for_update(server, name)
    seen = server.invoke(name).succeeded()
    assert seen["sum"] == 9 and seen["compiled"]


@pytest.mark.parametrize("memory", [128, 3008])
def test_results_fit_a_node_function_of_any_memory(server, name, memory):
    """The limit of V8's heap follows the memory, and V8 refuses what was compiled under other flags."""
    server.create(name, node_package(), MemorySize=512, **NODE)
    server.client.update_function_configuration(FunctionName=name, MemorySize=memory)
    wait_for_update(server, name)
    assert server.invoke(name).succeeded()["compiled"]


def test_a_layer_of_node_is_compiled_for_opt(server, name):
    layer = server.client.publish_layer_version(LayerName=name, Content={"ZipFile": package({"nodejs/node_modules/big.js": BIG})})
    server.create(name, package({"index.js": TELL_JS}), Layers=[layer["LayerVersionArn"]], **NODE)
    seen = server.invoke(name).succeeded()
    assert seen["compiled"] and seen["where"] == "/opt/nodejs/node_modules/big.js" and seen["files"] == ["/var/task/index.js"]


def test_a_node_function_with_options_of_its_own_is_compiled_where_it_runs(server, name):
    server.create(name, node_package(), Environment={"Variables": {"NODE_OPTIONS": "--enable-source-maps"}}, **NODE)
    seen = server.invoke(name).succeeded()
    assert seen["sum"] == 8 and not seen["compiled"]


def test_what_node_cannot_compile_keeps_nobody_from_running(server, name):
    files = {"broken.js": "function (\n" * 300, "nul.js": "x = '\0';\n" * 300, "latin.js": b"// caf\xe9\n" * 300, "deep.js": "x = " + "(" * 200000 + ")" * 200000,
             "inner/package.json": b"\xff", "inner/other.js": BIG, "node_modules/.cache/martlet": "a file\n"}
    server.create(name, node_package(**files), **NODE)
    assert server.invoke(name).succeeded()["sum"] == 8
