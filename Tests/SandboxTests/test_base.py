"""What most sandboxes begin with is made ahead: none can tell, whatever it asks for, and whatever the host has changed meanwhile."""
import os, pytest, socket
from driver import *

SEE = """
import os
def walk(top):
    for name in sorted(os.listdir(top)):
        path = os.path.join(top, name)
        if os.path.islink(path): print(path, '->', os.readlink(path))
        elif os.path.isdir(path): print(path + '/'); path in %r or walk(path)
        else: print(path, os.path.getsize(path))
walk('/')
mounts = [line.split(' ') for line in open('/proc/self/mountinfo')]
for fields in sorted(mounts, key=lambda fields: fields[4]): print(fields[3], fields[4], fields[5], *fields[fields.index('-') + 1:])
""" % (["/usr", "/proc", "/dev", "/tmp", "/lib64", "/lib", "/bin"],)


def expect(helper, *fields, pool=4):
    """Says what most will begin with; returns when the pool is full of it."""
    helper.send(message(BASE, 0, *fields))
    eventually(lambda: helper.figures()["nestsReady"] == pool)


def see(helper, **options):
    before = helper.figures()["nestsTaken"]
    sandbox = helper.create(**options)
    status, out, _ = sandbox.python(SEE)
    assert status == 0 and helper.figures()["nestsTaken"] == before + 1, out
    return sandbox, out


@pytest.fixture
def mounts(exposed):
    (exposed / "code").mkdir()
    (exposed / "code" / "mine").write_text("mine")
    (exposed / "file").write_text("as it was")
    return [*system_mounts(), mount(BIND, exposed / "code", "/code"), mount(BIND, exposed / "file", "/etc/file"), mount(FILE, "a name\n", "/etc/host"),
            mount(DIRECTORY, "", "/opt"), mount(SYMLINK, "usr/lib", "/deep/in/here")]


def test_a_sandbox_is_the_same_with_and_without(helper, mounts):
    expect(helper)
    _, without = see(helper, system=False, mounts=mounts)
    expect(helper, *mounts)
    assert see(helper, system=False, mounts=mounts)[1] == without
    expect(helper, *mounts[:3])
    assert see(helper, system=False, mounts=mounts)[1] == without


def test_who_asks_for_something_else_gets_that(helper, exposed, mounts):
    expect(helper, *mounts)
    for wanted in (mounts[:-1], mounts[1:] + mounts[:1], [m for m in mounts if b"a name" not in m] + [mount(FILE, "another\n", "/etc/host")], system_mounts()):
        expect(helper)      # an empty one: everything is made when it is asked for
        plain = see(helper, system=False, mounts=wanted)[1]
        expect(helper, *mounts)
        assert see(helper, system=False, mounts=wanted)[1] == plain


def test_a_file_that_was_replaced_meanwhile_is_the_new_one(helper, exposed, mounts):
    expect(helper, *mounts)
    (exposed / "new").write_text("as it is")
    os.rename(exposed / "new", exposed / "file")
    sandbox = helper.create(system=False, mounts=mounts)
    assert sandbox.python("print(open('/etc/file').read(), open('/code/mine').read())")[1] == "as it is mine\n"


def test_a_directory_that_was_made_anew_is_the_new_one(helper, exposed, mounts):
    expect(helper, *mounts)
    os.rename(exposed / "code", exposed / "old")
    (exposed / "code").mkdir()
    assert helper.create(system=False, mounts=mounts).python("import os; print(os.listdir('/code'))")[1] == "[]\n"


def test_what_cannot_be_had_ahead_is_nobodys_error(helper, exposed, mounts):
    expect(helper, *mounts, mount(BIND, exposed / "not there", "/x"), mount(BIND, "/root", "/y"))
    assert helper.create(system=False, mounts=mounts).python("print(1)") == (0, "1\n", 0)
    with pytest.raises(Failed, match="mount /y"):
        helper.create(system=False, mounts=[*mounts, mount(BIND, "/root", "/y")])


def test_what_may_hang_is_opened_by_its_own_sandbox(exposed):
    """A file server that does not answer holds up one sandbox, and not the helper: such orders get a nest that sees the host."""
    os.chown(exposed, 1234, 1234)
    with Helper(expose=["/usr", "/bin", "/lib", "/lib64", "/etc/ld.so.cache"], writable=[str(exposed)]) as helper:
        helper.hello()
        expect(helper, *system_mounts())
        before = helper.figures()
        sandbox = helper.create(mounts=[mount(WRITABLE, exposed, "/mnt/a")])
        assert sandbox.sh("echo written > /mnt/a/file && cat /mnt/a/file") == (0, "written\n", 0)
        after = helper.figures()
        assert (after["nestsMadeLate"], after["nestsTaken"]) == (before["nestsMadeLate"] + 1, before["nestsTaken"])
        assert (exposed / "file").stat().st_uid == 1234


@pytest.mark.parametrize("field", [mount(WRITABLE, "/tmp", "/w"), mount(BIND, "/usr", "/../x"), mount(FILE, "x", "/proc/x"), field("MEMORY", u64(1 << 30)),
                                   field("LISTEN", b"\0"), field("ARG", "x")])
def test_what_is_no_base_is_refused_and_changes_nothing(helper, mounts, field):
    expect(helper, *mounts)
    helper.send(message(BASE, 0, *mounts, field))
    answer = helper.wait(FAILED)
    assert (answer.get("REQUEST"), answer.get("STAGE")[:4]) in ((BASE, "base"), (BASE, "crea"))
    assert helper.create(system=False, mounts=mounts).python("print(1)") == (0, "1\n", 0)


def port_of(listener): return listener.getsockname()


def test_listeners_are_those_that_were_asked_for(helper, mounts):
    expect(helper, *mounts, field("LISTEN", u16(9001)), field("LISTEN", u16(4566)), field("LISTEN", u16(2000) + b"\2"))
    datagrams = ("169.254.79.129", 2000)
    for listen in ([9001, 4566, (2000, 2)], [9001, 4566, (2000, 2), (2000, 1)], [9001, 4567], [(2000, 2), 4566, 9001], [9001], []):
        sandbox = helper.create(system=False, mounts=mounts, listen=listen)
        assert [port_of(l) for l in sandbox.listeners] == [(datagrams[0], at[0]) if isinstance(at, tuple) else ("127.0.0.1", at) for at in listen]
        for listener, at in zip(sandbox.listeners, listen):
            assert listener.type == (socket.SOCK_DGRAM if at == (2000, 2) else socket.SOCK_STREAM)
        # And there are no others: what was made ahead and is not wanted is closed.
        code = "import socket\\nfor port in (9001, 4566):\\n s = socket.socket(); print(s.connect_ex(('127.0.0.1', port)) == 0)"
        assert sandbox.python(code.replace("\\n", "\n"))[1].split() == [str(port in listen) for port in (9001, 4566)]


def test_what_is_made_ahead_is_never_closed_to_be_made_again(helper, mounts):
    """Who was born meanwhile has a copy for a while, and so long its port is in use."""
    listens = [9001, 4566, (2000, 2)]
    expect(helper, *mounts, field("LISTEN", u16(9001)), field("LISTEN", u16(4566)), field("LISTEN", u16(2000) + b"\2"))
    for order in ([9001, 4567, (2000, 2)], [(2000, 2), 9001, 4567, 4566], [4567, 4566]):
        eventually(lambda: helper.figures()["nestsReady"] == 4)
        ahead = {os.stat(entry.path).st_ino for entry in os.scandir(f"/proc/{helper.process.pid}/fd")}
        sandbox = helper.create(system=False, mounts=mounts, listen=order)
        assert [os.fstat(each.fileno()).st_ino in ahead for each in sandbox.listeners] == [at in listens for at in order]


def test_a_reset_makes_the_same_again(helper, mounts):
    expect(helper, *mounts, field("LISTEN", u16(9001)))
    sandbox, first = see(helper, system=False, mounts=mounts, listen=[9001])
    sandbox.reset()
    assert sandbox.python(SEE)[1] == first
