# Layers as functions see them: what is in /opt and on the search paths, which layer wins, what lives on after deletion.
import concurrent.futures
import errno
import json
import os
import random
import shutil
import signal
import threading
import urllib.request

import botocore.exceptions
import pytest

from conftest import error_of, package, wait_until
from test_runtimes import NODES, PYTHONS

CONTENT = "import shared\ndef handler(event, context):\n    return shared.value\n"


def publish(server, name, files, **settings):
    return server.client.publish_layer_version(LayerName=name, Content={"ZipFile": package(files)}, **settings)


def layer(server, name, files, **settings):
    return publish(server, name, files, **settings)["LayerVersionArn"]


def directories_in(path):
    return [entry.path for entry in os.scandir(path) if entry.is_dir(follow_symlinks=False)]


def configure(server, name, **settings):
    answer = server.client.update_function_configuration(FunctionName=name, **settings)
    server.client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.02, "MaxAttempts": 3000})
    return answer


@pytest.mark.parametrize("place", ["python", "python/lib/{}/site-packages"])
@pytest.mark.parametrize("runtime", PYTHONS)
def test_python_imports_from_a_layer(server, name, runtime, place):
    arn = layer(server, name, {f"{place.format(runtime)}/shared.py": "value = 'from the layer'\n"})
    created = server.create(name, CONTENT, runtime=runtime, Layers=[arn])
    assert [(l["Arn"], l["CodeSize"] > 0) for l in created["Layers"]] == [(arn, True)]
    assert server.invoke(name).succeeded() == "from the layer"


def test_the_later_layer_wins(server, name):
    first = layer(server, name + "-a", {"python/shared.py": "value = 'first'\n", "python/a.py": "", "data/a": "a"})
    second = layer(server, name + "-b", {"python/shared.py": "value = 'second'\n", "python/b.py": "", "data/b": "b"})
    code = "import os, shared, a, b\ndef handler(event, context):\n    return [shared.value, sorted(os.listdir('/opt/data'))]\n"
    server.create(name, code, Layers=[first, second])
    assert server.invoke(name).succeeded() == ["second", ["a", "b"]]
    configure(server, name, Layers=[second, first])
    assert server.invoke(name).succeeded() == ["first", ["a", "b"]]
    # Omitted they stay; an empty list removes them.
    assert len(configure(server, name, Timeout=5)["Layers"]) == 2
    assert "Layers" not in configure(server, name, Layers=[])
    failed = server.invoke(name)
    assert failed.error == "Unhandled" and "No module named 'shared'" in failed.json["errorMessage"]


@pytest.mark.parametrize("runtime", NODES)
@pytest.mark.parametrize("module", ["app.js", "app.mjs"])
def test_node_imports_from_a_layer(server, name, runtime, module):
    arn = layer(server, name, {"nodejs/node_modules/shared/index.js": "module.exports = { value: 'from the layer' }\n"})
    code = {
        "app.js": "const shared = require('shared'); exports.handler = async () => shared.value\n",
        "app.mjs": "import shared from 'shared'; export const handler = async () => shared.value\n"}[module]
    server.create(name, package({module: code}), runtime=runtime, Layers=[arn])
    assert server.invoke(name).succeeded() == "from the layer"


BOOTSTRAP = """#!/bin/bash
api=http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation
while true; do
  id=$(curl -sS -D - -o /tmp/event $api/next | tr -d '\\r' | sed -n 's/^[Ll]ambda-[Rr]untime-[Aa]ws-[Rr]equest-[Ii]d: //p')
  curl -sS -o /dev/null -d "[\\"$0\\", \\"$(tool)\\", \\"$LD_LIBRARY_PATH\\"]" $api/$id/response
done
"""


def test_a_bootstrap_and_a_program_in_a_layer(server, name):
    arn = layer(server, name, {"bootstrap": (BOOTSTRAP, 0o755), "bin/tool": ("#!/bin/sh\necho a tool\n", 0o755)})
    server.create(name, package({"nothing": ""}), runtime="provided.al2023", Layers=[arn])
    started, said, libraries = server.invoke(name).succeeded()
    assert (started, said) == ("/opt/bootstrap", "a tool") and libraries.endswith(":/opt/lib")
    # The function's own goes before it.
    server.client.update_function_code(FunctionName=name, ZipFile=package({"bootstrap": (BOOTSTRAP, 0o755)}))
    server.client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.02, "MaxAttempts": 3000})
    assert server.invoke(name).succeeded()[0] == "/var/task/bootstrap"


LOOK = """
import os
import random
def handler(event, context):
    errors = []
    for path in ('/opt/new', '/opt/python/shared.py', '/opt/bin/new'):
        try:
            open(path, 'a')
        except OSError as error:
            errors.append(error.errno)
    options = [line.split()[5].split(',') for line in open('/proc/self/mountinfo') if line.split()[4] == '/opt']
    return errors, options
"""


@pytest.mark.parametrize("count", [1, 2])
def test_layers_cannot_be_changed(server, name, count):
    arns = [layer(server, f"{name}-{i}", {"python/shared.py": f"value = {i}\n"}) for i in range(count)]
    server.create(name, LOOK, Layers=arns)
    errors, options = server.invoke(name).succeeded()
    assert len(errors) == 3 and errors[0] == errno.EROFS
    assert len(options) == 1 and {"ro", "nosuid", "nodev"} <= set(options[0])


def test_what_is_deleted_lives_on_in_functions(own_server):
    server = own_server()
    arns = [layer(server, f"l{i}", {"python/shared.py": f"value = {i}\n", f"python/only{i}.py": ""}) for i in (1, 2)]
    code = "import shared, only1, only2\ndef handler(event, context):\n    return shared.value\n"
    server.create("f", code, Layers=arns)
    version = server.client.publish_version(FunctionName="f")
    assert [l["Arn"] for l in version["Layers"]] == arns
    for i in (1, 2):
        server.client.delete_layer_version(LayerName=f"l{i}", VersionNumber=1)
        server.client.delete_layer_version(LayerName=f"l{i}", VersionNumber=1)
    assert server.client.list_layers()["Layers"] == []
    assert error_of(server.client.update_function_configuration, FunctionName="f", Layers=arns) == (
        400, "InvalidParameterValueException", f"Layer version {arns[0]} does not exist.")
    assert server.invoke("f").succeeded() == 2
    server.stop(signal.SIGKILL)
    # Everything is old enough to be collected, which the next server does at its start.
    trees, blobs, unused = f"{server.state}/trees", f"{server.state}/blobs", "0" * 64
    os.mkdir(f"{trees}/{unused}")
    shutil.chown(f"{trees}/{unused}", os.stat(trees).st_uid, os.stat(trees).st_gid)
    for directory, directories, files in [*os.walk(blobs), (trees, os.listdir(trees), [])]:
        for file in directories + files:
            os.utime(os.path.join(directory, file), (1, 1), follow_symlinks=False)
    server = own_server(state=server.state)
    wait_until(lambda: not os.path.exists(f"{trees}/{unused}"), 10, "the collection of what nobody uses")
    assert server.invoke("f").succeeded() == 2
    assert server.invoke("f", Qualifier="1").succeeded() == 2
    # And what was unpacked is lost.
    server.stop(signal.SIGKILL)
    for tree in directories_in(trees):
        shutil.rmtree(tree)
    server = own_server(state=server.state)
    wait_until(lambda: len(directories_in(trees)) == 4, 10, "the trees of the function, the layers and both layers together")
    assert server.invoke("f").succeeded() == 2
    assert layer(server, "l1", {"python/shared.py": "value = 3\n"}).endswith(":layer:l1:2"), "numbers are not used again"
    # When no function uses them any more, they go.
    server.client.delete_function(FunctionName="f")
    server.stop(signal.SIGKILL)
    for tree in os.listdir(trees):
        os.utime(f"{trees}/{tree}", (1, 1), follow_symlinks=False)
    server = own_server(state=server.state)
    wait_until(lambda: len(directories_in(trees)) == 1, 10, "the collection of all but the one layer version that is there")


def test_the_link_serves_the_package(server, name):
    zipped = package({"python/shared.py": "value = 1\n"})
    answer = server.client.publish_layer_version(
        LayerName=name, Content={"ZipFile": zipped}, Description="d", LicenseInfo="MIT", CompatibleRuntimes=["python3.12"],
        CompatibleArchitectures=["x86_64"])
    assert answer["Content"]["CodeSize"] == len(zipped)
    for again in (
            server.client.get_layer_version(LayerName=name, VersionNumber=1),
            server.client.get_layer_version(LayerName=answer["LayerArn"], VersionNumber=1),
            server.client.get_layer_version_by_arn(Arn=answer["LayerVersionArn"])):
        with urllib.request.urlopen(again["Content"].pop("Location")) as reply:
            assert reply.read() == zipped
        for key in ("LayerArn", "LayerVersionArn", "Version", "CreatedDate", "Description", "LicenseInfo",
                    "CompatibleRuntimes", "CompatibleArchitectures"):
            assert again[key] == answer[key]


def test_other_accounts_need_permission(server, name):
    arn = layer(server, name, {"python/shared.py": "value = 'shared'\n"})
    other = server.make_client(key="222222222222")
    denied = (
        403, "AccessDeniedException",
        f"User: arn:aws:iam::222222222222:root is not authorized to perform: lambda:GetLayerVersion on resource: {arn} "
        "because no resource-based policy allows the lambda:GetLayerVersion action")
    make = dict(FunctionName=name, Runtime="python3.11", Handler="app.handler", Role="arn:aws:iam::222222222222:role/r",
                Code={"ZipFile": package({"app.py": CONTENT})}, Layers=[arn])
    assert error_of(other.create_function, **make) == denied
    assert error_of(other.get_layer_version_by_arn, Arn=arn) == denied
    allowed = server.client.add_layer_version_permission(
        LayerName=name, VersionNumber=1, StatementId="s", Action="lambda:GetLayerVersion", Principal="222222222222")
    assert json.loads(allowed["Statement"]) == {
        "Sid": "s", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::222222222222:root"},
        "Action": "lambda:GetLayerVersion", "Resource": arn}
    assert other.get_layer_version_by_arn(Arn=arn)["Version"] == 1
    other.create_function(**make)
    other.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.02, "MaxAttempts": 3000})
    # What is taken back later does not take the layer from functions that have it.
    server.client.remove_layer_version_permission(LayerName=name, VersionNumber=1, StatementId="s")
    assert server.invoke(name, client=other).succeeded() == "shared"
    assert error_of(other.get_layer_version_by_arn, Arn=arn) == denied


def test_layers_count_in_the_size_of_the_code(server, name):
    big = layer(server, name + "-big", {"data": bytes(200 << 20)})
    half = package({"app.py": CONTENT, "data": bytes(60 << 20)})
    settings = dict(Runtime="python3.11", Handler="app.handler", Role="arn:aws:iam::000000000000:role/r")
    text = "Function code combined with layers exceeds the maximum allowed size of 262144000 bytes. The actual size is {} bytes."
    too_much = (400, "InvalidParameterValueException", text.format((260 << 20) + len(CONTENT)))
    assert error_of(server.client.create_function, FunctionName=name, Code={"ZipFile": half}, Layers=[big], **settings) == too_much
    server.create(name, half)
    assert error_of(server.client.update_function_configuration, FunctionName=name, Layers=[big]) == too_much
    small = name + "-small"
    server.create(small, CONTENT, Layers=[big])
    assert error_of(server.client.update_function_code, FunctionName=small, ZipFile=half) == too_much


def test_without_isolation_layers_are_found_as_well(own_server):
    server = own_server("--isolation", "none")
    first = layer(server, "a", {"python/shared.py": "value = 'first'\n", "bin/martlet-tool": ("#!/bin/sh\necho tool\n", 0o755)})
    second = layer(server, "b", {"python/shared.py": "value = 'second'\n", "nodejs/node_modules/shared/index.js": "module.exports = 'n'\n"})
    code = "import shared, subprocess\ndef handler(event, context):\n    return [shared.value, subprocess.check_output('martlet-tool').decode()]\n"
    server.create("f", code, Layers=[first, second])
    assert server.invoke("f").succeeded() == ["second", "tool\n"]
    server.create("p", package({"nothing": ""}), runtime="provided.al2023", Layers=[
        layer(server, "c", {"bootstrap": (BOOTSTRAP.replace("$(tool)", ""), 0o755)})])
    assert server.invoke("p").succeeded()[0].endswith("/bootstrap")
    if NODES:
        server.create("n", package({"app.js": "exports.handler = async () => require('shared')\n"}), runtime=NODES[0], Layers=[second])
        assert server.invoke("n").succeeded() == "n"


def test_deletion_races_with_use(own_server):
    """Whoever got the layer keeps it, and whoever comes later is refused; nobody gets a layer that is collected."""
    server = own_server()
    made = []
    for round in range(4):
        arns = [layer(server, f"{part}{round}", {"python/shared.py": f"value = {round}\n", f"{part}": str(round)}) for part in "ab"]
        created = threading.Semaphore(0)

        def create(i):
            client, names = server.make_client(), []
            for n in range(1000):
                try:
                    client.create_function(
                        FunctionName=f"f{round}-{i}-{n}", Runtime="python3.11", Handler="app.handler", Layers=arns,
                        Role="arn:aws:iam::000000000000:role/r", Code={"ZipFile": package({"app.py": CONTENT, "i": f"{i} {n}"})})
                except botocore.exceptions.ClientError as error:
                    assert error.response["Error"]["Message"] == f"Layer version {arns[1]} does not exist."
                    return names
                names.append((f"f{round}-{i}-{n}", round))
                created.release()

        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            creators = [pool.submit(create, i) for i in range(4)]
            for _ in range(round + 1):
                assert created.acquire(timeout=30)
            server.client.delete_layer_version(LayerName=f"b{round}", VersionNumber=1)
            made += [name for creator in creators for name in creator.result()]
    server.stop(signal.SIGKILL)
    trees = f"{server.state}/trees"
    os.mkdir(f"{trees}/{'0' * 64}")
    shutil.chown(f"{trees}/{'0' * 64}", os.stat(trees).st_uid, os.stat(trees).st_gid)
    for tree in os.listdir(trees):
        os.utime(f"{trees}/{tree}", (1, 1), follow_symlinks=False)
    server = own_server(state=server.state)
    wait_until(lambda: not os.path.exists(f"{trees}/{'0' * 64}"), 10, "the collection of what nobody uses")
    pages = server.client.get_paginator("list_functions").paginate()
    assert {f["FunctionName"] for page in pages for f in page["Functions"]} == {name for name, _ in made}
    for name, value in made:
        server.client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.02, "MaxAttempts": 3000})
        assert server.invoke(name).succeeded() == value


def test_what_was_acknowledged_survives(own_server):
    """Versions and policies change in many calls at once, and the server is killed among them."""
    server = own_server()
    zips = [package({"data": str(i)}) for i in range(3)]

    def work(name):
        client, chance = server.make_client(), random.Random(name)
        versions, next_version, count = {}, 1, 0
        while True:
            after = {number: set(statements) for number, statements in versions.items()}
            kind, number = chance.randrange(4), chance.choice(sorted(after)) if after else None
            if kind < 2 or number is None:
                after[next_version] = set()
                call = lambda: client.publish_layer_version(LayerName=name, Content={"ZipFile": chance.choice(zips)})
            elif kind == 2:
                del after[number]
                call = lambda: client.delete_layer_version(LayerName=name, VersionNumber=number)
            else:
                after[number].add(f"s{count}")
                call = lambda: client.add_layer_version_permission(
                    LayerName=name, VersionNumber=number, StatementId=f"s{count}", Action="lambda:GetLayerVersion", Principal="*")
            try:
                answer = call()
            except botocore.exceptions.BotoCoreError:
                return versions, after, next_version
            if kind < 2 or number is None:
                assert answer["Version"] == next_version
                next_version += 1
            versions, count = after, count + 1
            acknowledged.release()

    acknowledged = threading.Semaphore(0)
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        futures = {f"layer-{i}": pool.submit(work, f"layer-{i}") for i in range(6)}
        for _ in range(300):
            assert acknowledged.acquire(timeout=30), [future.exception(0) for future in futures.values() if future.done()]
        server.stop(signal.SIGKILL)
        outcomes = {name: future.result() for name, future in futures.items()}
    server = own_server(state=server.state)
    for name, (before, after, next_version) in outcomes.items():
        seen = {}
        for page in server.client.get_paginator("list_layer_versions").paginate(LayerName=name):
            for version in page["LayerVersions"]:
                try:
                    policy = server.client.get_layer_version_policy(LayerName=name, VersionNumber=version["Version"])["Policy"]
                    seen[version["Version"]] = {statement["Sid"] for statement in json.loads(policy)["Statement"]}
                except server.client.exceptions.ResourceNotFoundException:
                    seen[version["Version"]] = set()
        assert seen in (before, after), name
        # A number that somebody has seen is not used again.
        assert publish(server, name, {"data": "x"})["Version"] == next_version + (next_version in seen)
