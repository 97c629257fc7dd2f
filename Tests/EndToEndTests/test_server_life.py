# Starting, stopping and dying, in more unusual circumstances than test_server.py.
import concurrent.futures
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import threading
import time

import botocore.exceptions
import pytest

from conftest import ROLE, is_gone, new_directory, nothing_left, package, program, running_programs, wait_until

CODE = {"app.py": "def handler(event, context):\n    return 1\n"}
SLOW = "import time\ndef handler(event, context):\n    time.sleep(event)\n    return 'slept'\n"


def place(name="state"):
    return f"{new_directory()}/{name}"


def refused(*flags, **settings):
    """What a server says that does not start."""
    done = subprocess.run([program(), "serve", "--port", "0", *flags], capture_output=True, text=True, timeout=20, **settings)
    assert done.returncode != 0 and done.stderr.strip(), done
    return done.stderr


def test_it_stops_at_once_when_nothing_runs_whoever_is_connected(own_server):
    server = own_server()
    server.create("f", CODE)
    server.invoke("f")
    idle = socket.create_connection(("127.0.0.1", server.port))
    half = socket.create_connection(("127.0.0.1", server.port))
    half.sendall(b"POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\n123")
    begun = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - begun < 5, "the server waited for clients that ask for nothing"
    idle.close(), half.close()


def test_interrupting_it_is_stopping_it(own_server):
    server = own_server()
    server.create("f", CODE)
    helpers = server.children()
    assert server.stop(signal.SIGINT) == 0
    nothing_left(server.state, helpers)


def test_a_stopping_server_takes_no_new_calls(own_server):
    server = own_server()
    server.create("slow", SLOW, Timeout=20)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        running = pool.submit(server.invoke, "slow", 2)
        wait_until(lambda: running_programs(server), 10, "the start of the function")
        wait_until(lambda: running.running(), 5)
        server.process.send_signal(signal.SIGTERM)

        def closed():
            try:
                socket.create_connection(("127.0.0.1", server.port), 1).close()
            except OSError:
                return True
        wait_until(closed, 5, "the end of the listener")
        assert not running.done() and running.result().succeeded() == "slept"
    assert server.process.wait(10) == 0


@pytest.mark.parametrize("name", ["with spaces and ü", "x" * 200, "a/b/c/new"], ids=["unusual", "long", "new"])
def test_states_in_unusual_places(own_server, name):
    server = own_server(state=place(name))
    server.create("f", CODE)
    assert server.invoke("f").succeeded() == 1


def test_a_state_reached_by_a_link_and_by_a_relative_path_is_the_same(own_server):
    first = own_server()
    first.create("f", CODE)
    link = place("link")
    os.symlink(first.state, link)
    assert f"process {first.process.pid}" in refused("--state", link)
    assert first.stop() == 0
    second = own_server(state=link)
    assert second.invoke("f").succeeded() == 1
    second.stop()
    directory, base = os.path.split(first.state)
    relative = subprocess.Popen([program(), "serve", "--port", "0", "--state", base], cwd=directory, stderr=subprocess.PIPE, text=True)
    try:
        assert "serves http" in relative.stderr.readline()
    finally:
        relative.terminate()
        assert relative.wait(10) == 0


def test_what_cannot_be_used_is_said(tmp_path):
    file = place("file")
    open(file, "w").close()
    assert file in refused("--state", file)
    assert "port" in refused("--state", place(), "--port", "70000").lower()
    assert "address" in refused("--state", place(), "--address", "300.1.2.3") .lower()
    if os.geteuid() == 0:
        assert "nosuchuser" in refused("--state", place(), "--user", "nosuchuser")
    assert refused("--state", place(), "--concurrency", "-1") and refused("--state", place(), "--idle-timeout", "x")


@pytest.mark.skipif(os.geteuid() != 0, reason="root becomes another user")
def test_a_state_that_the_server_s_user_cannot_reach_is_said():
    directory = new_directory(mode=0o700)
    text = refused("--state", f"{directory}/state")
    assert directory in text


def test_a_damaged_database_is_said_and_not_overwritten(own_server):
    server = own_server()
    server.create("f", CODE)
    server.stop()
    database = f"{server.state}/martlet.db"
    for extra in ("-wal", "-shm"):
        if os.path.exists(database + extra):
            os.remove(database + extra)
    with open(database, "r+b") as file:
        file.write(b"this is no database any more" * 100)
    with open(database, "rb") as file:
        damaged = file.read()
    text = refused("--state", server.state)
    assert "martlet.db" in text
    with open(database, "rb") as file:
        assert file.read() == damaged


def test_unpacked_code_that_is_lost_is_unpacked_again(own_server):
    """trees/ can always be made again from blobs/."""
    first = own_server()
    for name in ("f", "provisioned"):
        first.create(name, CODE, Publish=True)
    first.client.put_provisioned_concurrency_config(FunctionName="provisioned", Qualifier="1", ProvisionedConcurrentExecutions=2)
    first.stop()
    shutil.rmtree(f"{first.state}/trees")
    second = own_server(state=first.state)
    assert second.invoke("f").succeeded() == 1
    wait_until(lambda: second.client.get_provisioned_concurrency_config(
        FunctionName="provisioned", Qualifier="1")["Status"] == "READY")


def test_code_that_is_lost_under_a_running_server_is_unpacked_again(own_server):
    """Nobody looks for it but who wants to run it; a package that is lost as a whole is named."""
    server = own_server()
    layers = [server.client.publish_layer_version(LayerName=name, Content={"ZipFile": package({f"python/{name}.py": "N = 1\n"})})
              ["LayerVersionArn"] for name in ("one", "two")]
    server.create("f", {"app.py": "import one, two\ndef handler(event, context):\n    return one.N + two.N\n"}, Layers=layers)
    for tree in os.listdir(f"{server.state}/trees"):
        shutil.rmtree(f"{server.state}/trees/{tree}", ignore_errors=True)
    assert server.invoke("f").succeeded() == 2
    server.client.update_function_configuration(FunctionName="f", Timeout=4)
    server.client.get_waiter("function_updated_v2").wait(FunctionName="f")
    for place in ("trees", "blobs"):
        shutil.rmtree(f"{server.state}/{place}")
        os.mkdir(f"{server.state}/{place}")
    with pytest.raises(server.client.exceptions.ServiceException):
        server.client.invoke(FunctionName="f")
    assert "the code of f is lost" in server.log


def test_half_unpacked_code_of_a_crash_is_removed(own_server):
    first = own_server()
    first.create("f", CODE)
    first.stop(signal.SIGKILL)
    left = f"{first.state}/trees/{'0' * 64}.123.part"
    os.makedirs(f"{left}/deep")
    owner = os.stat(f"{first.state}/martlet.db")
    for path in (left, f"{left}/deep"):
        os.chown(path, owner.st_uid, owner.st_gid)
    second = own_server(state=first.state)
    assert not [t for t in os.listdir(f"{first.state}/trees") if t.endswith(".part")]
    assert second.invoke("f").succeeded() == 1


def test_a_kill_right_after_create_leaves_a_function_that_becomes_active(own_server):
    """The answer says Pending; the next start takes it from there."""
    state = None
    for i in range(4):
        server = own_server(state=state)
        state = server.state
        server.client.create_function(FunctionName=f"f{i}", Runtime="python3.11", Handler="app.handler", Role=ROLE,
                                      Code={"ZipFile": package({"app.py": f"def handler(e, c):\n    return {i}\n"})})
        server.stop(signal.SIGKILL)
    server = own_server(state=state)
    for i in range(4):
        server.client.get_waiter("function_active_v2").wait(FunctionName=f"f{i}", WaiterConfig={"Delay": 0.02, "MaxAttempts": 200})
        assert server.invoke(f"f{i}").succeeded() == i


def test_the_database_is_whole_after_a_kill(own_server):
    server = own_server()
    stop = threading.Event()

    def write(worker):
        client = server.make_client()
        try:
            while not stop.is_set():
                client.create_function(FunctionName=f"w{worker}", Runtime="python3.11", Handler="app.handler", Role=ROLE, Code={"ZipFile": package(CODE)})
                client.delete_function(FunctionName=f"w{worker}")
        except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError):
            pass
    writers = [threading.Thread(target=write, args=(i,)) for i in range(3)]
    for writer in writers:
        writer.start()
    wait_until(lambda: os.path.getsize(f"{server.state}/martlet.db-wal") > 100_000, 10, "some writing")
    server.stop(signal.SIGKILL)
    stop.set()
    for writer in writers:
        writer.join(10)
    copy = place("copy")
    shutil.copytree(server.state, copy)
    assert sqlite3.connect(f"{copy}/martlet.db").execute("pragma integrity_check").fetchall() == [("ok",)]


@pytest.mark.skipif(os.geteuid() != 0, reason="the sandbox process belongs to root")
def test_the_death_of_the_sandbox_process_is_said_and_ends_the_server(own_server):
    """Nothing could run any more: whoever watches over the server starts it again."""
    server = own_server()
    server.create("f", CODE)
    server.invoke("f")
    helpers = server.children()
    for pid in helpers:
        os.kill(pid, signal.SIGKILL)
    assert server.process.wait(15) != 0 and "martlet-sandbox" in server.log
    wait_until(lambda: not [p for p in helpers if not is_gone(p)], 5)
    second = own_server(state=server.state)
    assert second.invoke("f").succeeded() == 1


def test_without_isolation_when_asked_for(own_server):
    server = own_server("--isolation", "none")
    assert "isolation=none" in server.log.replace('"', "").replace("none, as", "none as")
    server.create("f", "import os\ndef handler(e, c):\n    if e: os._exit(3)\n    return [os.path.exists(os.environ['LAMBDA_TASK_ROOT']), os.getpid()]\n", Timeout=5)
    exists, pid = server.invoke("f").succeeded()
    assert exists and os.path.exists(f"/proc/{pid}")
    assert server.invoke("f", 1).json["errorType"] == "Runtime.ExitError"
    assert server.invoke("f").succeeded()[0]
    server.create("slow", SLOW, Timeout=1)
    assert server.invoke("slow", 9).json["errorType"] == "Sandbox.Timedout"
    last = server.invoke("f").succeeded()[1]
    server.stop()
    wait_until(lambda: is_gone(last), 5, "the end of the function's process")


def test_restarts_at_once_after_kills(own_server):
    """As a supervisor does it: the new server starts while the old one's sandboxes are still being removed."""
    state = None
    for i in range(25):
        server = own_server(state=state)
        state = server.state
        if i == 0:
            server.create("f", CODE)
            full = server.log.split("isolation=")[1].split("started_in_ms")[0]
        assert server.log.split("isolation=")[1].split("started_in_ms")[0] == full, "every start finds the same isolation"
        assert server.invoke("f").succeeded() == 1
        server.stop(signal.SIGKILL)
