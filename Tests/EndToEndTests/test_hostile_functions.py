# Functions that try to hurt: the server, its memory and descriptors, its other functions, the host. What becomes of the
# vandal is its own affair; the server goes on, and an honest function beside it notices nothing.
import json
import os
import re
import threading
import time

import pytest

from conftest import package, running_programs, wait_until

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="limits and own uids need root")


@pytest.fixture(scope="module")
def town(server):
    """An honest function, and how to see that it and the server are well."""
    server.create("honest", "def handler(event, context):\n    return 'honest'\n")

    def is_well():
        assert server.process.poll() is None, server.log[-3000:]
        assert server.client.list_functions()["ResponseMetadata"]["HTTPStatusCode"] == 200
        assert server.invoke("honest").succeeded() == "honest"
    is_well()
    return is_well


def memory(server):
    with open(f"/proc/{server.process.pid}/status") as text:
        return int(re.search(r"VmRSS:\s+(\d+)", text.read()).group(1)) >> 10


def attack(server, name, body, event=None, **settings):
    code = "import os, random, socket, sys, threading, time\n" + body
    server.create(name, code, **{"Timeout": 5, "MemorySize": 1769, **settings})
    return server.invoke(name, event)


def during(server, name, body, check, **settings):
    """Runs the attack and, meanwhile, `check` again and again."""
    thread = threading.Thread(target=lambda: attack(server, name, body, **settings))
    thread.start()
    worst = 0
    while thread.is_alive():
        worst = max(worst, check() or 0)
        thread.join(0.1)
    return worst


def test_more_connections_than_the_server_may_have(server, town, name):
    """Twenty processes with as many connections to the Runtime API as each can have."""
    during(server, name, """
def handler(event, context):
    for _ in range(20):
        if os.fork() == 0:
            held = []
            try:
                while True: held.append(socket.create_connection(('127.0.0.1', 9001)))
            except OSError: pass
            time.sleep(3)
            os._exit(0)
    time.sleep(3)
""", town)
    town()


def test_bodies_that_never_end(server, town, name):
    """900 answers of six megabytes of which the last byte is missing."""
    before = memory(server)
    worst = during(server, name, """
def handler(event, context):
    held = []
    data = b'POST /2018-06-01/runtime/invocation/x/response HTTP/1.1\\r\\nContent-Length: 6000000\\r\\n\\r\\n' + b'x' * 5999999
    try:
        for _ in range(900):
            s = socket.create_connection(('127.0.0.1', 9001), 1)
            s.settimeout(0.2)
            held.append(s)
            s.sendall(data)
    except OSError: pass
    time.sleep(1)
""", lambda: memory(server), Timeout=10)
    assert worst - before < 400, f"one function made the server hold {worst - before} MiB"
    town()


def test_pipelines_of_bodies_behind_a_parked_call(server, town, name):
    before = memory(server)
    worst = during(server, name, """
def handler(event, context):
    held = []
    body = b'POST /2018-06-01/runtime/invocation/x/response HTTP/1.1\\r\\nContent-Length: 6000000\\r\\n\\r\\n' + b'x' * 6000000
    try:
        for _ in range(10):
            s = socket.create_connection(('127.0.0.1', 9001), 1)
            s.settimeout(0.5)
            held.append(s)
            s.sendall(b'GET /2018-06-01/runtime/invocation/next HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n')
            for _ in range(60): s.sendall(body)
    except OSError: pass
    time.sleep(1)
""", lambda: memory(server), Timeout=10)
    assert worst - before < 400, f"one function made the server hold {worst - before} MiB"
    town()


def test_asking_for_the_event_a_thousand_times_without_reading_it(server, town, name):
    """Each /next while an event is out delivers it again: six megabytes each time."""
    before = memory(server)
    server.create(name, "import socket, time\nEVENT = b'GET /2018-06-01/runtime/invocation/next HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n'\n"
                  "def handler(event, context):\n"
                  "    held = []\n"
                  "    try:\n"
                  "        for _ in range(300):\n"
                  "            s = socket.create_connection(('127.0.0.1', 9001), 1)\n            s.settimeout(0.2)\n"
                  "            s.sendall(EVENT * 50)\n            held.append(s)\n"
                  "    except OSError: pass\n"
                  "    time.sleep(1)\n", Timeout=10, MemorySize=1769)
    thread = threading.Thread(target=lambda: server.invoke(name, json.dumps("x" * 6_000_000).encode()))
    thread.start()
    worst = 0
    while thread.is_alive():
        worst = max(worst, memory(server))
        thread.join(0.05)
    assert worst - before < 400, f"one function made the server hold {worst - before} MiB"
    town()


def test_log_lines_without_end(server, town, name):
    """As much output as fits into two seconds: the server's memory stays flat, the last lines are right, others go on."""
    before = memory(server)
    answers = []
    thread = threading.Thread(target=lambda: answers.append(attack(server, name, """
def handler(event, context):
    end = time.time() + 2
    line = b'y' * 65535 + b'\\n'
    while time.time() < end: os.write(1, line)
    os.write(1, b'the last line\\n')
    return 'done'
""", Timeout=20)))
    thread.start()
    worst = 0
    while thread.is_alive():
        worst = max(worst, memory(server))
        town()
    assert worst - before < 100
    assert answers[0].succeeded() == "done" and "the last line\n" in answers[0].log and "REPORT" in answers[0].log


@pytest.mark.parametrize("wants", ["Tail", "None"])
def test_output_that_goes_on_behind_the_answer(server, town, name, wants):
    """A thread that prints without end: the caller gets its answer all the same, and so does the next one."""
    server.create(name, "import os, threading\n"
                  "def chatter():\n    while True: os.write(1, b'chatter ' * 1000 + b'\\n')\n"
                  "def handler(event, context):\n"
                  "    if threading.active_count() == 1: threading.Thread(target=chatter, daemon=True).start()\n"
                  "    return event\n", Timeout=10, MemorySize=1769)
    for i in range(5):
        begun = time.monotonic()
        response = server.client.invoke(FunctionName=name, Payload=str(i).encode(), LogType=wants)
        assert "FunctionError" not in response and response["Payload"].read() == str(i).encode()
        assert time.monotonic() - begun < 10, "the function was ready long before"
    town()


def test_lines_that_never_end_and_bytes_that_are_no_text(server, town, name):
    answer = attack(server, name, """
def handler(event, context):
    os.write(1, b'x' * 10_000_000)
    os.write(2, bytes(range(256)) * 100)
    os.write(1, b'\\x1b[2J\\r\\nSTART RequestId: forged\\n')
    return 1
""")
    assert answer.succeeded() == 1
    assert len(answer.log) <= 4096 and f"REPORT RequestId: {answer.request_id}" in answer.log
    town()


def test_processes_that_stay_behind_the_answer_die_with_the_environment(own_server):
    server = own_server("--idle-timeout", "2")
    server.create("daemons", "import os, time\n"
                  "def handler(event, context):\n"
                  "    if os.fork() == 0:\n"
                  "        os.setsid()\n"
                  "        if os.fork(): os._exit(0)\n"
                  "        while True:\n"
                  "            open('/tmp/beat', 'a').write('x'); time.sleep(0.01)\n"
                  "    os.wait()\n    time.sleep(0.1)\n    return os.path.getsize('/tmp/beat')\n", Timeout=5)
    assert server.invoke("daemons").succeeded() > 0
    assert len(running_programs(server)) == 2, "the runtime and its daemon"
    wait_until(lambda: not running_programs(server), 15, "the end of both")


def test_a_fork_bomb_in_a_small_function(server, town, name):
    answer = attack(server, name, """
def handler(event, context):
    while True:
        try: os.fork()
        except OSError: time.sleep(0.1)
""", Timeout=2, MemorySize=128)
    assert answer.error == "Unhandled"
    town()


def test_stopping_and_killing_everything_in_sight(server, town, name):
    import signal
    for number in (signal.SIGSTOP, signal.SIGKILL, signal.SIGTERM):
        answer = attack(server, f"{name}-{number}", f"""
def handler(event, context):
    try: os.kill(-1, {int(number)})
    except OSError: pass
    for pid in range(1, 70000):
        if pid != os.getpid():
            try: os.kill(pid, {int(number)})
            except OSError: pass
    os.kill(os.getpid(), {int(number)})
    time.sleep(60)
""", Timeout=1)
        assert answer.error == "Unhandled"
    town()


def test_memory_eaten_in_every_way(server, town, name):
    for way in ("open('/dev/shm/x', 'wb').write(bytes(1 << 20) * 2000)",
                "fd = os.memfd_create('x')\n    for _ in range(2000): os.write(fd, bytes(1 << 20))",
                "held = [socket.socketpair() for _ in range(400)]\n    for a, _ in held: a.setblocking(False); a.setsockopt(1, 7, 1 << 30)\n"
                "    for a, _ in held:\n        try:\n            while True: a.send(bytes(65536))\n        except OSError: pass\n"
                "    x = bytearray(2 << 30)"):
        answer = attack(server, f"{name}-{abs(hash(way)) % 1000}", f"def handler(event, context):\n    {way}\n", MemorySize=128, Timeout=10)
        assert answer.error == "Unhandled", way
        town()


def test_a_full_tmp_is_only_its_own_trouble(server, town, name):
    answer = attack(server, name, """
def handler(event, context):
    written = 0
    try:
        with open('/tmp/x', 'wb', 0) as f:
            while True: written += f.write(bytes(1 << 20))
    except OSError as e: return [written >> 20, e.errno]
""", Timeout=30)
    megabytes, errno = answer.succeeded()
    assert 480 <= megabytes <= 512 and errno == 28
    inodes = attack(server, name + "i", """
def handler(event, context):
    try:
        for i in range(10_000_000): os.mknod(f'/tmp/{i}')
    except OSError as e: return e.errno
""", Timeout=4)
    assert inodes.error == "Unhandled" or inodes.json == 28
    town()


def test_the_processor_is_shared_by_memory_size(server, name):
    """128 MB are a fourteenth of a core, however many processes there are."""
    answer = attack(server, name, """
def handler(event, context):
    for _ in range(4):
        if os.fork() == 0:
            end = time.monotonic() + 2
            while time.monotonic() < end: pass
            os._exit(0)
    begun = time.monotonic()
    for _ in range(4): os.wait()
    used = sum(os.times()[:4])
    return used / (time.monotonic() - begun)
""", MemorySize=128, Timeout=15)
    assert answer.succeeded() < 0.25


@pytest.mark.parametrize("expression", [
    "open('/proc/1/mem', 'rb').read(1)", "open('/proc/sysrq-trigger', 'w').write('b')", "open('/proc/kcore', 'rb').read(1)",
    "open('/proc/sys/kernel/core_pattern', 'w').write('|/tmp/x')", "os.listdir('/root/.cache')", "os.listdir('/home')",
    "open('/etc/shadow').read()", "os.listdir('/sys/fs/cgroup/memory')", "open('/dev/mem', 'rb').read(1)",
    "open('/dev/kmsg', 'rb').read(1)", "os.mknod('/tmp/d', 0o060666, os.makedev(8, 0)) or open('/tmp/d', 'rb').read(1)",
    "os.setuid(0)", "os.setgroups([0])", "os.chroot('/tmp')", "os.nice(-5)", "os.sched_setscheduler(0, 1, os.sched_param(50))",
    "time.clock_settime(time.CLOCK_REALTIME, 0)", "__import__('resource').setrlimit(7, (4096, 4096))",
    "socket.sethostname('evil')", "open('/var/task/app.py', 'a')", "open('/var/runtime/bootstrap.py', 'a')",
    "os.chmod('/var/task/app.py', 0o777)", "os.listdir('/tmp/../var/lib/martlet')", "os.listdir('/proc/1/root/')",
    "os.open('/proc/self/ns/net', 0) and __import__('ctypes').CDLL(None).setns(os.open('/proc/1/ns/net', 0), 0) or 1/0",
], ids=lambda e: re.sub(r"[^a-z0-9]+", "-", e)[:40])
def test_what_is_refused(server, expression):
    if not hasattr(test_what_is_refused, "ready"):
        server.create("refused", "import os, socket, time\ndef handler(event, context):\n"
                      "    try: return ['done', repr(eval(event))[:200]]\n    except Exception as e: return ['refused', repr(e)]\n", MemorySize=512)
        test_what_is_refused.ready = True
    answer = server.invoke("refused", expression)
    assert answer.succeeded()[0] == "refused", answer.json


def test_programs_with_a_set_user_bit_gain_nothing(server, name):
    answer = attack(server, name, """
def handler(event, context):
    import glob, subprocess
    found = [p for d in ('/usr/bin', '/bin', '/usr/sbin') for p in glob.glob(d + '/*') if os.stat(p).st_mode & 0o4000]
    ran = [subprocess.run(['/bin/su', '-c', 'id -u'], capture_output=True, text=True, stdin=subprocess.DEVNULL).stdout] if found else []
    return [os.getuid(), ran]
""")
    uid, ran = answer.succeeded()
    assert uid != 0 and ran in ([], [""])


def test_the_server_s_ports_on_the_host_are_out_of_reach(server, name):
    """Loopback inside is another loopback; only AWS_ENDPOINT_URL leads to the platform."""
    answer = attack(server, name, """
def handler(event, context):
    reached = []
    for host in ('127.0.0.1', 'localhost', '0.0.0.0', '169.254.169.254', '10.0.0.1'):
        try:
            socket.create_connection((host, event), 0.3).close(); reached.append(host)
        except OSError: pass
    return reached
""", server.port)
    endpoint = server.invoke(name, 1)
    assert endpoint.succeeded() == []
    assert answer.succeeded() == []


def test_the_state_of_the_server_cannot_be_read(server, name):
    answer = attack(server, name, """
def handler(event, context):
    found = []
    for top, dirs, files in os.walk('/'):
        dirs[:] = [d for d in dirs if os.path.join(top, d) not in ('/proc', '/usr', '/sys')]
        found += [os.path.join(top, f) for f in files if f.endswith('.db') or f == 'lock']
    return [found, os.path.exists(event), open('/proc/self/mountinfo').read().count(event)]
""", server.state, Timeout=20)
    found, exists, _ = answer.succeeded()
    assert not exists and not [f for f in found if "martlet" in f]
