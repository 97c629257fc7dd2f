"""What a Java function sees and does, through our bootstrap, on every Java found."""

import json
import os
import subprocess
import sys

import pytest

from conftest import RUNTIMES

PACKAGE = "package app;\nimport java.util.*;\nimport java.io.*;\nimport com.amazonaws.services.lambda.runtime.*;\n"


def test_the_jar_is_what_the_sources_give():
    built = subprocess.run([sys.executable, os.path.join(RUNTIMES, "java", "build.py"), "--check"], capture_output=True, text=True)
    if "no JDK 17" in built.stderr:
        pytest.skip(built.stderr.strip())
    assert built.returncode == 0, built.stderr


def test_values_of_every_kind(start_java):
    environment = start_java(
        PACKAGE + "public class App { public Object handle(Object event, Context context) { return event; } }", "app.App::handle")
    for event in ({"a": [1, 2.5, None, True, "é\u2028 \"\\\n\u0001"]}, [], "text", 7, None, {}, 2**40, 2**70, -1e300, "😀"):
        assert environment.result(event) == event
    environment.await_next()
    assert len(environment.connections) == 1
    assert environment.requests[0][2]["user-agent"].startswith("aws-lambda-java/")


def test_six_mebibytes_both_ways(start_java):
    environment = start_java(PACKAGE + "public class App { public static String handle(String event) { return event; } }", "app.App::handle")
    event = "x" * (6 * 1024 * 1024 - 2)
    assert environment.result(event) == event


def test_chunked_events(start_java):
    environment = start_java(
        PACKAGE + "public class App { public Object handle(Object event) { return event; } }", "app.App::handle", chunked=True)
    for event in ({"a": 1}, "x" * 300_000, None):
        assert environment.result(event) == event


BEANS = PACKAGE + """
public class App implements RequestHandler<App.Order, App.Receipt> {
  public enum Colour { RED, GREEN }
  public static class Line { private String sku; private int count; public double[] prices;
    public String getSku() { return sku; } public void setSku(String s) { sku = s; }
    public int getCount() { return count; } public void setCount(int c) { count = c; } }
  public static class Order { private List<Line> lines; private Map<String, Colour> colours; private Long number;
    private boolean urgent; private Optional<String> note = Optional.empty(); private byte[] blob; private Date when;
    public List<Line> getLines() { return lines; } public void setLines(List<Line> l) { lines = l; }
    public Map<String, Colour> getColours() { return colours; } public void setColours(Map<String, Colour> c) { colours = c; }
    public Long getNumber() { return number; } public void setNumber(Long n) { number = n; }
    public boolean isUrgent() { return urgent; } public void setUrgent(boolean u) { urgent = u; }
    public void setNote(Optional<String> n) { note = n; } public Optional<String> getNote() { return note; }
    public byte[] getBlob() { return blob; } public void setBlob(byte[] b) { blob = b; }
    public Date getWhen() { return when; } public void setWhen(Date w) { when = w; } }
  public static class Receipt { public int total; public String none; private final Order order;
    Receipt(Order o) { order = o; } public Order getOrder() { return order; } }
  public Receipt handleRequest(Order order, Context context) {
    Receipt receipt = new Receipt(order);
    if (order.getLines() != null) for (Line line : order.getLines()) receipt.total += line.getCount();
    if (order.getColours() != null && order.getColours().get("x") != Colour.GREEN) throw new IllegalStateException("no colour");
    return receipt;
  }
}
"""


def test_beans_through_the_interface(start_java):
    environment = start_java(BEANS, "app.App")
    order = {"lines": [{"sku": "a", "count": 2, "prices": [1.5, 2]}, {"sku": "b", "count": 3}], "colours": {"x": "GREEN"},
             "number": 5_000_000_000, "urgent": True, "note": "soon", "blob": "AQI=", "when": "2026-01-02T03:04:05.006Z",
             "unknown": {"is": "ignored"}}
    answer = environment.result(order)
    assert answer["total"] == 5 and answer["none"] is None
    echoed = answer["order"]
    assert echoed["lines"] == [{"sku": "a", "count": 2, "prices": [1.5, 2.0]}, {"sku": "b", "count": 3, "prices": None}]
    assert echoed["colours"] == {"x": "GREEN"} and echoed["number"] == 5_000_000_000 and echoed["urgent"] is True
    assert echoed["note"] == "soon" and echoed["blob"] == "AQI=" and echoed["when"] == 1767323045006
    assert environment.result({})["order"]["lines"] is None


def test_an_event_that_does_not_fit(start_java):
    environment = start_java(BEANS, "app.App")
    for event in ([{}, {}], {"number": {"a": 1}}, {"number": "seven"}, {"colours": {"x": "BLUE"}}):
        call = environment.error(event)
        assert call.json["errorMessage"] == "An error occurred during JSON parsing"
        assert call.json["errorType"] == "java.lang.RuntimeException" and call.json["cause"]["errorType"] == "java.io.UncheckedIOException"
    call = environment.error({"lines": "text"})
    assert "app.App$Line" in call.json["cause"]["errorMessage"]


def test_generic_ancestors(start_java):
    code = PACKAGE + """
public class App extends Base<App.Question> { public static class Question { public int number; }
  String answer(Question q) { return "number " + q.number; } }
abstract class Base<T> implements RequestHandler<T, Map<String, String>> {
  abstract String answer(T t);
  public Map<String, String> handleRequest(T input, Context context) { return Collections.singletonMap("answer", answer(input)); } }
"""
    assert start_java(code, "app.App").result({"number": 4}) == {"answer": "number 4"}
    assert start_java(code, "app.App::handleRequest").result({"number": 5}) == {"answer": "number 5"}


def test_names_of_events(start_java):
    """AWS's event types spell `Records` and `eventSourceARN` in another way than Java does."""
    code = PACKAGE + """
public class App { public static class Event { private List<Record> records; public List<Record> getRecords() { return records; }
    public void setRecords(List<Record> r) { records = r; } }
  public static class Record { private String eventSourceArn; private java.nio.ByteBuffer data; private Date stamp;
    public void setEventSourceArn(String a) { eventSourceArn = a; } public void setData(java.nio.ByteBuffer d) { data = d; }
    public void setApproximateArrivalTimestamp(Date d) { stamp = d; } }
  public List<Object> handle(Event event) { Record r = event.getRecords().get(0);
    return Arrays.asList(r.eventSourceArn, new String(r.data.array()), r.stamp.getTime()); } }
"""
    event = {"Records": [{"eventSourceARN": "arn:x", "data": "aGk=", "approximateArrivalTimestamp": 1545084650.987}]}
    assert start_java(code, "app.App::handle").result(event) == ["arn:x", "hi", 1545084650987]


STREAMS = PACKAGE + """
public class App implements RequestStreamHandler {
  public void handleRequest(InputStream in, OutputStream out, Context context) throws IOException {
    int next; while ((next = in.read()) >= 0) out.write(Character.toUpperCase(next)); }
  public static void plain(InputStream in, OutputStream out) throws IOException { out.write("[1]".getBytes()); }
}
"""


def test_streams(start_java):
    call = start_java(STREAMS, "app.App").call("abc")
    assert call.kind == "response" and call.body == b'"ABC"'
    assert start_java(STREAMS, "app.App::plain").result({}) == [1]


def test_methods_by_name(start_java):
    code = PACKAGE + """
public class App {
  public int add(List<Integer> numbers) { int sum = 0; for (int n : numbers) sum += n; return sum; }
  public void nothing() {}
  public static String context(Context context) { return context.getFunctionName(); }
  public boolean primitive(int number) { return number == 7; }
  public String overloaded(String a) { return "one"; }
  public String overloaded(String a, Context c) { return "two"; }
  public int[] array(Integer[] values) { return new int[] {values.length}; }
}
"""
    for method, event, answer in (("add", [1, 2, 3], 6), ("nothing", {}, None), ("context", {}, "tested"), ("primitive", 7, True),
                                  ("overloaded", "x", "two"), ("array", [1, None], [2])):
        assert start_java(code, "app.App::" + method).result(event) == answer, method


def test_context(start_java):
    code = PACKAGE + """
public class App implements RequestHandler<Object, Map<String, Object>> {
  public Map<String, Object> handleRequest(Object event, Context c) {
    Map<String, Object> m = new LinkedHashMap<>();
    m.put("id", c.getAwsRequestId()); m.put("arn", c.getInvokedFunctionArn()); m.put("group", c.getLogGroupName());
    m.put("stream", c.getLogStreamName()); m.put("name", c.getFunctionName()); m.put("version", c.getFunctionVersion());
    m.put("memory", c.getMemoryLimitInMB()); m.put("left", c.getRemainingTimeInMillis()); m.put("tenant", c.getTenantId());
    m.put("identity", c.getIdentity().getIdentityId()); m.put("pool", c.getIdentity().getIdentityPoolId());
    ClientContext client = c.getClientContext();
    m.put("client", client == null ? null : Arrays.asList(client.getClient().getAppTitle(), client.getCustom().get("k"), client.getEnvironment().get("e")));
    m.put("trace", System.getProperty("com.amazonaws.xray.traceHeader")); m.put("text", c.toString()); m.put("same", c.equals(c) && c.hashCode() == c.hashCode());
    c.getLogger().log("logged"); c.getLogger().log("bytes".getBytes()); System.out.println("printed ü"); System.err.println("complained");
    return m;
  }
}
"""
    environment = start_java(code, "app.App")
    call = environment.call({}, {
        "Lambda-Runtime-Cognito-Identity": '{"cognitoIdentityId":"i","cognitoIdentityPoolId":"p"}', "Lambda-Runtime-Aws-Tenant-Id": "blue",
        "Lambda-Runtime-Client-Context": '{"client":{"app_title":"t"},"custom":{"k":"v"},"env":{"e":"w"}}',
        "Lambda-Runtime-Trace-Id": "Root=1-2-3"})
    seen = call.json
    assert (seen["id"], seen["name"], seen["version"], seen["memory"]) == (call.request_id, "tested", "$LATEST", 128)
    assert seen["group"] == "/aws/lambda/tested" and "[$LATEST]" in seen["stream"] and seen["arn"].endswith(":function:tested")
    assert (seen["identity"], seen["pool"], seen["client"], seen["tenant"]) == ("i", "p", ["t", "v", "w"], "blue")
    assert seen["trace"] == "Root=1-2-3" and seen["left"] > 0 and seen["same"] is True
    for line in ("logged\n", "bytes\n", "printed ü\n", "complained\n"):
        assert line in environment.output
    assert environment.result({})["client"] is None


def test_errors(start_java):
    code = PACKAGE + """
public class App {
  static void deep() { throw new IllegalArgumentException("bad ü"); }
  public void simple() { deep(); }
  public void caused() throws Exception { try { deep(); } catch (RuntimeException e) { throw new Exception("outer", e); } }
  public void silent() { throw new NullPointerException(); }
  public void recursive() { recursive(); }
  public Object unwritable() { return new Object() { public Object getSelf() { return this; } }; }
}
"""
    environment = start_java(code, "app.App::simple")
    call = environment.error({})
    assert call.json == {"errorMessage": "bad ü", "errorType": "java.lang.IllegalArgumentException",
                         "stackTrace": ["app.App.deep(App.java:7)", "app.App.simple(App.java:8)"]}
    assert call.headers["lambda-runtime-function-error-type"] == "java.lang.IllegalArgumentException"
    cause = json.loads(call.headers["lambda-runtime-function-xray-error-cause"])
    assert cause["exceptions"][0]["stack"][0] == {"label": "deep", "path": "App.java", "line": 7}
    assert "bad ü: java.lang.IllegalArgumentException\n\tat app.App.deep(App.java:7)\n\tat app.App.simple" in environment.output
    assert environment.error({}).json["errorMessage"] == "bad ü", "it lives on"
    caused = start_java(code, "app.App::caused").error({}).json
    assert caused["errorType"] == "java.lang.Exception" and caused["cause"]["errorMessage"] == "bad ü"
    silent = start_java(code, "app.App::silent").error({}).json
    assert silent["errorMessage"] == silent["errorType"] == "java.lang.NullPointerException"
    unwritable = start_java(code, "app.App::unwritable").error({}).json
    assert unwritable["errorMessage"] == "An error occurred during JSON serialization of response"
    environment = start_java(code, "app.App::recursive")
    assert environment.error({}).json["errorType"] == "java.lang.StackOverflowError"
    assert environment.exit().status == 1


def test_handlers_that_do_not_exist(start_java):
    code = PACKAGE + """
public class App { public App(int x) {} public void none() {} public void two(String a, String b) {} }
class Broken { static { if (true) throw new IllegalStateException("static trouble"); } public static void handle() {} }
"""
    for handler, error, message in (
            ("app.Nobody::handle", "java.lang.ClassNotFoundException", "Class not found: app.Nobody"),
            ("app.App::other", "java.lang.NoSuchMethodException",
             "No public method named other with appropriate method signature found on class app.App"),
            ("app.App::two", "java.lang.NoSuchMethodException",
             "No public method named two with appropriate method signature found on class app.App"),
            ("app.App", "java.lang.Exception", "Class app.App does not implement an appropriate handler interface"),
            ("app.App::none", "java.lang.Exception", "Class app.App has no public zero-argument constructor"),
            ("app.Broken::handle", "java.lang.IllegalStateException", "Error loading class app.Broken: static trouble"),
            ("a::b::c", "java.lang.RuntimeException", "Invalid handler: `a::b::c`")):
        environment = start_java(code, handler)
        failed = environment.init_error()
        assert (failed.json["errorType"], failed.json["errorMessage"]) == (error, message)
        assert failed.headers["lambda-runtime-function-error-type"] == "Runtime.BadFunctionCode"
        assert environment.exit().status == 1


def test_jars_and_layers(start_java, java_classes):
    library = java_classes({"lib/Greeter.java": "package lib; public class Greeter { public static String greet() { return \"hello\"; } }"})
    code = PACKAGE + """
public class App { public String handle() throws Exception {
  String text = new Scanner(Thread.currentThread().getContextClassLoader().getResourceAsStream("words.txt")).next();
  return (String) Class.forName("lib.Greeter").getMethod("greet").invoke(null) + text + (App.class.getClassLoader() == Context.class.getClassLoader()); } }
"""
    files = {"lib/greeter.jar": library.jar(), "words.txt": "world"}
    assert start_java(code, "app.App::handle", files=files).result({}) == "helloworldtrue"
    missing = start_java(code, "app.App::handle", files={"words.txt": "world"}).error({})
    assert missing.json["errorType"] == "java.lang.ClassNotFoundException"


def test_the_interfaces_of_the_package_win(start_java):
    """A package with AWS's own interfaces in it, older or newer than ours, is served through those."""
    code = {
        "App.java": PACKAGE + "public class App implements RequestHandler<String, String> {\n"
        "  public String handleRequest(String s, Context c) { return s + c.getAwsRequestId().length() + c.brandNew() + c.number(); } }\n",
        "com/amazonaws/services/lambda/runtime/Context.java":
        "package com.amazonaws.services.lambda.runtime;\npublic interface Context { String getAwsRequestId(); Object brandNew(); int number(); }\n",
        "com/amazonaws/services/lambda/runtime/RequestHandler.java":
        "package com.amazonaws.services.lambda.runtime;\npublic interface RequestHandler<I, O> { O handleRequest(I i, Context c); }\n"}
    assert start_java(code, "app.App").result("x") == "x36null0"


def test_exit_ends_the_process(start_java):
    environment = start_java(PACKAGE + "public class App { public void handle() { System.exit(3); } }", "app.App::handle")
    environment.deliver({})
    assert environment.exit().status == 3


def test_runtime_api_gone_ends_the_process(start_java):
    environment = start_java(PACKAGE + "public class App { public void handle() {} }", "app.App::handle")
    environment.await_next()
    environment.drop_connections()
    assert environment.exit().status == 1


def test_json_log_format(start_java):
    code = PACKAGE + """
public class App { public void handle(Object o, Context c) { c.getLogger().log("plain"); c.getLogger().log("loud", com.amazonaws.services.lambda.runtime.logging.LogLevel.ERROR);
  c.getLogger().log("quiet", com.amazonaws.services.lambda.runtime.logging.LogLevel.DEBUG); } }
"""
    environment = start_java(code, "app.App::handle", variables={"AWS_LAMBDA_LOG_FORMAT": "JSON", "AWS_LAMBDA_LOG_LEVEL": "INFO"})
    call = environment.call({})
    lines = [json.loads(line) for line in environment.output.splitlines() if line.startswith("{")]
    assert [(line["message"], line.get("level"), line["AWSRequestId"]) for line in lines] == [
        ("plain", None, call.request_id), ("loud", "ERROR", call.request_id)]
