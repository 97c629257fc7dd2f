"""The pools of nests and forks under seeded disorder: orders of every kind, and deaths of whatever waits or runs, in any sequence.

What must hold at every moment: no pool above its bound, each order answered once, nothing that one sandbox has used is seen by another,
and a sandbox asked for is a sandbox got whatever the pools hold. And when it is quiet again: pools as full as they shall be (within
PATIENCE), and nothing more of processes, descriptors and control groups than before."""
import os, random, shutil, signal
import pytest
from driver import *
from test_zygotes import PYTHON, RUNTIME, BOOTSTRAP, children, process_ids

LOOK = "import os, time\nfiles = os.listdir('/tmp')\nopen('/tmp/mine', 'w').close()\nprint(files, os.readlink('/proc/self/ns/pid'), sep='|', flush=True)\ntime.sleep(60)"


class Disorder:
    def __init__(self, helper, pool, mounts, seed):
        self.helper, self.pool, self.mounts, self.chance = helper, pool, mounts, random.Random(f"{seed} {pool}")
        self.alive, self.levels, self.zygotes, self.used = {}, {}, [], 0

    def kill(self, pid):
        """Dead, if not buried, when this returns: what dies in the moment in which it is taken is told as an error. (An init with a fork
        in it waits for the fork's burial, which is the helper's business.)"""
        try:
            end = os.pidfd_open(pid)
            signal.pidfd_send_signal(end, signal.SIGKILL)
            readable(end, 0.2)
            os.close(end)
        except ProcessLookupError: pass

    def zygote(self):
        if len(self.zygotes) < 2:
            number = self.helper.zygote(PYTHON, "/var/runtime/.//zygote.py", mounts=self.mounts, env={"LC_CTYPE": "C.UTF-8"})
            self.zygotes.append(number)
            self.levels[number] = 0

    def level(self):
        if self.zygotes:
            number = self.chance.choice(self.zygotes)
            self.levels[number] = self.chance.randrange(6)
            self.helper.level(number, self.levels[number])

    def end_zygote(self):
        if self.zygotes:
            number = self.zygotes.pop(self.chance.randrange(len(self.zygotes)))
            del self.levels[number]
            self.helper.send(message(DESTROY, number))
            self.helper.wait(DESTROYED, sandbox=number)

    def create(self):
        """Always well, whatever has died: what waited and is dead is passed over."""
        if len(self.alive) < 8:
            sandbox = self.helper.create(mounts=self.mounts, zygote=self.chance.choice([None, *self.zygotes]))
            sandbox.life = None
            self.alive[sandbox.id] = sandbox
            self.start(sandbox, is_new=True)

    def start(self, sandbox, is_new=False):
        _, reading = sandbox.spawn(PYTHON, "/var/runtime/bootstrap.py", env={"CODE": LOOK}, cwd="/var/task")
        files, space = read_until(reading, "\n").strip().split("|")
        os.close(reading)
        assert files == ("[]" if is_new else "['mine']"), "what is new was nobody's before"
        assert space not in [other.life for other in self.alive.values() if other is not sandbox]
        sandbox.life = space
        self.used += 1

    def reset(self):
        if self.alive:
            sandbox = self.chance.choice(list(self.alive.values()))
            sandbox.reset()
            self.start(sandbox)

    def destroy(self):
        if self.alive: self.alive.pop(self.chance.choice(list(self.alive))).destroy()

    def kill_what_waits(self):
        """An init or a fork that nobody has yet, or one in the midst of its making; an init in use is told as an end."""
        waiting = [pid for zygote in process_ids(self.helper) for pid in children(zygote) if self.space(pid) not in self.lives()]
        waiting += [pid for pid in children(self.helper.process.pid) if self.name(pid) == "init" and self.space(pid) not in self.lives()]
        for pid in self.chance.sample(waiting, min(len(waiting), self.chance.randrange(1, 4))): self.kill(pid)

    def lives(self): return {sandbox.life for sandbox in self.alive.values()}

    def space(self, pid):
        try: return os.readlink(f"/proc/{pid}/ns/pid_for_children" if self.name(pid) == "init" else f"/proc/{pid}/ns/pid")
        except OSError: return None

    def name(self, pid):
        try:
            with open(f"/proc/{pid}/cmdline") as text: return text.read().split("\0")[0]
        except OSError: return None

    def check(self):
        figures = self.helper.figures()
        assert figures["nestsReady"] <= self.pool and figures["sandboxes"] == len(self.alive), figures
        # One that is being made when its level is lowered is finished first.
        assert figures["forksReady"] <= sum(self.levels.values()) + 1, (figures, self.levels)
        # No answer that nobody asked for; ends are kept for later.
        assert all(answer.type == EXITED for answer in self.helper.inbox), self.helper.inbox
        return figures


@pytest.mark.parametrize("pool", [0, 1, 4])
@pytest.mark.parametrize("seed", range(int(os.environ.get("SEEDS", 1))))
def test_pools_in_disorder(exposed, pool, seed):
    shutil.copy(os.path.join(RUNTIME, "zygote.py"), exposed / "zygote.py")
    (exposed / "bootstrap.py").write_text(BOOTSTRAP)
    with Helper(expose=["/usr", "/bin", "/lib", "/lib64", "/etc/ld.so.cache", str(exposed)], pool=pool) as helper:
        helper.hello()

        def census():
            return len(os.listdir(f"/proc/{helper.process.pid}/fd")), len(children(helper.process.pid)), len(cgroup_directories(helper.name))
        def quiet(levels=0):
            """No more forks than nests let be made ahead: with none, none."""
            return eventually(lambda: (figures := helper.figures())["nestsReady"] == pool and figures["forksReady"] == (levels if pool else 0))
        def probed():
            """What the helper tried this host with at its start is gone: there are its own groups, and those of nests."""
            groups = cgroup_directories(helper.name)
            return len(groups) == (1 + pool) * len([path for path in groups if path.endswith(f"martlet-{helper.name}")])
        assert quiet() and eventually(probed)
        before = census()
        d = Disorder(helper, pool, [mount(BIND, str(exposed), "/var/runtime")], seed)
        moves = [d.create] * 5 + [d.destroy] * 4 + [d.reset] * 2 + [d.level] * 2 + [d.zygote] * 2 + [d.end_zygote, d.kill_what_waits, d.kill_what_waits]
        d.zygote()
        for _ in range(int(os.environ.get("MOVES", 50))):
            d.chance.choice(moves)()
            d.check()
            if d.chance.randrange(4) == 0: eventually(lambda: False, timeout=d.chance.choice([0.005, 0.02, 0.06]))   # a moment in which pools are filled
        while d.alive: d.destroy()
        eventually(lambda: False, timeout=0.1)
        for number, level in d.levels.items(): helper.level(number, level)
        assert quiet(sum(d.levels.values())), (helper.figures(), d.levels)
        while d.zygotes: d.end_zygote()
        assert quiet() and eventually(lambda: census() == before), (before, census())
        assert d.used > 5
        while helper.inbox: assert helper.inbox.pop().type == EXITED
    assert not cgroup_directories(helper.name)
