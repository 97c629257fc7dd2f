# Java's stem cells of one version: its classes are loaded and linked while they wait, and nothing of it has run.
import functools
import glob
import os
import time

import pytest
from conftest import descendants, package, wait_until
from stem_cells import compiled, each, fast, languages  # noqa: F401
from test_explain_starts import starts
from test_fast_start import NONE_AHEAD, command
from test_stem_cells import create, kinds

language = each([language for language in languages() if language.family == "java"])
pytestmark = pytest.mark.skipif(NONE_AHEAD, reason="in pools of size zero nothing waits")
COUNT = 800
# So large that a version has cells of its own.
LARGE = {"data.bin": os.urandom(300_000)}
APP = """
package app;
import java.util.*;
public class App {
  static int initialised = 0;
  static final long BEGUN = System.currentTimeMillis();
  public static Object look(Map<String, Object> event) {
    if (event.containsKey("use")) return new D0().next() != null ? initialised : -1;
    return Arrays.asList(java.lang.management.ManagementFactory.getClassLoadingMXBean().getTotalLoadedClassCount(), initialised, BEGUN,
      System.getenv("MINE") + " " + System.getenv("TZ") + " " + TimeZone.getDefault().getID() + " " + java.nio.file.Paths.get("").toAbsolutePath());
  }
  public static Object broken(String name) {
    try {
      if (name.equals("damaged")) return new Damaged().toString();
      if (name.equals("absent")) return new Absent().toString();
      return new BelowAbsent().toString();
    } catch (LinkageError error) { return error.getClass().getName() + ": " + error.getMessage(); }
  }
}
class Damaged {}
class Absent {}
class BelowAbsent extends Absent {}
"""


@functools.cache
def files():
    chain = "".join(f"class D{i} {{ static {{ App.initialised++; }} Object next() {{ return new D{(i + 1) % COUNT}(); }} }}\n" for i in range(COUNT))
    classes = compiled({"App.java": APP + chain})
    own = {name: content for name, content in classes.items() if name.startswith("app/D") and name != "app/Damaged.class"}
    rest = {name: content for name, content in classes.items() if name not in own and name != "app/Absent.class"}
    return {**rest, "app/Damaged.class": rest["app/Damaged.class"][:-20], "lib/chain.jar": package(own), "lib/damaged.jar": b"PK no jar", **LARGE}


def own(server, name):
    return [kind for kind in kinds(server) if kind.get("function") == name]


def processes(server, handler):
    """Cells that know this handler."""
    found = []
    for pid in descendants(server.process.pid):
        try:
            with open(f"/proc/{pid}/environ", "rb") as variables:
                if b"--martlet-stem" in command(pid) and f"_HANDLER={handler}".encode() in variables.read().split(b"\0"):
                    found.append(pid)
        except OSError:
            pass
    return found


def main_threads(pid):
    """State and spent time of the threads that a virtual machine has given no name of its own: its first and Java's main."""
    found = []
    for thread in glob.glob(f"/proc/{pid}/task/*/stat"):
        try:
            with open(thread) as stat:
                head, _, rest = stat.read().rpartition(")")
        except OSError:
            continue
        if head.endswith("(java"):
            found.append((rest.split()[0], *rest.split()[11:13]))
    return found


def wait_for_own(server, name):
    """Until cells of the version are ready and have slept for a while: then they have come to an end."""
    wait_until(lambda: sum(kind["ready"] for kind in own(server, name)) >= 1, 60, "a cell of the version's own")
    handler = server.client.get_function_configuration(FunctionName=name)["Handler"]
    seen = []

    def is_quiet():
        now = {pid: main_threads(pid) for pid in processes(server, handler)}
        if seen[-1:] != [now] or not now or any(state != "S" for threads in now.values() for state, *_ in threads):
            seen.clear()
        seen.append(now)
        return len(seen) > 60
    wait_until(is_quiet, 120, "a cell that has nothing more to do")


def test_its_classes_are_loaded_and_nothing_of_it_has_run(fast, language, own_server):
    plain = own_server("--fast-start", "off", *language.flags)
    create(plain, language, "look", "look", files(), MemorySize=512)
    count = plain.invoke("look", {}).succeeded()[0]
    create(fast, language, "look", "look", files(), MemorySize=512, Environment={"Variables": {"MINE": "mine", "TZ": "Asia/Tokyo"}})

    def is_loaded():
        wait_for_own(fast, "look")
        taken = own(fast, "look")[0]["taken"]
        now = int(time.time() * 1000)
        loaded, initialised, begun, mine = fast.invoke("look", {}).succeeded()
        assert own(fast, "look")[0]["taken"] == taken + 1
        assert initialised == 0 and mine == "mine Asia/Tokyo Asia/Tokyo /var/task" and begun >= now
        if loaded >= count + COUNT // 2:
            return True
        # It was asked for before it had come to an end, and served nevertheless.
        fast.client.update_function_configuration(FunctionName="look", Description=f"{loaded}")
        fast.client.get_waiter("function_updated_v2").wait(FunctionName="look")
    wait_until(is_loaded, 120, "an environment that finds its classes loaded")
    wait_until(lambda: any(f"in which {language.runtime} is up and has loaded its classes: 1 waits." in text for text, _ in starts(fast, "look")), 60, "the explanation")
    assert fast.invoke("look", {"use": 1}).succeeded() == 2, "each is initialised when it is used"


def test_what_is_broken_breaks_as_ever(fast, language, own_server):
    plain = own_server("--fast-start", "off", *language.flags)
    for server in (plain, fast):
        create(server, language, "broken", "broken", files(), MemorySize=512)
        server.create("nothing", files(), runtime=language.runtime, handler="app.Nothing::broken", MemorySize=512)
    for name in ("broken", "nothing"):
        wait_for_own(fast, name)
    for event in ("damaged", "absent", "below"):
        assert fast.invoke("broken", event).succeeded() == plain.invoke("broken", event).succeeded(), event
    one, other = fast.invoke("nothing", "x"), plain.invoke("nothing", "x")
    assert one.error and one.raw == other.raw
    assert own(fast, "broken")[0]["taken"] == 1 and own(fast, "nothing")[0]["taken"] == 1


def test_who_does_not_wait_is_served(fast, language):
    """The order may come at any moment of a cell's preparation."""
    create(fast, language, "hasty", "look", files(), MemorySize=512)
    for round in range(6):
        wait_until(lambda: sum(kind["ready"] for kind in own(fast, "hasty")) >= 1, 60, "a cell of the version's own")
        assert fast.invoke("hasty", {"use": 1}).succeeded() == 2
        fast.client.update_function_configuration(FunctionName="hasty", Description=f"{round}")
        fast.client.get_waiter("function_updated_v2").wait(FunctionName="hasty")


def test_they_go_with_their_version(fast, language):
    create(fast, language, "going", "look", files(), MemorySize=640)
    wait_until(lambda: own(fast, "going"), 30, "cells of the version's own")
    fast.client.update_function_configuration(FunctionName="going", MemorySize=704)
    fast.client.get_waiter("function_updated_v2").wait(FunctionName="going")
    wait_until(lambda: [kind["memory"] for kind in own(fast, "going")] == [704], 30, "the new version's only")
    fast.client.delete_function(FunctionName="going")
    wait_until(lambda: not own(fast, "going"), 30, "none")


def test_small_packages_have_none(fast, language):
    create(fast, language, "small", "look", compiled({"App.java": APP.replace("new D0().next() != null", "true")}), MemorySize=512)
    assert fast.invoke("small", {"use": 1}).succeeded() == 0
    assert own(fast, "small") == []
