# Ruby functions through the whole product. The bootstrap alone is tested in Tests/RuntimeTests/test_ruby.py.
import json
import os
import shutil
import subprocess

import pytest

from conftest import Server, package, program

LISTED = [r["Runtime"] for r in json.loads(subprocess.run(
    [program(), "runtime", "list", "--output", "json"], capture_output=True, text=True, check=True).stdout)
    if r["Available"] and r["Runtime"].startswith("ruby")]
PROGRAM = shutil.which("ruby") and os.path.realpath(shutil.which("ruby"))
pytestmark = pytest.mark.skipif(PROGRAM is None, reason="no Ruby on this host: apt-get install ruby")
# Debian's Ruby may be none of AWS's versions; then it is named for one.
RUNTIME = LISTED[-1] if LISTED else "ruby3.2"

APP = """
require 'json'
require 'logger'
$runs = 0
LOG = Logger.new($stdout)
class Trouble < StandardError; end
def handler(event:, context:)
  $runs += 1
  LOG.info('logged')
  puts 'printed ü'
  raise Trouble, 'bad order' if event['fail'] == 'raise'
  exit(7) if event['fail'] == 'exit'
  {runs: $runs, event: event, name: context.function_name, arn: context.invoked_function_arn, id: context.aws_request_id,
   left: context.get_remaining_time_in_millis, environment: ENV.to_h, cwd: Dir.pwd}
end
"""


@pytest.fixture(scope="module")
def ruby_server():
    server = Server(*([] if LISTED else ["--runtime", f"{RUNTIME}={PROGRAM}"]))
    yield server
    assert server.stop() == 0


def test_a_function(ruby_server, name):
    arn = ruby_server.create(name, {"app.rb": APP}, runtime=RUNTIME, Timeout=15, Environment={"Variables": {"MINE": "ü"}})["FunctionArn"]
    answer = ruby_server.invoke(name, {"a": [1]})
    seen = answer.succeeded()
    assert (seen["runs"], seen["event"], seen["name"], seen["arn"], seen["id"]) == (1, {"a": [1]}, name, arn, answer.request_id)
    assert 0 < seen["left"] <= 15_000 and seen["cwd"] == "/var/task"
    environment = seen["environment"]
    for key, value in {"MINE": "ü", "AWS_EXECUTION_ENV": f"AWS_Lambda_{RUNTIME}", "_HANDLER": "app.handler", "GEM_HOME": "/var/runtime",
                       "LAMBDA_TASK_ROOT": "/var/task"}.items():
        assert environment.get(key) == value, key
    assert environment["GEM_PATH"].startswith("/var/task/vendor/bundle/ruby/") and environment["RUBYLIB"].startswith("/var/task:")
    assert "printed ü\n" in answer.log and f"INFO {answer.request_id} -- : logged\n" in answer.log
    assert ruby_server.invoke(name).succeeded()["runs"] == 2, "global state lives on"
    failed = ruby_server.invoke(name, {"fail": "raise"})
    assert failed.error == "Unhandled" and (failed.json["errorMessage"], failed.json["errorType"]) == ("bad order", "Function<Trouble>")
    assert failed.json["stackTrace"][0].startswith("/var/task/app.rb:")
    died = ruby_server.invoke(name, {"fail": "exit"})
    assert died.json["errorType"] == "Runtime.ExitError" and died.json["errorMessage"].endswith("exit status 7")
    assert ruby_server.invoke(name).succeeded()["runs"] == 1, "a new process"


def test_libraries_of_the_package_and_of_a_layer(ruby_server, name):
    version = subprocess.run([PROGRAM, "-e", "print RbConfig::CONFIG['ruby_version']"], capture_output=True, text=True, check=True).stdout
    specification = "Gem::Specification.new { |s| s.name = 'tidings'; s.version = '1.0.0'; s.summary = 'x'; s.authors = ['x']; s.files = [] }\n"

    def gem(root):
        return {f"{root}/gems/tidings-1.0.0/lib/tidings.rb": "TIDINGS = 'from a gem'\n", f"{root}/specifications/tidings-1.0.0.gemspec": specification}
    layer = ruby_server.client.publish_layer_version(LayerName=name, Content={"ZipFile": package(
        {"ruby/lib/greeter.rb": "GREETING = 'from a layer'\n", **gem(f"ruby/gems/{version}")})})
    code = "require 'greeter'\nrequire 'tidings'\nrequire 'own'\nmodule App\n  def self.run(event:, context:)\n    [GREETING, TIDINGS, OWN]\n  end\nend\n"
    files = {"app.rb": code, "own.rb": "OWN = 'own'\n"}
    ruby_server.create(name, files, runtime=RUNTIME, handler="app.App.run", Timeout=15, Layers=[layer["LayerVersionArn"]])
    assert ruby_server.invoke(name).succeeded() == ["from a layer", "from a gem", "own"]
    bundled = {**files, **gem(f"vendor/bundle/ruby/{version}"), "greeter.rb": "GREETING = 'in the package'\n"}
    ruby_server.create(name + "-b", bundled, runtime=RUNTIME, handler="app.App.run", Timeout=15)
    assert ruby_server.invoke(name + "-b").succeeded() == ["in the package", "from a gem", "own"]


def test_without_isolation(own_server, name):
    """The host's own paths instead of AWS's: layers included."""
    server = own_server("--isolation", "none", *([] if LISTED else ["--runtime", f"{RUNTIME}={PROGRAM}"]))
    layer = server.client.publish_layer_version(LayerName=name, Content={"ZipFile": package({"ruby/lib/greeter.rb": "GREETING = 'hello'\n"})})
    code = "require 'greeter'\ndef handler(event:, context:)\n  GREETING + context.function_name\nend\n"
    server.create(name, {"app.rb": code}, runtime=RUNTIME, Timeout=15, Layers=[layer["LayerVersionArn"]])
    assert server.invoke(name).succeeded() == "hello" + name


def test_what_cannot_be_loaded(ruby_server, name):
    ruby_server.create(name, {"app.rb": "require 'nothing/of/that/name'\n"}, runtime=RUNTIME, Timeout=15)
    failed = ruby_server.invoke(name)
    assert failed.error == "Unhandled" and failed.json["errorType"] == "Init<LoadError>"


def test_an_interpreter_that_was_named_wrongly():
    for value, words in (("ruby3.2=/nonexistent", "not a program"), ("ruby9=/usr/bin/ruby", "IDENTIFIER=PATH"),
                         ("provided.al2023=/bin/sh", "not served by an interpreter")):
        refused = subprocess.run([program(), "serve", "--port", "0", "--runtime", value], capture_output=True, text=True)
        assert refused.returncode == 1 and words in refused.stderr, refused.stderr


def test_the_list_shows_who_was_named():
    listed = json.loads(subprocess.run(
        [program(), "runtime", "list", "--output", "json"], capture_output=True, text=True, check=True,
        env={**os.environ, "MARTLET_RUNTIMES": f"ruby3.3={PROGRAM}"}).stdout)
    row = next(r for r in listed if r["Runtime"] == "ruby3.3")
    assert row["Available"] and row["ServedBy"].startswith(PROGRAM)
