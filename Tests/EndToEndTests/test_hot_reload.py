# A function that runs from a directory: the next invocation after an edit runs the edited code, without a redeploy.
import concurrent.futures
import json
import os
import subprocess
import threading
import time
import urllib.error
import urllib.request

import pytest

from conftest import error_of, new_directory, package, program, running_programs, wait_until
from test_runtimes import NODES, PYTHONS

PYTHON = "python3.11" if "python3.11" in PYTHONS else PYTHONS[-1]


def martlet(server, *arguments, status=0):
    done = subprocess.run([program(), *arguments, "--endpoint", server.endpoint], capture_output=True, text=True, env=os.environ | {"AWS_ACCESS_KEY_ID": "test"})
    assert done.returncode == status, done.stderr
    return done.stdout + done.stderr


def write(directory, files):
    for name, content in files.items():
        path = os.path.join(directory, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(content)


@pytest.fixture
def project(server, name):
    directory = new_directory()
    write(directory, {"app.py": "def handler(event, context):\n    return 0\n", "lib/words.py": "word = 'first'\n"})
    return directory


def watched(server, name, directory, runtime=PYTHON, handler="app.handler", *more):
    return martlet(server, "function", "create", name, "--watch", directory, "--runtime", runtime, "--handler", handler, "--memory", "512", *more)


def test_every_edit_runs_at_the_next_invocation(server, name, project):
    """As fast as a program can edit: also when two edits fall into one tick of the clock and leave the size as it was."""
    assert "is Active" in watched(server, name, project)
    assert server.invoke(name).succeeded() == 0
    for i in range(1, 40):
        write(project, {"app.py": f"def handler(event, context):\n    return {i % 10}\n"})
        assert server.invoke(name).succeeded() == i % 10
    assert [f for f in os.listdir(project) if f.startswith(".martlet")] == [], "nothing of Martlet stays there"


def test_edits_of_every_kind(server, name, project):
    write(project, {"app.py": "import os, sys\nsys.path.insert(0, '/var/task/lib')\ndef handler(event, context):\n"
                              "    return sorted(os.path.relpath(os.path.join(t, f), '/var/task') for t, _, fs in os.walk('/var/task') for f in fs) + ['=' + __import__('words').word]\n"})
    watched(server, name, project)
    assert server.invoke(name).succeeded() == ["app.py", "lib/words.py", "=first"]
    write(project, {"lib/words.py": "word = 'second'\n"})
    assert server.invoke(name).succeeded()[-1] == "=second"
    write(project, {"new/deep/file.txt": "x"})
    assert "new/deep/file.txt" in server.invoke(name).succeeded()
    os.remove(f"{project}/new/deep/file.txt")
    assert "new/deep/file.txt" not in server.invoke(name).succeeded()
    os.rename(f"{project}/lib/words.py", f"{project}/lib/speech.py")
    write(project, {"lib/words.py.tmp": "from speech import word\nword += ' and third'\n"})
    os.rename(f"{project}/lib/words.py.tmp", f"{project}/lib/words.py")  # as editors save
    assert server.invoke(name).succeeded() == ["app.py", "lib/speech.py", "lib/words.py", "=second and third"]
    os.symlink("app.py", f"{project}/link.py")
    os.utime(f"{project}/app.py", (1, 1))  # an old date is a change, too
    assert "link.py" in server.invoke(name).succeeded()
    write(project, {".git/index": "x", "app.py~": "x", "__pycache__/app.pyc": "x"})
    assert server.invoke(name).succeeded() == ["app.py", "lib/speech.py", "lib/words.py", "link.py", "=second and third"]


def test_an_environment_is_used_again_while_nothing_is_edited(server, name, project):
    write(project, {"app.py": "n = 0\ndef handler(event, context):\n    global n\n    n += 1\n    return n\n"})
    watched(server, name, project)
    # One environment, however busy the host is when it comes back.
    server.client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
    assert [server.invoke(name).succeeded() for _ in range(5)] == [1, 2, 3, 4, 5]
    os.utime(f"{project}/app.py")
    assert server.invoke(name).succeeded() == 6, "the same content is the same code"
    write(project, {"README": "x"})
    assert server.invoke(name).succeeded() == 1


# Speaks with the test by tags of its own function.
SLOW = """
import json, os, time, urllib.request
def tags(context, method, body=None):
    call = urllib.request.Request(os.environ['AWS_ENDPOINT_URL'] + '/2017-03-31/tags/' + context.invoked_function_arn, method=method, data=body, headers={
        'Content-Type': 'application/json', 'Authorization': 'AWS4-HMAC-SHA256 Credential=%s/20260101/%s/lambda/aws4_request, SignedHeaders=host, Signature=0'
        % (os.environ['AWS_ACCESS_KEY_ID'], os.environ['AWS_REGION']), 'X-Amz-Security-Token': os.environ['AWS_SESSION_TOKEN']})
    return urllib.request.urlopen(call).read()
def handler(event, context):
    if event:
        tags(context, 'POST', b'{"Tags": {"begun": "1"}}')
        while b'"go"' not in tags(context, 'GET'): time.sleep(0.02)
    import late
    return late.value
"""


def test_an_invocation_under_way_keeps_its_code(server, name, project):
    """What it imports late is of the tree that it began with."""
    write(project, {"app.py": SLOW, "late.py": "value = 'old'\n"})
    watched(server, name, project, PYTHON, "app.handler", "--timeout", "60")
    arn = server.client.get_function_configuration(FunctionName=name)["FunctionArn"]
    answers = []
    thread = threading.Thread(target=lambda: answers.append(server.invoke(name, {"wait": 1})))
    thread.start()
    wait_until(lambda: "begun" in server.client.list_tags(Resource=arn)["Tags"], 20, "its begin")
    write(project, {"late.py": "value = 'new'\n"})
    assert server.invoke(name).succeeded() == "new"
    server.client.tag_resource(Resource=arn, Tags={"go": "1"})
    thread.join()
    assert answers[0].succeeded() == "old"


def test_a_mistake_is_told_and_mended(server, name, project):
    watched(server, name, project)
    write(project, {"app.py": "def handler(:\n"})
    assert server.invoke(name).json["errorType"] == "Runtime.UserCodeSyntaxError"
    write(project, {"app.py": "def handler(event, context):\n    return 'mended'\n"})
    assert server.invoke(name).succeeded() == "mended"


def test_old_environments_and_old_trees_go(own_server, project):
    server = own_server()
    watched(server, "f", project)
    for i in range(8):
        write(project, {"app.py": f"def handler(event, context):\n    return 'edit {i}'\n"})
        assert server.invoke("f").succeeded() == f"edit {i}"
    wait_until(lambda: len(running_programs(server)) == 1, 10, "the end of all environments but the last")
    assert server.invoke("f").succeeded() == "edit 7"


def test_unchanged_files_are_not_copied(own_server, project):
    server = own_server()
    write(project, {f"data/{i}": "x" * 1000 for i in range(200)})
    watched(server, "f", project)
    server.invoke("f")
    wait_until(lambda: server.invoke("f") and time.time() - os.stat(f"{project}/data/0").st_ctime > 0.3, 5, "the files are no longer fresh")
    server.invoke("f")
    for i in range(5):
        write(project, {"app.py": f"def handler(event, context):\n    return {i}\n"})
        assert server.invoke("f").succeeded() == i
    inodes = {os.lstat(os.path.join(top, f)).st_ino for top, _, files in os.walk(f"{server.state}/trees") for f in files if os.path.basename(top) == "data"}
    assert len(inodes) <= 600, "at most three copies: of the upload, of the directory, and once more while it was fresh"


def test_many_callers_after_each_edit(server, name, project):
    watched(server, name, project, PYTHON, "app.handler", "--timeout", "10")
    for i in range(5):
        write(project, {"app.py": f"def handler(event, context):\n    return 'edit {i}'\n"})
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            assert set(pool.map(lambda _: server.invoke(name).succeeded(), range(16))) == {f"edit {i}"}


@pytest.mark.parametrize("runtime", NODES[:1])
def test_node(server, name, runtime):
    directory = new_directory()
    write(directory, {"index.mjs": "import { word } from './word.mjs'\nexport const handler = async () => word\n", "word.mjs": "export const word = 'one'\n"})
    watched(server, name, directory, runtime, "index.handler")
    assert server.invoke(name).succeeded() == "one"
    write(directory, {"word.mjs": "export const word = 'two'\n"})
    assert server.invoke(name).succeeded() == "two"


def test_it_survives_a_restart(own_server, project):
    first = own_server()
    watched(first, "f", project)
    first.stop()
    write(project, {"app.py": "def handler(event, context):\n    return 'edited meanwhile'\n"})
    assert own_server(state=first.state).invoke("f").succeeded() == "edited meanwhile"


def test_versions_and_updates_are_what_was_uploaded(server, name, project):
    watched(server, name, project)
    version = server.client.publish_version(FunctionName=name)["Version"]
    write(project, {"app.py": "def handler(event, context):\n    return 'edited'\n"})
    assert server.invoke(name).succeeded() == "edited"
    assert server.invoke(name, Qualifier=version).succeeded() == 0
    server.client.update_function_code(FunctionName=name, ZipFile=package({"app.py": "def handler(event, context):\n    return 'uploaded'\n"}))
    server.client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.02, "MaxAttempts": 3000})
    assert server.invoke(name).succeeded() == "uploaded", "whoever brings code means it to run"
    configuration = server.client.get_function(FunctionName=name)
    assert project not in json.dumps(configuration, default=str), "AWS has no member for it"


def test_configuration_changes_reach_it_too(server, name, project):
    write(project, {"app.py": "import os\ndef handler(event, context):\n    return os.environ.get('COLOUR')\n"})
    watched(server, name, project)
    assert server.invoke(name).succeeded() is None
    server.client.update_function_configuration(FunctionName=name, Environment={"Variables": {"COLOUR": "1"}})
    server.client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.02, "MaxAttempts": 3000})
    assert server.invoke(name).succeeded() == "1"


def test_what_cannot_be_run_is_said(own_server, name, project):
    server = own_server()
    watched(server, name, project)
    os.symlink("/etc/passwd", f"{project}/link")
    status, code, text = error_of(server.client.invoke, FunctionName=name)
    assert (status, code) == (502, "InvalidZipFileException") and "/link: the link to /etc/passwd leads out of the directory" in text
    os.remove(f"{project}/link")
    assert server.invoke(name).succeeded() == 0
    os.rename(project, project + "-moved")
    assert "No such file or directory" in error_of(server.client.invoke, FunctionName=name)[2]
    os.rename(project + "-moved", project)
    assert server.invoke(name).succeeded() == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="root can do what the server's user cannot")
def test_a_directory_that_the_server_cannot_read(server, name, project):
    os.chmod(project, 0o700)
    assert "martlet serve --user" in watched_fails(server, name, project)


def watched_fails(server, name, project):
    return martlet(server, "function", "create", name, "--watch", project, "--runtime", PYTHON, "--handler", "app.handler", status=2)


def put(server, name, **body):
    request = urllib.request.Request(f"{server.endpoint}/_martlet/functions/{name}/directory", method="PUT", data=json.dumps(body).encode(),
                                     headers={"Content-Type": "application/json", "Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/lambda/aws4_request, SignedHeaders=host, Signature=0"})
    try:
        return urllib.request.urlopen(request).status, ""
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.read().decode()


def test_only_who_can_write_there_may_have_a_directory_watched(server, name, project):
    server.create(name, "def handler(event, context):\n    return 'own'\n")
    proof = ".martlet-" + "0" * 32 + ".swp"
    for directory in (project, server.state, "/etc", "/"):
        assert put(server, name, Directory=directory, Proof=proof)[0] in (403, 502)
    assert put(server, name, Directory=project, Proof="app.py")[0] == 400, "no other file is a proof"
    write(project, {proof: ""})
    assert put(server, "absent", Directory=project, Proof=proof)[0] == 404
    assert server.invoke(name).succeeded() == "own"
    assert put(server, name, Directory=project, Proof=proof)[0] == 200
    assert server.invoke(name).succeeded() == 0


def test_a_function_cannot_have_a_directory_watched(server, name, project):
    proof = ".martlet-" + "1" * 32 + ".swp"
    write(project, {proof: ""})
    server.create(name, "import json, os, urllib.request, urllib.error\ndef handler(event, context):\n"
                  "    r = urllib.request.Request(os.environ['AWS_ENDPOINT_URL'] + '/_martlet/functions/' + context.function_name + '/directory', method='PUT',\n"
                  "        data=json.dumps(event).encode(), headers={'Content-Type': 'application/json'})\n"
                  "    try: return urllib.request.urlopen(r).status\n    except urllib.error.HTTPError as e: return e.code\n")
    assert server.invoke(name, {"Directory": project, "Proof": proof}).succeeded() == 404


def test_flags(server, name, project):
    assert "give one of --zip, --watch and --image" in martlet(server, "function", "create", name, "--runtime", PYTHON, status=64)
