# What a hostile function is told when it hits a limit, and what it cannot learn or reach: other environments, the
# platform, the host. Attacks on the server itself are in test_hostile_functions.py; single system calls are tried in
# Tests/SandboxTests/test_isolation.py.
import json
import os
import re
import threading

import pytest

from conftest import wait_until

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="limits and own uids need root")

HEAD = "import ctypes, errno, fcntl, glob, json, mmap, os, socket, stat, struct, subprocess, sys, threading, time\n"


def attack(server, name, body, event=None, **settings):
    server.create(name, HEAD + body, **{"Timeout": 10, "MemorySize": 1769, **settings})
    return server.invoke(name, event)


def failed(answer):
    assert (answer.status, answer.error) == (200, "Unhandled"), (answer.raw, answer.log)
    return answer.json["errorType"], answer.json["errorMessage"]


# ---------------------------------------------------------------------------------------------- limits, as AWS tells them

def test_a_fork_bomb_is_told_by_the_exception_of_its_language(server, name):
    """1,024 processes and threads; what the bomb left behind cannot keep the next invocation from running."""
    answer = attack(server, name, """
def handler(event, context):
    while event:
        if os.fork() == 0:
            time.sleep(60); os._exit(0)
    return 'well'
""", {"bomb": 1}, Timeout=60)
    assert failed(answer) == ("BlockingIOError", "[Errno 11] Resource temporarily unavailable")
    assert "REPORT RequestId" in answer.log and "Status" not in answer.log.split("REPORT")[1].split("\n")[0]


def test_a_thread_bomb(server, name):
    answer = attack(server, name, """
def handler(event, context):
    threading.stack_size(65536)
    stop = threading.Event()
    try:
        while True: threading.Thread(target=stop.wait, daemon=True).start()
    finally:
        print('threads:', threading.active_count())
        stop.set()
""")
    assert failed(answer) == ("RuntimeError", "can't start new thread")
    assert 900 < int(re.search(r"threads: (\d+)", answer.log).group(1)) <= 1024


def test_a_descriptor_hog(server, name):
    answer = attack(server, name, """
held = []
def handler(event, context):
    if event is None:
        held.clear()
        return 'well'
    try:
        while True: held.append(open('/dev/null'))
    finally: print('open:', len(os.listdir('/proc/self/fd')) if held.pop() else 0)
""", {})
    assert failed(answer) == ("OSError", "[Errno 24] Too many open files: '/dev/null'")
    assert 1000 < int(re.search(r"open: (\d+)", answer.log).group(1)) <= 1024
    assert server.invoke(name, b"null").succeeded() == "well"


@pytest.mark.parametrize("megabytes", [512, 1024])
def test_a_disk_filler_meets_its_ephemeral_storage(server, name, megabytes):
    """/tmp ends at EphemeralStorage, is not counted as memory, and is kept full for the next invocation."""
    # With one environment only nothing runs beside it, even if it takes a moment to come back from its work.
    server.create(name, HEAD + """
def handler(event, context):
    if event: return os.statvfs('/tmp').f_bavail
    with open('/tmp/filler', 'wb', 0) as f:
        piece = bytes(1 << 20)
        try:
            while True: f.write(piece)
        finally: print('written:', f.tell() >> 20)
""", Timeout=60, EphemeralStorage={"Size": megabytes}, MemorySize=1769)
    server.client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
    answer = server.invoke(name)
    assert failed(answer) == ("OSError", "[Errno 28] No space left on device")
    written = int(re.search(r"written: (\d+)", answer.log).group(1))
    assert megabytes * 15 // 16 <= written <= megabytes

    def look():
        try:
            return server.invoke(name, {"look": 1})
        except server.client.exceptions.TooManyRequestsException:
            return None
    assert wait_until(look, 10, "an answer of the only environment").succeeded() == 0


def test_a_memory_hog_among_the_children(server, name):
    """The limit is one for all processes of the environment."""
    answer = attack(server, name, """
def handler(event, context):
    if not event: return 'well'
    for _ in range(4):
        if os.fork() == 0:
            held = bytearray(60 << 20)
            time.sleep(30); os._exit(0)
    time.sleep(30)
""", {"eat": 1}, MemorySize=128, Timeout=20)
    kind, message = failed(answer)
    assert kind == "Runtime.ExitError" and message.endswith("Error: Runtime exited with error: signal: killed")
    assert re.search(r"Max Memory Used: 128 MB\tInit Duration: [\d.]+ ms\tStatus: error\tError Type: Runtime.OutOfMemory\n", answer.log), answer.log
    assert server.invoke(name, {}).succeeded() == "well"


# ---------------------------------------------------------------------------------------------- other environments

VICTIM = HEAD + """
libc = ctypes.CDLL(None, use_errno=True)
def handler(event, context):
    secret = event['secret'].encode()
    open('/tmp/secret', 'wb').write(secret)
    open('/dev/shm/secret', 'wb').write(secret)
    libc.shmat.restype = ctypes.c_void_p
    shared = libc.shmat(libc.shmget(4711, 4096, 0o1666), None, 0)
    ctypes.memmove(shared, secret, len(secret))
    door = socket.socket(socket.AF_UNIX); door.bind(b'\\0secret'); door.listen()
    port = socket.create_server(('0.0.0.0', 8123))
    os.environ['SECRET'] = event['secret']
    held = secret * 1000
    print('ready', flush=True)
    time.sleep(event['seconds'])
    return 'unharmed'
"""

SPY = """
libc = ctypes.CDLL(None, use_errno=True)
def readable(path):
    try:
        with open(path, 'rb') as f: return f.read(1 << 20)
    except OSError: return b''
def handler(event, context):
    secret = bytes(reversed(event['terces'].encode()))
    found = []
    for top, directories, files in os.walk('/'):
        directories[:] = [d for d in directories if os.path.join(top, d) not in ('/usr', '/proc', sys.prefix)]
        found += [os.path.join(top, f) for f in files if os.path.isfile(os.path.join(top, f)) and secret in readable(os.path.join(top, f))]
    for process in os.listdir('/proc'):
        if process.isdigit() and int(process) != os.getpid():
            for file in ('environ', 'cmdline', 'maps', 'stack', 'mem', 'status', 'root/tmp/secret', 'cwd/tmp/secret'):
                if secret in readable(f'/proc/{process}/{file}'): found.append(f'/proc/{process}/{file}')
    if libc.shmget(4711, 4096, 0) >= 0: found.append('shared memory')
    for family, address in ((socket.AF_UNIX, b'\\0secret'), (socket.AF_INET, ('127.0.0.1', 8123))):
        with socket.socket(family) as s:
            s.settimeout(1)
            if s.connect_ex(address) == 0: found.append(repr(address))
    for pid in range(2, 40000):
        if pid not in (os.getpid(),) and os.path.exists(f'/proc/{pid}') and int(open(f'/proc/{pid}/stat').read().rsplit(')', 1)[1].split()[1]) != os.getpid():
            found.append(f'process {pid}')
    return found
"""


def test_environments_cannot_see_each_other(server, name):
    """A spy beside a victim that holds a secret in files, memory, shared memory, sockets and variables."""
    server.create(f"{name}-victim", VICTIM, Timeout=30, MemorySize=512, Environment={"Variables": {"OTHER": "secret-" + "5ae1"}})
    secret = "the-" + "secret-5ae1"
    answers = []
    victim = threading.Thread(target=lambda: answers.append(
        server.invoke(f"{name}-victim", {"secret": secret, "seconds": 6})))
    victim.start()
    spy = attack(server, name, SPY, {"terces": secret[::-1]}, Timeout=20)
    victim.join()
    assert answers[0].succeeded() == "unharmed"
    assert spy.succeeded() == []
    # The victim is frozen now and still has everything; nothing of it is reachable either.
    assert server.invoke(name, {"terces": secret[::-1]}).succeeded() == []


def test_the_environment_of_the_platform_is_not_readable(own_server):
    secret = "platform-" + "key-91c7"
    server = own_server(environment={"AWS_SECRET_ACCESS_KEY": secret, "PGPASSWORD": secret})
    assert attack(server, "spy", SPY, {"terces": secret[::-1]}, Timeout=20).succeeded() == []
    assert secret not in json.dumps(server.invoke("spy", {"terces": "x"}).json)


def test_no_descriptor_of_the_platform_is_inherited(server, name):
    """Beside its three pipes a runtime has its own connection to the Runtime API, and nothing else is open."""
    answer = attack(server, name, """
def handler(event, context):
    found = {}
    for fd in os.listdir('/proc/self/fd'):
        try: found[fd] = os.readlink(f'/proc/self/fd/{fd}')
        except OSError: pass
    return found
""")
    kinds = sorted(re.sub(r"[:\d\[\]]+$", "", target) for fd, target in answer.succeeded().items() if "/proc/" not in target)
    assert kinds == ["/dev/null", "pipe", "pipe", "socket"], answer.json


# ---------------------------------------------------------------------------------------------- ways out

@pytest.mark.parametrize("kind, major, minor", [
    ("c", 1, 1), ("c", 1, 2), ("c", 1, 11), ("b", 8, 0), ("b", 254, 0), ("c", 10, 200), ("c", 10, 229), ("c", 10, 232), ("c", 5, 1)])
def test_device_nodes_do_not_work(server, kind, major, minor):
    if not hasattr(test_device_nodes_do_not_work, "ready"):
        server.create("devices", HEAD + """
def handler(event, context):
    kind, major, minor = event
    path = f'/tmp/{kind}-{major}-{minor}'
    try:
        os.mknod(path, (stat.S_IFCHR if kind == 'c' else stat.S_IFBLK) | 0o666, os.makedev(major, minor))
        return ['opened', os.open(path, os.O_RDWR)]
    except OSError as e: return ['refused', errno.errorcode[e.errno]]
""")
        test_device_nodes_do_not_work.ready = True
    outcome, why = server.invoke("devices", [kind, major, minor]).succeeded()
    assert outcome == "refused" and why in ("EPERM", "EACCES")


def test_symbolic_links_in_tmp_lead_nowhere(server, name):
    """Links to files of the host are resolved inside, also by whoever kills, resets and reuses the environment."""
    targets = ["/etc/shadow", "/root/.bashrc", "/home", server.state, f"{server.state}/martlet.db", "/proc/1/root/etc/shadow", "/proc/1/cwd/../../etc/shadow",
               "/proc/self/root/../../../etc/shadow", "../../../../../../etc/shadow", "/sys/kernel", "/run", "/boot", "/dev/mem"]
    answer = attack(server, name, """
def handler(event, context):
    if event == 'again': return sorted(os.listdir('/tmp'))
    if event == 'sleep': time.sleep(60)
    reached = []
    for i, target in enumerate(event):
        os.symlink(target, f'/tmp/{i}')
        try: reached.append([target, os.listdir(f'/tmp/{i}') if os.path.isdir(f'/tmp/{i}') else open(f'/tmp/{i}').read(10)])
        except OSError: pass
    return reached
""", targets, Timeout=2)
    assert answer.succeeded() == []
    assert failed(server.invoke(name, b'"sleep"'))[0] == "Sandbox.Timedout"
    assert server.invoke(name, b'"again"').succeeded() == sorted(str(i) for i in range(len(targets)))


@pytest.mark.parametrize("place", ["/", "/bin", "/usr/lib", "/etc", "/etc/passwd", "/var", "/var/task/new", "/var/task/app.py", "/var/runtime/bootstrap.py",
                                   "/opt/x", "/dev/x", "/proc/sys/net/ipv4/ip_forward", "/proc/sys/kernel/hostname", "/proc/1/comm",
                                   "/sys/fs/cgroup/memory.max", "/home/x", "/root/x", "/mnt/x", "/lib/x.so"])
def test_nothing_outside_of_tmp_can_be_written(server, place):
    if not hasattr(test_nothing_outside_of_tmp_can_be_written, "ready"):
        server.create("writer", HEAD + """
def handler(event, context):
    path = event if not os.path.isdir(event) else event + '/x'
    told = []
    for how in (lambda: open(path, 'ab', 0).write(b'-1000'), lambda: os.rename('/var/task/app.py', path), lambda: os.mkdir(path + '.d'), lambda: os.unlink(path),
                lambda: os.chmod(path, 0o777), lambda: os.utime(path), lambda: os.link('/var/task/app.py', path + '.l')):
        try:
            how()
            told.append('done')
        except OSError as e: told.append(errno.errorcode[e.errno])
    return told
""")
        test_nothing_outside_of_tmp_can_be_written.ready = True
    assert "done" not in server.invoke("writer", place).succeeded()


def test_programs_of_its_own_with_a_set_user_bit(server, name):
    """A copy of a program cannot be given to root, and its bits mean nothing where it lies."""
    answer = attack(server, name, """
def handler(event, context):
    import shutil
    shutil.copy('/usr/bin/id', '/tmp/id')
    told = []
    for owner in ((0, 0), (0, -1), (1000, 1000)):
        try: os.chown('/tmp/id', *owner); told.append('chowned')
        except OSError as e: told.append(errno.errorcode[e.errno])
    os.chmod('/tmp/id', 0o6755)
    return told + [subprocess.run(['/tmp/id', '-u'], capture_output=True, text=True).stdout.strip()]
""")
    told = answer.succeeded()
    assert "chowned" not in told and told[-1] == "993"


def test_namespaces_and_mounts_by_the_tools_of_the_host(server, name):
    answer = attack(server, name, """
def handler(event, context):
    return [[line, subprocess.run(['/bin/sh', '-c', line], capture_output=True, text=True, stdin=subprocess.DEVNULL).returncode] for line in event]
""", ["unshare -r true", "unshare -m true", "unshare -n true", "nsenter -t 1 -m true", "nsenter -t 1 -a true", "mount -t proc proc /tmp", "mount --bind / /tmp",
      "mount -o remount,rw /", "umount /proc", "chroot /tmp /bin/sh -c true", "swapoff -a", "sysctl -w kernel.panic=1", "dmesg", "kill -9 1 && sleep 0.2 && exit 1",
      "setpriv --reuid 0 true", "su -c true", "mknod /dev/x c 1 1", "ip link set lo down", "insmod /tmp/x.ko", "losetup -f", "date -s 2020-01-01"])
    assert [line for line, code in answer.succeeded() if code == 0] == []


def test_the_platforms_own_pages_are_not_for_functions(server, name):
    """What a function reaches at AWS_ENDPOINT_URL is the API of AWS; the operator's pages answer nothing there."""
    answer = attack(server, name, """
import urllib.request, urllib.error
def handler(event, context):
    told = {}
    for page in event:
        for method in ('GET', 'PUT', 'POST', 'DELETE'):
            try: told[method + ' ' + page] = urllib.request.urlopen(urllib.request.Request(os.environ['AWS_ENDPOINT_URL'] + page, method=method, data=b'{}'), timeout=5).status
            except urllib.error.HTTPError as e: told[method + ' ' + page] = e.code
    return told
""", ["/_martlet/functions/x/directory", "/_martlet/clock", "/_martlet/code/00", "/_martlet/"])
    assert set(answer.succeeded().values()) <= {403, 404}, answer.json


def test_cgroups_are_out_of_reach(server, name):
    answer = attack(server, name, """
def handler(event, context):
    seen = open('/proc/self/cgroup').read().splitlines()
    return [[line.split(':', 2)[2] for line in seen], [m.split()[4] for m in open('/proc/self/mountinfo') if ' cgroup' in m]]
""")
    paths, mounts = answer.succeeded()
    assert set(paths) <= {"/"} and mounts == []


def test_a_tree_so_deep_that_nobody_can_walk_it(server, name):
    """20,000 directories inside each other, a name of 255 bytes each; the environment is reset and removed all the same."""
    answer = attack(server, name, """
def handler(event, context):
    if event == 'sleep': time.sleep(60)
    for i in range(20000):
        os.mkdir('d' * 255 if i else '/tmp/' + 'd' * 250); os.chdir('d' * 255 if i else '/tmp/' + 'd' * 250)
    return i
""", Timeout=20)
    assert answer.succeeded() == 19999
    server.client.update_function_configuration(FunctionName=name, Timeout=1)
    server.client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.02, "MaxAttempts": 3000})
    assert failed(server.invoke(name, b'"sleep"'))[0] == "Sandbox.Timedout"


def test_function_urls_and_links_to_code_are_for_functions_too(server, name):
    """What is refused is the operator's, not what anybody may have."""
    server.create(f"{name}-other", "def handler(event, context):\n    return event['rawPath']\n")
    url = server.client.create_function_url_config(FunctionName=f"{name}-other", AuthType="NONE")["FunctionUrl"]
    server.client.add_permission(FunctionName=f"{name}-other", StatementId="all", Action="lambda:InvokeFunctionUrl", Principal="*", FunctionUrlAuthType="NONE")
    identifier = re.search(r"//([a-z0-9]{32})\.", url).group(1)
    answer = attack(server, name, """
import urllib.request
def handler(event, context): return urllib.request.urlopen(os.environ['AWS_ENDPOINT_URL'] + event).read().decode()
""", f"/_martlet/url/{identifier}/_martlet/functions/x/directory")
    assert answer.succeeded() == "/_martlet/functions/x/directory"
