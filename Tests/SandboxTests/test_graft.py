"""Mounts that come to a sandbox when it runs already."""
import errno, os, pytest
from driver import *

WAITS = """
import os, sys, time
def until(path):
    for _ in range(1500):
        if os.path.exists(path): return
        time.sleep(0.01)
print('waits', os.listdir('/var/task'), flush=True)
until('/var/task/code')
os.chdir('/var/task')
print(open('code').read(), os.listdir('/opt'), flush=True)
try:
    open('/var/task/other', 'w')
except OSError as error:
    print(error.errno)
"""


@pytest.fixture
def code(exposed):
    for name in "ab":
        (exposed / name).mkdir()
        (exposed / name / "code").write_text(f"of {name}")
    return exposed


def test_a_program_that_waits_sees_what_comes(helper, code):
    s = helper.create(mounts=[mount(DIRECTORY, "", "/opt")])
    process, out = s.spawn("/usr/bin/python3", "-S", "-c", WAITS)
    read_until(out, "waits []")
    s.graft(mount(BIND, str(code / "a"), "/var/task"), mount(BIND, str(code / "b"), "/opt"))
    assert f"of a ['code']\n{errno.EROFS}\n" in s.finish(process, out)[1]
    # After a reset it has them from the start, and nothing else has changed.
    s.reset()
    assert s.python("print(open('/opt/code').read(), open('/var/task/code').read())")[1] == "of b of a\n"
    # What the host has mounted is not touched.
    assert not os.path.exists("/var/task/code")


def test_nobody_elses_sandbox_sees_it(helper, code):
    a, b = helper.create(), helper.create()
    a.graft(mount(BIND, str(code / "a"), "/var/task"))
    assert b.python("import os; print(os.listdir('/var/task'))")[1] == "[]\n"


def test_what_cannot_be_grafted(helper, code, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    s = helper.create()
    good = mount(BIND, str(code / "a"), "/var/task")
    for mounts, number in [
            ([mount(BIND, str(elsewhere), "/var/task")], errno.EACCES), ([mount(BIND, str(code / "no"), "/var/task")], errno.ENOENT),
            ([mount(BIND, str(code / "a" / "code"), "/var/task")], errno.ENOTDIR), ([mount(BIND, str(code / "a"), "/usr")], errno.EINVAL),
            ([mount(BIND, str(code / "a"), "/nowhere")], errno.EINVAL), ([mount(WRITABLE, str(code / "a"), "/var/task")], errno.EINVAL),
            ([mount(BIND, str(code / "a"), "/proc/sys")], errno.EINVAL)]:
        with pytest.raises(Failed) as failed:
            s.graft(*mounts)
        assert failed.value.errno == number, mounts
    for change in (field("MEMORY", u64(64 * MB)), field("TMP", u64(MB)), field("PIDS", u32(9)), field("NETWORK", u32(1)), field("HOSTNAME", "x"), field("LISTEN", u16(80))):
        with pytest.raises(Failed) as failed:
            s.graft(good, fields=s.fields + [change])
        assert failed.value.errno == errno.EINVAL
    helper.send(message(GRAFT, 999, *s.fields))
    assert helper.wait(FAILED, sandbox=999).get("ERRNO") == errno.ENOENT
    helper.send(message(GRAFT, s.id, field("MEMORY", b"x")))
    assert helper.wait(FAILED, sandbox=s.id).get("ERRNO") == errno.EINVAL
    s.graft(good)
    assert s.python("print(open('/var/task/code').read())")[1] == "of a\n"


FOLLOWS = """
import os, sys, time
os.umask(0)
print('waits', os.getcwd(), os.listdir('.'), flush=True)
for _ in range(1500):
    if os.path.exists('code'): break
    time.sleep(0.01)
print(open('code').read(), os.getcwd(), flush=True)
"""


def test_a_program_that_follows_is_in_what_comes(helper, code):
    s = helper.create(mounts=[mount(DIRECTORY, "", "/opt")])
    process, out = s.spawn("/usr/bin/python3", "-S", "-c", FOLLOWS, cwd="/var/task", follows=True)
    read_until(out, "waits /var/task []")
    s.graft(mount(BIND, str(code / "a"), "/var/task"))
    assert "of a /var/task\n" in s.finish(process, out)[1]
    # Nothing of what it shared is left to others.
    assert s.python("import os; print(os.umask(0o22), os.getcwd())", cwd="/opt")[1] == "18 /opt\n"


def test_a_graft_is_answered_whatever_happens(helper, code):
    s = helper.create()
    process, out = s.spawn("/usr/bin/sleep", "60", cwd="/var/task", follows=True)
    s.signal(process, 9)
    s.finish(process, out)
    s.graft(mount(BIND, str(code / "a"), "/var/task"))
    assert s.python("print(open('code').read())", cwd="/var/task")[1] == "of a\n"
    for _ in range(20):
        s = helper.create()
        s.spawn("/usr/bin/sleep", "60", cwd="/var/task", follows=True)
        s.order_graft(mount(BIND, str(code / "a"), "/var/task"))
        helper.send(message(DESTROY, s.id))
        kinds = [helper.wait(GRAFTED, FAILED, sandbox=s.id).type, helper.wait(DESTROYED, sandbox=s.id).type]
        assert kinds in ([GRAFTED, DESTROYED], [FAILED, DESTROYED])
    with pytest.raises(Failed):
        helper.create().spawn("/usr/bin/sleep", "1", cwd="/nowhere", follows=True)
