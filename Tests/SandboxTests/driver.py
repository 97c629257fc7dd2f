"""A small client of martlet-sandbox: speaks Sources/CMartlet/include/sandbox_protocol.h. Used by the tests only."""
import array, os, select, signal, socket, struct, subprocess, time, uuid

HELLO, CREATE, SPAWN, SIGNAL, RESET, DESTROY, CONNECT, ZYGOTE, LEVEL, FIGURES, GRAFT, BASE = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12
WELCOME, CREATED, SPAWNED, RESET_DONE, DESTROYED, FAILED, CONNECTED, EXITED = 101, 102, 103, 105, 106, 107, 108, 110
ZYGOTE_READY, FIGURES_ARE, GRAFTED = 109, 111, 112
T = dict(VERSION=1, GUARANTEE=2, MEMORY=3, TMP=4, CPU=5, PIDS=6, NOFILE=7, HOSTNAME=8, MOUNT=9, LISTEN=10, NETWORK=11, PROCESS=12,
         ARG=13, ENV=14, CWD=15, SIGNO=16, FD_KINDS=17, REQUEST=18, ERRNO=19, STAGE=20, STATUS=21, OOM=22, ZYGOTE=23, LEVEL=24, FIGURE=25, FOLLOWS=26, SNAPSHOT=27, YIELDS=28)
NAMES = {v: k for k, v in T.items()}
BIND, SYMLINK, DIRECTORY, FILE, WRITABLE = 1, 2, 3, 4, 5
LISTENER, FREEZE_V1, FREEZE_V2, CPU_V1, CPU_V2, PEAK, TMP, CPU_IDLE = 1, 2, 3, 4, 5, 6, 7, 8
MB = 1 << 20
PATIENCE = 15   # seconds; a bound for what should take milliseconds

BINARY = os.environ.get("MARTLET_SANDBOX", "/tmp/martlet-sandbox")


def field(tag, value):
    tag = T[tag] if isinstance(tag, str) else tag
    if isinstance(value, str): value = value.encode()
    return struct.pack("<II", tag, len(value)) + value


u16 = lambda n: struct.pack("<H", n)
u32 = lambda n: struct.pack("<I", n)
u64 = lambda n: struct.pack("<Q", n)


def message(kind, sandbox, *fields):
    return struct.pack("<II", kind, sandbox) + b"".join(fields)


def mount(kind, source, target):
    return field("MOUNT", bytes([kind]) + os.fsencode(source) + b"\0" + os.fsencode(target) + b"\0")


def readable(fd, timeout):
    """select.select() without its bound on descriptors."""
    waiting = select.poll()
    waiting.register(fd, select.POLLIN)
    return bool(waiting.poll(max(0, timeout) * 1000))


class Answer:
    def __init__(self, data, fds):
        self.type, self.sandbox = struct.unpack_from("<II", data)
        self.fds, self.fields, at = fds, [], 8
        while at < len(data):
            tag, length = struct.unpack_from("<II", data, at)
            self.fields.append((NAMES[tag], data[at + 8:at + 8 + length]))
            at += 8 + length
        assert at == len(data)

    def get(self, name):
        for tag, value in self.fields:
            if tag == name:
                return struct.unpack("<I", value)[0] if name not in ("STAGE", "GUARANTEE", "FD_KINDS") else value if name == "FD_KINDS" else value.decode(errors="replace")
        return None

    def __repr__(self): return f"<{self.type} sandbox={self.sandbox} {self.fields} fds={self.fds}>"


class Helper:
    """One martlet-sandbox process."""

    def __init__(self, isolation="full", expose=(), writable=(), pool=4, name=None, prefix=(), binary=None, uid_base=2000000, patience=60):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket, self.name, self.next, self.inbox = ours, name or "t" + uuid.uuid4().hex[:12], 1, []
        command = [*prefix, binary or BINARY, "--fd", "3", "--isolation", isolation, "--name", self.name,
                   "--uid-base", str(uid_base), "--pool", str(pool), "--patience", str(patience)]
        for directory in expose: command += ["--expose", directory]
        for directory in writable: command += ["--writable", directory]
        n = theirs.fileno()
        self.log = os.memfd_create("stderr")
        self.process = subprocess.Popen(command, pass_fds=(3,) if n == 3 else (3, n), close_fds=True, stderr=self.log,
                                        env={"SECRET_OF_THE_SERVER": "leak", "PATH": os.environ["PATH"]}, preexec_fn=lambda: os.dup2(n, 3))
        theirs.close()

    def send(self, data, fds=()):
        self.socket.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else [])

    def receive(self, timeout=PATIENCE):
        if not readable(self.socket, timeout): raise TimeoutError("no answer")
        data, ancillary, flags, _ = self.socket.recvmsg(1 << 18, 4096, socket.MSG_CMSG_CLOEXEC)
        if not data: raise EOFError("martlet-sandbox is gone: " + self.errors())
        fds = array.array("i")
        for level, kind, body in ancillary: fds.frombytes(body)
        return Answer(data, list(fds))

    def wait(self, *types, sandbox=None, process=None, timeout=PATIENCE):
        """The next answer of one of these types; others are kept for later."""
        def fits(a):
            return a.type in types and sandbox in (None, a.sandbox) and process in (None, a.get("PROCESS"))
        end = time.monotonic() + timeout
        for i, answer in enumerate(self.inbox):
            if fits(answer): return self.inbox.pop(i)
        while True:
            answer = self.receive(max(0, end - time.monotonic()))
            if fits(answer): return answer
            self.inbox.append(answer)

    def hello(self):
        self.send(message(HELLO, 0, field("VERSION", u32(3))))
        return self.wait(WELCOME)

    def create(self, **options): return Sandbox(self, **options)

    def zygote(self, *argv, mounts=(), env=None, cwd="/", wait=True):
        """The number of a zygote that is up."""
        number, self.next = self.next, self.next + 1
        fields = [*system_mounts(), *mounts, *(field("ARG", a) for a in argv), field("CWD", cwd)]
        fields += [field("ENV", f"{k}={v}") for k, v in (env or {}).items()]
        self.send(message(ZYGOTE, number, *fields))
        if wait:
            answer = self.wait(ZYGOTE_READY, FAILED, sandbox=number)
            if answer.type == FAILED: raise Failed(answer)
        return number

    def level(self, zygote, level): self.send(message(LEVEL, zygote, field("LEVEL", u32(level))))

    def figures(self):
        self.send(message(FIGURES, 0))
        lines = [value.decode().split("\t") for tag, value in self.wait(FIGURES_ARE).fields if tag == "FIGURE"]
        return {name: int(value) for name, value in lines}

    def errors(self):
        return os.pread(self.log, 1 << 20, 0).decode(errors="replace")

    def close(self):
        self.socket.close()
        self.process.wait(PATIENCE)
        text = self.errors()
        os.close(self.log)
        assert "Sanitizer" not in text and "runtime error" not in text and "== ERROR SUMMARY: 0" not in text.replace("ERROR SUMMARY: 0", ""), text
        return text

    def __enter__(self): return self
    def __exit__(self, *_):
        if self.process.poll() is None: self.close()


def system_mounts():
    """What a program of this host needs to run inside."""
    mounts = [mount(BIND, "/usr", "/usr"), mount(BIND, "/etc/ld.so.cache", "/etc/ld.so.cache"),
              mount(FILE, "sandbox:x:993:990::/tmp:/sbin/nologin\n", "/etc/passwd"), mount(DIRECTORY, "", "/var/task")]
    for name in ("bin", "lib", "lib64"):
        mounts.append(mount(SYMLINK, "usr/" + name, "/" + name) if os.path.islink("/" + name) else mount(BIND, "/" + name, "/" + name))
    return mounts


class Failed(Exception):
    def __init__(self, answer):
        self.errno, self.stage, self.request = answer.get("ERRNO"), answer.get("STAGE"), answer.get("REQUEST")
        super().__init__(f"{os.strerror(self.errno)} at {self.stage}")


class Sandbox:
    def __init__(self, helper, memory=128 * MB, tmp=512 * MB, cpu=1000, pids=64, nofile=1024, hostname="here", mounts=None,
                 listen=(), network=0, wait=True, system=True, zygote=None, snapshot=False, yields=False):
        self.zygote = zygote
        self.helper, self.id, self.processes = helper, helper.next, 0
        helper.next += 1
        fields = [field("MEMORY", u64(memory)), field("TMP", u64(tmp)), field("CPU", u32(cpu)), field("PIDS", u32(pids)),
                  field("NOFILE", u32(nofile)), field("HOSTNAME", hostname), field("NETWORK", u32(network))]
        fields += [field("LISTEN", u16(port[0]) + bytes([port[1]]) if isinstance(port, tuple) else u16(port)) for port in listen]
        if zygote: fields.append(field("ZYGOTE", u32(zygote)))
        if snapshot: fields.append(field("SNAPSHOT", u32(1)))
        if yields: fields.append(field("YIELDS", u32(1)))
        fields += (system_mounts() if system else []) + list(mounts or [])
        self.fields = fields
        helper.send(message(CREATE, self.id, *fields))
        self.listeners, self.fds = [], {}
        if wait: self.created()

    def graft(self, *mounts, fields=None):
        """Binds where the sandbox has empty directories."""
        self.order_graft(*mounts, fields=fields)
        answer = self.helper.wait(GRAFTED, FAILED, sandbox=self.id)
        if answer.type == FAILED: raise Failed(answer)

    def order_graft(self, *mounts, fields=None):
        targets = {m.split(b"\0")[-2] for m in mounts}
        kept = [f for f in fields or self.fields if not (f[:4] == u32(T["MOUNT"]) and f.split(b"\0")[-2] in targets)]
        self.helper.send(message(GRAFT, self.id, *kept, *mounts))

    def created(self):
        answer = self.helper.wait(CREATED, FAILED, sandbox=self.id)
        if answer.type == FAILED: raise Failed(answer)
        kinds = answer.get("FD_KINDS")
        assert len(kinds) == len(answer.fds)
        for kind, fd in zip(kinds, answer.fds):
            if kind == LISTENER: self.listeners.append(socket.socket(fileno=fd))
            else: self.fds[kind] = fd
        return self

    def order(self, *argv, env=None, cwd=None, follows=False):
        """Sends SPAWN; returns (process, read end of its output)."""
        self.processes += 1
        reading, writing = os.pipe2(os.O_CLOEXEC)
        fields = [field("PROCESS", u32(self.processes))] + [field("ARG", a) for a in argv]
        fields += [field("ENV", f"{k}={v}") for k, v in (env or {}).items()]
        if cwd: fields.append(field("CWD", cwd))
        if follows: fields.append(field("FOLLOWS", u32(1)))
        if self.zygote: fields.append(field("ZYGOTE", u32(self.zygote)))
        self.helper.send(message(SPAWN, self.id, *fields), [writing])
        os.close(writing)
        return self.processes, reading

    def spawn(self, *argv, **options):
        process, reading = self.order(*argv, **options)
        answer = self.helper.wait(SPAWNED, FAILED, sandbox=self.id, process=process)
        if answer.type == FAILED:
            os.close(reading)
            raise Failed(answer)
        return process, reading

    def finish(self, process, reading, timeout=PATIENCE):
        """Waits for the end; returns (wait status, output, oom)."""
        answer = self.helper.wait(EXITED, sandbox=self.id, process=process, timeout=timeout)
        return answer.get("STATUS"), read_all(reading), answer.get("OOM")

    def run(self, *argv, timeout=PATIENCE, **options):
        return self.finish(*self.spawn(*argv, **options), timeout=timeout)

    def sh(self, script, **options): return self.run("/bin/sh", "-c", script, **options)
    def python(self, code, **options): return self.run("/usr/bin/python3", "-S", "-c", code, **options)

    def signal(self, process, number):
        self.helper.send(message(SIGNAL, self.id, field("PROCESS", u32(process)), field("SIGNO", u32(number))))

    def freeze(self, stop=True):
        """Stops or resumes the processes. They are stopped when this returns; they resume soon after it has."""
        v2 = FREEZE_V2 in self.fds
        os.pwrite(self.fds[FREEZE_V2 if v2 else FREEZE_V1], (b"1" if stop else b"0") if v2 else (b"FROZEN" if stop else b"THAWED"), 0)
        files = [d + ("/cgroup.events" if v2 else "/freezer.state") for d in cgroup_directories(self.helper.name)]
        files = [f for f in files if os.path.exists(f)]
        assert files and (not stop or eventually(lambda: any(
            "frozen 1" in t or "FROZEN" in t for t in (open(f).read() for f in files))))

    def connect(self, port, ticket=1):
        """A socket that is connected to a port inside."""
        self.helper.send(message(CONNECT, self.id, field("PROCESS", u32(ticket)), field("LISTEN", u16(port))))
        answer = self.helper.wait(CONNECTED, FAILED, sandbox=self.id, process=ticket)
        if answer.type == FAILED: raise Failed(answer)
        return socket.socket(fileno=answer.fds[0])

    def reset(self):
        self.helper.send(message(RESET, self.id))
        answer = self.helper.wait(RESET_DONE, FAILED, sandbox=self.id)
        if answer.type == FAILED: raise Failed(answer)
        if answer.fds:   # without root a new init has a new network
            for s in self.listeners: s.close()
            self.listeners = [socket.socket(fileno=fd) for fd in answer.fds]

    def destroy(self):
        self.helper.send(message(DESTROY, self.id))
        answer = self.helper.wait(DESTROYED, FAILED, sandbox=self.id)
        for fd in self.fds.values(): os.close(fd)
        for s in self.listeners: s.close()
        self.fds, self.listeners = {}, []
        if answer.type == FAILED: raise Failed(answer)


def read_all(fd, timeout=PATIENCE):
    out, end = b"", time.monotonic() + timeout
    while readable(fd, end - time.monotonic()):
        part = os.read(fd, 65536)
        if not part:
            os.close(fd)
            return out.decode(errors="replace")
        out += part
    raise TimeoutError(f"output stays open: {out[-200:]!r}")


def read_until(fd, text, timeout=PATIENCE):
    out, end = b"", time.monotonic() + timeout
    while text.encode() not in out:
        if not readable(fd, end - time.monotonic()): raise TimeoutError(repr(out))
        part = os.read(fd, 65536)
        if not part: raise EOFError(repr(out))
        out += part
    return out.decode()


# A program whose first thread waits in a system call and is handed SIGTERM, beside others that would take it, too. It says
# so once it waits again. The handler is C's: what a signal does not interrupt because it comes right before a system
# call, or before a frozen one goes on, CPython's own would hear of only after it.
LISTENING = """import ctypes, os, threading, time
heard, reading = 0, os.pipe()[0]
news = threading.Event()
@ctypes.CFUNCTYPE(None, ctypes.c_int)
def hear(number):
    global heard
    if threading.get_native_id() != os.getpid(): os.write(1, b'another thread was handed it\\n')
    heard += 1
    news.set()
def waits():
    with open('/proc/self/task/%d/syscall' % os.getpid()) as file: return file.read().split()[1:2] == [hex(reading)]
def tell():
    while True:
        news.wait()
        news.clear()
        while not waits(): time.sleep(0.001)
        os.write(1, b'heard %d\\n' % heard)
for i in range(3): threading.Thread(target=threading.Event().wait, daemon=True).start()
threading.Thread(target=tell, daemon=True).start()
news.set()
ctypes.CDLL(None).signal(15, hear)
os.read(reading, 1)"""


def signal_frozen(sandbox, process, reading):
    read_until(reading, "heard 0\n")
    for i in range(1, 31):
        sandbox.freeze()
        if i % 2: sandbox.signal(process, signal.SIGTERM)
        sandbox.freeze(False)
        if not i % 2: sandbox.signal(process, signal.SIGTERM)
        assert read_until(reading, f"heard {i}\n") == f"heard {i}\n"


def cgroup_directories(name):
    return [path for root, directories, _ in os.walk("/sys/fs/cgroup") for path in [root] if f"martlet-{name}" in path]


def eventually(check, timeout=PATIENCE):
    """For what the kernel does on its own time after an event (tearing down namespaces, say)."""
    end = time.monotonic() + timeout
    while not check():
        if time.monotonic() > end: return False
        time.sleep(0.01)
    return True
