# Node environments whose runtime was up before it was known whose it would be: the same to the function, and started where there is none.
import json
import os
import signal

import pytest
from conftest import Server, descendants, package, wait_until
from test_fast_start import at_once, command, figures

RUNTIME = "nodejs20.x"
LOOK = """
import fs from 'node:fs';
import crypto from 'node:crypto';
const random = [Math.random(), crypto.randomUUID(), crypto.randomBytes(8).toString('hex')];
let calls = 0;
const without = ['AWS_LAMBDA_LOG_STREAM_NAME', '_X_AMZN_TRACE_ID', 'AWS_ENDPOINT_URL', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'];
const lines = fs.readFileSync('/proc/self/status', 'utf8').split('\\n').map((line) => line.split(':\\t'));
const status = Object.fromEntries(lines.filter(([name]) => ['Uid', 'Gid', 'CapPrm', 'CapBnd', 'NoNewPrivs', 'Seccomp', 'SigIgn', 'SigBlk', 'Umask'].includes(name)));
export const handler = async (event) => {
  calls += 1;
  if (event?.wait) await new Promise((resolve) => setTimeout(resolve, event.wait));
  return {
    own: [random, calls, fs.readdirSync('/tmp'), process.env.AWS_LAMBDA_LOG_STREAM_NAME],
    same: {
      variables: Object.fromEntries(Object.entries(process.env).filter(([name]) => !without.includes(name)).sort()),
      child: (await import('node:child_process')).execFileSync('/usr/bin/env', ['sh', '-c', 'echo $MINE $TZ; pwd']).toString(),
      directory: process.cwd(), task: fs.readdirSync('/var/task').sort(), layers: fs.readdirSync('/opt').sort(), status,
      arguments: process.argv, heap: (await import('node:v8')).getHeapStatistics().heap_size_limit, zone: new Date(0).toString(),
      limits: fs.readFileSync('/proc/self/limits', 'utf8'), root: fs.readdirSync('/').sort(), processes: fs.readdirSync('/proc').filter((name) => +name).length,
    },
  };
};
"""


def cells(server):
    return [pid for pid in descendants(server.process.pid) if b"--martlet-stem" in command(pid)]


def kinds(server):
    return figures(server)["stemCells"]


def ready(server, count=1):
    """Waits until cells are up and have asked whose they are."""
    return wait_until(lambda: sum(kind["ready"] for kind in kinds(server)) >= count and kinds(server), 20, "cells that are ready")


def taken(server):
    return sum(kind["taken"] for kind in kinds(server))


@pytest.fixture(scope="module")
def fast():
    server = Server("--fast-start", "on")
    yield server
    assert server.stop() == 0


def create(server, name, code, **options):
    return server.create(name, code, runtime=RUNTIME, **options)


def test_a_cell_becomes_what_a_start_is(fast, own_server):
    plain = own_server("--fast-start", "off")
    options = {"Environment": {"Variables": {"MINE": "it's = mine\nand \u00e9", "TZ": "Asia/Tokyo"}}, "MemorySize": 300}
    for server in (fast, plain):
        create(server, "look", {"app.mjs": LOOK, "beside.txt": "x"}, **options)
    ready(fast)
    before = taken(fast)
    one, other = fast.invoke("look").succeeded(), plain.invoke("look").succeeded()
    assert one["same"] == other["same"]
    assert one["same"]["directory"] == "/var/task" and one["same"]["task"] == ["app.mjs", "beside.txt"]
    assert one["own"][1:3] == [1, []]
    assert taken(fast) == before + 1
    assert kinds(plain) == []


def test_environments_share_nothing(fast):
    create(fast, "own", LOOK)
    ready(fast)
    answers = [answer["own"] for answer in at_once(fast, "own", {"wait": 400}, 5)]
    for values in zip(*[answer[0] for answer in answers]):
        assert len(set(values)) == len(answers), values
    assert {(answer[1], tuple(answer[2])) for answer in answers} == {(1, ())}
    assert len({answer[3] for answer in answers}) == len(answers)


def test_a_cell_that_died_is_missed_by_nobody(fast):
    create(fast, "survivor", LOOK)
    ready(fast)
    for pid in cells(fast):
        os.kill(pid, signal.SIGKILL)
    for _ in range(3):
        assert fast.invoke("survivor", {"wait": 1}).error is None
    create(fast, "hard", "export const handler = async (event) => { if (event === 'die') process.exit(1); return event; };", MemorySize=200)
    for round in range(6):
        for pid in cells(fast):
            os.kill(pid, signal.SIGKILL)
        assert fast.invoke("hard", "die").error
        assert fast.invoke("hard", 1).succeeded() == 1


def test_after_a_failure_the_environment_has_its_code(fast):
    code = "import fs from 'node:fs'; export const handler = async (e) => { if (e === 'die') process.exit(3); return fs.readdirSync('/var/task'); };"
    create(fast, "again", code, MemorySize=400)
    ready(fast)
    before = taken(fast)
    assert fast.invoke("again", "die").error
    assert fast.invoke("again", 0).succeeded() == ["app.mjs"]
    assert taken(fast) == before + 1


def test_layers_and_logs_come_with_it(fast):
    layer = fast.client.publish_layer_version(LayerName="l", Content={"ZipFile": package({"nodejs/node_modules/dep/index.js": "module.exports = 'from the layer';"})})
    code = "import dep from 'dep'; console.log('loaded'); export const handler = async () => { console.log('called'); return dep; };"
    create(fast, "layered", code, Layers=[layer["LayerVersionArn"]], MemorySize=500)
    ready(fast)
    before = taken(fast)
    answer = fast.invoke("layered")
    assert answer.succeeded() == "from the layer"
    assert "called" in answer.log and "Init Duration" in answer.log
    assert taken(fast) == before + 1


@pytest.mark.parametrize("variable", ["NODE_OPTIONS=--stack-trace-limit=3", "LD_PRELOAD=", "LANG=C"])
def test_what_node_reads_at_its_start_gets_a_start(fast, variable):
    name, value = variable.split("=", 1)
    create(fast, "start-" + name.lower().replace("_", "-"), f"export const handler = async () => process.env.{name} ?? null;", Environment={"Variables": {name: value}})
    ready(fast)
    before = taken(fast)
    assert fast.invoke("start-" + name.lower().replace("_", "-")).succeeded() == value
    assert taken(fast) == before


def test_nobody_else_hears_an_order(fast):
    """The path by which a cell is told whose it is says nothing to the function itself, later."""
    code = "export const handler = async () => { const a = await fetch(`http://${process.env.AWS_LAMBDA_RUNTIME_API}/_martlet/order`); return [a.status, await a.text()]; };"
    create(fast, "curious", code, MemorySize=600)
    ready(fast)
    assert fast.invoke("curious").succeeded() == [404, "404 page not found\n"]
