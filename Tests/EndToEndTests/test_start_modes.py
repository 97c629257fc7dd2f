# Environments are the same however they start: from what was made ahead, with every pool empty, and with every interpreter
# started anew. What the other files test at length with pools (MARTLET_POOLS=0 or MARTLET_FAST_START=off make them do it without)
# is tried here in each mode.
import os

import pytest
from conftest import Server, package, wait_until
from test_fast_start import at_once, figures
from test_failures import (  # noqa: F401
    test_an_initialisation_that_fails_once_is_repeated_within_the_invocation, test_exits_and_signals, test_initialisation_errors, test_out_of_memory)
from test_invoke import test_many_callers_get_an_environment_each_and_warm_ones_are_used_again  # noqa: F401

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="without root nothing is made ahead")
ON = ["--fast-start", "on", "--pools"]
MODES = {"no pools": [*ON, "0"], "one of each": [*ON, "1"], "started": ["--fast-start", "off", "--pools", "0"]}
ENDS = """
import os, threading, time
born, seen = time.time_ns(), []
def handler(event, context):
    if event == 'exit': os._exit(3)
    if event == 'abort': os.abort()
    if event == 'hang': time.sleep(60)
    seen.append(event)
    time.sleep(0.2)
    return [os.environ['AWS_LAMBDA_LOG_STREAM_NAME'], seen, os.environ['MINE'], os.listdir('/opt'), born]
"""
NODE = """
const seen = [];
export const handler = async (event) => {
  if (event === 'exit') process.exit(3);
  seen.push(event);
  await new Promise((resolve) => setTimeout(resolve, 200));
  return [process.env.AWS_LAMBDA_LOG_STREAM_NAME, seen, process.env.MINE];
};
"""


@pytest.fixture(scope="module", params=MODES)
def server(request):
    server = Server(*MODES[request.param])
    server.mode = request.param
    yield server
    assert server.stop() == 0
    assert " ERROR " not in server.log and " CRITICAL " not in server.log, server.log


def test_what_there_is_ahead(server, name):
    server.create(name, ENDS, Environment={"Variables": {"MINE": "1"}}, Timeout=30)
    now = figures(server)
    assert now["enabled"] == ("started" not in server.mode)
    if now["enabled"]:
        wait_until(lambda: all(zygote["up"] for zygote in figures(server)["zygotes"]), 20, "a zygote")
    if server.mode == "one of each":
        wait_until(lambda: figures(server)["forksReady"] == 1, 20, "a fork that waits")
    before = figures(server)
    started = len({answer[0] for answer in at_once(server, name, "call", 6)})  # who waits may take what is free by then
    after = figures(server)
    if not now["enabled"]:
        return
    gained = {key: after[key] - before[key] for key in ("forksTaken", "forksMadeLate", "forksFailed", "programsExecuted")}
    cells = sum(kind["taken"] for kind in after["stemCells"]) - sum(kind["taken"] for kind in before["stemCells"])
    assert gained["forksTaken"] + gained["forksMadeLate"] + cells >= started and gained["forksFailed"] == gained["programsExecuted"] == 0, gained
    if server.mode == "no pools":
        assert gained["forksTaken"] == cells == 0
        assert (after["forksReady"], after["nestsReady"]) == (0, 0)
        assert all(zygote["level"] == 0 for zygote in after["zygotes"])
    else:
        assert gained["forksTaken"] + cells >= 1
        assert after["nestsReady"] <= 1 and all(zygote["level"] == 1 for zygote in after["zygotes"])


@pytest.mark.parametrize("runtime, code, endings", [("python3.11", ENDS, ["exit", "abort", "hang"]), ("nodejs20.x", NODE, ["exit"])], ids=["python", "node"])
def test_environments_of_one_function_that_live_and_die(server, name, runtime, code, endings):
    layer = server.client.publish_layer_version(LayerName=name, Content={"ZipFile": package({"beside": "x"})})
    server.create(name, code, runtime=runtime, Timeout=5, Environment={"Variables": {"MINE": "of " + name}}, Layers=[layer["LayerVersionArn"]])
    for round in range(2):
        answers = at_once(server, name, round, 5)
        assert len({answer[0] for answer in answers}) == 5, "each in an environment of its own"
        assert all(answer[1][-1] == round and answer[2] == "of " + name for answer in answers)
    for ending in endings:
        assert server.invoke(name, ending).error == "Unhandled"
        assert server.invoke(name, ending + " is over").succeeded()[1][-1] == ending + " is over"
    # What was updated is new, and everything before it is forgotten.
    server.client.update_function_configuration(FunctionName=name, Environment={"Variables": {"MINE": "new"}})
    server.client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.02, "MaxAttempts": 3000})
    assert {(tuple(answer[1]), answer[2]) for answer in at_once(server, name, "last", 3)} == {(("last",), "new")}


def test_nothing_waits_where_there_are_no_pools(server, name):
    server.create(name, NODE, runtime="nodejs20.x", Environment={"Variables": {"MINE": "1"}}, MemorySize=333)
    server.invoke(name, 1).succeeded()
    of_this = [kind for kind in figures(server)["stemCells"] if kind["memory"] == 333]
    if "started" in server.mode:
        assert of_this == []
    elif server.mode == "no pools":
        [kind] = of_this
        assert (kind["ready"], kind["coming"], kind["taken"]) == (0, 0, 0) and kind["missed"] >= 1
    else:
        wait_until(lambda: [kind for kind in figures(server)["stemCells"] if kind["ready"] >= 1], 20, "a cell")
