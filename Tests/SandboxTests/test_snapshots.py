"""Programs that are forked from a snapshot, in which a tenant's code has run and which has no privilege: what forks are and share, and
what snapshot and forks may do if they do not do what they are asked to."""
import json, os, re, shutil, signal, threading
import http.server
import pytest
from driver import *

PYTHON = "/usr/bin/python3"
RUNTIME = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "Runtimes", "python")


class API:
    """Answers /restore/next of one sandbox when it is told to."""

    def __init__(self, listener):
        self.listener, self.asked = listener, threading.Event()
        self.head, self.connection = "", None
        listener.setblocking(True)
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        self.connection, _ = self.listener.accept()
        while "\r\n\r\n" not in self.head: self.head += self.connection.recv(65536).decode()
        self.asked.set()

    def wait(self):
        assert self.asked.wait(PATIENCE), "the runtime did not ask"
        return self.head

    def go_on(self):
        self.wait()
        self.connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


@pytest.fixture
def runtime(exposed):
    for name in ("zygote.py", "snapshot.py", "bootstrap.py"): shutil.copy(os.path.join(RUNTIME, name), exposed / name)
    task = exposed / "task"
    task.mkdir()
    return [mount(BIND, str(exposed), "/var/runtime"), mount(BIND, str(task), "/opt/task")], task


VARIABLES = {"LC_CTYPE": "C.UTF-8", "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9001", "_HANDLER": "app.handler", "LAMBDA_TASK_ROOT": "/opt/task",
             "AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start", "PYTHONPATH": "/var/runtime", "MINE": "snapshot"}


class Snapshot:
    def __init__(self, helper, runtime, code, **options):
        self.helper, (self.mounts, task) = helper, runtime
        (task / "app.py").write_text(code + "\ndef handler(event, context): pass\n")
        self.box = helper.create(mounts=self.mounts, snapshot=True, listen=[9001], **options)
        self.api = API(self.box.listeners[0])
        self.process, self.output = self.box.spawn(PYTHON, "/var/runtime/.//zygote.py", "snapshot", env=VARIABLES, cwd="/opt/task")

    def ready(self):
        self.helper.wait(ZYGOTE_READY, sandbox=self.box.id)
        assert "Martlet-Snapshot: yes" in self.api.wait()
        return self

    def fork(self, env=None, **options):
        box = self.helper.create(mounts=self.mounts, zygote=self.box.id, listen=[9001], **options)
        api = API(box.listeners[0])
        before = self.helper.figures()["programsExecuted"]
        process, output = box.spawn(PYTHON, "/var/runtime/bootstrap.py", env={**VARIABLES, **(env or {})}, cwd="/opt/task")
        assert self.helper.figures()["programsExecuted"] == before, self.helper.errors()
        return box, api, process, output


@pytest.fixture
def snapshot(helper, runtime):
    return lambda code, **options: Snapshot(helper, runtime, code, **options).ready()


HOOK = """
import snapshot_restore_py
@snapshot_restore_py.register_after_restore
def after():
    print(REPORT(), flush=True)
    import time; time.sleep(60)
"""


def said(fork):
    box, api, process, output = fork
    api.go_on()
    return json.loads(read_until(output, "\n"))


LOOK = """
import json, os, resource
def REPORT():
    status = dict(line.split(':\\t', 1) for line in open('/proc/self/status').read().splitlines() if ':\\t' in line)
    names = 'Uid Gid Groups CapInh CapPrm CapEff CapBnd CapAmb NoNewPrivs Seccomp'.split()
    return json.dumps({
        'status': {name: status[name] for name in names}, 'cgroup': open('/proc/self/cgroup').read(),
        'namespaces': {n: os.readlink('/proc/self/ns/' + n) for n in ('user', 'pid', 'mnt', 'net', 'ipc', 'uts', 'cgroup')},
        'variables': dict(os.environ), 'directory': os.getcwd(), 'root': sorted(os.listdir('/')), 'processes': [p for p in os.listdir('/proc') if p.isdigit()],
        'descriptors': sorted(os.listdir('/proc/self/fd')), 'limits': resource.getrlimit(resource.RLIMIT_NOFILE), 'pid': os.getpid()})
early = REPORT()
""" + HOOK.replace("REPORT()", "json.dumps([json.loads(early), json.loads(REPORT())])")


def test_a_fork_is_in_a_sandbox_and_the_snapshot_has_no_privilege(snapshot):
    made = snapshot(LOOK, nofile=123)
    one, other = made.fork({"MINE": "fork", "NEW": "x"}, nofile=123), made.fork(nofile=123)
    (early, first), (_, second) = said(one), said(other)
    assert early["status"]["CapPrm"].strip("0") == early["status"]["CapBnd"].strip("0") == early["status"]["CapInh"].strip("0") == ""
    assert early["status"]["NoNewPrivs"] == "1" and early["status"]["Seccomp"] == "2" and early["limits"] == [123, 123]
    assert early["status"]["Uid"].split()[0] == early["status"]["Uid"].split()[3] != "0"
    assert early["processes"] == [str(early["pid"])], "it sees nobody else"
    for fork in first, second:
        assert fork["status"]["CapPrm"].strip("0") == fork["status"]["CapBnd"].strip("0") == fork["status"]["CapEff"].strip("0") == ""
        assert fork["status"]["Uid"].split() == ["993"] * 4 and fork["status"]["Gid"].split() == ["990"] * 4
        assert fork["cgroup"].replace("/", "") != "" and "martlet" not in fork["cgroup"], fork["cgroup"]
        assert fork["directory"] == "/opt/task" and fork["root"] == early["root"] and fork["limits"] == [123, 123]
        assert all(fork["namespaces"][n] != early["namespaces"][n] for n in fork["namespaces"])
        assert sorted(fork["processes"]) == sorted(["1", str(fork["pid"])])
    assert all(first["namespaces"][n] != second["namespaces"][n] for n in first["namespaces"])
    assert first["variables"]["MINE"] == "fork" and first["variables"]["NEW"] == "x" and second["variables"]["MINE"] == "snapshot"
    assert "NEW" not in second["variables"]


SECRETS = """
import json, os, random, secrets, ssl, tempfile, uuid
def REPORT():
    return json.dumps([random.random(), random.getrandbits(64), os.urandom(8).hex(), secrets.token_hex(), ssl.RAND_bytes(16).hex(),
        str(uuid.uuid1()), str(uuid.uuid4()), next(tempfile._get_candidate_names())])
""" + HOOK


def test_forks_share_no_random_numbers(snapshot):
    made = snapshot(SECRETS)
    lists = [said(made.fork()) for _ in range(4)]
    for values in zip(*lists): assert len(set(values)) == len(lists), values


OPEN = """
import json, os, socket
data = open('/opt/task/app.py', 'rb')
beginning = data.read(5)
listener = socket.socket()
listener.bind(('127.0.0.1', 0)); listener.listen()
connection = socket.create_connection(listener.getsockname())
module = []
def REPORT():
    module.append(os.getpid())
    open('/tmp/own', 'x').close()
    os.environ['LEAK'] = 'x'
    try: connection.sendall(b'x' * 100); connection.recv(1); sent = 'nothing'
    except OSError as error: sent = type(error).__name__
    return json.dumps([data.tell(), data.read(3).decode(), os.lseek(data.fileno(), 0, 1), sent, len(module), os.listdir('/tmp')])
""" + HOOK


def test_forks_share_no_files_connections_or_memory(snapshot):
    made = snapshot(OPEN)
    for fork in [made.fork() for _ in range(3)]:
        tell, read, offset, sent, count, tmp = said(fork)
        assert tell == 5 and len(read) == 3 and offset >= 8 and sent in ("BrokenPipeError", "ConnectionResetError") and count == 1 and tmp == ["own"]


@pytest.mark.parametrize("code,reason", [
    ("import threading, time\nthreading.Thread(target=time.sleep, args=(60,), daemon=True).start()", "2 threads"),
    ("open('/tmp/x', 'w').write('x')", "files in /tmp"),
    ("import os\nends = os.pipe()", "a descriptor of pipe:"),
    ("import subprocess\nchild = subprocess.Popen(['/bin/sleep', '60'])", "child processes"),
])
def test_what_cannot_be_copied_is_no_snapshot(helper, runtime, code, reason):
    head = Snapshot(helper, runtime, code).api.wait()
    assert reason in re.search("Martlet-No-Snapshot: (.*)\r\n", head).group(1) and "Martlet-Snapshot:" not in head


TRY = """
import ctypes, errno, json, os, socket
libc = ctypes.CDLL(None, use_errno=True)
def attempt(what, *arguments):
    ctypes.set_errno(0)
    return 'done' if what(*arguments) >= 0 else errno.errorcode[ctypes.get_errno()]
def make(*arguments):
    try: socket.socket(*arguments).close(); return 'done'
    except OSError as error: return errno.errorcode[error.errno]
def option(level, name):
    with socket.socket() as s:
        try: s.setsockopt(level, name, bytes(64)); return 'done'
        except OSError as error: return errno.errorcode[error.errno]
def device(request):
    import fcntl
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        try: fcntl.ioctl(s, request, b'lo'.ljust(16, b'\\0') + bytes(24)); return 'done'
        except OSError as error: return errno.errorcode[error.errno]
def everything():
    return {
        'mount': attempt(libc.mount, b'none', b'/tmp', b'tmpfs', 0, None), 'unshare': attempt(libc.unshare, 0x10000000),
        'chroot': attempt(libc.chroot, b'/tmp'), 'hostname': attempt(libc.sethostname, b'x', 1), 'root': attempt(libc.setuid, 0),
        'mknod': attempt(libc.mknod, b'/tmp/disk', 0o60666, 0x800), 'own': attempt(libc.chown, b'/usr/bin/env', 0, 0),
        'raw': make(socket.AF_INET, socket.SOCK_RAW, 1), 'raw6': make(socket.AF_INET6, socket.SOCK_RAW, 58), 'packet': make(socket.AF_PACKET, socket.SOCK_RAW, 0),
        'netlink': make(socket.AF_NETLINK, socket.SOCK_RAW, 0), 'filters': option(0, 64), 'filters6': option(41, 64), 'repair': option(6, 19),
        'address': device(0x8916), 'flags': device(0x8914), 'route': device(0x890b), 'read': device(0x8913), 'stream': make(socket.AF_INET, socket.SOCK_STREAM),
        'datagram': make(socket.AF_INET6, socket.SOCK_DGRAM), 'pair': make(socket.AF_UNIX, socket.SOCK_SEQPACKET),
        'kill': attempt(libc.kill, 1, 9), 'init': os.access('/proc/1/mem', os.W_OK), 'clone': attempt(libc.syscall, 56, 0x10000000 | 17, None, None, None, None)}
"""
# The same as snapshot.py's enter(), but for what comes after it.
HOSTILE = TRY + """
import sys
snapshot = sys.modules['__main__'].wait_in_snapshot.__globals__
before = everything()
def stay(fields, filter):
    print(json.dumps([before, everything(), open('/proc/self/status').read()]), flush=True)
    import time; time.sleep(600)
def enter(namespaces):
    for descriptor in namespaces: snapshot['zygote'].setns(descriptor, 0)
    if os.fork():
        WHAT
snapshot['enter'] = enter
snapshot['zygote'].give_up_everything = stay
"""
REFUSED = {"EPERM", "ENOSYS", "EAFNOSUPPORT", "EROFS", "EINVAL"}
ALLOWED = {"read", "stream", "datagram", "pair"}


def hostile(helper, runtime, what):
    """A fork that keeps what it gets on its way in."""
    made = Snapshot(helper, runtime, HOSTILE.replace("WHAT", what)).ready()
    box = helper.create(mounts=made.mounts, zygote=made.box.id, listen=[9001])
    return made, box, *box.order(PYTHON, "/var/runtime/bootstrap.py", env=VARIABLES, cwd="/opt/task")


def test_a_fork_that_keeps_its_capabilities_has_little_of_them(helper, runtime):
    made, box, process, output = hostile(helper, runtime, "os._exit(0)")
    # It has not said that it runs; its output is its own all the same.
    before, after, status = json.loads(read_until(made.output, "\n"))
    assert re.search("CapEff:\t0*1f+", status), "it has every capability, over its nest"
    for found in before, after:
        assert {name for name, result in found.items() if result == "done" and name != "kill"} == ALLOWED, found
        assert {result for name, result in found.items() if name not in ALLOWED | {"kill", "init"}} <= REFUSED, found
    assert not before["init"] and not after["init"]
    helper.send(message(DESTROY, box.id))
    helper.wait(DESTROYED, sandbox=box.id)
    made.box.destroy()


ANOTHER_USER = "os.setresgid(990, 990, 990); os.setresuid(993, 993, 993)"


@pytest.mark.parametrize("what", ["import time; time.sleep(600)", "os.fork() and os._exit(0); import time; time.sleep(600)",
                                  f"{ANOTHER_USER}; import time; time.sleep(600)",
                                  f"{ANOTHER_USER}; os.fork() and os._exit(0); import time; time.sleep(600)"])
def test_forks_that_do_not_end_do_not_keep_the_sandbox(helper, runtime, what):
    made, box, process, output = hostile(helper, runtime, what)
    read_until(made.output, "\n")
    helper.send(message(DESTROY, box.id))
    assert helper.wait(FAILED, sandbox=box.id).get("REQUEST") == SPAWN, "it never said that it runs"
    helper.wait(DESTROYED, sandbox=box.id)
    other = helper.create(mounts=made.mounts)
    assert other.sh("echo fine")[1] == "fine\n"
    made.box.destroy()
    assert eventually(lambda: not [pid for pid in os.listdir("/proc") if pid.isdigit() and owner(pid) == 2000000 + 4096 + 64])


def owner(pid):
    try: return os.stat("/proc/" + pid).st_uid
    except OSError: return None


def test_forks_outlive_their_snapshot(helper, snapshot):
    made = snapshot(SECRETS)
    one, two = made.fork(), made.fork()
    assert said(one)
    made.box.signal(1, signal.SIGKILL)
    answer = helper.wait(EXITED, sandbox=made.box.id)
    assert answer.get("STATUS") == signal.SIGKILL
    assert said(two), "a fork goes on"
    # What comes then is executed.
    box = helper.create(mounts=made.mounts, zygote=made.box.id, listen=[9001])
    api = API(box.listeners[0])
    before = helper.figures()["programsExecuted"]
    process, output = box.spawn(PYTHON, "/var/runtime/bootstrap.py", env=VARIABLES, cwd="/opt/task")
    assert said((box, api, process, output)) and helper.figures()["programsExecuted"] == before + 1
    made.box.destroy()
    for box in one[0], two[0]: box.destroy()


def user_of(snapshot): return said(snapshot.fork())[0]["status"]["Uid"].split()[0]


def test_no_other_snapshot_has_the_user_of_forks_that_live(helper, snapshot):
    """Whoever has it may enter their sandboxes, and do there what it likes."""
    made = snapshot(LOOK)
    one = made.fork()
    user = said(one)[0]["status"]["Uid"].split()[0]
    made.box.destroy()
    other = snapshot(LOOK)
    assert user_of(other) != user
    one[0].destroy()
    assert user_of(snapshot(LOOK)) == user, "it is free again"


def test_no_other_sandbox_has_the_user_of_forks_while_their_snapshot_lives(helper, snapshot):
    """It may have kept the namespaces in which it may become that user."""
    def used(sandbox):
        user = sandbox.python("import os; print(os.stat('/proc/self').st_uid)")[1].strip()
        return {int(line.split()[1]) for line in sandbox.sh("cat /proc/self/uid_map")[1].splitlines() if line.split()[0] != "0"} or {int(user)}
    made = snapshot("def REPORT(): return open('/proc/self/uid_map').read().strip()\n" + HOOK.replace("print(REPORT()", "print(__import__('json').dumps(REPORT())"))
    fork = made.fork()
    user = int(said(fork).split()[1])
    fork[0].destroy()
    boxes = [helper.create(mounts=made.mounts) for _ in range(3)]
    assert user not in set.union(*map(used, boxes))
    fork = made.fork()
    assert int(said(fork).split()[1]) == user, "its own forks have it"
    fork[0].destroy()
    made.box.destroy()
    assert user in used(helper.create(mounts=made.mounts)), "it is free again"


def test_a_snapshot_ends_alone(helper, snapshot, runtime, exposed):
    """Whatever its user has ends with it, and so no other server's on this host may have the same user."""
    with Helper(expose=["/usr", "/bin", "/lib", "/lib64", "/etc/ld.so.cache", str(exposed)]) as other:
        theirs = Snapshot(other, runtime, LOOK).ready()
        ours = snapshot(LOOK)
        ours.box.destroy()
        assert said(theirs.fork())[1]["status"]["Uid"].split() == ["993"] * 4


def test_the_end_of_a_fork_is_told(helper, snapshot):
    made = snapshot("def REPORT():\n    import os; os._exit(9)\n" + HOOK)
    for _ in range(3):
        box, api, process, output = made.fork()
        api.go_on()
        assert box.finish(process, output)[0] == 9 << 8
        box.destroy()


def test_a_sandbox_of_a_fork_can_be_reset(helper, snapshot):
    made = snapshot(SECRETS)
    box, api, process, output = made.fork()
    api.go_on()
    read_until(output, "\n")
    box.reset()
    assert helper.wait(EXITED, sandbox=box.id).get("STATUS") == signal.SIGKILL
    box.zygote = None
    assert box.sh("echo again; cat /proc/self/uid_map")[1].split()[0] == "again"
    box.destroy()


def test_limits_hold_for_snapshot_and_forks(helper, runtime):
    made = Snapshot(helper, runtime, "memory = bytearray(400 << 20)", memory=64 * MB, tmp=16 * MB)
    answer = helper.wait(EXITED, sandbox=made.box.id)
    assert answer.get("STATUS") == signal.SIGKILL and answer.get("OOM") == 1
    made.box.destroy()
    made = Snapshot(helper, runtime, "def REPORT():\n    return len(bytearray(400 << 20))\n" + HOOK).ready()
    box, api, process, output = made.fork(memory=64 * MB, tmp=16 * MB)
    api.go_on()
    status, text, oom = box.finish(process, output)
    assert status == signal.SIGKILL and oom == 1, text


def test_a_thousand_forks_leave_nothing(helper, snapshot):
    made = snapshot("def REPORT(): return '1'\n" + HOOK)
    def count(): return len([pid for pid in os.listdir("/proc") if pid.isdigit()]), len(os.listdir(f"/proc/{helper.process.pid}/fd"))
    def run(times):
        for _ in range(times):
            fork = made.fork()
            assert said(fork) == 1
            os.close(fork[3])
            fork[0].destroy()
    run(5)
    before = count()
    run(60)
    assert eventually(lambda: count()[1] <= before[1] + 8 and count()[0] <= before[0] + 12), (before, count())
