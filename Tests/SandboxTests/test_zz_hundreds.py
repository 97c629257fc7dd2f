"""Many sandboxes at once. The last file, because the kernel clears up after it for a while."""
import signal
from driver import *


def test_hundreds_at_once(exposed):
    """More than the arming of memory alarms, and later the removal, can keep up with."""
    with Helper(expose=["/usr", "/bin", "/lib", "/lib64", "/etc/ld.so.cache", str(exposed)]) as helper:
        helper.hello()
        sandboxes = [helper.create(wait=False, memory=16 * MB) for _ in range(400)]
        for s in sandboxes: s.created()
        assert sandboxes[-1].sh("echo alive")[1] == "alive\n"
        status, _, oom = sandboxes[-2].python("import time; b = b'x' * (64 << 20); time.sleep(60)")
        assert status == signal.SIGKILL and oom == 1, "limits hold before their alarm is armed"
        for s in sandboxes: helper.send(message(DESTROY, s.id))
        for s in sandboxes: helper.wait(DESTROYED, sandbox=s.id, timeout=60)
        name = helper.name
    assert not cgroup_directories(name)
