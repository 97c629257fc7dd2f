"""Fixtures. Every test gets its own helper process; a test may take at most a minute (longer if STARTS is large)."""
import faulthandler, gc, os, pytest
from driver import Helper, cgroup_directories, eventually

if os.geteuid() != 0:
    collect_ignore_glob = ["test_*.py"]   # the real thing needs root; the driver is then of no use


@pytest.fixture(autouse=True)
def bounded():
    faulthandler.dump_traceback_later(60 + int(os.environ.get("STARTS", 0)) // 10, exit=True)
    before = descriptors()
    yield
    faulthandler.cancel_dump_traceback_later()
    gc.collect()                        # sockets close themselves
    for leftover in descriptors() - before:   # what helpers have sent and nobody has looked at
        try: os.close(leftover)
        except OSError: pass            # it was that of the list


def descriptors(): return {int(name) for name in os.listdir("/proc/self/fd")}


@pytest.fixture
def exposed(tmp_path):
    os.chmod(tmp_path, 0o755)
    return tmp_path


@pytest.fixture
def helper(exposed):
    h = Helper(expose=["/usr", "/bin", "/lib", "/lib64", "/etc/ld.so.cache", str(exposed)])
    h.hello()
    yield h
    if h.process.poll() is None: h.close()
    assert not cgroup_directories(h.name)


@pytest.fixture
def sandbox(helper): return helper.create(listen=[9001])
