# Archives of the classes that every start of Java loads: made once, when the first function is, and used where they fit.
import glob
import os

import pytest
from stem_cells import compiled, languages

LANGUAGES = [language for language in languages() if language.family == "java" and int(language.runtime[4:].split(".")[0]) >= 17]
pytestmark = pytest.mark.skipif(
    not LANGUAGES or any(language.missing for language in LANGUAGES), reason="no Java of 17 or later on this host: apt-get install openjdk-17-jdk-headless")
CODE = """
package app;
import java.nio.file.*;
import java.util.*;
import java.util.stream.*;
public class App {
  public static Object look() throws Exception {
    List<String> arguments = Arrays.asList(new String(Files.readAllBytes(Paths.get("/proc/self/cmdline"))).split("\\0"));
    Map<String, Object> seen = new HashMap<>();
    seen.put("flag", arguments.stream().filter(argument -> argument.startsWith("-XX:SharedArchiveFile=")).collect(Collectors.toList()));
    seen.put("mapped", Files.readAllLines(Paths.get("/proc/self/maps")).stream().filter(line -> line.contains("/var/runtime/") && line.endsWith(".jsa")).count() > 0);
    return seen;
  }
}
"""


def archives(server):
    return glob.glob(f"{server.state}/**/java/*.jsa", recursive=True)


@pytest.fixture(scope="module")
def files():
    return compiled({"App.java": CODE})


@pytest.mark.parametrize("language", LANGUAGES, ids=repr)
def test_an_archive_is_made_and_used(own_server, files, language):
    server = own_server("--fast-start", "off", *language.flags)
    settings = {"runtime": language.runtime, "handler": "app.App::look", "MemorySize": 256, "Timeout": 20}
    server.create("first", files, **settings)
    made = set(archives(server))
    assert len(made) == 1, "it is there when the function is ready"
    answer = server.invoke("first")
    seen = answer.succeeded()
    assert seen["mapped"] and len(seen["flag"]) == 1
    assert "[cds" not in answer.log and "[aot" not in answer.log
    server.create("second", files, **settings)
    assert set(archives(server)) == made
    # With flags of the function's own it might not fit.
    server.create("own", files, Environment={"Variables": {"JAVA_TOOL_OPTIONS": "-Dx=y"}}, **settings)
    seen = server.invoke("own").succeeded()
    assert seen == {"flag": [], "mapped": False}
    # One that is damaged is not used.
    archive = made.pop()
    with open(archive, "r+b") as file:
        file.write(bytes(64))
    server.create("damaged", files, **settings)
    assert server.invoke("damaged").succeeded()["mapped"] is False
    # Another bootstrap has another one.
    os.unlink(archive)
    server.create("again", files, **settings)
    assert server.invoke("again").succeeded()["mapped"] is True and len(archives(server)) == 1
