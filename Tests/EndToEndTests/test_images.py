# Functions from container images: a real registry, real images with a real Python and the official runtime client.
import base64
import glob
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile

import awslambdaric
import bcrypt
import pytest

from conftest import ROLE, error_of, is_gone, new_directory, package, program, wait_until
from images import ARCHITECTURE, MISSING, Image, Layer, Registry, add_libraries, digest, python_layer

pytestmark = [
    pytest.mark.skipif(bool(MISSING), reason=f"not on this host: {', '.join(MISSING)} (apt-get install them)"),
    pytest.mark.skipif(os.geteuid() != 0, reason="these servers are started by root"),
]
PATIENCE = {"Delay": 0.05, "MaxAttempts": 600}


@pytest.fixture(scope="module")
def registry():
    registry = Registry(new_directory())
    yield registry
    registry.stop()


@pytest.fixture(scope="module")
def python():
    return python_layer()


@pytest.fixture(scope="module")
def client_layer():
    """The official runtime client, from PyPI."""
    layer = Layer().directory("var/task")
    packages = os.path.dirname(os.path.dirname(awslambdaric.__file__))
    for name in ["awslambdaric", "simplejson", "snapshot_restore_py", "snapshot_restore_py.py"]:
        if os.path.exists(f"{packages}/{name}"):
            layer.copy(f"{packages}/{name}", f"var/task/{name}")
    for path in glob.glob(f"{packages}/runtime_client*.so"):
        layer.copy(path, f"var/task/{os.path.basename(path)}")
        add_libraries(layer, [path])
    layer.file("lambda-entrypoint.sh", ENTRY, 0o755)
    return layer.bytes


ENTRY = """#!/bin/sh
if [ $# -ne 1 ]; then echo "entrypoint requires the handler name to be the first argument" 1>&2; exit 142; fi
if [ -z "${AWS_LAMBDA_RUNTIME_API}" ]; then exec /usr/local/bin/aws-lambda-rie python3 -m awslambdaric "$1"; fi
exec python3 -m awslambdaric "$1"
"""
LOOK = """
import os, sys
def handler(event, context):
    if 'run' in event:
        return eval(event['run'])
    return event
def other(event, context):
    return 'the other'
"""
CONFIG = {"Entrypoint": ["/lambda-entrypoint.sh"], "Cmd": ["app.handler"], "WorkingDir": "/var/task",
          "Env": ["PATH=/usr/bin", "FROM_IMAGE=yes", "SHARED=image", "AWS_REGION=nowhere"]}


@pytest.fixture(scope="module")
def app(registry, python, client_layer):
    """The address and the digest of a function's image."""
    return registry.push("app", Image(python, client_layer, Layer().file("var/task/app.py", LOOK), config=CONFIG))


def create(server, name, uri, **settings):
    created = server.client.create_function(
        FunctionName=name, PackageType="Image", Code={"ImageUri": uri}, Role=ROLE, **settings)
    server.client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig=PATIENCE)
    return created


def failing(server, name, uri):
    """What becomes of a function that cannot become anything: the code and the text of its state."""
    server.client.create_function(FunctionName=name, PackageType="Image", Code={"ImageUri": uri}, Role=ROLE)
    def settled():
        now = server.client.get_function_configuration(FunctionName=name)
        return now if now["State"] != "Pending" else None
    now = wait_until(settled, 60, "the end of Pending")
    assert now["State"] == "Failed", now
    assert not glob.glob(f"{server.state}/images/*.part"), "what was half done is gone"
    return now["StateReasonCode"], now["StateReason"]


def test_an_image_becomes_a_function(server, name, app):
    uri, digest = app
    created = create(server, name, uri)
    assert (created["State"], created["StateReasonCode"], created["PackageType"]) == ("Pending", "Creating", "Image")
    assert (created["CodeSha256"], created["CodeSize"]) == (digest, 0)
    assert not {"Runtime", "Handler", "Layers", "ImageConfigResponse", "RuntimeVersionConfig"} & set(created)
    found = server.client.get_function(FunctionName=name)
    assert found["Code"] == {
        "RepositoryType": "ECR", "ImageUri": uri, "ResolvedImageUri": f"{uri.rsplit(':', 1)[0]}@sha256:{digest}"}
    assert found["Configuration"]["LastUpdateStatus"] == "Successful"
    assert server.invoke(name, {"a": 1}).succeeded() == {"a": 1}
    assert server.invoke(name, {"a": 2}).succeeded() == {"a": 2}
    listed = subprocess.run(
        [program(), "function", "get", name, "--endpoint", server.endpoint], capture_output=True, text=True)
    assert f"sha256:{digest}" in listed.stdout, listed


def test_what_a_function_of_an_image_sees(server, name, app):
    create(server, name, app[0], Environment={"Variables": {"SHARED": "function", "OWN": "1"}}, MemorySize=256)
    def see(expression):
        return server.invoke(name, {"run": expression}).succeeded()
    variables = see("dict(os.environ)")
    assert (variables["FROM_IMAGE"], variables["SHARED"], variables["OWN"]) == ("yes", "function", "1")
    assert variables["AWS_REGION"] == "us-east-1" and variables["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "256"
    assert variables["AWS_LAMBDA_RUNTIME_API"] == "127.0.0.1:9001" and variables["TZ"] == ":UTC"
    assert "AWS_EXECUTION_ENV" not in variables and "_HANDLER" not in variables
    assert see("os.getcwd()") == "/var/task"
    assert see("[os.getuid(), os.getgid()]") == [993, 990]
    assert set(see("os.listdir('/')")) == {
        "bin", "lib", "lib64", "etc", "home", "root", "run", "sys", "var", "mnt", "usr", "opt", "tmp", "proc", "dev",
        "lambda-entrypoint.sh"}
    assert see("open('/etc/hosts').read().split()[1]") == "localhost" and see("open('/etc/passwd').read()").startswith("root:")
    assert see("open('/tmp/a', 'w').write('abc')") == 3
    for path in ("/a", "/var/task/a", "/usr/bin/python3", "/etc/passwd"):
        refused = server.invoke(name, {"run": f"open('{path}', 'a')"})
        assert refused.error and "Read-only file system" in refused.raw.decode() or "Permission denied" in refused.raw.decode()
    assert see("int(os.stat('/var/task/app.py').st_mtime)") == 1_700_000_000


def test_image_config_replaces_what_the_image_says(server, name, app):
    created = create(server, name, app[0], ImageConfig={"Command": ["app.other"], "WorkingDirectory": "/var/task"})
    assert created["ImageConfigResponse"] == {"ImageConfig": {"Command": ["app.other"], "WorkingDirectory": "/var/task"}}
    assert server.invoke(name).succeeded() == "the other"
    def update(**config):
        answer = server.client.update_function_configuration(FunctionName=name, ImageConfig=config)
        server.client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig=PATIENCE)
        return answer
    # Looked for on the image's PATH.
    update(EntryPoint=["python3", "-m", "awslambdaric"], Command=["app.handler"])
    assert server.invoke(name, {"run": "sys.argv[1:]"}).succeeded() == ["app.handler"]
    assert "ImageConfigResponse" not in update()
    assert server.invoke(name, {"b": 1}).succeeded() == {"b": 1}
    update(WorkingDirectory="/nowhere")
    failed = server.invoke(name)
    assert failed.json["errorType"] == "Runtime.InvalidWorkingDir"
    assert failed.json["errorMessage"].endswith("chdir /nowhere: no such file or directory")
    update(EntryPoint=["/nothing"])
    failed = server.invoke(name)
    assert failed.json["errorType"] == "Runtime.InvalidEntrypoint"
    assert failed.json["errorMessage"].endswith("fork/exec /nothing: no such file or directory")


def test_an_update_resolves_the_name_anew(server, name, registry, python, client_layer, app):
    layer = Layer().file("var/task/app.py", "def handler(event, context):\n    return 'first'\n")
    uri, first = registry.push(name, Image(python, client_layer, layer, config=CONFIG))
    create(server, name, uri)
    assert server.invoke(name).succeeded() == "first"
    version = server.client.publish_version(FunctionName=name)
    assert version["CodeSha256"] == first
    layer = Layer().file("var/task/app.py", "def handler(event, context):\n    return 'second'\n")
    second = registry.push(name, Image(python, client_layer, layer, config=CONFIG))[1]
    # The tag means something else now; the function does not notice.
    assert server.client.get_function(FunctionName=name)["Code"]["ResolvedImageUri"].endswith(first)
    updated = server.client.update_function_code(FunctionName=name, ImageUri=uri)
    assert (updated["CodeSha256"], updated["LastUpdateStatus"]) == (second, "InProgress")
    server.client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig=PATIENCE)
    assert server.invoke(name).succeeded() == "second"
    assert server.invoke(name, Qualifier="1").succeeded() == "first"
    # By digest.
    back = f"{registry.host}/{name}@sha256:{first}"
    assert server.client.update_function_code(FunctionName=name, ImageUri=back)["CodeSha256"] == first
    server.client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig=PATIENCE)
    assert server.invoke(name).succeeded() == "first"


def test_a_failed_update_leaves_the_function_running(server, name, registry, app):
    create(server, name, app[0])
    broken = Image(Layer().add("etc/../../a", content="x"))
    uri, _ = registry.push(name, broken)
    server.client.update_function_code(FunctionName=name, ImageUri=uri)
    def settled():
        now = server.client.get_function_configuration(FunctionName=name)
        return now if now["LastUpdateStatus"] != "InProgress" else None
    now = wait_until(settled, 30, "the end of the update")
    assert (now["State"], now["LastUpdateStatus"], now["LastUpdateStatusReasonCode"]) == ("Active", "Failed", "InvalidImage")
    assert server.invoke(name, {"a": 1}).succeeded() == {"a": 1}
    server.client.update_function_code(FunctionName=name, ImageUri=app[0])
    server.client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig=PATIENCE)
    assert server.invoke(name, {"a": 2}).succeeded() == {"a": 2}


def test_what_a_failed_update_leaves_running_survives_a_crash(own_server, name, registry, app):
    server = own_server()
    create(server, name, app[0])
    uri, _ = registry.push(name, Image(Layer().add("etc/../../a", content="x")))
    server.client.update_function_code(FunctionName=name, ImageUri=uri)
    def status(server):
        return server.client.get_function_configuration(FunctionName=name)["LastUpdateStatus"]
    wait_until(lambda: status(server) == "Failed", 30, "the end of the update")
    for _ in range(2):
        server.stop(signal.SIGKILL)
        server = own_server(state=server.state)
        assert status(server) == "Failed"
        assert server.invoke(name, {"a": 1}).succeeded() == {"a": 1}
    server.client.update_function_code(FunctionName=name, ImageUri=app[0])
    server.client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig=PATIENCE)
    assert server.invoke(name, {"a": 2}).succeeded() == {"a": 2}
    server.client.delete_function(FunctionName=name)


RUNTIME = f"python{sys.version_info[0]}.{sys.version_info[1]}"
OWN = """
import http.client, json, os, sys
api = http.client.HTTPConnection(os.environ['AWS_LAMBDA_RUNTIME_API'])
while True:
    api.request('GET', '/2018-06-01/runtime/invocation/next')
    answer = api.getresponse()
    event = answer.read()
    body = json.dumps(["the image's own", os.environ['_HANDLER'], sorted(os.listdir('/var/task')), os.environ['AWS_EXECUTION_ENV']])
    api.request('POST', '/2018-06-01/runtime/invocation/%s/response' % answer.getheader('Lambda-Runtime-Aws-Request-Id'), body)
    api.getresponse().read()
"""


def install(server, runtime, uri, status=0):
    done = subprocess.run(
        [program(), "runtime", "install", runtime, "--image", uri, "--state", server.state], capture_output=True, text=True)
    assert done.returncode == status, done.stderr
    return done.stdout + done.stderr


def test_an_image_is_the_root_of_a_managed_runtime(own_server, name, registry, python):
    base = Layer().link(f"var/lang/bin/{RUNTIME}", os.path.realpath(sys.executable)).file("etc/marker", "from the image")
    base.directory("var/runtime").file("opt/hidden", "x").directory("var/task").file("var/task/hidden", "x")
    uri, _ = registry.push(name, Image(python, base))
    server = own_server()
    code = """
import os, sys
def handler(event, context):
    return [open('/etc/marker').read(), sys.executable, sorted(os.listdir('/var/task')), os.listdir('/opt'),
            os.path.exists('/usr/bin/apt-get'), sorted(os.listdir('/var/runtime')), context.function_name, os.getcwd()]
"""
    server.create(f"{name}-before", "import os\ndef handler(event, context): return os.path.exists('/etc/marker')", runtime=RUNTIME)
    assert server.invoke(f"{name}-before").succeeded() is False
    assert f"/var/lang/bin/{RUNTIME}" in install(server, RUNTIME, f"docker://{uri}")
    # A server that runs already uses it for every new environment.
    server.create(name, code, runtime=RUNTIME)
    marker, interpreter, task, layers, has_host, runtime, function, directory = server.invoke(name).succeeded()
    assert (marker, task, layers, has_host) == ("from the image", ["app.py"], [], False)
    assert interpreter.startswith("/var/lang/") and "bootstrap.py" in runtime and (function, directory) == (name, "/var/task")
    listed = subprocess.run([program(), "runtime", "list", "--state", server.state], capture_output=True, text=True).stdout
    assert any(line.startswith(RUNTIME) and "/tree/var/lang/bin/" in line for line in listed.splitlines()), listed
    # Layers lie over the image's own /opt.
    layer = server.client.publish_layer_version(LayerName=name, Content={"ZipFile": package({"words/a.txt": "a"})})["LayerVersionArn"]
    server.client.update_function_configuration(FunctionName=name, Layers=[layer])
    server.client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig=PATIENCE)
    assert server.invoke(name).succeeded()[3] == ["words"]
    assert "a pack is there already" in install(server, RUNTIME, uri, status=1)


def test_the_runtime_of_the_image_itself_is_used(own_server, name, registry, python):
    base = Layer().link(f"var/lang/bin/{RUNTIME}", os.path.realpath(sys.executable)).directory("var/runtime")
    base.file("var/runtime/bootstrap", f"#!/bin/sh\nexec /var/lang/bin/{RUNTIME} /var/runtime/own.py\n", 0o755)
    base.file("var/runtime/own.py", OWN)
    image = Image(python, base)
    uri, key = registry.push(name, image)
    # A list of several architectures, as AWS's base images are.
    other = registry.push(name, Image(Layer().file("other", "x")), "other")[1]
    index = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [
        {"mediaType": image.manifest["mediaType"], "digest": f"sha256:{other}", "size": 1, "platform": {"os": "linux", "architecture": "other"}},
        {"mediaType": image.manifest["mediaType"], "digest": f"sha256:{key}", "size": len(json.dumps(image.manifest)),
         "platform": {"os": "linux", "architecture": ARCHITECTURE}}]}
    registry.push_manifest(name, index, "several")
    server = own_server()
    install(server, RUNTIME, uri.replace(":latest", ":several"))
    server.create(name, "", runtime=RUNTIME)
    assert server.invoke(name).succeeded() == ["the image's own", "app.handler", ["app.py"], f"AWS_Lambda_{RUNTIME}"]


def test_an_os_only_runtime_with_the_root_of_an_image(own_server, name, registry, python):
    uri, _ = registry.push(name, Image(python, Layer().file("etc/marker", "from the image")))
    server = own_server()
    install(server, "provided.al2023", uri)
    code = "#!/usr/bin/python3\n" + OWN.replace("\"the image's own\"", "open('/etc/marker').read()").replace("os.environ['AWS_EXECUTION_ENV']", "1")
    server.create(name, {"bootstrap": (code, 0o755)}, runtime="provided.al2023")
    assert server.invoke(name).succeeded() == ["from the image", "app.handler", ["bootstrap"], 1]


def test_images_that_cannot_be_a_runtime(own_server, name, registry, python):
    server = own_server()
    uri, _ = registry.push(name, Image(python))
    assert "it has no ruby 3.4" in install(server, "ruby3.4", uri, status=1)
    assert "no such image" in install(server, RUNTIME, f"{registry.host}/{name}:gone", status=1)
    assert "not the name of an image" in install(server, RUNTIME, "python", status=1)
    assert os.listdir(f"{server.state}/runtimes/packs") == [], "nothing is left of it"


def test_refusals(server, name, registry, app):
    def refused(uri, **settings):
        return error_of(
            server.client.create_function, FunctionName=name, PackageType="Image", Code={"ImageUri": uri}, Role=ROLE, **settings)
    missing = f"{registry.host}/app:none"
    assert refused(missing) == (
        400, "InvalidParameterValueException", f"Source image {missing} does not exist. Provide a valid source image.")
    for uri in ("app", "python:3.12", "--help/x.y", f"{registry.host}/a b", f"{registry.host}/../x", f"{registry.host}/app@sha256:1"):
        assert refused(uri)[2] == f"Source image {uri} is not valid. Provide a valid source image."
    assert refused(app[0], Runtime="python3.12", Handler="a.b")[2] == (
        "Please don't provide Handler or Runtime or Layer when the intended function PackageType is Image.")
    index = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [
        {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": "sha256:" + app[1], "size": 1,
         "platform": {"os": "linux", "architecture": ARCHITECTURE}}]}
    registry.push_manifest("app", index, "index")
    assert refused(f"{registry.host}/app:index")[2] == (
        f"The image manifest, config or layer media type for the source image {registry.host}/app:index is not supported.")
    status, code, text = refused("127.0.0.1:1/app:latest")
    assert (status, code) == (400, "InvalidParameterValueException") and "connection refused" in text
    zipped = name + "-zip"
    server.create(zipped, LOOK)
    assert error_of(server.client.update_function_code, FunctionName=zipped, ImageUri=app[0])[2] == (
        "Please don't provide ImageUri when updating a function with packageType Zip.")
    create(server, name, app[0])
    assert error_of(server.client.update_function_code, FunctionName=name, ZipFile=b"x")[2] == (
        "Please provide ImageUri when updating a function with packageType Image.")


def test_docker_manifests_and_plain_layers(server, name, registry, python, client_layer):
    code = Layer().file("var/task/app.py", LOOK)
    uri, _ = registry.push(name, Image(python, client_layer, code, config=CONFIG, media="docker", compression=None))
    create(server, name, uri)
    assert server.invoke(name, {"a": 1}).succeeded() == {"a": 1}


EXTENSION = """#!/usr/bin/env python3
import json, os, urllib.request
api = 'http://' + os.environ['AWS_LAMBDA_RUNTIME_API'] + '/2020-01-01/extension/'
request = urllib.request.Request(api + 'register', b'{"events": ["INVOKE"]}', {'Lambda-Extension-Name': 'watcher'})
with urllib.request.urlopen(request) as reply:
    name = reply.headers['Lambda-Extension-Identifier']
open('/tmp/watcher', 'w').write(os.environ['FROM_IMAGE'])
while True:
    urllib.request.urlopen(urllib.request.Request(api + 'event/next', headers={'Lambda-Extension-Identifier': name})).read()
"""


def test_extensions_of_an_image_are_started(server, name, registry, python, client_layer):
    code = Layer().file("var/task/app.py", LOOK).file("opt/extensions/watcher", EXTENSION, 0o755).file("opt/extensions/text", "x")
    uri, _ = registry.push(name, Image(python, client_layer, code, config=CONFIG))
    create(server, name, uri)
    assert server.invoke(name, {"run": "open('/tmp/watcher').read()"}).succeeded() == "yes"
    assert server.invoke(name, {"a": 1}).succeeded() == {"a": 1}


def test_layers_hide_what_is_below(server, name, registry, python, client_layer):
    one = (Layer().directory("data").file("data/kept", "1").file("data/gone", "1").directory("data/dir").file("data/dir/a", "1")
           .directory("opaque").file("opaque/old", "1").directory("opaque/sub").file("opaque/sub/old", "1")
           .file("replaced/a/b", "1").link("shortcut", "data").file("swap", "1").file("first", "1").hard("second", "first"))
    two = (Layer().file("data/.wh.gone", "").file("data/.wh.dir", "").file("data/.wh.never", "")
           .file("opaque/new", "2").file("opaque/sub/new", "2").file("opaque/.wh..wh..opq", "")
           .file("replaced/a", "2").file("shortcut/through", "2").directory("swap").file("swap/in", "2")
           .file("first", "2").file(".wh..wh.plnk", "").add("pipe", tarfile.FIFOTYPE).add("device", tarfile.CHRTYPE)
           .file("setuid", "x", 0o4755).file("var/task/app.py", LOOK))
    uri, _ = registry.push(name, Image(python, client_layer, one, two, config=CONFIG))
    create(server, name, uri)
    walk = "sorted(os.path.join(b, f)[1:] for t in ('/data', '/opaque', '/replaced', '/swap') for b, d, n in os.walk(t) for f in n)"
    assert server.invoke(name, {"run": walk}).succeeded() == [
        "data/kept", "data/through", "opaque/new", "opaque/sub/new", "replaced/a", "swap/in"]
    assert server.invoke(name, {"run": "[open('/first').read(), open('/second').read(), os.readlink('/shortcut')]"}
                         ).succeeded() == ["2", "1", "data"]
    assert server.invoke(name, {"run": "[os.path.lexists(p) for p in ('/pipe', '/device', '/.wh..wh.plnk')]"}
                         ).succeeded() == [False, False, False]
    assert server.invoke(name, {"run": "os.stat('/setuid').st_mode & 0o7777"}).succeeded() == 0o755


@pytest.mark.parametrize("what", ["dots", "dots-in-a-link", "hard-link-outside", "mark", "deep", "huge", "cut", "no-tar", "marked-up"])
def test_images_that_lead_out(server, name, registry, what):
    victim = f"{new_directory(0o777)}/victim"
    open(victim, "w").write("untouched")
    os.chmod(victim, 0o666)
    layers = {
        "dots": [Layer().file(f"a/../../../../../..{victim}", "x")],
        "dots-in-a-link": [Layer().hard("a", f"../../../../../..{victim}")],
        "hard-link-outside": [Layer().hard("a", victim)],
        "mark": [Layer().file(".wh...", "")],
        "deep": [Layer().directory("/".join("d" for _ in range(100))).link("l", "/".join("d" for _ in range(100))),
                 Layer().directory("l/" + "/".join("d" for _ in range(100))).file("l/" + "/".join("d" for _ in range(100)) + "/x", "")],
        "huge": [Layer().add("bomb", size=1 << 40)],
        "cut": [Layer().file("a", os.urandom(1 << 16)).bytes[:5000]],
        "no-tar": [b"this is no archive" * 100],
        "marked-up": [Layer().file(".wh...wh..", "").file(".wh..", "")],
    }[what]
    uri, _ = registry.push(name, Image(*layers, config={"Cmd": ["/a"]}))
    code, text = failing(server, name, uri)
    assert code == "InvalidImage" and uri in text, text
    assert open(victim).read() == "untouched" and os.stat(victim).st_nlink == 1
    # (And a link to it in the image is a link to nothing.)


def test_links_stay_inside(server, name, registry, python, client_layer):
    victim = new_directory(0o777)
    open(f"{victim}/file", "w").write("untouched")
    one = Layer().link("out", victim).link("up", "../../../../../../../../../.." + victim).link("etc/evil", "/etc/../..")
    two = (Layer().file("out/file", "in the image").file("up/other", "in the image").file("out/.wh.file2", "")
           .file("var/task/app.py", LOOK))
    uri, key = registry.push(name, Image(python, client_layer, Layer().directory(victim), one, two, config=CONFIG))
    create(server, name, uri)
    assert os.listdir(victim) == ["file"] and open(f"{victim}/file").read() == "untouched"
    assert sorted(os.listdir(f"{server.state}/images/{key}/root{victim}")) == ["file", "other"]
    # In the sandbox they lead to what is there under that name.
    assert server.invoke(name, {"run": "[os.readlink('/out'), os.path.exists('/out')]"}).succeeded() == [victim, False]


def test_a_registry_that_lies(server, name, registry):
    def image(mark):
        return Image(Layer().file("a", mark * 1000), config={"Cmd": ["/a"]})
    # Other bytes under the digest.
    lying = image("1")
    uri, _ = registry.push(name + "-bytes", lying)
    with open(registry.blob(digest(lying.layers[0])[7:]), "r+b") as blob:
        blob.write(b"\x1f\x8b something else")
    assert failing(server, name + "-bytes", uri)[0] == "InvalidImage"
    # A layer that is not there.
    absent = image("2")
    uri, _ = registry.push(name + "-absent", absent)
    shutil.rmtree(os.path.dirname(registry.blob(digest(absent.layers[0])[7:])))
    assert failing(server, name + "-absent", uri)[0] in ("ImageDeleted", "InvalidImage")
    # Sizes that are not true.
    wrong = image("3")
    wrong.manifest["layers"][0]["size"] += 1
    uri, _ = registry.push(name + "-size", wrong)
    assert failing(server, name + "-size", uri)[0] == "InvalidImage"
    large = image("4")
    large.manifest["layers"][0]["size"] = 1 << 36
    uri, _ = registry.push(name + "-large", large)
    status, _, text = error_of(
        server.client.create_function, FunctionName=name + "-large", PackageType="Image", Code={"ImageUri": uri}, Role=ROLE)
    assert status == 400 and "larger than" in text
    # A configuration for other layers.
    other = image("5")
    other.config = json.dumps({"os": "linux", "rootfs": {"diff_ids": []}}).encode()
    other.manifest["config"].update(digest=digest(other.config), size=len(other.config))
    uri, _ = registry.push(name + "-config", other)
    assert failing(server, name + "-config", uri)[0] == "InvalidImage"


def test_another_architecture(server, name, registry):
    # The head of a program for a processor that no host of this test has.
    elf = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\x00\x16\x00\x01\x00\x00\x00" + bytes(40)
    uri, _ = registry.push(name, Image(Layer().file("program", elf, 0o755), architecture="s390x", config={"Cmd": ["/program"]}))
    create(server, name, uri)
    failed = server.invoke(name)
    assert failed.json["errorType"] == "Runtime.InvalidEntrypoint"
    assert failed.json["errorMessage"].endswith("fork/exec /program: exec format error")


def test_an_image_that_says_nothing_to_run(own_server, name, registry):
    server = own_server()
    uri, _ = registry.push(name, Image(Layer().file("a", "")))
    create(server, name, uri)
    status, code, text = error_of(server.client.invoke, FunctionName=name)
    assert (status, code) == (502, "InvalidRuntimeException") and "ImageConfig" in text


def test_a_registry_with_a_password(own_server, name, python):
    directory = new_directory()
    users = "u:" + bcrypt.hashpw(b"secret", bcrypt.gensalt(4)).decode()
    registry = Registry(directory, users + "\n")
    try:
        image = Image(Layer().file("a", "x"), config={"Cmd": ["/a"]})
        layout = f"{directory}/layout"
        os.makedirs(f"{layout}/blobs/sha256")
        data = json.dumps(image.manifest).encode()
        for blob in [image.config, *image.layers, data]:
            open(f"{layout}/blobs/sha256/{digest(blob)[7:]}", "wb").write(blob)
        open(f"{layout}/oci-layout", "w").write('{"imageLayoutVersion": "1.0.0"}')
        open(f"{layout}/index.json", "w").write(json.dumps({"schemaVersion": 2, "manifests": [
            {"mediaType": image.manifest["mediaType"], "digest": digest(data), "size": len(data)}]}))
        uri = f"{registry.host}/private:latest"
        subprocess.run(["skopeo", "--insecure-policy", "copy", "--dest-tls-verify=false", "--dest-creds", "u:secret",
                        f"oci:{layout}", f"docker://{uri}"], check=True, capture_output=True)
        credentials = f"{directory}/auth.json"
        open(credentials, "w").write(json.dumps({"auths": {registry.host: {"auth": base64.b64encode(b"u:secret").decode()}}}))
        os.chmod(credentials, 0o644)
        server = own_server()
        status, code, text = error_of(
            server.client.create_function, FunctionName=name, PackageType="Image", Code={"ImageUri": uri}, Role=ROLE)
        assert (status, code, text) == (
            403, "AccessDeniedException",
            "Lambda does not have permission to access the ECR image. Check the ECR permissions.")
        server.stop()
        server = own_server("--registry-credentials", credentials)
        create(server, name, uri)
    finally:
        registry.stop()


def test_without_a_root_of_its_own(own_server, name, app):
    server = own_server("--isolation", "none")
    status, code, text = error_of(
        server.client.create_function, FunctionName=name, PackageType="Image", Code={"ImageUri": app[0]}, Role=ROLE)
    assert status == 400 and "--isolation none" in text


def test_without_skopeo(own_server, name, app):
    server = own_server(environment={"PATH": new_directory()})
    status, code, text = error_of(
        server.client.create_function, FunctionName=name, PackageType="Image", Code={"ImageUri": app[0]}, Role=ROLE)
    assert status == 400 and "apt-get install skopeo" in text




def test_a_file_system_in_an_image(own_server, name, app):
    from test_file_systems import ARN, configs
    directory = new_directory()
    os.chown(directory, 12345, 12345)
    server = own_server("--file-system", f"{ARN}={directory}")
    create(server, name, app[0], FileSystemConfigs=configs())
    assert server.invoke(name, {"run": "open('/mnt/data/a', 'w').write('abc')"}).succeeded() == 3
    assert open(f"{directory}/a").read() == "abc" and os.stat(f"{directory}/a").st_uid == 12345


def test_images_without_root(own_server, name, app):
    server = own_server(user=65534)
    create(server, name, app[0])
    assert server.invoke(name, {"run": "[os.getuid(), os.path.exists('/etc/shadow')]"}).succeeded() == [993, False]


def test_the_command_line_creates_functions_of_images(server, name, app):
    def run(*arguments):
        return subprocess.run(
            [program(), "function", "create", *arguments, "--endpoint", server.endpoint], capture_output=True, text=True)
    made = run(name, "--image", app[0])
    assert made.returncode == 0 and made.stdout.endswith(" is Active\n"), made
    assert server.invoke(name, {"a": 1}).succeeded() == {"a": 1}
    assert "--image stands alone" in run(name + "-b", "--image", app[0], "--runtime", "python3.12").stderr


def test_a_crash_while_an_image_is_fetched(own_server, name, registry, python, client_layer):
    code = Layer().file("var/task/app.py", LOOK).file("ballast", os.urandom(40 << 20))
    uri, key = registry.push(name, Image(python, client_layer, code, config=CONFIG))
    server = own_server()
    server.client.create_function(FunctionName=name, PackageType="Image", Code={"ImageUri": uri}, Role=ROLE)
    draft = wait_until(lambda: glob.glob(f"{server.state}/images/*.part/root/usr"), 30, "a tree that is half done")
    helpers = server.children()
    server.stop(signal.SIGKILL)
    assert not os.path.exists(f"{server.state}/images/{key}"), "the crash came in time"
    wait_until(lambda: all(is_gone(pid) for pid in helpers), 10, "the end of what the server had started")
    assert draft and glob.glob(f"{server.state}/images/*.part")
    server = own_server(state=server.state)
    server.client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig=PATIENCE)
    assert os.listdir(f"{server.state}/images") == [key]
    assert server.invoke(name, {"a": 1}).succeeded() == {"a": 1}
    # What nobody uses goes; what is lost comes again.
    server.stop(signal.SIGKILL)
    shutil.rmtree(f"{server.state}/images/{key}")
    server = own_server(state=server.state)
    wait_until(lambda: os.path.exists(f"{server.state}/images/{key}"), 30, "the image that was lost")
    assert server.invoke(name, {"a": 2}).succeeded() == {"a": 2}
    server.client.delete_function(FunctionName=name)
    server.stop(signal.SIGKILL)
    os.utime(f"{server.state}/images/{key}", (1, 1))
    server = own_server(state=server.state)
    wait_until(lambda: not os.path.exists(f"{server.state}/images/{key}"), 10, "the collection of an image")


def test_a_stop_while_an_image_is_fetched(own_server, name, registry, python):
    uri, key = registry.push(name, Image(python, Layer().file("ballast", os.urandom(40 << 20)), config=CONFIG))
    server = own_server()
    server.client.create_function(FunctionName=name, PackageType="Image", Code={"ImageUri": uri}, Role=ROLE)
    wait_until(lambda: glob.glob(f"{server.state}/images/*.part/parts"), 30, "an image on its way")
    assert server.stop() == 0
    server = own_server(state=server.state)
    server.client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig=PATIENCE)


def test_the_registry_is_gone_before_the_image_came(own_server, name, python):
    registry = Registry(new_directory())
    uri, key = registry.push("app", Image(python, Layer().file("ballast", os.urandom(40 << 20)), config=CONFIG))
    server = own_server()
    server.client.create_function(FunctionName=name, PackageType="Image", Code={"ImageUri": uri}, Role=ROLE)
    wait_until(lambda: glob.glob(f"{server.state}/images/*.part"), 30, "an image on its way")
    server.stop(signal.SIGKILL)
    registry.stop()
    server = own_server(state=server.state)
    def settled():
        now = server.client.get_function_configuration(FunctionName=name)
        return now if now["State"] != "Pending" else None
    now = wait_until(settled, 30, "the end of Pending")
    assert (now["State"], now["StateReasonCode"]) == ("Failed", "InternalError") and "connection refused" in now["StateReason"]
    assert error_of(server.client.invoke, FunctionName=name)[0] == 409
    assert os.listdir(f"{server.state}/images") == [], (list(os.walk(f"{server.state}/images")), server.log)
