"""Without root, and without isolation; and the decisions for hosts that are not this one."""
import os, pytest
from driver import *

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
EXPOSE = ["/usr", "/bin", "/lib", "/lib64", "/etc/ld.so.cache"]


def guarantees(helper): return dict(v.decode().split("\t")[:2] for tag, v in helper.hello().fields if tag == "GUARANTEE")


@pytest.fixture
def rootless(tmp_path):
    if not os.access(BINARY, os.X_OK): pytest.skip("the binary is not readable for others")
    directory = os.path.dirname(BINARY)
    os.chmod(directory, os.stat(directory).st_mode & 0o7777 | 0o755)   # and no bit less: it may be /tmp
    with Helper(expose=EXPOSE, prefix=["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]) as h: yield h


def test_rootless_says_what_holds(rootless):
    g = guarantees(rootless)
    no = {name for name, answer in g.items() if answer == "no"}
    assert no == {"own uid", "memory limit", "cpu limit", "process limit", "freezing", "outbound network"}, no


def test_rootless_runs_and_isolates(rootless):
    a, b = rootless.create(listen=[9001]), rootless.create(listen=[9001])
    assert set(a.fds) == {TMP}
    assert a.sh("id -u; cat /proc/self/uid_map | tr -s ' '; hostname; touch /x 2>/dev/null || echo ro; echo $(ls -d /proc/[0-9]* | wc -l)")[1].split()[:5] == \
        ["993", "993", "65534", "1", "here"]
    for kind in ("user", "pid", "mnt", "net", "ipc", "uts", "cgroup"):
        assert len({a.sh(f"readlink /proc/self/ns/{kind}")[1].strip(), b.sh(f"readlink /proc/self/ns/{kind}")[1].strip(), os.readlink(f"/proc/self/ns/{kind}")}) == 3
    process = b.spawn("/usr/bin/python3", "-S", "-c", "import socket\nprint(socket.create_connection(('127.0.0.1', 9001), 5).recv(9).decode())")
    assert select.select([b.listeners[0]], [], [], PATIENCE)[0] and not select.select([a.listeners[0]], [], [], 0)[0]
    connection = b.listeners[0].accept()[0]
    connection.sendall(b"hello b")
    connection.close()
    assert b.finish(*process)[1] == "hello b\n"
    assert a.sh("echo x > /dev/null && head -c 2 /dev/urandom | wc -c")[1] == "2\n"
    assert a.python("open('/tmp/x', 'wb').write(b'x' * (513 << 20))")[0] != 0


def test_rootless_cannot_be_told_to_bind_what_is_not_exposed(rootless):
    with pytest.raises(Failed) as refusal: rootless.create(mounts=[mount(BIND, "/etc/passwd", "/stolen")])
    assert refusal.value.errno == 13


def test_rootless_resets_and_destroys(rootless):
    s = rootless.create()
    s.sh("echo kept > /tmp/file")
    running = s.spawn("/bin/sh", "-c", "sleep 100 & setsid sleep 100 & sleep 100")
    s.reset()
    assert s.finish(*running)[0] == 9 and s.sh("cat /tmp/file; echo more >> /tmp/file; cat /tmp/file")[1] == "kept\nkept\nmore\n"
    s.destroy()
    assert rootless.create().sh("ls /tmp")[1] == ""


def test_rootless_listens_again_after_a_reset(rootless):
    s = rootless.create(listen=[9001])
    s.reset()
    process = s.spawn("/usr/bin/python3", "-S", "-c", "import socket\nprint(socket.create_connection(('127.0.0.1', 9001), 5).recv(9).decode())")
    assert select.select([s.listeners[0]], [], [], PATIENCE)[0]
    connection = s.listeners[0].accept()[0]
    connection.sendall(b"hello s")
    connection.close()
    assert s.finish(*process)[1] == "hello s\n"


@pytest.fixture
def plain():
    with Helper(isolation="none") as h: yield h


def test_none_promises_nothing_and_works(plain):
    assert set(guarantees(plain).values()) == {"no"}
    a, b = plain.create(listen=[9001]), plain.create(listen=[9001])
    assert a.fds == {} and a.listeners[0].getsockname()[1] not in (9001, b.listeners[0].getsockname()[1])
    assert a.run("/usr/bin/env", env={"A": "b"})[1] == "A=b\n"
    assert a.sh("kill -9 $$")[0] == 9 and a.sh("exit 4")[0] == 4 << 8
    assert a.sh("pwd; ulimit -n", cwd="/usr")[1] == "/usr\n1024\n"
    with pytest.raises(Failed) as refusal: a.spawn("/nothing")
    assert refusal.value.stage == "fork/exec /nothing"
    code = f"import socket\nprint(socket.create_connection(('127.0.0.1', {a.listeners[0].getsockname()[1]}), 5).recv(9).decode())"
    process = a.spawn("/usr/bin/python3", "-S", "-c", code)
    connection = (select.select([a.listeners[0]], [], [], PATIENCE), a.listeners[0].accept())[1][0]
    connection.sendall(b"plain")
    connection.close()
    assert a.finish(*process)[1] == "plain\n"


@pytest.mark.parametrize("end", ["destroy", "reset", "close", "kill"])
def test_none_leaves_no_process(end):
    marker = f"30{uuid.uuid4().int % 10**6:06}"
    alive = lambda: [p for p in filter(str.isdigit, os.listdir("/proc")) if marker in cmdline(p)]
    with Helper(isolation="none") as plain:
        s = plain.create()
        process, out = s.spawn("/bin/sh", "-c", f"sleep {marker} & echo up; sleep {marker}")
        read_until(out, "up")
        assert alive()
        if end == "destroy": s.destroy()
        elif end == "reset": s.reset()
        elif end == "close": plain.close()
        else:
            plain.process.kill()
            plain.process.wait()
        assert eventually(lambda: not alive(), 5)
        if end == "reset": assert s.finish(process, out)[0] == 9 and s.sh("echo again")[1] == "again\n"


def cmdline(pid):
    try: return open(f"/proc/{pid}/cmdline").read()
    except OSError: return ""


def test_decisions_for_other_hosts(tmp_path):
    program = tmp_path / "decisions"
    source = os.path.join(ROOT, "Sources")
    subprocess.run(["cc", "-Wall", "-Wextra", "-Werror", "-std=gnu11", "-fsanitize=address,undefined", "-I", source + "/CMartlet/include",
                    "-I", source + "/martlet-sandbox", "-o", program, HERE + "/decisions.c", source + "/martlet-sandbox/cgroups.c",
                    source + "/martlet-sandbox/memory.c", source + "/martlet-sandbox/users.c", source + "/martlet-sandbox/slowly.c", source + "/martlet-sandbox/protocol.c"], check=True)
    out = subprocess.run([program], capture_output=True, text=True)
    assert out.returncode == 0, out.stdout + out.stderr
