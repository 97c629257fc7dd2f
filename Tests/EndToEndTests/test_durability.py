# What was acknowledged is kept, what is seen is what is on disk, and a full disk is said and survived.
import os
import signal
import sqlite3
import subprocess
import threading
import time

import botocore.exceptions
import pytest

from conftest import ROLE, new_directory, package, running_programs, wait_until

CODE = package({"app.py": "def handler(event, context):\n    return 1\n"})


def names_on_disk(server):
    connection = sqlite3.connect(f"file:{server.state}/martlet.db?mode=ro", uri=True)
    try:
        return {row[0] for row in connection.execute("SELECT name FROM functions")}
    finally:
        connection.close()


def names_seen(server):
    return {f["FunctionName"] for page in server.client.get_paginator("list_functions").paginate() for f in page["Functions"]}


def test_what_is_seen_is_what_is_on_disk(own_server):
    """Several callers create and delete the same few names at once; each acknowledged change is seen, the last one stays."""
    server = own_server()
    end = time.monotonic() + 4
    wrong = []

    def storm(worker):
        client = server.make_client()
        i = worker
        while time.monotonic() < end:
            i += 1
            try:
                if i % 2:
                    client.create_function(FunctionName=f"f{i // 2 % 3}", Runtime="python3.11", Handler="app.handler", Role=ROLE, Code={"ZipFile": CODE})
                else:
                    client.delete_function(FunctionName=f"f{i // 2 % 3}")
            except botocore.exceptions.ClientError as error:
                if error.response["ResponseMetadata"]["HTTPStatusCode"] not in (404, 409):
                    wrong.append(error.response)
    workers = [threading.Thread(target=storm, args=(w,)) for w in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not wrong, wrong[:3]
    assert names_seen(server) == names_on_disk(server)
    server.stop(signal.SIGKILL)
    before = names_on_disk(server)
    second = own_server(state=server.state)
    assert names_seen(second) == before


def test_an_answer_in_flight_is_sent_whole_before_the_end(own_server):
    """SIGTERM while a large answer goes to a slow reader: it gets every byte."""
    import http.client
    server = own_server()
    server.create("large", "import time\ndef handler(e, c):\n    time.sleep(0.5)\n    return 'x' * 6_000_000\n", MemorySize=1769, Timeout=20)
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    connection.connect()
    connection.request("POST", "/2015-03-31/functions/large/invocations", b"1")
    wait_until(lambda: running_programs(server), 10, "the start of the function")
    server.process.send_signal(signal.SIGTERM)
    answer = connection.getresponse()
    body = b""
    while len(body) < 6_000_002:
        part = answer.read(200_000)
        assert part, f"cut off after {len(body)} bytes"
        body += part
        threading.Event().wait(0.02)  # a reader on a thin line
    assert answer.status == 200 and body[:2] == b'"x'
    assert server.process.wait(20) == 0


def test_changes_under_way_at_the_stop_are_answered_or_not_made(own_server):
    """SIGTERM in a storm of changes: what was acknowledged is there afterwards, and nobody is told of a failure that was none."""
    server = own_server()
    known, unsure = {}, set()

    def storm(worker):
        client, i = server.make_client(), 0
        try:
            while True:
                i += 1
                name = f"w{worker}-{i}"
                unsure.add(name)
                client.create_function(FunctionName=name, Runtime="python3.11", Handler="app.handler", Role=ROLE, Code={"ZipFile": CODE}, Description=str(i))
                known[name] = str(i)
                unsure.discard(name)
        except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError):
            pass
    workers = [threading.Thread(target=storm, args=(w,)) for w in range(4)]
    for worker in workers:
        worker.start()
    wait_until(lambda: len(known) > 20, 10)
    assert server.stop() == 0
    for worker in workers:
        worker.join(20)
    second = own_server(state=server.state)
    listed = {f["FunctionName"]: f["Description"] for page in second.client.get_paginator("list_functions").paginate() for f in page["Functions"]}
    assert {name: listed.get(name) for name in known} == known
    assert set(listed) - set(known) <= unsure


@pytest.fixture
def small_disk():
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    directory = new_directory()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m,mode=755", "martlet-test", directory]).returncode != 0:
        pytest.skip("this host lets no file system be mounted")
    yield directory
    subprocess.run(["umount", "-l", directory], check=True)


def test_a_full_disk_is_said_and_survived(own_server, small_disk):
    """No crash, no half-made function, nothing lost; functions go on running, and changes go on once there is room."""
    server = own_server(state=f"{small_disk}/state")
    server.create("first", CODE)
    assert server.invoke("first").succeeded() == 1
    with open(f"{small_disk}/room", "wb") as room:
        room.write(bytes(6 << 20))
    made = ["first"]
    refused = None
    for i in range(40):
        try:
            server.client.create_function(FunctionName=f"f{i}", Runtime="python3.11", Handler="app.handler", Role=ROLE,
                                          Code={"ZipFile": package({"app.py": "def handler(e, c):\n    return 1\n", "data": os.urandom(1 << 20)})})
            made.append(f"f{i}")
        except botocore.exceptions.ClientError as error:
            refused = error.response
            break
    assert refused and refused["ResponseMetadata"]["HTTPStatusCode"] == 500 and refused["Error"]["Code"] == "ServiceException"
    assert "space" in server.log, "the operator is told why"
    assert names_seen(server) == set(made) and server.invoke("first").succeeded() == 1
    filler = open(f"{small_disk}/filler", "wb", 0)
    try:
        while filler.write(bytes(4096)):
            pass
    except OSError:
        pass
    assert server.invoke("first").succeeded() == 1
    assert server.process.poll() is None
    os.remove(f"{small_disk}/filler")
    os.remove(f"{small_disk}/room")
    filler.close()
    server.client.tag_resource(Resource="arn:aws:lambda:us-east-1:000000000000:function:first", Tags={"room": "again"})
    for name in made[1:]:
        server.client.delete_function(FunctionName=name)
    server.stop(signal.SIGKILL)
    second = own_server(state=server.state)
    assert names_seen(second) == {"first"}
    assert second.client.get_function(FunctionName="first")["Tags"] == {"room": "again"}
    assert second.invoke("first").succeeded() == 1
    second.stop()


def test_no_change_is_acknowledged_on_a_full_disk(own_server, small_disk):
    server = own_server(state=f"{small_disk}/state")
    arn = server.create("f", CODE)["FunctionArn"]
    with open(f"{small_disk}/filler", "wb", 0) as filler:
        try:
            while filler.write(bytes(4096)):
                pass
        except OSError:
            pass
    acknowledged, failed = {}, 0
    for i in range(40):
        try:
            server.client.tag_resource(Resource=arn, Tags={f"k{i}": "v" * 250})
            acknowledged[f"k{i}"] = "v" * 250
        except botocore.exceptions.ClientError as error:
            assert error.response["Error"]["Code"] == "ServiceException"
            failed += 1
    assert server.client.list_tags(Resource=arn)["Tags"] == acknowledged, "a refused change is not seen"
    assert failed
    server.stop(signal.SIGKILL)
    os.remove(f"{small_disk}/filler")
    second = own_server(state=server.state)
    assert second.client.list_tags(Resource=arn)["Tags"] == acknowledged
    second.stop()
