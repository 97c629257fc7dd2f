# The clock that tests can move: over HTTP and by the command line; who may, what moves, and what does not.
import datetime
import json
import subprocess
import urllib.error
import urllib.request

import pytest

from asynchronous import Events
from conftest import program


@pytest.fixture
def events(own_server):
    return Events(own_server())


def refused(events, body, headers={}):
    with pytest.raises(urllib.error.HTTPError) as caught:
        events.page("clock", body, headers)
    return caught.value.code, json.loads(caught.value.read())["message"]


def moment(text):
    return datetime.datetime.fromisoformat(text)


def test_it_shows_itself_and_moves(events):
    shown = events.page("clock")
    assert shown["offsetSeconds"] == 0 and shown["movable"] and "next" not in shown
    moved = events.page("clock", {"advance": "1h30m"})
    assert moved["settled"] and moved["rang"] == 0
    assert 5399 < moved["offsetSeconds"] <= 5400
    assert 5400 <= (moment(moved["now"]) - moment(shown["now"])).total_seconds() < 5430
    moved = events.page("clock", {"set": "2099-01-01T00:00:00Z"})
    assert moved["now"].startswith("2099-01-01T00:00:00")
    assert events.page("clock", {"advance": 60})["now"].startswith("2099-01-01T00:01:00"), "a bare number is seconds"


def test_it_refuses_nonsense(events):
    for body in ({}, [], {"advance": "soon"}, {"advance": "-1m"}, {"advance": "1m", "set": "2099-01-01T00:00:00Z"}, {"set": "tomorrow"},
                 {"set": "2001-01-01T00:00:00Z"}, {"set": "2201-01-01T00:00:00Z"}, {"advance": "1m", "wait": "2h"}, {"advance": "1m", "wait": 3}):
        assert refused(events, body)[0] == 400, body
    assert events.page("clock", {"advance": "200y"})["now"].startswith("2200-01-01T00:00:00"), "no further"
    assert refused(events, {"set": "2100-01-01T00:00:00Z"})[0] == 400, "never back"


def test_beyond_loopback_it_is_fixed_unless_asked_for(own_server):
    fixed = Events(own_server("--address", "0.0.0.0"))
    assert not fixed.page("clock")["movable"]
    status, message = refused(fixed, {"advance": "1m"})
    assert status == 403 and "--movable-clock" in message
    assert own_server("--address", "0.0.0.0", "--movable-clock").port
    movable = Events(own_server("--address", "0.0.0.0", environment={"MARTLET_MOVABLE_CLOCK": "1"}))
    assert movable.page("clock", {"advance": "1m"})["movable"]


def test_a_move_gives_up_waiting(events, name):
    """A function that sleeps is not over because the clock says so."""
    events.create(name)
    events.send(name, {"sleep": 2})
    moved = events.page("clock", {"advance": "1m", "wait": "50ms"})
    assert not moved["settled"]
    assert events.page("clock", {"advance": "0s"})["settled"]


def test_what_is_dated_moves_and_what_is_measured_does_not(events, name):
    events.create(name, Timeout=30)
    events.page("clock", {"set": "2098-06-01T00:00:00Z"})
    answer = events.server.invoke(name)
    answer.succeeded()
    [(_, run)] = events.runs(name)
    assert 0 < run["remaining"] <= 30_000, "the function compares its deadline with the host's clock"
    events.client.update_function_configuration(FunctionName=name, Description="later")
    assert events.client.get_function_configuration(FunctionName=name)["LastModified"].startswith("2098-06-01T")
    assert "2098-" not in events.server.log.split("the clock was moved")[0], "the log bears the host's time"


def clock(events, *arguments):
    return subprocess.run(
        [program(), "clock", *arguments, "--endpoint", events.server.endpoint], capture_output=True, text=True)


def test_the_command_line(events, name):
    events.create(name)
    shown = clock(events)
    assert shown.returncode == 0 and moment(shown.stdout.strip())
    events.send(name, {"fail": 1})
    moved = clock(events, "advance", "2m", "--output", "json")
    assert moved.returncode == 0 and json.loads(moved.stdout)["rang"] >= 1 and len(events.request_ids(name)) == 2
    assert clock(events, "set", "2097-01-01T00:00:00Z").stdout.startswith("2097-01-01T00:00:00")
    wrong = clock(events, "set", "2096-01-01T00:00:00Z")
    assert wrong.returncode == 2 and "forward only" in wrong.stderr
    events.send(name, {"sleep": 2})
    hasty = clock(events, "advance", "1s", "--wait", "10ms")
    assert hasty.returncode == 0 and "still under way" in hasty.stderr
