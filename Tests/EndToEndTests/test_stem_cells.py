# Environments whose runtime was up before it was known whose it would be: the same to the function, and started where there is none.
import glob
import os
import signal

import pytest
from conftest import children_of_all, descendants, instance, package, wait_until
from stem_cells import each, fast, languages  # noqa: F401
from test_fast_start import NONE_AHEAD, at_once, command, figures
from test_snapstart import process_facts

language = each(languages())
pytestmark = pytest.mark.skipif(NONE_AHEAD, reason="in pools of size zero nothing waits")


def cells(server, language):
    """A fork looks like its zygote as long as it waits, but is in a sandbox. Without a runtime there are only processes 1, those of nests among them."""
    children = children_of_all()
    below = descendants(server.process.pid, children)
    if language.family == "provided":
        return [pid for pid in below if inside(pid) == ["1"] and pid not in children]
    return [pid for pid in below if b"--martlet-stem" in command(pid) or (b"/zygote.py" in command(pid) and inside(pid))]


def inside(pid):
    """The process's numbers in namespaces."""
    facts = process_facts(pid)
    return facts and facts["NSpid"].split()[1:]


def kinds(server):
    return figures(server)["stemCells"]


def ready(server, memory=128, count=1):
    """Waits until cells for functions of this memory are up."""
    return wait_until(
        lambda: sum(kind["ready"] for kind in kinds(server) if kind["memory"] == memory) >= count and kinds(server), 30, "cells that are ready")


def taken(server):
    return sum(kind["taken"] for kind in kinds(server))


def create(server, language, name, handler, files=None, **options):
    options = {"MemorySize": 256, "Timeout": 20, **options}
    server.create(name, files or language.files, runtime=language.runtime, handler=language.prefix + handler, **options)
    return options["MemorySize"]


def test_a_cell_becomes_what_a_start_is(fast, language, own_server):
    plain = own_server("--fast-start", "off", *language.flags)
    files = {**language.files, "beside.txt": "beside"}
    for server in (fast, plain):
        create(server, language, "look", "look", files, MemorySize=300, Environment={"Variables": {"MINE": "it's = mine\nand \u00e9", "TZ": "Asia/Tokyo"}})
    ready(fast, 300)
    before = taken(fast)
    one, other = fast.invoke("look").succeeded(), plain.invoke("look").succeeded()
    for name in other["same"]:
        assert one["same"][name] == other["same"][name], name
    assert one["same"].keys() == other["same"].keys() and one["same"]["beside"] == "beside"
    assert "Asia/Tokyo\n/var/task\n" in one["same"]["child"]
    assert one["own"][1:3] == [1, []]
    assert taken(fast) == before + 1
    assert kinds(plain) == []


def test_environments_share_nothing(fast, language):
    ready(fast, create(fast, language, "own", "look"))
    answers = [answer["own"] for answer in at_once(fast, "own", {"wait": 400}, 5)]
    for values in zip(*[answer[0] for answer in answers]):
        assert len(set(values)) == len(answers), values
    assert {(answer[1], tuple(answer[2])) for answer in answers} == {(1, ())}
    assert len({answer[3] for answer in answers}) == len(answers)


def test_who_comes_as_often_again_finds_as_many(fast, language):
    memory = create(fast, language, "burst", "look", MemorySize=370)

    def kind():
        return next(kind for kind in kinds(fast) if kind["memory"] == memory)

    # Two more than there are before anybody has called.
    ready(fast, memory)
    wait_until(lambda: kind()["coming"] == 0, 30, "cells that have come")
    burst = kind()["ready"] + 2
    at_once(fast, "burst", {"wait": 1500}, burst)
    assert kind()["missed"] > 0, "nobody could expect them"
    ready(fast, memory, burst)
    before = kind()
    fast.client.update_function_configuration(FunctionName="burst", Description="so that all begin anew")
    fast.client.get_waiter("function_updated_v2").wait(FunctionName="burst")
    at_once(fast, "burst", {"wait": 1500}, burst)
    assert kind()["taken"] >= before["taken"] + burst and kind()["missed"] == before["missed"]


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def test_a_cell_that_died_is_missed_by_nobody(fast, language):
    ready(fast, create(fast, language, "survivor", "hard", MemorySize=450))
    for pid in cells(fast, language):
        kill(pid)
    for event in range(3):
        assert fast.invoke("survivor", event).succeeded() == [event, True]
    create(fast, language, "hard", "hard", MemorySize=200)
    for _ in range(6):
        for pid in cells(fast, language):
            kill(pid)
        assert fast.invoke("hard", "die").error
        assert fast.invoke("hard", 1).succeeded() == [1, True]


def test_after_a_failure_the_environment_has_its_code(fast, language):
    ready(fast, create(fast, language, "again", "hard", MemorySize=400))
    before = taken(fast)
    assert fast.invoke("again", "die").error
    assert fast.invoke("again", 0).succeeded() == [0, True]
    assert taken(fast) == before + 1


def test_layers_and_logs_come_with_it(fast, language):
    layer = fast.client.publish_layer_version(LayerName="l", Content={"ZipFile": package(language.layer)})
    ready(fast, create(fast, language, "layered", "layered", Layers=[layer["LayerVersionArn"]], MemorySize=500))
    before = taken(fast)
    answer = fast.invoke("layered")
    assert answer.succeeded() == "from the layer"
    assert "called" in answer.log and "Init Duration" in answer.log
    assert taken(fast) == before + 1


def test_how_python_logs_is_heard_later(own_server):
    server = own_server("--fast-start", "on")
    log = "import logging\ndef handler(event, context):\n    logging.debug('a detail')\n    logging.warning('a warning')\n    return [h.level for h in logging.getLogger().handlers]"
    server.create("usual", log)
    ready(server)
    for i, (format, lines) in enumerate([
            ({"LogFormat": "JSON", "ApplicationLogLevel": "DEBUG"}, ['"level": "DEBUG", "message": "a detail"', '"level": "WARNING", "message": "a warning"']),
            ({"LogFormat": "JSON", "ApplicationLogLevel": "ERROR"}, []), ({"LogFormat": "Text"}, ["[WARNING]\t"])]):
        server.create(f"other-{i}", log, LoggingConfig=format)
        ready(server)
        before = taken(server)
        answer = server.invoke(f"other-{i}")
        assert answer.succeeded() == [0] and taken(server) == before + 1
        assert [line for line in answer.log.splitlines() if "a warning" in line or "a detail" in line] == Lines(lines)
    assert server.stop() == 0


class Lines(list):
    """Equal to as many lines that contain these."""
    def __eq__(self, other): return len(self) == len(other) and all(part in line for part, line in zip(self, other))


def test_what_is_read_at_the_start_gets_a_start(fast, language):
    ready(fast, create(fast, language, "usual", "variable", MemorySize=350))
    before = taken(fast)
    for number, variable in enumerate(language.read_at_start):
        name, value = variable.split("=", 1)
        create(fast, language, f"start-{number}", "variable", MemorySize=350, Environment={"Variables": {name: value}})
        assert fast.invoke(f"start-{number}", name).succeeded() == value
    # A runtime that the function brings has not been started yet.
    assert taken(fast) == before + (len(language.read_at_start) if language.family == "provided" else 0)


def test_nobody_else_hears_an_order(fast, language):
    """The path by which a cell is told whose it is says nothing to the function itself, later."""
    ready(fast, create(fast, language, "curious", "curious", MemorySize=600))
    assert fast.invoke("curious").succeeded() == [404, "404 page not found\n"]


def test_ruby_of_the_functions_own_comes_before_the_librarys(fast, language):
    """What is loaded in a cell and comes with the function, too, is the function's: then the interpreter starts anew, in the cell."""
    if language.family != "ruby":
        pytest.skip("only Ruby looks for its library where functions are")
    files = {"logger.rb": "class Logger; OWN = 'logger of mine'; class Formatter; end; end", "app.rb": "def version(event:, context:) = Logger::OWN"}
    ready(fast, create(fast, language, "versions", "version", files, MemorySize=700))
    before = taken(fast)
    assert fast.invoke("versions").succeeded() == "logger of mine"
    assert taken(fast) == before + 1


def idle(server):
    """Which control groups give way to others (cgroup v1 and v2, Linux 5.15), by their names."""
    found = {}
    for path in glob.glob(f"/sys/fs/cgroup/**/martlet-{instance(server.state)}/*/cpu.idle", recursive=True):
        with open(path) as file:
            found[path] = int(file.read())
    return found


def test_who_waits_gives_way_and_who_serves_does_not(own_server):
    server = own_server("--fast-start", "on")
    server.create("look", "export const handler = async (event) => event;", runtime="nodejs20.x", handler="app.handler")
    ready(server, 128)
    before = idle(server)
    if not before:
        pytest.skip("this kernel has no cpu.idle")
    assert 1 in before.values()
    assert server.invoke("look", 1).succeeded() == 1
    after = idle(server)
    assert [path for path in before if before[path] == 1 and after.get(path) == 0]
