"""The way out: through the host and masqueraded; not to the host, to other sandboxes, or to link-local addresses."""
import os, pytest, shutil, socket
from driver import *

if not shutil.which("nft") or not shutil.which("ip"): pytest.skip("needs nft and ip", allow_module_level=True)

OUTSIDE, GATEWAY = "198.51.100.2", "198.51.100.1"


@pytest.fixture
def outside():
    """Another host: a network namespace behind a cable, with a server that answers with the address that it sees."""
    name = "out" + uuid.uuid4().hex[:6]
    run = lambda *a: subprocess.run(a, check=True)
    run("ip", "netns", "add", name)
    try:
        run("ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", name)
        run("ip", "addr", "add", GATEWAY + "/30", "dev", name)
        run("ip", "link", "set", name, "up")
        for command in (["addr", "add", OUTSIDE + "/30", "dev", "eth0"], ["link", "set", "eth0", "up"], ["addr", "add", "169.254.169.254/32", "dev", "eth0"]):
            run("ip", "-n", name, *command)
        run("ip", "route", "add", "169.254.169.254/32", "via", OUTSIDE)
        code = "import socket\ns = socket.create_server(('0.0.0.0', 80))\nprint('up', flush=True)\nwhile True:\n  c, a = s.accept(); c.sendall(a[0].encode()); c.close()"
        server = subprocess.Popen(["ip", "netns", "exec", name, "python3", "-S", "-c", code], stdout=subprocess.PIPE)
        server.stdout.readline()
        yield server
        server.kill()
        server.wait()
    finally:
        subprocess.run(["ip", "link", "del", name])
        run("ip", "netns", "del", name)


def reach(sandbox, address, port=80, timeout=0.7):
    code = f"import socket\ntry: print(socket.create_connection(('{address}', {port}), {timeout}).recv(99).decode())\nexcept OSError as e: print(type(e).__name__)"
    return sandbox.python(code)[1].strip()


def own_address(sandbox):
    return sandbox.python("import socket\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.connect(('198.51.100.2', 9)); print(s.getsockname()[0])")[1].strip()


def test_the_way_out_and_nothing_else(helper, outside):
    a, b, closed = helper.create(network=1, listen=[9001]), helper.create(network=1), helper.create()
    assert reach(a, OUTSIDE, timeout=5) == GATEWAY and reach(b, OUTSIDE, timeout=5) == GATEWAY     # seen as the host
    assert reach(closed, OUTSIDE) == "OSError"                                                # network is unreachable
    assert a.listeners[0].getsockname() == ("127.0.0.1", 9001)

    process, out = b.spawn("/usr/bin/python3", "-S", "-c", "import socket, time\ns = socket.create_server(('0.0.0.0', 8080)); print('up', flush=True); time.sleep(60)")
    read_until(out, "up")
    assert own_address(a).startswith("100.") and own_address(a) != own_address(b)
    assert reach(a, own_address(b), 8080) == "TimeoutError"                                         # another sandbox

    with socket.create_server(("0.0.0.0", 0)) as listener:                                    # the host's own listeners
        port = listener.getsockname()[1]
        for address in (GATEWAY, own_address(a).rsplit(".", 1)[0] + "." + str(int(own_address(a).rsplit(".", 1)[1]) - 1)):
            assert reach(a, address, port) == "TimeoutError"

    with socket.create_connection(("169.254.169.254", 80), 2) as c: assert c.recv(99)         # the host reaches it
    assert reach(a, "169.254.169.254") == "TimeoutError"                                      # the sandbox does not

    with pytest.raises(TimeoutError):                                                         # nobody comes in
        socket.create_connection((own_address(b), 8080), 0.7)


def test_rules_and_cables_go_with_the_helper(helper):
    links = lambda: {l for l in os.listdir("/sys/class/net") if l.startswith("mt")}
    before = links()
    s = helper.create(network=1)
    new = links() - before
    assert len(new) == 1 and "martlet_" + helper.name in subprocess.run(["nft", "list", "tables"], capture_output=True, text=True).stdout
    s.destroy()
    assert eventually(lambda: not (links() & new), 5)
    helper.close()
    assert "martlet_" + helper.name not in subprocess.run(["nft", "list", "tables"], capture_output=True, text=True).stdout
