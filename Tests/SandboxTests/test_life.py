"""Spawning, ends, signals, resets, destruction, crashes."""
import os, pytest, random, signal
from driver import *


@pytest.mark.parametrize("argv,cwd,errno,stage", [
    (["/var/task/missing"], None, 2, "fork/exec /var/task/missing"),
    (["/etc/passwd"], None, 13, "fork/exec /etc/passwd"),
    (["/usr"], None, 13, "fork/exec /usr"),
    (["/bin/sh"], "/nowhere", 2, "chdir /nowhere"),
    (["/opt/garbage"], None, 8, "fork/exec /opt/garbage"),
    (["/opt/interpreter"], None, 2, "fork/exec /opt/interpreter"),
])
def test_exec_errors_are_exact(helper, exposed, argv, cwd, errno, stage):
    for name, text in (("garbage", b"\x7fELF nonsense"), ("interpreter", b"#!/nowhere/sh\n")):
        (exposed / name).write_bytes(text)
        (exposed / name).chmod(0o755)
    s = helper.create(mounts=[mount(BIND, exposed, "/opt")])
    with pytest.raises(Failed) as refusal: s.spawn(*argv, cwd=cwd)
    assert (refusal.value.errno, refusal.value.stage, refusal.value.request) == (errno, stage, SPAWN)
    assert s.sh("echo alive")[1] == "alive\n"


@pytest.mark.parametrize("name", ["KILL", "TERM", "SEGV", "ABRT", "BUS", "PIPE", "INT"])
def test_death_by_signal_is_reported_as_such(sandbox, name):
    number = getattr(signal, "SIG" + name)
    status, _, oom = sandbox.sh(f"kill -{name} $$")
    assert status & 0x7f == number and oom == 0


def test_signals_reach_the_process_named(sandbox):
    trap = "trap 'echo got; exit 7' TERM; echo up; while :; do sleep 0.01; done"
    process, out = sandbox.spawn("/bin/sh", "-c", trap)
    other, other_out = sandbox.spawn("/bin/sh", "-c", trap)
    read_until(out, "up"), read_until(other_out, "up")
    sandbox.signal(process, signal.SIGTERM)
    sandbox.signal(99, signal.SIGKILL)          # unknown: ignored
    assert sandbox.finish(process, out)[:2] == (7 << 8, "got\n")
    sandbox.signal(other, signal.SIGKILL)
    assert sandbox.finish(other, other_out)[0] == 9


def test_signals_and_masks_are_as_a_new_program_expects(sandbox):
    lines = dict(l.split(":\t") for l in sandbox.sh("grep -E 'Sig(Blk|Ign|Cgt)' /proc/self/status")[1].splitlines())
    assert int(lines["SigBlk"], 16) == 0 and int(lines["SigIgn"], 16) == 0


def test_create_and_spawn_back_to_back(helper):
    s = helper.create(wait=False)
    process, out = s.order("/bin/echo", "quick")
    s.created()
    helper.wait(SPAWNED, sandbox=s.id)
    assert s.finish(process, out)[:2] == (0, "quick\n")


def test_orphans_are_reaped_and_outlive_their_parent(sandbox):
    assert sandbox.sh("(sleep 0.05; echo late) & exit 0")[1] == "late\n"
    assert eventually(lambda: sandbox.sh("grep -l '^State:.*Z' /proc/[0-9]*/status | wc -l")[1] == "0\n", 3)


def test_large_arguments_and_environments(sandbox):
    text = "x" * 60000
    assert sandbox.run("/bin/sh", "-c", 'echo ${#1} ${#BIG}', "sh", text, env={"BIG": text})[1] == "60000 60000\n"
    assert sandbox.run("/bin/sh", "-c", 'echo $# "[$1]"', "sh", "")[1] == "1 []\n"


def test_reset_keeps_tmp_and_nothing_else(helper):
    s = helper.create(listen=[9001])
    old = s.spawn("/bin/sh", "-c", "echo kept > /tmp/file; echo lost > /dev/shm/file; trap '' TERM; echo up; while :; do sleep 0.01; done")
    read_until(old[1], "up")
    for _ in range(5):
        s.reset()
        assert s.sh("cat /tmp/file; ls /dev/shm; ps -e | wc -l; echo more >> /tmp/file")[1].startswith("kept\n")
    assert s.finish(*old)[0] == 9                                   # exactly one EXITED for every SPAWNED
    assert s.sh("grep -c more /tmp/file")[1] == "5\n"
    process = s.spawn("/usr/bin/python3", "-S", "-c", "import socket\nprint(socket.create_connection(('127.0.0.1', 9001), 5).recv(9).decode())")
    connection, _ = (select.select([s.listeners[0]], [], [], PATIENCE), s.listeners[0].accept())[1]
    connection.sendall(b"same")
    connection.close()
    assert s.finish(*process)[1] == "same\n"


def test_many_processes_then_too_many(sandbox):
    running = [sandbox.spawn("/bin/sleep", "60") for _ in range(60)]
    extra = []
    with pytest.raises(Failed) as refusal:
        for _ in range(10): extra.append(sandbox.spawn("/bin/sleep", "60"))
    assert refusal.value.errno == 11
    for process, _ in running + extra: sandbox.signal(process, 9)
    assert all(sandbox.finish(*p)[0] == 9 for p in running + extra)
    assert sandbox.sh("echo alive")[1] == "alive\n"


def descriptors(pid): return len(os.listdir(f"/proc/{pid}/fd"))


def children(pid): return open(f"/proc/{pid}/task/{pid}/children").read().split()


def test_destroy_leaves_nothing(helper):
    pid = helper.process.pid
    def settled():
        time.sleep(0.05)
        return descriptors(pid), len(children(pid)), len(cgroup_directories(helper.name))
    def stable():
        a = settled()
        while (b := settled()) != a: a = b
        return a
    helper.create().destroy()
    marker = f"20{random.randrange(10**6):06}"
    before, mounts = stable(), open("/proc/self/mountinfo").read()
    for round in range(10):
        s = helper.create(listen=[9001, 9002])
        s.spawn("/bin/sh", "-c", f"sleep {marker} & setsid sleep {marker} & sleep {marker}")
        if round % 2: s.reset()
        if round % 3 == 0: s.spawn("/bin/sleep", marker)
        s.destroy()
    assert stable() == before
    assert open("/proc/self/mountinfo").read() == mounts
    assert not [p for p in os.listdir("/proc") if p.isdigit() and is_ours(p, marker)]


def is_ours(pid, text):
    try: return text in open(f"/proc/{pid}/cmdline").read()
    except OSError: return False


def namespaces(pids):
    found = set()
    for pid in pids:
        for kind in ("net", "pid", "mnt"):
            try: found.add(os.readlink(f"/proc/{pid}/ns/{kind}"))
            except OSError: pass
    return found


@pytest.mark.parametrize("end", ["close", "kill"])
def test_when_it_ends_nothing_is_left(exposed, end):
    h = Helper(expose=["/usr", "/bin", "/lib", "/lib64", "/etc/ld.so.cache"])
    h.hello()
    sandboxes = [h.create(listen=[9001]) for _ in range(6)]
    marker = f"10{random.randrange(10**6):06}"
    for s in sandboxes: s.spawn("/bin/sh", "-c", f"sleep {marker} & trap '' TERM; sleep {marker}")
    inits = children(h.process.pid)
    assert len(inits) >= 6
    own = namespaces(inits) - namespaces([os.getpid()])
    assert len(own) >= 18
    if end == "kill": h.process.kill()
    else: h.socket.close()
    h.process.wait(PATIENCE)
    assert eventually(lambda: not any(is_ours(p, marker) for p in os.listdir("/proc") if p.isdigit()), 5)
    assert eventually(lambda: not any(os.path.exists(f"/proc/{p}") for p in inits), 5)
    for s in sandboxes:
        for l in s.listeners: l.close()
        for fd in s.fds.values(): os.close(fd)
    assert eventually(lambda: not own & namespaces(filter(str.isdigit, os.listdir("/proc"))), 5)
    if end == "close":
        assert not cgroup_directories(h.name)
        return
    left = cgroup_directories(h.name)
    assert left
    with Helper(name=h.name, expose=["/usr", "/bin", "/lib", "/lib64", "/etc/ld.so.cache"], pool=0) as again:   # the next start cleans
        again.hello()
        assert not set(d for d in cgroup_directories(h.name) if d.rsplit("/", 1)[1].startswith("s")) & set(left) or \
            len(cgroup_directories(h.name)) < len(left)
        assert again.create().sh("echo alive")[1] == "alive\n"
    assert not cgroup_directories(h.name)


def test_the_next_start_kills_what_a_crash_left(exposed):
    name = "stale" + uuid.uuid4().hex[:6]
    directory = f"/sys/fs/cgroup/pids/martlet-{name}/s7"
    if not os.path.isdir("/sys/fs/cgroup/pids"): pytest.skip("v2 only")
    os.makedirs(directory)
    sleeper = subprocess.Popen(["sleep", "1000"])
    open(directory + "/cgroup.procs", "w").write(str(sleeper.pid))
    with Helper(name=name) as h:
        h.hello()
        assert sleeper.wait(5) == -9 and not os.path.exists(directory)


def test_two_of_one_name_are_refused(helper):
    second = Helper(name=helper.name, patience=1)
    assert second.process.wait(10) == 1 and "another instance" in second.errors()
    assert helper.create().sh("echo unharmed")[1] == "unharmed\n"


def test_a_start_waits_until_the_one_before_has_ended():
    system = ["/usr", "/bin", "/lib", "/lib64", "/etc/ld.so.cache"]
    first = Helper(expose=system)
    first.hello()
    for _ in range(3): first.create().spawn("/bin/sleep", "100")
    first.process.send_signal(signal.SIGSTOP)   # it takes its time
    first.socket.close()
    with Helper(name=first.name, expose=system) as second:
        assert eventually(lambda: "waits for the sandboxes of the instance before" in second.errors(), 10)
        gone = Helper(name=first.name)
        gone.socket.close()
        try: assert gone.process.wait(10) == 1, "a start that nobody waits for is given up"
        finally: first.process.send_signal(signal.SIGCONT)
        second.hello()
        assert first.process.wait(10) == 0 and not first.errors()
        assert second.create().sh("echo alive")[1] == "alive\n"
    assert not cgroup_directories(first.name)


def test_signals_do_not_end_it(helper):
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP): helper.process.send_signal(number)
    assert helper.create().sh("echo alive")[1] == "alive\n"


def test_an_init_that_is_killed_ends_its_processes(helper):
    s = helper.create()
    process = s.spawn("/bin/sleep", "100")
    inits = [p for p in children(helper.process.pid) if any("sleep" in open(f"/proc/{c}/cmdline").read() for c in children(p))]
    os.kill(int(inits[0]), 9)
    assert s.finish(*process)[0] == 9
    with pytest.raises(Failed) as refusal: s.spawn("/bin/true")
    assert refusal.value.errno == 3
    s.reset()
    assert s.sh("echo back")[1] == "back\n"
    s.destroy()


def test_many_at_once(helper):
    sandboxes = [helper.create(wait=False, listen=[9001]) for _ in range(40)]
    orders = [s.order("/bin/echo", str(s.id)) for s in sandboxes]
    for s, (process, out) in zip(sandboxes, orders):
        s.created()
        assert s.finish(process, out)[1] == f"{s.id}\n"
    for s in sandboxes: helper.send(message(DESTROY, s.id))
    for s in sandboxes: helper.wait(DESTROYED, sandbox=s.id)
    assert helper.create().sh("echo alive")[1] == "alive\n"


def test_a_reset_that_comes_before_the_sandbox_is_built(helper):
    s = helper.create(wait=False)
    process, out = s.order("/bin/sleep", "60")
    helper.send(message(RESET, s.id))
    s.created()
    if helper.wait(SPAWNED, FAILED, sandbox=s.id, process=process).type == SPAWNED:
        helper.wait(EXITED, sandbox=s.id, process=process)
    assert helper.wait(RESET_DONE, FAILED, sandbox=s.id).type == RESET_DONE
    assert read_all(out) == ""
    assert s.sh("echo again")[1] == "again\n"


def test_a_reset_of_what_is_never_built_is_answered(helper):
    s = helper.create(mounts=[mount(BIND, "/nothing", "/x")], wait=False)
    helper.send(message(RESET, s.id))
    answers = {helper.wait(FAILED, sandbox=s.id).get("REQUEST") for _ in range(2)}
    assert answers == {CREATE, RESET}
