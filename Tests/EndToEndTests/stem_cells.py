"""The functions of test_stem_cells.py, in every language whose environments take over stem cells: the same handlers in each."""
import functools
import json
import os
import shutil
import subprocess
import tempfile

import pytest
from conftest import ROOT, Server, program

WITHOUT = ["AWS_LAMBDA_LOG_STREAM_NAME", "_X_AMZN_TRACE_ID", "AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"]
STATUS = ["Uid", "Gid", "CapPrm", "CapBnd", "NoNewPrivs", "Seccomp", "SigIgn", "SigBlk", "Umask"]

NODE = """
import fs from 'node:fs';
import crypto from 'node:crypto';
import { createRequire } from 'node:module';
const random = [Math.random(), crypto.randomUUID(), crypto.randomBytes(8).toString('hex')];
const beside = fs.existsSync('beside.txt') && fs.readFileSync('beside.txt', 'utf8');
let calls = 0;
const without = %(without)s;
const lines = fs.readFileSync('/proc/self/status', 'utf8').split('\\n').map((line) => line.split(':\\t'));
const status = Object.fromEntries(lines.filter(([name]) => %(status)s.includes(name)));
export const look = async (event, context) => {
  calls += 1;
  if (event?.wait) await new Promise((resolve) => setTimeout(resolve, event.wait));
  return {
    own: [random, calls, fs.readdirSync('/tmp'), process.env.AWS_LAMBDA_LOG_STREAM_NAME],
    same: {
      variables: Object.fromEntries(Object.entries(process.env).filter(([name]) => !without.includes(name)).sort()),
      child: (await import('node:child_process')).execFileSync('/usr/bin/env', ['sh', '-c', 'echo "$MINE $TZ"; pwd']).toString(),
      directory: process.cwd(), task: fs.readdirSync('/var/task').sort(), layers: fs.readdirSync('/opt').sort(), status, beside,
      arguments: process.argv, heap: (await import('node:v8')).getHeapStatistics().heap_size_limit, zone: new Date(0).toString(),
      limits: fs.readFileSync('/proc/self/limits', 'utf8'), root: fs.readdirSync('/').sort(), processes: fs.readdirSync('/proc').filter((name) => +name).length,
      context: [context.functionName, context.memoryLimitInMB, context.functionVersion],
    },
  };
};
export const hard = async (event) => { if (event === 'die') process.exit(3); return [event, fs.readdirSync('/var/task').length > 0]; };
export const layered = async () => { console.log('called'); return createRequire(import.meta.url)('dep'); };
export const variable = async (event) => process.env[event] ?? null;
export const curious = async () => { const a = await fetch(`http://${process.env.AWS_LAMBDA_RUNTIME_API}/_martlet/order`); return [a.status, await a.text()]; };
"""

PYTHON = """
import json, os, random, resource, secrets, ssl, subprocess, sys, time, uuid
own = [random.random(), str(uuid.uuid4()), secrets.token_hex(), ssl.RAND_bytes(8).hex()]
beside = open('beside.txt').read() if os.path.exists('beside.txt') else None
calls = 0
status = dict(line.rstrip().split(':\\t', 1) for line in open('/proc/self/status') if line.split(':')[0] in %(status)s)
modules = {name for name in sys.modules if name.split('.')[0] in ('app', 'bootstrap', 'imports', 'sdk', 'zygote')}
def look(event, context):
    global calls
    calls += 1
    if event and 'wait' in event: time.sleep(event['wait'] / 1000)
    import logging
    return {
        'own': [own, calls, os.listdir('/tmp'), os.environ['AWS_LAMBDA_LOG_STREAM_NAME']],
        'same': {
            'variables': sorted((name, value) for name, value in os.environ.items() if name not in %(without)s),
            'child': subprocess.run(['/usr/bin/env', 'sh', '-c', 'echo "$MINE $TZ"; pwd'], capture_output=True, text=True).stdout,
            'directory': os.getcwd(), 'task': sorted(os.listdir('/var/task')), 'layers': sorted(os.listdir('/opt')), 'status': status, 'beside': beside,
            'arguments': [sys.argv, open('/proc/self/cmdline').read()], 'zone': time.ctime(0), 'path': sys.path, 'limits': [resource.getrlimit(n) for n in range(16)],
            'root': sorted(os.listdir('/')), 'processes': sum(name.isdigit() for name in os.listdir('/proc')), 'modules': sorted(modules),
            'main': sys.modules['__main__'].__file__, 'handlers': [type(one).__name__ for one in logging.getLogger().handlers], 'flags': str(sys.flags),
            'streams': [[s.encoding, s.errors, s.line_buffering] for s in (sys.stdin, sys.stdout, sys.stderr)],
            'context': [context.function_name, context.memory_limit_in_mb, context.function_version]}}
def hard(event, context):
    if event == 'die': os._exit(3)
    return [event, bool(os.listdir('/var/task'))]
def layered(event, context):
    print('called')
    import dep
    return dep.TEXT
def variable(event, context): return os.environ[event]
def curious(event, context):
    import urllib.error, urllib.request
    try: urllib.request.urlopen('http://%%s/_martlet/order' %% os.environ['AWS_LAMBDA_RUNTIME_API'])
    except urllib.error.HTTPError as error: return [error.code, error.read().decode()]
"""

#: A runtime that a function brings: the loop between the Runtime API and the handlers above.
BOOTSTRAP = """#!/usr/bin/python3
import json, os, sys, types, urllib.request
sys.path[1:1] = ['/opt/python']
api = 'http://%s/2018-06-01/runtime/invocation/' % os.environ['AWS_LAMBDA_RUNTIME_API']
import app
context = types.SimpleNamespace(function_name=os.environ['AWS_LAMBDA_FUNCTION_NAME'], memory_limit_in_mb=os.environ['AWS_LAMBDA_FUNCTION_MEMORY_SIZE'],
                                function_version=os.environ['AWS_LAMBDA_FUNCTION_VERSION'])
while True:
    with urllib.request.urlopen(api + 'next') as event:
        answer = getattr(app, os.environ['_HANDLER'].split('.')[-1])(json.load(event), context)
    sys.stdout.flush()
    urllib.request.urlopen(api + event.headers['Lambda-Runtime-Aws-Request-Id'] + '/response', json.dumps(answer).encode()).close()
"""

RUBY = """
require 'json'
require 'net/http'
require 'securerandom'
RANDOM = [rand, SecureRandom.uuid, Random.new_seed]
BESIDE = File.exist?('beside.txt') && File.read('beside.txt')
$calls = 0
STATUS = File.readlines('/proc/self/status').map { |line| line.chomp.split(":\\t") }.select { |name, _| %(status)s.include?(name) }.to_h
FEATURES = $LOADED_FEATURES.dup
def look(event:, context:)
  $calls += 1
  sleep(event['wait'] / 1000.0) if event['wait']
  {own: [RANDOM, $calls, Dir.children('/tmp'), ENV['AWS_LAMBDA_LOG_STREAM_NAME']],
   same: {variables: ENV.to_h.reject { |name, _| %(without)s.include?(name) }.sort, child: IO.popen(['sh', '-c', 'echo "$MINE $TZ"; pwd'], &:read),
     directory: Dir.pwd, task: Dir.children('/var/task').sort, layers: Dir.children('/opt').sort, status: STATUS, beside: BESIDE,
     arguments: ARGV, name: $0, zone: Time.at(0).to_s, path: $LOAD_PATH, features: FEATURES, gems: Gem.path, encodings: [Encoding.default_external, ENV['PATH'].encoding],
     limits: File.read('/proc/self/limits'), root: Dir.children('/').sort, processes: Dir.children('/proc').grep(/^[0-9]+$/).size, main: self.to_s,
     loaded: Gem.loaded_specs.transform_values { |spec| spec.version.to_s }, threads: Thread.list.size,
     context: [context.function_name, context.memory_limit_in_mb, context.function_version]}}
end
def hard(event:, context:)
  exit!(3) if event == 'die'
  [event, !Dir.children('/var/task').empty?]
end
def layered(event:, context:)
  puts 'called'
  require 'dep'
  Dep::TEXT
end
def variable(event:, context:) = ENV[event]
def curious(event:, context:)
  answer = Net::HTTP.get_response(URI("http://#{ENV['AWS_LAMBDA_RUNTIME_API']}/_martlet/order"))
  [answer.code.to_i, answer.body]
end
"""

JAVA = """
package app;
import com.amazonaws.services.lambda.runtime.Context;
import java.io.*;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import java.util.*;
import java.util.stream.*;
public class App {
  static final List<Object> RANDOM = Arrays.asList(Math.random(), UUID.randomUUID().toString(), new java.security.SecureRandom().nextLong());
  static final Set<String> WITHOUT = new HashSet<>(Arrays.asList(%(without)s));
  static final Set<String> STATUS = new HashSet<>(Arrays.asList(%(status)s));
  static final String BESIDE = new File("beside.txt").exists() ? text(() -> new FileInputStream("beside.txt")) : null;
  static int calls = 0;
  interface Source { InputStream open() throws IOException; }
  static String text(Source source) {
    try (InputStream stream = source.open()) {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      for (int next = stream.read(); next >= 0; next = stream.read()) bytes.write(next);
      return new String(bytes.toByteArray(), StandardCharsets.UTF_8);
    } catch (IOException error) { throw new UncheckedIOException(error); }
  }
  static List<String> names(String path) { String[] names = new File(path).list(); Arrays.sort(names); return Arrays.asList(names); }
  public static Map<String, Object> look(Map<String, Integer> event, Context context) throws Exception {
    calls++;
    if (event.containsKey("wait")) Thread.sleep(event.get("wait"));
    Map<String, Object> same = new LinkedHashMap<>();
    same.put("variables", new TreeMap<>(System.getenv().entrySet().stream().filter(e -> !WITHOUT.contains(e.getKey())).collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue))));
    String[] command = {"/usr/bin/env", "sh", "-c", "echo \\"$MINE $TZ\\"; pwd"};
    same.put("child", text(() -> Runtime.getRuntime().exec(command).getInputStream()));
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().put("MORE", "x");
    same.put("other", text(() -> builder.start().getInputStream()));
    same.put("directory", Arrays.asList(new File("").getAbsolutePath(), new File(".").getCanonicalPath(), Paths.get("").toAbsolutePath().toString(),
      Paths.get(".").toRealPath().toString(), Files.readAllLines(Paths.get("/proc/self/cmdline"), StandardCharsets.ISO_8859_1).size()));
    same.put("relative", names("."));
    try (Stream<Path> here = Files.list(Paths.get(""))) { same.put("listed", here.map(Path::toString).sorted().collect(Collectors.toList())); }
    same.put("task", names("/var/task")); same.put("layers", names("/opt")); same.put("root", names("/")); same.put("beside", BESIDE);
    same.put("status", Files.readAllLines(Paths.get("/proc/self/status")).stream().filter(line -> STATUS.contains(line.split(":")[0])).collect(Collectors.toList()));
    same.put("limits", text(() -> new FileInputStream("/proc/self/limits")));
    same.put("processes", names("/proc").stream().filter(name -> name.matches("[0-9]+")).count());
    same.put("heap", Runtime.getRuntime().maxMemory()); same.put("zone", new Date(0).toString() + TimeZone.getDefault().getID());
    same.put("locale", Locale.getDefault().toString()); same.put("charset", java.nio.charset.Charset.defaultCharset().name());
    Map<String, String> properties = new TreeMap<>();
    for (String name : System.getProperties().stringPropertyNames()) properties.put(name, System.getProperty(name));
    properties.remove("com.amazonaws.xray.traceHeader");
    same.put("properties", properties);
    same.put("threads", Thread.getAllStackTraces().keySet().stream().map(Thread::getName)
        .filter(name -> !name.startsWith("process reaper")).sorted().collect(Collectors.toList()));
    same.put("loader", Thread.currentThread().getContextClassLoader() == App.class.getClassLoader());
    same.put("context", Arrays.asList(context.getFunctionName(), context.getMemoryLimitInMB(), context.getFunctionVersion()));
    Map<String, Object> answer = new LinkedHashMap<>();
    // Java's own figures are in there, of every machine of this host's Java.
    List<String> files = names("/tmp").stream().filter(name -> !name.startsWith("hsperfdata")).collect(Collectors.toList());
    answer.put("own", Arrays.asList(RANDOM, calls, files, System.getenv("AWS_LAMBDA_LOG_STREAM_NAME")));
    answer.put("same", same);
    return answer;
  }
  public static Object hard(Object event) { if ("die".equals(event)) System.exit(3); return Arrays.asList(event, !names("/var/task").isEmpty()); }
  public static Object layered() throws Exception { System.out.println("called"); return Class.forName("lib.Dep").getField("TEXT").get(null); }
  public static String variable(String name) { return System.getenv(name); }
  public static Object curious() throws Exception {
    java.net.HttpURLConnection connection = (java.net.HttpURLConnection) new java.net.URL("http://" + System.getenv("AWS_LAMBDA_RUNTIME_API") + "/_martlet/order").openConnection();
    return Arrays.asList(connection.getResponseCode(), text(connection::getErrorStream));
  }
}
"""


class Language:
    """`files`: a package with the handlers look, hard, layered, variable, curious; `layer`: what layered needs. `flags`: of the server.
    `missing`: why there is none of it here."""

    def __init__(self, family, runtime, flags=(), missing=None, prefix="app.", read_at_start=()):
        self.family, self.runtime, self.flags, self.missing = family, runtime, list(flags), missing
        self.prefix, self.read_at_start = prefix, [*read_at_start, "LD_PRELOAD=", "LANG=C"]

    def __repr__(self): return self.runtime

    @functools.cached_property
    def files(self):
        lists = {"without": json.dumps(WITHOUT), "status": json.dumps(STATUS)}
        if self.family == "nodejs": return {"app.mjs": NODE % lists}
        if self.family == "ruby": return {"app.rb": RUBY % lists}
        if self.family == "python": return {"app.py": PYTHON % lists}
        if self.family == "provided": return {"app.py": PYTHON % lists, "bootstrap": (BOOTSTRAP, 0o755)}
        return compiled({"App.java": JAVA % {name: text[1:-1] for name, text in lists.items()}})

    @functools.cached_property
    def layer(self):
        if self.family == "nodejs": return {"nodejs/node_modules/dep/index.js": "module.exports = 'from the layer';"}
        if self.family == "ruby": return {"ruby/lib/dep.rb": "module Dep; TEXT = 'from the layer'; end"}
        if self.family in ("python", "provided"): return {"python/dep.py": "TEXT = 'from the layer'"}
        from conftest import package
        return {"java/lib/dep.jar": package(compiled({"Dep.java": 'package lib; public class Dep { public static final String TEXT = "from the layer"; }'}))}


def compiled(sources):
    with tempfile.TemporaryDirectory() as folder:
        for name, text in sources.items():
            with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                file.write(text)
        subprocess.run(
            ["javac", "--release", "8", "-nowarn", "-Xlint:-options", "-encoding", "UTF-8", "-cp", f"{ROOT}/Runtimes/java/bootstrap.jar", "-d", folder + "/classes",
             *(os.path.join(folder, name) for name in sources)], check=True)
        files = {}
        for directory, _, names in os.walk(folder + "/classes"):
            for name in names:
                with open(os.path.join(directory, name), "rb") as content:
                    files[os.path.relpath(os.path.join(directory, name), folder + "/classes")] = content.read()
        return files


def languages():
    listed = [r["Runtime"] for r in json.loads(subprocess.run(
        [program(), "runtime", "list", "--output", "json"], capture_output=True, text=True, check=True).stdout) if r["Available"]]
    found = [Language("nodejs", "nodejs20.x", read_at_start=["NODE_OPTIONS=--stack-trace-limit=3"])]
    found.append(Language("python", "python3.11", read_at_start=["PYTHONHASHSEED=7"]))
    found.append(Language("provided", "provided.al2023", read_at_start=[]))
    rubies, ruby = [name for name in listed if name.startswith("ruby")], shutil.which("ruby")
    # Debian's Ruby may be none of AWS's versions; then it is named for one.
    flags = [] if rubies or not ruby else ["--runtime", f"ruby3.2={os.path.realpath(ruby)}"]
    found.append(Language("ruby", rubies[-1] if rubies else "ruby3.2", flags, read_at_start=["RUBYOPT=-W0", "GEM_PATH=/opt"],
                          missing=None if ruby else "no Ruby on this host: apt-get install ruby"))
    javas = sorted({name for name in listed if name.startswith("java")}) or ["java17"]
    missing = None if shutil.which("javac") and any(name.startswith("java") for name in listed) else "no Java on this host: apt-get install openjdk-17-jdk-headless"
    found += [Language("java", name, missing=missing, prefix="app.App::", read_at_start=["JAVA_TOOL_OPTIONS=-Dx=y"]) for name in javas]
    return found


def each(languages):
    """A fixture: each of these languages, if this host has it."""
    @pytest.fixture(scope="module", params=languages, ids=repr)
    def language(request):
        if request.param.missing:
            pytest.skip(request.param.missing)
        return request.param
    return language


@pytest.fixture(scope="module")
def fast(language):
    """A server for the module's `language`."""
    server = Server("--fast-start", "on", *language.flags)
    yield server
    assert server.stop() == 0
