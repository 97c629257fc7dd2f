# `martlet explain NAME`: how a function's environments start, and what keeps them from starting faster.
import json
import os
import subprocess
import urllib.request

import pytest
from conftest import Server, program, wait_until
from stem_cells import languages
from test_fast_start import NONE_AHEAD
from test_function_zygotes import BUSY, MANY, files
from test_snapstart import publish

CODE = "def handler(event, context):\n    return 1\n"
RUNTIME = "python3.11"


@pytest.fixture(scope="module")
def fast():
    server = Server("--fast-start", "on", *{flag: None for language in languages() for flag in language.flags})
    yield server
    assert server.stop() == 0


def findings(server, name):
    with urllib.request.urlopen(f"{server.endpoint}/_martlet/explain?kind=function&name={name}") as answer:
        return json.load(answer)["findings"]


def starts(server, name):
    """The sentence about environments, and whether it is as it should be."""
    return [(finding["text"], finding["weight"] == "holds") for finding in findings(server, name) if "nvironment" in finding["text"] or "It does not have" in finding["text"]]


def waits(count, otherwise="forked"):
    return f"none waits, so one is {otherwise} when it is needed" if NONE_AHEAD else "1 waits" if count == 1 else f"{count} wait"


def comes(server, name, text):
    wait_until(lambda: starts(server, name) == [(text, True)], 30, text)


def test_a_runtime_that_waits(fast, name):
    for language in languages():
        if language.missing:
            continue
        function = f"{name}-{language.family}"
        fast.create(function, language.files, runtime=language.runtime, handler=language.prefix + "look", MemorySize=192)
        if language.family == "python":
            what, count, otherwise = f"forks of a {RUNTIME} that is up, in sandboxes of its size", 8, "forked"
        elif language.family == "provided":
            what, count, otherwise = "sandboxes of its size, for its own bootstrap", 10, "made"
        else:
            what, count, otherwise = f"sandboxes of its size in which {language.runtime} is up", 2 if language.family == "ruby" else 1, "started"
        comes(fast, function, f"Its environments take over {what}: {waits(count, otherwise)}.")
        fast.client.delete_function(FunctionName=function)


def test_a_zygote_of_its_own(fast, name):
    fast.create(name, files(), **MANY)
    comes(fast, name, f"Its environments are forked from a zygote of its own: {waits(1)}.")


def test_a_snapshot(fast, name):
    publish(fast, name, CODE)
    comes(fast, f"{name}:1", f"Its environments are forked from a snapshot, in which it has initialised: {waits(1)}.")
    publish(fast, f"{name}-threads", "import threading, time\nthreading.Thread(target=time.sleep, args=(600,), daemon=True).start()\n" + CODE)
    assert starts(fast, f"{name}-threads:1")[0] == ("It does not have a snapshot, in which it has initialised: 2 threads.", False)


@pytest.mark.parametrize("busy,reason", [
    ("quick = 1", "what it could have loaded takes less than 25 ms ("),
    (BUSY + "import threading; threading.Thread(target=time.sleep, args=(60,), daemon=True).start()", "2 threads"),
    ("import os; os.getpid()", "; not more: busy calls getpid when it is imported)"),
], ids=["quick", "thread", "getpid"])
def test_why_there_is_no_zygote_of_its_own(fast, name, busy, reason):
    fast.create(name, files(busy=busy), **MANY)
    (why, _), (forks, holds) = starts(fast, name)
    assert why.startswith("It does not have a zygote of its own: ") and reason in why
    assert holds and "forks of a python3.11 that is up" in forks or "forked from a python3.11 that is up" in forks


def test_why_a_program_is_started(fast, own_server, name):
    for case, (reason, settings) in {
        "variable": ("its variable PYTHONHASHSEED is read only then", {"Environment": {"Variables": {"PYTHONHASHSEED": "7"}}}),
        "wrapper": ("it has a wrapper script", {"Environment": {"Variables": {"AWS_LAMBDA_EXEC_WRAPPER": "/var/task/wrapper"}}}),
    }.items():
        fast.create(f"{name}-{case}", CODE, **settings)
        assert starts(fast, f"{name}-{case}")[-1] == (f"Each environment starts python3.11: {reason}.", False)
    plain = own_server("--fast-start", "off")
    plain.create(name, CODE)
    shown = subprocess.run([program(), "explain", name], capture_output=True, text=True, check=True, env={**os.environ, "MARTLET_ENDPOINT": plain.endpoint}).stdout
    assert "Each environment starts python3.11: fast start is off. It takes root, --isolation full and --fast-start on." in shown


def test_a_version_that_has_failed(fast, name):
    assert publish(fast, name, "raise ValueError('mine')")["State"] == "Failed"
    first = findings(fast, f"{name}:1")[0]
    assert first["weight"] == "stops" and first["text"].startswith("The function is Failed: ")


def test_who_is_not_there_starts_nowhere(fast, name):
    assert starts(fast, name) == [] and starts(fast, f"{name}:3") == []
