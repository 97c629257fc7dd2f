# `--outbound`: functions reach the network through this host; without it they do not.
import os
import shutil
import socket
import subprocess
import sys
import threading
import uuid

import pytest

from conftest import wait_until

pytestmark = pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("ip") or not shutil.which("nft"),
                                reason="a cable out of the sandbox needs root, ip and nft")

CODE = """
import socket
def handler(event, context):
    seen = {}
    for name, (host, port) in event.items():
        try:
            with socket.create_connection((host, port), 1) as s: seen[name] = s.recv(100).decode()
        except OSError as error: seen[name] = type(error).__name__
    return seen
"""


ADDRESS = "198.51.100.6"


@pytest.fixture
def outside():
    """Another host: a network namespace behind a cable, with a little server in it."""
    name = f"e2e{uuid.uuid4().hex[:6]}"

    def run(*arguments):
        subprocess.run(arguments, check=True)
    run("ip", "netns", "add", name)
    try:
        run("ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", name)
        run("ip", "addr", "add", "198.51.100.5/30", "dev", name)
        run("ip", "link", "set", name, "up")
        run("ip", "-n", name, "addr", "add", f"{ADDRESS}/30", "dev", "eth0")
        run("ip", "-n", name, "link", "set", "eth0", "up")
        serve = ("import socket\ns = socket.create_server(('0.0.0.0', 80))\nprint('up', flush=True)\n"
                 "while True:\n    c, _ = s.accept()\n    c.sendall(b'hello from outside')\n    c.close()\n")
        process = subprocess.Popen(["ip", "netns", "exec", name, sys.executable, "-S", "-c", serve], stdout=subprocess.PIPE)
        assert process.stdout.readline() == b"up\n"
        yield ADDRESS, 80
        process.kill()
        process.wait()
    finally:
        subprocess.run(["ip", "link", "del", name])
        subprocess.run(["ip", "netns", "del", name])


def test_there_is_no_way_out_by_default(server, name, outside):
    server.create(name, CODE, Timeout=10)
    assert server.invoke(name, {"outside": outside}).succeeded() == {"outside": "OSError"}


def test_outbound_leads_to_the_network_and_not_to_the_host_or_to_neighbours(own_server, outside):
    server = own_server("--outbound")
    server.create("out", CODE, Timeout=20)
    server.create("listen", "import socket, threading\ns = socket.create_server(('0.0.0.0', 8080))\n"
                  "def serve():\n    while True: s.accept()[0].sendall(b'hello from a neighbour')\n"
                  "threading.Thread(target=serve, daemon=True).start()\n"
                  "def handler(event, context):\n    import time\n    time.sleep(event)\n"
                  "    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:\n"
                  "        probe.connect(('198.51.100.6', 9))\n        return probe.getsockname()[0]\n", Timeout=20)
    neighbour = server.invoke("listen", 0).succeeded()
    with socket.create_server(("0.0.0.0", 0)) as of_the_host:
        background = threading.Thread(target=lambda: server.invoke("listen", 5))
        background.start()
        seen = server.invoke("out", {"outside": outside, "neighbour": (neighbour, 8080), "platform": ("127.0.0.1", server.port),
                                     "host": ("198.51.100.5", of_the_host.getsockname()[1])}).succeeded()
        background.join()
    assert seen == {"outside": "hello from outside", "neighbour": "TimeoutError", "platform": "ConnectionRefusedError", "host": "TimeoutError"}


def test_nothing_of_the_network_is_left(own_server):
    def interfaces():
        return {name for _, name in socket.if_nameindex()}
    before = interfaces()
    server = own_server("--outbound")
    server.create("out", CODE)
    server.invoke("out")
    assert server.stop() == 0
    wait_until(lambda: interfaces() <= before, 10, "the end of the cables")
