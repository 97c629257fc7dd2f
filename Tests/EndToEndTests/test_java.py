# Java functions through the whole product: real Java, real sandboxes. The bootstrap alone is tested in Tests/RuntimeTests/test_java.py.
import json
import os
import shutil
import subprocess

import pytest

from conftest import ROOT, package, program, wait_until

RUNTIMES = [r["Runtime"] for r in json.loads(subprocess.run(
    [program(), "runtime", "list", "--output", "json"], capture_output=True, text=True, check=True).stdout)
    if r["Available"] and r["Runtime"].startswith("java")]
pytestmark = [
    pytest.mark.skipif(not RUNTIMES, reason="no Java on this host: apt-get install openjdk-17-jdk-headless"),
    pytest.mark.skipif(shutil.which("javac") is None, reason="no javac on this host: apt-get install openjdk-17-jdk-headless")]
PACKAGE = "package app;\nimport java.util.*;\nimport java.io.*;\nimport com.amazonaws.services.lambda.runtime.*;\n"


@pytest.fixture(scope="session")
def compiled(tmp_path_factory):
    def compile(sources, against=()):
        folder = str(tmp_path_factory.mktemp("java"))
        for name, text in sources.items():
            path = os.path.join(folder, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        subprocess.run(
            ["javac", "--release", "8", "-nowarn", "-Xlint:-options", "-encoding", "UTF-8", "-g",
             "-cp", ":".join([f"{ROOT}/Runtimes/java/bootstrap.jar", *against]), "-d", folder + "/classes",
             *(os.path.join(folder, name) for name in sources)], check=True)
        files = {}
        for directory, _, names in os.walk(folder + "/classes"):
            for name in names:
                path = os.path.join(directory, name)
                with open(path, "rb") as content:
                    files[os.path.relpath(path, folder + "/classes")] = content.read()
        return files
    return compile


ORDERS = PACKAGE + """
public class App implements RequestHandler<App.Order, Map<String, Object>> {
  private static int runs = 0;
  public static class Order { private List<Integer> counts; private String fail;
    public void setCounts(List<Integer> c) { counts = c; } public void setFail(String f) { fail = f; } }
  public Map<String, Object> handleRequest(Order order, Context context) {
    runs++;
    context.getLogger().log("logged");
    System.out.println("printed ü");
    if ("throw".equals(order.fail)) throw new IllegalArgumentException("bad order");
    if ("exit".equals(order.fail)) System.exit(7);
    Map<String, Object> answer = new LinkedHashMap<>();
    int sum = 0;
    if (order.counts != null) for (int count : order.counts) sum += count;
    answer.put("sum", sum); answer.put("runs", runs); answer.put("java", System.getProperty("java.specification.version"));
    answer.put("name", context.getFunctionName()); answer.put("arn", context.getInvokedFunctionArn());
    answer.put("id", context.getAwsRequestId()); answer.put("left", context.getRemainingTimeInMillis());
    answer.put("memory", context.getMemoryLimitInMB()); answer.put("environment", System.getenv());
    answer.put("heap", Runtime.getRuntime().maxMemory()); answer.put("cwd", new File(".").getAbsoluteFile().getParent());
    return answer;
  }
}
"""


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_handler_of_values(server, name, compiled, runtime):
    arn = server.create(name, compiled({"App.java": ORDERS}), runtime=runtime, handler="app.App", Timeout=20, MemorySize=256,
                        Environment={"Variables": {"MINE": "ü"}})["FunctionArn"]
    answer = server.invoke(name, {"counts": [1, 2, 3]})
    seen = answer.succeeded()
    assert (seen["sum"], seen["runs"], seen["name"], seen["arn"], seen["id"], seen["memory"]) == (6, 1, name, arn, answer.request_id, 256)
    assert seen["java"].replace("1.8", "8") == runtime[4:].split(".")[0] and 0 < seen["left"] <= 20_000 and seen["cwd"] == "/var/task"
    assert 190 * 2**20 < seen["heap"] < 256 * 2**20
    environment = seen["environment"]
    for key, value in {"MINE": "ü", "AWS_EXECUTION_ENV": f"AWS_Lambda_{runtime}", "_HANDLER": "app.App", "LAMBDA_TASK_ROOT": "/var/task",
                       "AWS_LAMBDA_FUNCTION_NAME": name, "TZ": ":UTC"}.items():
        assert environment.get(key) == value, key
    assert "logged\n" in answer.log and "printed ü\n" in answer.log
    assert server.invoke(name).succeeded()["runs"] == 2, "static state lives on"
    failed = server.invoke(name, {"fail": "throw"})
    assert failed.error == "Unhandled" and failed.json["errorType"] == "java.lang.IllegalArgumentException"
    assert failed.json["errorMessage"] == "bad order" and failed.json["stackTrace"][0].startswith("app.App.handleRequest(App.java:")
    assert "bad order: java.lang.IllegalArgumentException\n\tat app.App.handleRequest(App.java:" in failed.log
    died = server.invoke(name, {"fail": "exit"})
    assert died.json["errorType"] == "Runtime.ExitError" and died.json["errorMessage"].endswith("exit status 7")
    assert server.invoke(name).succeeded()["runs"] == 1, "a new process"


def test_a_handler_of_streams_and_methods(server, name, compiled):
    code = PACKAGE + """
public class App implements RequestStreamHandler {
  public void handleRequest(InputStream in, OutputStream out, Context context) throws IOException {
    int next; while ((next = in.read()) >= 0) out.write(Character.toUpperCase(next)); }
  public static List<String> words(String text) { return Arrays.asList(text.split(" ")); }
}
"""
    files = compiled({"App.java": code})
    server.create(name, files, runtime=RUNTIMES[-1], handler="app.App", Timeout=20, MemorySize=256)
    assert server.invoke(name, {"a": "b"}).raw == b'{"A": "B"}'
    server.create(name + "-m", files, runtime=RUNTIMES[-1], handler="app.App::words", Timeout=20, MemorySize=256)
    assert server.invoke(name + "-m", "one two").succeeded() == ["one", "two"]


def test_jars_in_the_package_and_in_a_layer(server, name, compiled, tmp_path):
    def jar(files):
        return package(files)
    greeter = compiled({"Greeter.java": "package lib; public class Greeter { public static String greet() { return \"hello\"; } }"})
    (tmp_path / "greeter.jar").write_bytes(jar(greeter))
    code = PACKAGE + "public class App { public String handle() { return lib.Greeter.greet(); } }"
    app = compiled({"App.java": code}, against=[str(tmp_path / "greeter.jar")])
    settings = {"runtime": RUNTIMES[-1], "handler": "app.App::handle", "Timeout": 20, "MemorySize": 256}
    server.create(name, {**app, "lib/greeter.jar": jar(greeter)}, **settings)
    assert server.invoke(name).succeeded() == "hello"
    layer = server.client.publish_layer_version(
        LayerName=name, Content={"ZipFile": package({"java/lib/greeter.jar": jar(greeter)})}, CompatibleRuntimes=[RUNTIMES[-1]])
    server.create(name + "-l", app, Layers=[layer["LayerVersionArn"]], **settings)
    assert server.invoke(name + "-l").succeeded() == "hello"
    server.create(name + "-n", app, **settings)
    assert server.invoke(name + "-n").json["errorType"] == "java.lang.NoClassDefFoundError"


def test_a_class_that_is_not_there(server, name, compiled):
    server.create(name, compiled({"App.java": ORDERS}), runtime=RUNTIMES[-1], handler="app.Nobody::x", Timeout=20, MemorySize=256)
    failed = server.invoke(name)
    assert failed.error == "Unhandled"
    assert failed.json == {"errorMessage": "Class not found: app.Nobody", "errorType": "java.lang.ClassNotFoundException"}


def test_java_tool_options_win(server, name, compiled):
    server.create(name, compiled({"App.java": ORDERS}), runtime=RUNTIMES[-1], handler="app.App", Timeout=20, MemorySize=512,
                  Environment={"Variables": {"JAVA_TOOL_OPTIONS": "-Xmx64m -XX:+UseParallelGC -Dfile.encoding=UTF-8"}})
    assert server.invoke(name).succeeded()["heap"] <= 64 * 2**20


def test_too_much_memory(server, name, compiled):
    code = PACKAGE + "public class App { public int handle() { List<byte[]> all = new ArrayList<>(); while (true) all.add(new byte[1 << 20]); } }"
    server.create(name, compiled({"App.java": code}), runtime=RUNTIMES[-1], handler="app.App::handle", Timeout=30, MemorySize=256)
    failed = server.invoke(name)
    assert failed.error == "Unhandled" and failed.json["errorType"] in ("java.lang.OutOfMemoryError", "Runtime.ExitError")


def test_without_isolation(own_server, name, compiled):
    """The host's own paths instead of AWS's: layers included."""
    server = own_server("--isolation", "none")
    greeter = compiled({"Greeter.java": "package lib; public class Greeter { public static String greet() { return \"hello\"; } }"})
    code = PACKAGE + ("public class App { public String handle(Object o, Context c) throws Exception {\n"
                      "return Class.forName(\"lib.Greeter\").getMethod(\"greet\").invoke(null) + c.getFunctionName(); } }")
    layer = server.client.publish_layer_version(LayerName=name, Content={"ZipFile": package({"java/lib/g.jar": package(greeter)})})
    server.create(name, compiled({"App.java": code}), runtime=RUNTIMES[-1], handler="app.App::handle", Timeout=20, MemorySize=512,
                  Layers=[layer["LayerVersionArn"]])
    assert server.invoke(name).succeeded() == "hello" + name


def test_a_version_with_snapstart(server, name, compiled):
    """A runtime that knows nothing of restorations goes on without."""
    modern = [runtime for runtime in RUNTIMES if runtime != "java8.al2"]
    if not modern:
        pytest.skip("no Java for which there is SnapStart")
    code = PACKAGE + """
public class App {
  static final long when = System.nanoTime();
  public static String type() { return System.getenv("AWS_LAMBDA_INITIALIZATION_TYPE"); }
}
"""
    server.create(name, compiled({"App.java": code}), runtime=modern[-1], handler="app.App::type", Timeout=20, MemorySize=256,
                  SnapStart={"ApplyOn": "PublishedVersions"})
    server.client.publish_version(FunctionName=name)
    version = wait_until(lambda: settled(server, name), 60, "the version")
    assert version["State"] == "Active" and version["SnapStart"]["OptimizationStatus"] == "On"
    answer = server.invoke(name, Qualifier="1")
    assert answer.succeeded() == "snap-start" and "Restore Duration" in answer.log


def settled(server, name):
    version = server.client.get_function_configuration(FunctionName=name, Qualifier="1")
    return version["State"] != "Pending" and version
