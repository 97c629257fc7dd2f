# What a function cannot do, seen from inside of a real sandbox that the server made.
import os
import subprocess

import pytest

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="limits and own uids need root")

INSIDE = """
import ctypes, errno, os, resource, socket
libc = ctypes.CDLL(None, use_errno=True)
def status():
    return dict(line.rstrip('\\n').split(':\\t', 1) for line in open('/proc/self/status') if ':\\t' in line)
def refused(call):
    try:
        call()
        return None
    except OSError as error:
        return errno.errorcode[error.errno]
def system(name, *arguments):
    ctypes.set_errno(0)
    result = getattr(libc, name)(*arguments)
    return None if result >= 0 else errno.errorcode[ctypes.get_errno()]
def handler(event, context):
    return eval(event)
"""


@pytest.fixture(scope="module")
def inside(server):
    server.create("inside", INSIDE, MemorySize=1769, Timeout=90)
    return lambda expression: server.invoke("inside", expression).succeeded()


def test_no_capabilities_and_no_new_ones(inside):
    status = inside("status()")
    for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(status[name], 16) == 0, name
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
    assert status["Uid"].split() == ["993"] * 4


@pytest.mark.parametrize("namespace", ["pid", "mnt", "net", "ipc", "uts", "cgroup", "user"])
def test_namespaces_are_its_own(inside, namespace):
    assert inside(f"os.readlink('/proc/self/ns/{namespace}')") != os.readlink(f"/proc/self/ns/{namespace}")


def test_it_sees_no_other_processes(inside):
    assert inside("sorted(int(p) == os.getpid() or int(p) for p in os.listdir('/proc') if p.isdigit())") == [1, True], "the init, and itself"
    assert inside("refused(lambda: open('/proc/1/environ').read())") in ("EACCES", "EPERM", None)


@pytest.mark.parametrize("path", ["/", "/usr", "/var/task", "/var/runtime", "/opt", "/etc", "/proc/sys/kernel"])
def test_the_root_is_read_only(inside, path):
    assert inside(f"refused(lambda: open('{path}/x', 'w'))") in ("EROFS", "EACCES", "ENOENT", "EPERM")


def test_only_loopback(inside):
    assert inside("[name for _, name in socket.if_nameindex()]") == ["lo"]
    assert inside("refused(lambda: socket.create_connection(('192.0.2.1', 80), 2))") == "ENETUNREACH"


@pytest.mark.parametrize("attempt", [
    "system('unshare', 0x10000000)", "system('mount', b'none', b'/tmp', b'tmpfs', 0, None)", "system('ptrace', 16, 1, 0, 0)",
    "system('setuid', 0)", "system('chroot', b'/tmp')", "refused(lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW))",
    "refused(lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1))", "system('kill', 1, 9)",
    "system('keyctl', 0, 0, 0, 0, 0) if hasattr(libc, 'keyctl') else 'EPERM'",
])
def test_ways_out_are_closed(inside, attempt):
    result = inside(attempt)
    assert result is not None or "kill" in attempt, attempt
    assert inside("1 + 1") == 2, "and nothing was harmed"


def test_descriptors_and_processes_are_limited(inside):
    assert inside("list(resource.getrlimit(resource.RLIMIT_NOFILE))") == [1024, 1024]
    bomb = ("(lambda: [exec('''\nkids = []\ntry:\n    while True:\n        kid = os.fork()\n        if kid == 0:\n"
            "            import time; time.sleep(90); os._exit(0)\n        kids.append(kid)\nexcept OSError as e: pass\n"
            "[os.kill(k, 9) for k in kids]\n[os.waitpid(k, 0) for k in kids]\nresult = len(kids)''', globals()), result][1])()")
    assert 500 < inside(bomb) <= 1024


def test_the_environment_leaks_nothing(inside):
    variables = inside("dict(os.environ)")
    assert not set(variables) & {"HOME", "USER", "SHELL", "MARTLET_BIN", "PYTEST_CURRENT_TEST", "SUDO_USER"}
    assert not [name for name in variables if name.startswith("MARTLET")]


def test_two_environments_share_nothing(server):
    import concurrent.futures
    code = "import time, os\ndef handler(e, c):\n    open('/tmp/' + str(e), 'w')\n    time.sleep(1)\n    return os.listdir('/tmp')\n"
    server.create("apart", code, Timeout=10)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(lambda i: server.invoke("apart", i).succeeded(), (1, 2))) == [["1"], ["2"]]


def test_the_server_has_no_privilege_and_its_sandbox_process_has(server):
    def uid(pid):
        with open(f"/proc/{pid}/status") as text:
            return next(line.split()[1] for line in text if line.startswith("Uid:"))
    threads = os.listdir(f"/proc/{server.process.pid}/task")
    assert {uid(f"{server.process.pid}/task/{t}") for t in threads} == {"64110"}
    assert server.children() and {uid(pid) for pid in server.children()} == {"0"}


def test_a_function_cannot_hurt_the_server_through_the_runtime_api(server, name):
    """Seeded rubbish on port 9001, from inside; the server and other functions go on."""
    code = ("import random, socket\n"
            "def handler(event, context):\n"
            "    random.seed(event)\n"
            "    seeds = [b'GET /2018-06-01/runtime/invocation/next HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n',\n"
            "             b'POST /2018-06-01/runtime/invocation/x/response HTTP/1.1\\r\\nContent-Length: 5\\r\\n\\r\\nabc',\n"
            "             b'POST /2018-06-01/runtime/init/error HTTP/1.1\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\nfffffffff\\r\\n']\n"
            "    for i in range(300):\n"
            "        data = bytearray(random.choice(seeds))\n"
            "        for _ in range(random.randrange(6)): data[random.randrange(len(data))] = random.randrange(256)\n"
            "        s = socket.create_connection(('127.0.0.1', 9001)); s.sendall(data); s.close()\n"
            "    return 'done'\n")
    server.create(name, code, Timeout=30, MemorySize=1769)
    for seed in (1, 2):
        server.invoke(name, seed)  # what becomes of the vandal itself is its own affair
    assert server.process.poll() is None
    server.create(name + "-other", "def handler(event, context):\n    return 'unharmed'\n")
    assert server.invoke(name + "-other").succeeded() == "unharmed"
