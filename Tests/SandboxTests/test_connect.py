"""Connections from outside into a sandbox's own network."""
import errno, pytest
from driver import *
from test_modes import rootless  # noqa: F401

LISTENER = """
import socket
with socket.create_server(('127.0.0.1', 8080)) as s:
    print('listens', flush=True)
    connection = s.accept()[0]
    print(connection.recv(100).decode(), flush=True)
    connection.sendall(b'and back')
"""


def talk(sandbox):
    process, out = sandbox.spawn("/usr/bin/python3", "-S", "-c", LISTENER)
    read_until(out, "listens")
    with sandbox.connect(8080, ticket=7) as connection:
        assert readable(connection, 0) is False or connection.getblocking() is False
        connection.setblocking(True)
        connection.sendall(b"from outside")
        assert connection.recv(100) == b"and back"
    assert sandbox.finish(process, out)[1].endswith("from outside\n")


def nobody(sandbox):
    """Nobody listens: the socket says so, at once or when it is used."""
    with pytest.raises((ConnectionRefusedError, Failed)):
        with sandbox.connect(8080, ticket=3) as connection:
            connection.setblocking(True)
            connection.recv(1)


def test_a_connection_into_a_sandbox(helper):
    a, b = helper.create(), helper.create()
    talk(a)
    process, out = a.spawn("/usr/bin/python3", "-S", "-c", LISTENER)
    read_until(out, "listens")
    nobody(b)
    a.reset()
    talk(a)


def test_a_connection_into_a_rootless_sandbox(rootless):  # noqa: F811
    rootless.hello()
    a = rootless.create()
    nobody(a)
    talk(a)
    a.reset()
    talk(a)


@pytest.mark.parametrize("fields", [
    [], [field("PROCESS", u32(1))], [field("LISTEN", u16(80))], [field("PROCESS", u32(1)), field("LISTEN", u16(0))],
    [field("PROCESS", u32(1)), field("LISTEN", b"x")], [field("PROCESS", b"x"), field("LISTEN", u16(80))]])
def test_orders_that_make_no_sense(helper, fields):
    s = helper.create()
    helper.send(message(CONNECT, s.id, *fields))
    assert helper.wait(FAILED, sandbox=s.id).get("ERRNO") == errno.EINVAL
    assert s.sh("echo alive")[1] == "alive\n"


def test_many_connections_leave_no_descriptor(helper):
    s = helper.create()
    process, out = s.spawn("/usr/bin/python3", "-S", "-c", "import socket\ns = socket.create_server(('127.0.0.1', 8080))\nprint('listens', flush=True)\n"
                           "while True: s.accept()[0].close()")
    read_until(out, "listens")
    before = len(os.listdir(f"/proc/{helper.process.pid}/fd"))
    for ticket in range(1, 200): s.connect(8080, ticket).close()
    assert len(os.listdir(f"/proc/{helper.process.pid}/fd")) < before + 50, "the pool of sandboxes to come may have grown"
