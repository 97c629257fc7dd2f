"""Modules of Node.js that were compiled ahead (Runtimes/nodejs/compile.mjs, compiled.mjs): V8 takes the results, and modules cannot tell."""

import io
import json
import os
import struct
import subprocess
import zipfile

import pytest

from conftest import RUNTIMES

NODEJS = os.path.realpath(os.path.join(RUNTIMES, "nodejs"))
#: Enough of it is compiled ahead.
LONG = "/* " + "x" * 2000 + " */ "
FUNCTIONS = "".join(f"exports.f{i} = function (x) {{ return x + {i}; }};\n" for i in range(500))
DEP = LONG + """
const other = require('./other');
exports.seen = [__filename, __dirname, require.resolve('./other'), require.resolve.paths('x'), module.parent?.filename, this === exports,
  module.loaded, module.children.map((child) => child.id), require.main === process.mainModule, require.cache[__filename] === module,
  Object.keys(require.extensions), other, typeof __dirname, eval('typeof other'), arguments.length];
exports.fail = () => { throw new Error('mine'); };
"""
MAIN = LONG + """
const dep = require('dep');
const big = require('./big');
let frame;
try { dep.fail(); } catch (error) { frame = error.stack.split('\\n')[1]; }
module.exports = { seen: dep.seen, frame, sum: big.f7(1), line: new Error().stack.split('\\n')[1], source: String(big.f499) };
"""
FILES = {
    "main.js": MAIN, "big.js": FUNCTIONS, "node_modules/dep/index.js": DEP, "node_modules/dep/other.js": "module.exports = 'other';\n",
    "named.cjs": LONG + "module.exports = 'named';\n",
}
LEFT_OUT = {
    "broken.js": LONG + "function (\n", "dynamic.js": LONG + "exports.load = () => import('./x.mjs');\n", "small.js": "module.exports = 1;\n",
    "made.js": LONG + "exports.load = new Function('x', 'return import' + '(x)');\n", "script.js": "#!/usr/bin/env node\n" + LONG,
    "marked.js": "\ufeff" + LONG, "esm/module.js": LONG + "module.exports = 2;\n", "esm/package.json": '{"type": "module"}',
    "syntax.js": LONG + "export default 1;\n", "data.json": json.dumps("x" * 3000), "real.mjs": LONG + "export default 1;\n",
}
LOAD = """
import { createRequire } from 'node:module';
import { useCompiled } from '%s/compiled.mjs';
useCompiled(['%s', '/nowhere']);
console.log(JSON.stringify(createRequire(import.meta.url)('%s/' + process.argv[2])));
"""
TAKEN = """
import fs from 'node:fs';
import { compile, resultsBelow } from '%s/compiled.mjs';
const { read } = resultsBelow('%s') ?? { read: () => undefined };
console.log(JSON.stringify(Object.fromEntries(process.argv.slice(2).map((name) => {
  const cachedData = read(name);
  return [name, cachedData ? !compile(fs.readFileSync('%s/' + name, 'utf8'), name, { cachedData }).cachedDataRejected : null];
}))));
"""


class Package:
    """A directory with modules, and what was compiled of them if there are results."""

    def __init__(self, node, folder, files):
        self.node, self.folder = node, str(folder)
        for name, text in files.items():
            path = os.path.join(self.folder, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w") as file:
                file.write(text)

    def run(self, *arguments, **variables):
        done = subprocess.run([self.node, *arguments], capture_output=True, env={**os.environ, **variables}, timeout=60)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    def compile(self, seconds=60):
        made = self.run(f"{NODEJS}/compile.mjs", self.folder, str(seconds))
        if made:
            with zipfile.ZipFile(io.BytesIO(made)) as archive:
                assert archive.testzip() is None
                archive.extractall(self.folder)
                (self.results,) = [os.path.join(self.folder, name) for name in archive.namelist()]
        return bool(made)

    def script(self, text, *arguments, flags=(), **variables):
        path = os.path.join(self.folder, "script.mjs")
        with open(path, "w") as file:
            file.write(text.replace("%s/compiled", f"{NODEJS}/compiled").replace("%s", self.folder))
        return json.loads(self.run(*flags, path, *arguments, **variables))

    def load(self, name="main.js", **more):
        return self.script(LOAD, name, **more)

    def taken(self, *names, **more):
        return self.script(TAKEN, *names, **more)

    @property
    def table(self):
        with open(self.results, "rb") as file:
            return json.loads(file.read(struct.unpack("<I", file.read(4))[0]))["modules"]


@pytest.fixture
def make(node, tmp_path):
    return lambda files: Package(node, tmp_path, files)


@pytest.mark.parametrize("flags", [(), ("--max-old-space-size=99",), ("--max-old-space-size=2000",)])
def test_v8_takes_the_results_whatever_the_heap_s_limit(make, flags):
    package = make(FILES)
    assert package.compile()
    names = ["main.js", "big.js", "node_modules/dep/index.js", "named.cjs"]
    assert package.taken(*names, flags=flags) == dict.fromkeys(names, True)
    assert package.taken("node_modules/dep/other.js", "__proto__", flags=flags) == {"node_modules/dep/other.js": None, "__proto__": None}


def test_modules_see_what_they_see_without(make):
    package = make(FILES)
    before, named = package.load(), package.load("named.cjs")
    assert before["sum"] == 8 and named == "named"
    assert package.compile()
    after = package.load()
    assert after == before and package.load("named.cjs") == named
    assert "index.js:6:" in after["frame"]


def test_what_cannot_be_compiled_is_left_out(make):
    package = make({**FILES, **LEFT_OUT})
    assert package.compile()
    assert sorted(package.table) == sorted(set(FILES) - {"node_modules/dep/other.js"})
    assert package.load("small.js") == 1


def test_flags_that_mean_something_to_v8_get_no_results(make):
    package = make({**FILES, "tell.js": LONG + "module.exports = new Error().stack.includes('compiled.mjs');\n"})
    assert package.compile()
    assert package.load("tell.js") is True
    assert package.load("tell.js", flags=("--no-opt",)) is False
    assert package.load("tell.js", NODE_OPTIONS="--enable-source-maps") is False


def test_who_compiles_in_a_way_of_its_own_gets_the_source(make):
    package = make({**FILES, "hooked.js": LONG + """
        const Module = require('module');
        const usual = Module.prototype._compile;
        Module.prototype._compile = function (source, name) { return usual.call(this, source.replace('x + 7;', 'x + 700;'), name); };
        const all = require('./big').f7(1);
        Module.prototype._compile = usual;
        delete require.cache[require.resolve('./big')];
        const js = Module._extensions['.js'];
        Module._extensions['.js'] = (module, name) => {
          module._compile = (source) => { delete module._compile; module._compile(source.replace('x + 7;', 'x + 70;'), name); };
          js(module, name);
        };
        module.exports = [all, require('./big').f7(1)];
    """})
    assert package.compile()
    assert package.load("hooked.js") == [701, 71]


def test_small_packages_are_not_worth_it(make):
    assert not make({"main.js": LONG}).compile()


def test_no_time_means_no_results(make):
    assert not make(FILES).compile(seconds=0)


@pytest.mark.parametrize("damage", [b"", b"\xff\xff\xff\xff", b"\x02\x00\x00\x00{}", b"\x04\x00\x00\x00null", b"\xff\xff\xff\xff" + b"{" * 5000, "cut", "version", "empty", "large",
                                    "beyond"])
def test_damaged_results_are_not_used(make, damage):
    package = make(FILES)
    before = package.load()
    assert package.compile()
    with open(package.results, "rb") as file:
        good = file.read()
    size = struct.unpack("<I", good[:4])[0]
    if damage == "cut":
        damage = good[:size + 4]
    elif isinstance(damage, str):
        text = json.loads(good[4:size + 4])
        if damage == "version":
            text["probe"] = "A" * len(text["probe"])
        elif damage == "empty":
            del text["modules"]
        else:
            text["modules"] = dict.fromkeys(text["modules"], [0, 1 << 60] if damage == "large" else [len(good), 100])
        text = json.dumps(text).encode()
        damage = struct.pack("<I", len(text)) + text + good[size + 4:]
    with open(package.results, "wb") as file:
        file.write(damage)
    assert package.load() == before
