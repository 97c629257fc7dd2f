"""Memory, /tmp, processor, processes, descriptors, freezing."""
import os, pytest, resource, signal
from driver import *

ALLOCATE = "b = []\nfor i in range({mb}): b.append(b'x' * (1 << 20))\nprint('survived')"
WRITE = "f = open('/tmp/big', 'wb')\ntry:\n  for i in range({mb}): f.write(b'x' * (1 << 20)); f.flush()\n  print('written')\nexcept OSError as e: print(e.errno)"


def test_a_program_above_its_memory_is_killed(sandbox):
    started = time.monotonic()
    assert sandbox.python(ALLOCATE.format(mb=400)) == (9, "", 1)
    assert time.monotonic() - started < 10
    sandbox.reset()
    assert sandbox.python("print(1)") == (0, "1\n", 0)      # the flag is of this life


def test_a_program_below_its_memory_lives(sandbox):
    assert sandbox.python(ALLOCATE.format(mb=90)) == (0, "survived\n", 0)


def test_the_kernel_limit_holds_where_the_watch_is_late(helper):
    s = helper.create(memory=64 * MB, tmp=0)
    assert s.python(ALLOCATE.format(mb=400)) == (9, "", 1)


def test_files_in_tmp_are_not_memory(sandbox):
    assert sandbox.python(WRITE.format(mb=300)) == (0, "written\n", 0)
    assert sandbox.python(ALLOCATE.format(mb=80)) == (0, "survived\n", 0)
    assert sandbox.python(ALLOCATE.format(mb=170)) == (9, "", 1)          # with a full /tmp the limit is still 128 MB
    files = os.fstatvfs(sandbox.fds[TMP])
    assert (files.f_blocks - files.f_bfree) * files.f_bsize >= 300 * MB


def test_files_in_dev_shm_are_memory(helper):
    s = helper.create(memory=32 * MB)
    assert s.python(WRITE.format(mb=60).replace("/tmp/big", "/dev/shm/big") + "\nimport time; time.sleep(20)")[::2] == (9, 1)


def test_tmp_is_full_at_its_size(sandbox):
    assert sandbox.python(WRITE.format(mb=600)) == (0, "28\n", 0)


def test_page_cache_is_not_memory(helper, exposed):
    with open(exposed / "big", "wb") as f:
        for _ in range(200): f.write(os.urandom(MB))
        f.flush()
        os.fsync(f.fileno())
        os.posix_fadvise(f.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    s = helper.create(memory=64 * MB, mounts=[mount(BIND, exposed, "/data")])
    read = "f = open('/data/big', 'rb')\nwhile f.read(1 << 20): pass\nprint('read')"
    assert s.python(read) == (0, "read\n", 0)


def test_a_child_that_is_killed_for_memory_is_told_with_the_parent(sandbox):
    code = "import subprocess\nr = subprocess.run(['/usr/bin/python3', '-S', '-c', \"\"\"%s\"\"\"])\nprint(r.returncode)" % ALLOCATE.format(mb=700)
    status, out, oom = sandbox.python(code)
    assert oom == 1


def test_peak_is_readable(sandbox):
    sandbox.python(ALLOCATE.format(mb=60))
    assert 60 * MB < int(os.pread(sandbox.fds[PEAK], 100, 0)) < 128 * MB


def test_a_fork_bomb_hits_the_limit(sandbox):
    code = "import os, time\nn = 0\ntry:\n  while True:\n    if os.fork() == 0: time.sleep(60)\n    n += 1\nexcept OSError as e: print(n, e.errno)"
    process, out = sandbox.spawn("/usr/bin/python3", "-S", "-c", code)
    read_until(out, "63 11\n")                          # its children keep the pipe open
    assert sandbox.helper.wait(EXITED, sandbox=sandbox.id).get("STATUS") == 0
    sandbox.reset()
    code = "import threading, time\nn = 0\ntry:\n  while True:\n    threading.Thread(target=time.sleep, args=(60,), daemon=True).start(); n += 1\nexcept RuntimeError: print(n, flush=True)\nimport os; os._exit(0)"
    assert sandbox.python(code)[1] == "63\n"


def test_descriptors_are_limited(helper):
    s = helper.create(nofile=100)
    code = "import os, resource\nprint(resource.getrlimit(resource.RLIMIT_NOFILE), resource.getrlimit(resource.RLIMIT_CORE))\nn = 0\ntry:\n  while True: os.dup(0); n += 1\nexcept OSError as e: print(n, e.errno)"
    assert s.python(code)[1] == "(100, 100) (0, 0)\n97 24\n"


def test_processor_quota_is_applied_through_the_descriptor(sandbox):
    code = "import time\nw, c = time.monotonic(), time.process_time()\nwhile time.monotonic() - w < 0.4: pass\nprint((time.process_time() - c) / 0.4)"
    v2 = CPU_V2 in sandbox.fds
    os.pwrite(sandbox.fds[CPU_V2 if v2 else CPU_V1], b"2000 20000" if v2 else b"2000", 0)
    slow = float(sandbox.python(code)[1])
    os.pwrite(sandbox.fds[CPU_V2 if v2 else CPU_V1], b"max 20000" if v2 else b"-1", 0)
    assert slow < 0.3 and float(sandbox.python(code)[1]) > slow


def idle_of(sandbox):
    """What its control group says."""
    path = os.readlink(f"/proc/self/fd/{sandbox.fds[CPU_V1 if CPU_V1 in sandbox.fds else CPU_V2]}")
    try:
        with open(os.path.join(os.path.dirname(path), "cpu.idle")) as file:
            return int(file.read())
    except FileNotFoundError: pytest.skip("this kernel has no cpu.idle")


def test_who_yields_leaves_the_processor_to_others_until_told(helper):
    """Three that want the same processor all the time; how much of it one of them gets in a while."""
    busy = "import os, time\nos.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\nprint('up', flush=True)\nend = time.monotonic() + %s\n" \
        "used = time.process_time()\nwhile time.monotonic() < end: pass\nprint(time.process_time() - used)"
    usual, late, yielding = helper.create(), helper.create(yields=True), helper.create(yields=True)
    assert (idle_of(usual), idle_of(late), idle_of(yielding)) == (0, 1, 1) and CPU_IDLE not in usual.fds
    os.pwrite(late.fds[CPU_IDLE], b"0", 0)
    assert idle_of(late) == 0
    for other in (usual, late):
        read_until(other.spawn("/usr/bin/python3", "-S", "-c", busy % 60)[1], "up")
    left = float(yielding.python(busy % 0.5)[1].split()[1])
    os.pwrite(yielding.fds[CPU_IDLE], b"0", 0)
    assert left < float(yielding.python(busy % 0.5)[1].split()[1]) / 3


def test_freezing_stops_and_thawing_resumes(sandbox):
    process, out = sandbox.spawn("/usr/bin/python3", "-S", "-c", "import time\nprint('up', flush=True)\nwhile True: print('x', flush=True); time.sleep(0.001)")
    read_until(out, "up")
    sandbox.freeze()
    while select.select([out], [], [], 0)[0]: os.read(out, 65536)
    assert not select.select([out], [], [], 0.2)[0]
    sandbox.freeze(False)
    read_until(out, "x")
    sandbox.freeze()
    sandbox.reset()                                     # frozen: killed all the same
    assert sandbox.sh("echo fresh")[1] == "fresh\n"
    sandbox.freeze()
    sandbox.destroy()


def test_signals_reach_the_first_thread_of_a_frozen_program(sandbox):
    signal_frozen(sandbox, *sandbox.spawn("/usr/bin/python3", "-S", "-c", LISTENING))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
def test_signals_that_the_first_thread_has_blocked_reach_the_others(sandbox, number):
    code = f"""import signal, threading
signal.pthread_sigmask(signal.SIG_BLOCK, [{number:d}])
def wait():
    print('up', flush=True)
    print(signal.sigwait([{number:d}]).name, flush=True)
threading.Thread(target=wait).start()"""
    process, out = sandbox.spawn("/usr/bin/python3", "-S", "-c", code)
    read_until(out, "up")
    sandbox.signal(process, number)
    assert sandbox.finish(process, out)[:2] == (0, number.name + "\n")


def test_descriptors_given_away_serve_an_unprivileged_receiver(sandbox):
    pid = os.fork()
    if pid == 0:
        try:
            os.setgroups([])
            os.setresgid(65534, 65534, 65534)
            os.setresuid(65534, 65534, 65534)
            v2 = FREEZE_V2 in sandbox.fds
            for text in (b"1", b"0") if v2 else (b"FROZEN", b"THAWED"): os.pwrite(sandbox.fds[FREEZE_V2 if v2 else FREEZE_V1], text, 0)
            v2 = CPU_V2 in sandbox.fds
            os.pwrite(sandbox.fds[CPU_V2 if v2 else CPU_V1], b"5000 20000" if v2 else b"5000", 0)
            int(os.pread(sandbox.fds[PEAK], 100, 0))
            os.fstatvfs(sandbox.fds[TMP])
            os._exit(0)
        except BaseException: os._exit(1)
    assert os.waitpid(pid, 0)[1] == 0
