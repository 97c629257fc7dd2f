"""What a program inside sees, has, and cannot do."""
import ctypes, os, pytest, socket, struct
from driver import *


def test_it_runs_a_shell_and_python(sandbox):
    assert sandbox.sh("echo hello; echo error >&2; exit 3") == (3 << 8, "hello\nerror\n", 0)
    assert sandbox.python("import json, hashlib, threading, subprocess\nprint(subprocess.run(['/bin/echo', 'hi'], capture_output=True).stdout)") == (0, "b'hi\\n'\n", 0)


def test_welcome_states_every_guarantee(helper):
    lines = [v.decode().split("\t") for tag, v in helper.hello().fields if tag == "GUARANTEE"]
    names = {name: answer for name, answer, how in lines}
    assert set(names) == {"user namespace", "pid namespace", "mount namespace", "network namespace", "ipc namespace", "uts namespace",
                          "cgroup namespace", "read-only root", "own uid", "no capabilities", "no new privileges", "seccomp allow-list",
                          "memory limit", "cpu limit", "process limit", "descriptor limit", "/tmp size limit", "freezing", "outbound network"}
    assert all(answer == "yes" for name, answer in names.items()), names
    assert all(how for _, _, how in lines)


def test_report_tries_everything():
    out = subprocess.run([BINARY, "--report"], capture_output=True, text=True, timeout=20)
    assert out.returncode == 0, out.stderr
    lines = dict((l.split("\t")[0], l.split("\t")[1]) for l in out.stdout.splitlines())
    assert len(lines) == 19 and all(v == "yes" for k, v in lines.items()), out.stdout
    assert "--report" in subprocess.run([BINARY, "--help"], capture_output=True, text=True).stdout


@pytest.mark.parametrize("kind", ["user", "pid", "mnt", "net", "ipc", "uts", "cgroup"])
def test_every_namespace_is_its_own(helper, sandbox, kind):
    other = helper.create()
    link = f"readlink /proc/self/ns/{kind}"
    first, second = sandbox.sh(link)[1].strip(), other.sh(link)[1].strip()
    assert first.startswith(kind) and len({first, second, os.readlink(f"/proc/self/ns/{kind}")}) == 3


def status(sandbox):
    return dict(line.split(":\t", 1) for line in sandbox.sh("cat /proc/self/status")[1].splitlines() if ":\t" in line)


def test_identity_and_privileges(sandbox):
    s = status(sandbox)
    assert s["Uid"].split() == ["993"] * 4 and s["Gid"].split() == ["990"] * 4
    assert all(int(s[c], 16) == 0 for c in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"))
    assert s["NoNewPrivs"] == "1" and s["Seccomp"] == "2"
    deny, inside, outside, count = sandbox.sh("cat /proc/self/setgroups /proc/self/uid_map")[1].split()
    assert (deny, inside, count) == ("deny", "993", "1") and 2000000 <= int(outside) < 2004096


def test_each_sandbox_has_its_own_uid_of_the_host(helper):
    sandboxes = [helper.create() for _ in range(3)]
    uids = []
    for s in sandboxes:
        process, out = s.spawn("/bin/sh", "-c", "echo up; read x < /dev/zero")
        uids.append(s.sh("cat /proc/self/uid_map")[1].split()[1])
    assert len(set(uids)) == 3 and all(2000000 <= int(u) < 2004096 for u in uids)


def test_the_environment_holds_only_what_was_given(sandbox):
    assert sandbox.run("/usr/bin/env", env={"A": "1", "B": "x=y"})[1] == "A=1\nB=x=y\n"
    out = sandbox.sh("cat /proc/1/environ; cat /proc/1/cmdline | tr -d '\\000'; grep -al SECRET_OF /proc/[0-9]*/environ")[1]
    assert "SECRET_OF_THE_SERVER" not in out and "--fd" not in out and "init" in out


def test_no_init_holds_what_is_not_its_own(helper):
    """Seen from the host: nothing of the server's environment, and only its own few descriptors, also while it waits in the pool."""
    sandboxes = [helper.create(listen=[9001]) for _ in range(3)]
    pid = helper.process.pid
    inits = lambda: [p for p in open(f"/proc/{pid}/task/{pid}/children").read().split() if open(f"/proc/{p}/comm").read() == "init\n"]
    assert eventually(lambda: len(inits()) == 7, 5)      # three, and four in the pool
    assert eventually(lambda: all(len(os.listdir(f"/proc/{p}/fd")) <= 6 for p in inits()), 5)
    for p in [str(pid), *inits()]: assert "SECRET_OF_THE_SERVER" not in open(f"/proc/{p}/environ").read()


def test_the_working_directory_and_standard_input(sandbox):
    assert sandbox.sh("pwd; readlink /proc/self/fd/0; ls /proc/self/fd | wc -l", cwd="/var/task")[1].split() == ["/var/task", "/dev/null", "4"]


def test_the_root_is_read_only_and_tmp_is_not(sandbox):
    out = sandbox.sh("for d in / /usr /etc /var/task /dev /proc/sys/kernel; do touch $d/x 2>/dev/null && echo WROTE $d; done; touch /tmp/x /dev/shm/x && echo fine")[1]
    assert out == "fine\n"
    assert "rw" not in [line.split()[5].split(",")[0] for line in sandbox.sh("cat /proc/self/mountinfo")[1].splitlines()
                        if line.split()[4] not in ("/tmp", "/proc", "/dev/shm")]


def test_devices_work(sandbox):
    out = sandbox.sh("echo x > /dev/null && head -c 4 /dev/zero | wc -c && head -c 4 /dev/urandom | wc -c && ls -m /dev")[1]
    assert out.split("\n")[:2] == ["4", "4"] and "null" in out and "sda" not in out and "mem" not in out
    assert sandbox.sh("echo out > /dev/stdout; echo err > /dev/stderr")[1] == "out\nerr\n"


def test_it_sees_only_its_own_processes_and_name(sandbox):
    out = sandbox.sh("hostname; for p in /proc/[0-9]*; do cat $p/comm; done")[1].split()
    assert out[0] == "here" and out[1] == "init" and len(out) <= 4


# -------------------------------------------------------------------------------------------------- attacks

SYSCALLS = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
def call(*a):
    r = libc.syscall(*[ctypes.c_long(x) if isinstance(x, int) else x for x in a])
    return 'ALLOWED %d' % r if r >= 0 else os.strerror(ctypes.get_errno())
"""


@pytest.mark.parametrize("name,arguments,expected", [
    ("unshare user", "272, 0x10000000", "Operation not permitted"),
    ("unshare mount", "272, 0x20000", "Operation not permitted"),
    ("clone new user", "56, 0x10000000 | 17, 0, 0, 0, 0", "Operation not permitted"),
    ("clone new net and user", "56, 0x50000000 | 17, 0, 0, 0, 0", "Operation not permitted"),
    ("clone3", "435, 0, 0", "Function not implemented"),
    ("setns", "308, 0, 0", "Operation not permitted"),
    ("mount", "165, b'none', b'/tmp', b'tmpfs', 0, 0", "Operation not permitted"),
    ("umount", "166, b'/tmp', 2", "Operation not permitted"),
    ("fsopen", "430, b'tmpfs', 0", "Operation not permitted"),
    ("open_tree", "428, -100, b'/', 1", "Operation not permitted"),
    ("pivot_root", "155, b'/', b'/'", "Operation not permitted"),
    ("chroot", "161, b'/tmp'", "Operation not permitted"),
    ("ptrace init", "101, 16, 1, 0, 0", "Operation not permitted"),
    ("process_vm_writev", "311, 1, 0, 0, 0, 0, 0", "Operation not permitted"),
    ("bpf", "321, 0, 0, 0", "Operation not permitted"),
    ("perf_event_open", "298, 0, 0, 0, 0, 0", "Operation not permitted"),
    ("userfaultfd", "323, 0", "Operation not permitted"),
    ("keyctl", "250, 0, 0, 0, 0, 0", "Operation not permitted"),
    ("io_uring_setup", "425, 1, 0", "Function not implemented"),
    ("open_by_handle_at", "304, 0, 0, 0", "Operation not permitted"),
    ("init_module", "175, 0, 0, 0", "Operation not permitted"),
    ("kexec_load", "246, 0, 0, 0, 0", "Operation not permitted"),
    ("reboot", "169, 0, 0, 0, 0", "Operation not permitted"),
    ("personality", "135, 0x0400000", "Function not implemented"),
    ("an unknown call", "600, 0", "Function not implemented"),
])
@pytest.mark.skipif(os.uname().machine != "x86_64", reason="numbers of x86_64")
def test_a_forbidden_call_is_refused(sandbox, name, arguments, expected):
    assert sandbox.python(SYSCALLS + f"print(call({arguments}))")[1] == expected + "\n"


@pytest.mark.parametrize("family,kind,protocol,refusal",
                         [(16, 3, 9, 97), (16, 3, 15, 97), (16, 3, 16, 97), (17, 3, 0, 97), (38, 5, 0, 97), (40, 1, 0, 97), (2, 3, 1, 1), (10, 3, 58, 1)])
def test_other_socket_families_and_raw_sockets_are_refused(sandbox, family, kind, protocol, refusal):
    assert sandbox.python(f"import socket\ntry: socket.socket({family}, {kind}, {protocol}); print('ALLOWED')\nexcept OSError as e: print(e.errno)")[1] == f"{refusal}\n"


def test_route_netlink_can_only_be_read(sandbox):
    code = "import socket, struct\ns = socket.socket(16, 3, 0)\n" \
           "s.send(struct.pack('IHHIIBxHiII', 32, 16, 5, 1, 0, 0, 1, 1, 0, 0xffffffff))\nprint(struct.unpack_from('i', s.recv(999), 16)[0])"   # lo down
    assert sandbox.python(code)[1] == "-1\n"


def test_there_is_no_way_out_by_network(sandbox):
    code = "import socket\nfor a in (('10.0.0.1', 80), ('169.254.169.254', 80)):\n  try: socket.create_connection(a, 2); print('ALLOWED')\n  except OSError as e: print(e.errno)"
    assert sandbox.python(code)[1] == "101\n101\n"


def test_nothing_of_the_host_is_readable(helper, sandbox):
    out = sandbox.sh("cat /etc/shadow /root/.bashrc /home/* /work/* /proc/1/environ /proc/1/mem /proc/kcore /proc/1/root/etc/shadow "
                     "/proc/1/cwd/etc/hostname /proc/sysrq-trigger 2>/dev/null; ls /.. /proc/1/root /proc/1/fd /sys 2>/dev/null")[1]
    assert set(out.split()) <= {"/..:", "bin", "dev", "etc", "lib", "lib64", "proc", "tmp", "usr", "var"}, out


def test_init_cannot_be_killed_or_stopped_from_inside(sandbox):
    assert sandbox.sh("kill -9 1; kill -STOP 1; kill -TERM 1; kill -SEGV 1; kill -CHLD 1; echo still")[1].endswith("still\n")
    assert sandbox.sh("echo here")[1] == "here\n"


def test_setuid_programs_gain_nothing(sandbox):
    assert "993" in sandbox.sh("ls -l /usr/bin/su /usr/bin/passwd; /usr/bin/su -c id root < /dev/null; id -u")[1].split()[-1]


@pytest.mark.parametrize("source", ["/etc/shadow", "/", "/root", "/proc/self/root/etc", "/usr/../etc", "/usr/../root"])
def test_what_is_not_exposed_cannot_be_bound(helper, source):
    with pytest.raises(Failed) as refusal: helper.create(mounts=[mount(BIND, source, "/stolen")])
    assert refusal.value.stage == "mount /stolen" and refusal.value.errno in (13, 40)
    assert helper.create().sh("echo alive")[1] == "alive\n"


def test_links_do_not_lead_out_of_what_is_exposed(helper, exposed):
    (exposed / "link").symlink_to("/etc")
    (exposed / "deep").mkdir()
    (exposed / "deep" / "er").symlink_to("../../../../../../../root")
    for source in ("link", "link/shadow", "deep/er"):
        with pytest.raises(Failed) as refusal: helper.create(mounts=[mount(BIND, exposed / source, "/stolen")])
        assert refusal.value.errno == 13
    (exposed / "within").symlink_to("deep")
    assert helper.create(mounts=[mount(BIND, exposed / "within", "/fine")]).sh("ls /fine")[1] == "er\n"


def test_a_name_that_only_begins_like_an_exposed_one_is_refused(helper, exposed):
    neighbour = str(exposed) + "-neighbour"
    os.mkdir(neighbour)
    with pytest.raises(Failed): helper.create(mounts=[mount(BIND, neighbour, "/stolen")])


@pytest.mark.parametrize("target", ["relative", "/", "/a/../b", "/..", "/a/.", "//a", "/a/", "/a//b", "/proc/x", "/dev/null", "/tmp/x", "/proc"])
def test_bad_targets_are_refused(helper, exposed, target):
    with pytest.raises(Failed) as refusal: helper.create(mounts=[mount(BIND, exposed, target)])
    assert refusal.value.errno == 22


def test_targets_cannot_leave_the_new_root_by_links(helper, exposed):
    (exposed / "up").symlink_to("/../../../../etc")
    s = helper.create(mounts=[mount(SYMLINK, "/../../..", "/out"), mount(FILE, "content", "/out/var/made"), mount(DIRECTORY, "", "/out/etc/made")])
    assert s.sh("cat /var/made; ls -d /etc/made")[1] == "content/etc/made\n"
    assert not os.path.exists("/var/made") and not os.path.exists("/etc/made")
    with pytest.raises(Failed): helper.create(mounts=[mount(BIND, exposed, "/x"), mount(FILE, "content", "/x/written")])
    with pytest.raises(Failed): helper.create(mounts=[mount(SYMLINK, "/proc", "/p"), mount(FILE, "b", "/p/sysrq-trigger")])
    assert sorted(os.listdir(exposed)) == ["up"]


def test_mounts_of_every_kind(helper, exposed):
    (exposed / "code").mkdir()
    (exposed / "code" / "f").write_text("from the host")
    (exposed / "file").write_text("one file")
    s = helper.create(mounts=[mount(BIND, exposed / "code", "/opt/deep/code"), mount(BIND, exposed / "file", "/opt/deep/file"),
                              mount(SYMLINK, "/opt/deep/code/f", "/link"), mount(DIRECTORY, "", "/mnt/empty"), mount(FILE, "text\n", "/etc/hosts")])
    assert s.sh("cat /opt/deep/code/f /opt/deep/file /link /etc/hosts; ls /mnt/empty; touch /opt/deep/code/x || echo no")[1].startswith(
        "from the hostone filefrom the hosttext\n")
    assert not (exposed / "code" / "x").exists()
    with pytest.raises(Failed) as missing: helper.create(mounts=[mount(BIND, exposed / "nothing", "/x")])
    assert (missing.value.errno, missing.value.stage) == (2, "mount /x")


def test_what_the_host_mounts_later_is_seen(helper, exposed):
    helper.create().destroy()
    assert eventually(lambda: len(cgroup_directories(helper.name)) > 8)   # the pool is filled with copies of the mounts of now
    (exposed / "later").mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "none", exposed / "later"], check=True)
    try:
        (exposed / "later" / "file").write_text("new")
        assert helper.create(mounts=[mount(BIND, exposed / "later", "/later")]).sh("cat /later/file")[1] == "new"
    finally:
        subprocess.run(["umount", "-l", exposed / "later"], check=True)


# -------------------------------------------------------------------------------------------------- network

def answer_one(listener, text):
    assert select.select([listener], [], [], PATIENCE)[0]
    connection, _ = listener.accept()
    connection.sendall(text.encode())
    connection.close()


ASK = "import socket\nc = socket.create_connection(('127.0.0.1', 9001), 5)\nprint(c.recv(100).decode())"


def test_the_listener_is_reached_from_inside_and_only_from_there(helper):
    a, b = helper.create(listen=[9001]), helper.create(listen=[9001])
    first, second = a.spawn("/usr/bin/python3", "-S", "-c", ASK), b.spawn("/usr/bin/python3", "-S", "-c", ASK)
    answer_one(b.listeners[0], "this is b")
    answer_one(a.listeners[0], "this is a")
    assert a.finish(*first)[1] == "this is a\n" and b.finish(*second)[1] == "this is b\n"
    with pytest.raises(ConnectionRefusedError): socket.create_connection(("127.0.0.1", 9001), 2)
    assert not a.listeners[0].getblocking() or not os.get_blocking(a.listeners[0].fileno())


def test_several_listeners_keep_their_order(helper):
    s = helper.create(listen=[9001, 80, 0])
    ports = [l.getsockname()[1] for l in s.listeners]
    assert ports[:2] == [9001, 80] and ports[2] > 0


def test_sockets_on_the_link_local_address(helper):
    s = helper.create(listen=[9001, (2000, 2), (2000, 1)])
    assert [l.getsockname() for l in s.listeners] == [("127.0.0.1", 9001), ("169.254.79.129", 2000), ("169.254.79.129", 2000)]
    assert [l.type for l in s.listeners] == [socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_STREAM]
    process, out = s.spawn("/usr/bin/python3", "-S", "-c", """import socket
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.sendto(b'said', ('169.254.79.129', 2000))
print(socket.create_connection(('169.254.79.129', 2000), 5).recv(100).decode())
try: socket.create_connection(('169.254.169.254', 80), 2)
except OSError as e: print(e.errno)""")
    answer_one(s.listeners[2], "by tcp")
    assert select.select([s.listeners[1]], [], [], PATIENCE)[0] and s.listeners[1].recv(100) == b"said"
    assert s.finish(process, out)[1] == "by tcp\n101\n", "the network of the address is not reached, and not this host either"


def test_abstract_sockets_are_not_shared(helper):
    a, b = helper.create(), helper.create()
    process, out = a.spawn("/usr/bin/python3", "-S", "-c", "import socket, time\ns = socket.socket(socket.AF_UNIX); s.bind('\\0name'); s.listen(); print('up', flush=True); time.sleep(60)")
    read_until(out, "up")
    assert b.python("import socket\ntry: socket.socket(socket.AF_UNIX).connect('\\0name'); print('REACHED')\nexcept OSError as e: print(e.errno)")[1] == "111\n"


# -------------------------------------------------------------------------------------------------- languages

@pytest.mark.parametrize("argv,expected", [
    (["/usr/bin/node", "-e", "const os=require('os'); os.networkInterfaces(); new Promise(r => setTimeout(r, 5)).then(() => console.log('node', os.userInfo().uid))"], "node 993"),
    (["/usr/bin/java", "-Xmx64m", "-version"], "openjdk"),
    (["/usr/bin/python3", "-c", "import asyncio, multiprocessing.shared_memory, ssl, sqlite3, concurrent.futures as f\nprint(list(f.ThreadPoolExecutor(4).map(str, [1, 2])))"], "['1', '2']"),
    (["/usr/bin/ruby", "-e", "Thread.new { puts 1 + 1 }.join"], "2"),
    (["/bin/bash", "-c", "echo $((6 * 7)) | cat"], "42"),
])
def test_language_runtimes_start(helper, argv, expected):
    if not os.path.exists(argv[0]): pytest.skip(argv[0] + " is not here")
    helper.close()
    with Helper(expose=["/usr", "/bin", "/lib", "/lib64", "/etc"]) as wide:
        extra = [mount(BIND, d, d) for d in ("/etc/alternatives", "/etc/java-17-openjdk", "/etc/ssl") if os.path.isdir(d)]
        status, out, _ = wide.create(memory=1024 * MB, mounts=extra).run(*argv, env={"HOME": "/tmp", "PATH": "/usr/bin:/bin"}, timeout=40)
        assert status == 0 and expected in out, out


@pytest.fixture
def writing(exposed):
    given, kept = exposed / "given", exposed / "kept"
    for directory in (given, kept): directory.mkdir()
    os.chown(given, 5000, 6000)
    os.chmod(given, 0o700)
    with Helper(expose=["/usr", "/bin", "/lib", "/lib64", "/etc/ld.so.cache", str(exposed)], writable=[str(given), str(kept)]) as h:
        h.hello()
        yield h


def test_what_is_written_belongs_to_the_owner(writing, exposed):
    first = writing.create(mounts=[mount(WRITABLE, exposed / "given", "/mnt/a")])
    second = writing.create(mounts=[mount(WRITABLE, exposed / "given", "/mnt/b")])
    assert first.sh("mkdir /mnt/a/d && echo one > /mnt/a/d/f && stat -c '%u %g' /mnt/a /mnt/a/d/f")[1] == "993 990\n993 990\n"
    assert second.sh("echo two >> /mnt/b/d/f; cat /mnt/b/d/f")[1] == "one\ntwo\n"
    facts = os.stat(exposed / "given" / "d" / "f")
    assert (facts.st_uid, facts.st_gid) == (5000, 6000)
    # After a reset it is there again.
    first.reset()
    assert first.sh("cat /mnt/a/d/f")[1] == "one\ntwo\n"
    # What is bound without that word stays as it is.
    third = writing.create(mounts=[mount(BIND, exposed, "/seen")])
    assert third.sh("touch /seen/given/x 2>/dev/null || echo no")[1] == "no\n"


def test_only_what_is_writable_is_given_to_write(writing, helper, exposed):
    (exposed / "other").mkdir()
    (exposed / "given" / "link").symlink_to(exposed / "other")
    (exposed / "file").write_text("")
    for source, errno in (("other", 13), ("given/link", 13), ("file", 13), ("given/../other", 13), ("kept", 1), ("given/none", 2)):
        with pytest.raises(Failed) as refusal: writing.create(mounts=[mount(WRITABLE, exposed / source, "/mnt/a")])
        assert (refusal.value.stage, refusal.value.errno) == ("mount /mnt/a", errno), source
    for source in ("/usr", exposed / "given"):
        with pytest.raises(Failed) as refusal: helper.create(mounts=[mount(WRITABLE, source, "/mnt/a")])
        assert refusal.value.errno == 13
