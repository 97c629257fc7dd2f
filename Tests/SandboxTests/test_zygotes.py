"""Programs that are forked from a zygote: the same as executed ones, sharing nothing, and executed where a fork fails."""
import json, os, re, shutil, signal, sys
import pytest
from driver import *

PYTHON = "/usr/bin/python3"
RUNTIME = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "Runtimes", "python")
# Stands for the bootstrap: runs what its environment says. What the zygote rehearses does nothing.
BOOTSTRAP = """
import os
class RuntimeAPI:
    def __init__(self, address): pass
log_sink, log_handler, WAITING = None, None, '--martlet-stem'
def nothing(*_): pass
StandardLogSink = read_settings = set_search_path = set_up_logging = load_handler = serve = furnish = nothing
def main(): exec(os.environ['CODE'], globals())
if __name__ == '__main__': main()
"""


@pytest.fixture
def runtime(exposed):
    for name in ("zygote.py", "sdk.py"): shutil.copy(os.path.join(RUNTIME, name), exposed / name)
    (exposed / "bootstrap.py").write_text(BOOTSTRAP)
    return [mount(BIND, str(exposed), "/var/runtime")]


@pytest.fixture
def zygote(helper, runtime):
    return helper.zygote(PYTHON, "/var/runtime/.//zygote.py", mounts=runtime, env={"LC_CTYPE": "C.UTF-8"})


@pytest.fixture(params=["ahead", "late"])
def forked(request, helper, zygote, runtime):
    """Makes sandboxes whose program is forked: before it is ordered, or then."""
    if request.param == "ahead":
        helper.level(zygote, 2)
        assert eventually(lambda: helper.figures()["forksReady"] == 2)
    kind = "forksTaken" if request.param == "ahead" else "forksMadeLate"

    def make(**options):
        assert request.param == "late" or eventually(lambda: helper.figures()["forksReady"] > 0)
        return helper.create(mounts=runtime, zygote=zygote, **options)
    yield make
    figures = helper.figures()
    assert figures[kind] > 0 and figures["forksFailed"] == 0


def start(sandbox, code, **options):
    return sandbox.spawn(PYTHON, "/var/runtime/bootstrap.py", env={"CODE": code, **options.pop("env", {})}, cwd="/var/task", **options)


def run(sandbox, code, **options): return sandbox.finish(*start(sandbox, code, **options))


def executions(helper): return helper.figures()["programsExecuted"]


def process_ids(helper, zygote_first=True):
    """The zygotes of a helper, from outside."""
    return [pid for pid in children(helper.process.pid) if b"zygote.py" in open(f"/proc/{pid}/cmdline", "rb").read()]


def children(pid):
    return [int(child) for child in open(f"/proc/{pid}/task/{pid}/children").read().split()]


LOOK = """
import json, os, resource, sys
status = dict(line.split(':\\t', 1) for line in open('/proc/self/status').read().splitlines() if ':\\t' in line)
names = 'Uid Gid Groups CapInh CapPrm CapEff CapBnd CapAmb NoNewPrivs Seccomp SigBlk Umask'.split()
limits = [resource.getrlimit(getattr(resource, n)) for n in dir(resource) if n.startswith('RLIMIT_')]
print(json.dumps({
    'status': {name: status[name] for name in names}, 'limits': limits,
    'namespaces': {n: os.readlink('/proc/self/ns/' + n) for n in ('user', 'pid', 'mnt', 'net', 'ipc', 'uts', 'cgroup')},
    'cgroup': open('/proc/self/cgroup').read(), 'variables': dict(os.environ), 'arguments': sys.argv, 'path': sys.path,
    'directory': os.getcwd(), 'root': sorted(os.listdir('/')), 'descriptors': sorted(os.listdir('/proc/self/fd')), 'main': __name__,
    'flags': str(sys.flags), 'executable': sys.executable, 'session': [os.getsid(0) == os.getpid(), os.getpgrp() == os.getpid()],
    'streams': [[s.fileno(), s.mode, s.name, s.encoding, s.errors, s.line_buffering, s.seekable()] for s in (sys.stdin, sys.stdout, sys.stderr)],
    'line': open('/proc/self/cmdline').read(), 'securebits': __import__('ctypes').CDLL(None).prctl(27), 'dumpable': __import__('ctypes').CDLL(None).prctl(3),
}))
"""


def test_a_fork_looks_like_an_executed_program(helper, forked):
    sandbox = forked(pids=33, nofile=123)
    environment = {"CODE": LOOK, "LC_CTYPE": "C.UTF-8"}
    process, reading = sandbox.spawn(PYTHON, "/var/runtime/bootstrap.py", env=environment, cwd="/var/task")
    status, text, _ = sandbox.finish(process, reading)
    sandbox.zygote = None
    status2, text2, _ = sandbox.run(PYTHON, "/var/runtime/bootstrap.py", env=environment, cwd="/var/task")
    assert status == status2 == 0, text + text2
    one, other = json.loads(text), json.loads(text2)
    assert one == other
    assert one["status"]["CapPrm"].strip("0") == one["status"]["CapBnd"].strip("0") == "" and one["status"]["Seccomp"] == "2"


SECRETS = """
import json, multiprocessing, os, random, secrets, socket, ssl, tempfile, uuid
multiprocessing_key = bytes(multiprocessing.current_process().authkey).hex()
print(json.dumps([random.random(), random.getrandbits(64), os.urandom(8).hex(), secrets.token_hex(), ssl.RAND_bytes(16).hex(),
    str(uuid.uuid1()), str(uuid.uuid4()), next(tempfile._get_candidate_names()), multiprocessing_key, id(object()) and os.getpid() and random.gauss(0, 1)]))
"""


def test_forks_share_no_random_numbers(helper, forked):
    lists = [json.loads(run(forked(), SECRETS)[1]) for _ in range(6)]
    for values in zip(*lists): assert len(set(values)) == len(lists), values


def test_forks_share_no_memory_variables_offsets_or_files(helper, forked):
    write = "import json, os, sys\njson.leak = 'marker'; os.environ['LEAK'] = 'marker'; open('/tmp/leak', 'w').write('x'); print(os.lseek(0, 0, 1), flush=True)\n"
    first = forked()
    process, reading = start(first, write + "import time; time.sleep(60)", env={"SECRET": "of the first"})
    assert read_until(reading, "0")
    status, text, _ = run(forked(), "import json, os\nprint(hasattr(json, 'leak'), dict(os.environ), os.listdir('/tmp'), os.listdir('/proc/self/fd'))")
    assert text.startswith("False {'CODE'") and "LEAK" not in text and "SECRET" not in text and "marker" not in text
    assert "} [] ['0', '1', '2', '3']" in text
    os.close(reading)


def test_no_secret_of_a_fork_is_in_the_zygote_or_its_other_forks(helper, zygote, forked):
    secret = "very-" + "secret-" + os.urandom(8).hex()
    sandbox = forked()
    _, reading = start(sandbox, "print('up', flush=True)\nimport time; time.sleep(60)", env={"SECRET": secret})
    read_until(reading, "up")
    helper.level(zygote, 3)
    assert eventually(lambda: helper.figures()["forksReady"] == 3)
    zygotes = process_ids(helper)
    others = [pid for pid in [*zygotes, *children(zygotes[0]), *children(helper.process.pid)]]
    holders = [pid for pid in others if secret.encode() in memory_of(pid)]
    assert len(holders) == 1 and holders[0] in children(zygotes[0])   # the fork itself
    os.close(reading)


def memory_of(pid):
    found = b""
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in maps:
            area = re.match(r"([0-9a-f]+)-([0-9a-f]+) rw", line)
            if not area: continue
            low, high = (int(number, 16) for number in area.groups())
            memory.seek(low)
            try: found += memory.read(high - low)
            except OSError: pass
    return found


def test_zygotes_that_start_together_have_their_filters(helper, runtime):
    """All read them from the same file."""
    zygotes = [helper.zygote(PYTHON, "/var/runtime/.//zygote.py", mounts=runtime, env={"LC_CTYPE": "C.UTF-8"}, wait=False) for _ in range(3)]
    for zygote in zygotes: assert helper.wait(ZYGOTE_READY, FAILED, sandbox=zygote).type == ZYGOTE_READY
    for zygote in zygotes:
        assert "Seccomp:\t2" in run(helper.create(mounts=runtime, zygote=zygote), "print(open('/proc/self/status').read())")[1]
    assert helper.figures()["forksFailed"] == 0


def test_the_zygote_has_two_capabilities_and_nothing_else(helper, zygote):
    [pid] = process_ids(helper)
    status = dict(line.split(":\t", 1) for line in open(f"/proc/{pid}/status").read().splitlines() if ":\t" in line)
    two = f"{1 << 21 | 1 << 18:016x}"   # CAP_SYS_ADMIN, CAP_SYS_CHROOT
    assert [status["Cap" + name] for name in ("Prm", "Eff", "Bnd")] == [two] * 3
    assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2" and status["Groups"].strip() == ""
    uid = 2000000 + 4096
    assert status["Uid"].split() == status["Gid"].split() == [str(uid)] * 4
    for name in ("mnt", "net", "ipc", "uts"):
        assert os.readlink(f"/proc/{pid}/ns/{name}") != os.readlink(f"/proc/self/ns/{name}")
    assert os.listdir(f"/proc/{pid}/root/proc") == [] if os.path.isdir(f"/proc/{pid}/root/proc") else True
    assert open(f"/proc/{pid}/net/dev").read().count(":") == 1   # loopback, and down
    held = {int(fd): os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")}
    assert set(held.values()) - {held[3]} == {"/dev/null", os.readlink("/proc/self/ns/pid")} and held[3].startswith("socket:"), held


@pytest.mark.parametrize("code, expected", [
    ("import os; os._exit(7)", 7 << 8), ("import os; os.kill(os.getpid(), 9)", 9), ("import sys; sys.exit('no')", 1 << 8), ("1", 0)])
def test_ends_are_told(forked, code, expected):
    assert run(forked(), code)[0] == expected


def test_signals_arrive(forked):
    sandbox = forked()
    process, reading = start(sandbox, "print('up', flush=True)\nimport time; time.sleep(60)")
    read_until(reading, "up")
    sandbox.signal(process, signal.SIGTERM)
    assert sandbox.finish(process, reading)[0] == signal.SIGTERM


def test_signals_reach_the_first_thread_of_a_frozen_fork(forked):
    """Python runs a handler in its first thread, and that one sleeps on if the kernel hands the signal to another."""
    sandbox = forked()
    process, reading = start(sandbox, LISTENING)
    signal_frozen(sandbox, process, reading)


def test_children_of_a_fork_belong_to_the_sandbox(forked):
    sandbox = forked()
    code = "import os, subprocess\nprint(subprocess.run(['/bin/sh', '-c', 'echo $$ $PPID'], capture_output=True, text=True).stdout, os.getpid())"
    status, text, _ = run(sandbox, code)
    inner, parent, own = map(int, text.split())
    assert status == 0 and parent == own and 1 < own < inner < 10


def test_limits_hold(forked):
    sandbox = forked(memory=64 * MB, pids=8)
    assert run(sandbox, "import os\ntry:\n  while os.fork(): pass\nexcept OSError as e: print(e.errno, flush=True); os.kill(-1, 9)\nelse:\n  import time; time.sleep(9)")[1] == "11\n"
    sandbox = forked(memory=64 * MB)
    status, _, oom = run(sandbox, "x = bytearray(100 << 20)\nfor i in range(0, len(x), 4096): x[i] = 1\nimport time; time.sleep(9)")
    assert (status, oom) == (signal.SIGKILL, 1)


def test_reset_and_destroy_end_a_fork(helper, forked):
    sandbox = forked(listen=[9001])
    process, reading = start(sandbox, "import time; open('/tmp/a', 'w').write('x'); print('up', flush=True); time.sleep(60)")
    read_until(reading, "up")
    sandbox.reset()
    assert helper.wait(EXITED, sandbox=sandbox.id, process=process).get("STATUS") == signal.SIGKILL
    process, again = start(sandbox, "import os, time; print(os.listdir('/tmp'), flush=True); time.sleep(60)")
    assert read_until(again, "\n") == "['a']\n"
    sandbox.destroy()
    assert helper.wait(EXITED, sandbox=sandbox.id, process=process).get("STATUS") == signal.SIGKILL
    assert read_all(reading) == read_all(again) == ""


def test_it_can_be_frozen(helper, forked):
    sandbox = forked()
    process, reading = start(sandbox, "import time\nwhile True: print('x', flush=True); time.sleep(0.001)")
    read_until(reading, "x")
    kind = FREEZE_V2 if FREEZE_V2 in sandbox.fds else FREEZE_V1
    os.write(sandbox.fds[kind], b"1" if kind == FREEZE_V2 else b"FROZEN")
    def is_silent():
        try: return read_until(reading, "never", timeout=0.2) and False
        except TimeoutError as silence: return str(silence) == "b''"
    assert eventually(is_silent)
    sandbox.destroy()
    assert helper.wait(EXITED, sandbox=sandbox.id, process=process).get("STATUS") == signal.SIGKILL
    os.close(reading)


def test_forks_outlive_their_zygote(helper, zygote, forked):
    sandbox = forked()
    process, reading = start(sandbox, "import sys; print('up', flush=True)\nimport os, time\nwhile not os.path.exists('/tmp/end'): time.sleep(0.01)\nos._exit(5)")
    read_until(reading, "up")
    os.kill(process_ids(helper)[0], signal.SIGKILL)
    helper.wait(DESTROYED, sandbox=zygote)
    sandbox.sh("touch /tmp/end")
    assert sandbox.finish(process, reading)[0] == 5 << 8
    status, text, _ = run(sandbox, "print('executed')")
    assert text == "executed\n"


@pytest.mark.parametrize("moment", ["before", "parked", "with order"])
def test_without_a_zygote_programs_are_executed(helper, zygote, runtime, moment):
    helper.level(zygote, 2)
    assert eventually(lambda: helper.figures()["forksReady"] == 2)
    [pid] = process_ids(helper)
    if moment == "before":
        os.kill(pid, signal.SIGKILL)
        helper.wait(DESTROYED, sandbox=zygote)
    if moment == "parked":
        for child in children(pid): os.kill(child, signal.SIGKILL)
    sandbox = helper.create(mounts=runtime, zygote=zygote)
    if moment == "with order":
        os.kill(pid, signal.SIGSTOP)
        for child in children(pid): os.kill(child, signal.SIGSTOP)
        process, reading = sandbox.order(PYTHON, "/var/runtime/bootstrap.py", env={"CODE": "print(1)"})
        os.kill(pid, signal.SIGKILL)
        helper.wait(SPAWNED, sandbox=sandbox.id, process=process)
    else:
        process, reading = start(sandbox, "print(1)")
    assert sandbox.finish(process, reading)[:2] == (0, "1\n")
    assert moment == "parked" or executions(helper) == 1
    sandbox.destroy()


def test_a_lower_level_gives_back_and_a_stopped_zygote_holds_nobody_up(helper, zygote, runtime):
    helper.level(zygote, 4)
    assert eventually(lambda: helper.figures()["forksReady"] == 4)
    helper.level(zygote, 1)
    assert helper.figures()["forksReady"] == 1
    os.kill(process_ids(helper)[0], signal.SIGSTOP)
    helper.level(zygote, 0)
    assert helper.figures()["forksReady"] == 0
    helper.wait(DESTROYED, sandbox=zygote)
    sandbox = helper.create(mounts=runtime, zygote=zygote)
    assert run(sandbox, "print(1)")[:2] == (0, "1\n")


def test_the_helper_ends_though_a_zygote_is_stopped(exposed, runtime):
    with Helper(expose=["/usr", "/bin", "/lib", "/lib64", "/etc/ld.so.cache", str(exposed)]) as helper:
        helper.hello()
        zygote = helper.zygote(PYTHON, "/var/runtime/.//zygote.py", mounts=runtime)
        helper.level(zygote, 2)
        assert eventually(lambda: helper.figures()["forksReady"] == 2)
        sandbox = helper.create(mounts=runtime, zygote=zygote)
        _, reading = start(sandbox, "print('up', flush=True)\nimport time; time.sleep(60)")
        read_until(reading, "up")
        os.kill(process_ids(helper)[0], signal.SIGSTOP)
        os.close(reading)
    assert not cgroup_directories(helper.name)


def test_a_fork_that_fails_is_replaced_by_an_execution(helper, runtime, exposed):
    (exposed / "bootstrap.py").write_text(BOOTSTRAP + "if __name__ == 'waiting': os.setsid = None   # which a fork needs\n")
    zygote = helper.zygote(PYTHON, "/var/runtime/.//zygote.py", mounts=runtime)
    sandbox = helper.create(mounts=runtime, zygote=zygote)
    assert run(sandbox, "print(1)")[:2] == (0, "1\n")
    assert helper.figures()["forksFailed"] == executions(helper) == 1


@pytest.mark.parametrize("argv", [("/usr/bin/nothing",), (PYTHON, "/var/runtime/nothing.py"), (PYTHON, "-c", "1")])
def test_a_zygote_that_does_not_come_up_is_told(helper, runtime, argv):
    with pytest.raises(Failed): helper.zygote(*argv, mounts=runtime)
    helper.create().destroy()


def test_a_broken_bootstrap_is_told_with_its_reason(helper, runtime, exposed):
    (exposed / "bootstrap.py").write_text("this is no python")
    with pytest.raises(Failed, match="invalid syntax"): helper.zygote(PYTHON, "/var/runtime/.//zygote.py", mounts=runtime)


def test_what_the_function_brings_is_preferred(helper, zygote, runtime, exposed):
    task = exposed / "task"
    task.mkdir()
    (task / "csv.py").write_text("own = True\n")
    sandbox = helper.create(mounts=[*runtime, mount(BIND, str(task), "/var/task")], zygote=zygote)
    status, text, _ = run(sandbox, "import sys; sys.path.insert(0, '/var/task')\nimport csv; print(csv.own)")
    assert text == "True\n"


def test_many_starts_leave_nothing(helper, zygote, runtime):
    helper.level(zygote, 3)

    def census():
        figures = helper.figures()
        descriptors = {pid: len(os.listdir(f"/proc/{pid}/fd")) for pid in [helper.process.pid, *process_ids(helper)]}
        return figures["nestsReady"], figures["forksReady"], figures["sandboxes"], descriptors, len(cgroup_directories(helper.name)), \
            len(children(helper.process.pid)), len(children(process_ids(helper)[0]))
    def memory():
        """KiB that are a process's own: the helper's, and the zygote's, which the collector of its Python may grow once."""
        return [int(re.search(r"RssAnon:\s+(\d+)", open(f"/proc/{pid}/status").read()).group(1)) for pid in [helper.process.pid, *process_ids(helper)]]

    def namespaces():
        """Those that a process is in or holds open."""
        found = set()
        for pid in [helper.process.pid, *children(helper.process.pid), *process_ids(helper)]:
            for directory in ("ns", "fd"):
                for name in os.listdir(f"/proc/{pid}/{directory}"):
                    try: target = os.readlink(f"/proc/{pid}/{directory}/{name}")
                    except FileNotFoundError: continue
                    if ":[" in target and not target.startswith(("socket", "pipe")): found.add(target)
        return len(found)
    starts = int(os.environ.get("STARTS", 150))
    assert eventually(lambda: census()[:3] == (4, 3, 0))
    before, mounts, spaces, held = census(), open("/proc/self/mountinfo").read(), namespaces(), memory()
    for round in range(starts):
        sandbox = helper.create(mounts=runtime, zygote=zygote, listen=[9001])
        process, reading = start(sandbox, "import time; print(1, flush=True); time.sleep(%d)" % (60 * (round % 2)))
        assert read_until(reading, "1")
        if round % 3 == 0: sandbox.reset()
        sandbox.destroy()
        os.close(reading)
    assert eventually(lambda: census() == before), (before, census())
    assert open("/proc/self/mountinfo").read() == mounts and eventually(lambda: namespaces() == spaces)
    print(f"{starts} starts: {census()}, {spaces} namespaces, memory {held} -> {memory()} KiB")
    for earlier, later in zip(held, memory()): assert later <= earlier + 512 + starts // 16, "64 bytes for each start"
    helper.send(message(DESTROY, zygote))
    helper.wait(DESTROYED, sandbox=zygote)
    assert process_ids(helper) == [] and eventually(lambda: helper.figures()["forksReady"] == 0)


def test_without_isolation_there_are_none(exposed, runtime):
    with Helper(isolation="none", expose=["/usr", str(exposed)]) as helper:
        helper.hello()
        with pytest.raises(Failed): helper.zygote(PYTHON, "/var/runtime/.//zygote.py", mounts=runtime)
