# Deployment packages that are broken, hostile or too large: a clear error, and nothing left behind.
import io
import os
import random
import stat
import struct
import zipfile

import botocore.exceptions
import pytest

from conftest import ROLE, error_of, package


def stored(state):
    return sorted(os.listdir(f"{state}/trees")), sorted(f for d in os.listdir(f"{state}/blobs") for f in os.listdir(f"{state}/blobs/{d}"))


def refuse(server, name, code):
    before = stored(server.state)
    answer = error_of(server.client.create_function, FunctionName=name, Runtime="python3.11", Handler="app.handler",
                      Role=ROLE, Code={"ZipFile": code})
    assert stored(server.state) == before, "something was left behind"
    assert error_of(server.client.get_function, FunctionName=name)[0] == 404
    return answer


MALFORMED = "Could not unzip uploaded file. Please check your file, then try to upload again."


@pytest.mark.parametrize("code", [b"PK", b"not a zip", package({"a": "b"})[:-30], b"\x1f\x8b\x08" + bytes(100)],
                         ids=["short", "text", "truncated", "gzip"])
def test_what_is_not_a_zip(server, name, code):
    assert refuse(server, name, code) == (400, "InvalidParameterValueException", MALFORMED)


def test_an_empty_zip(server, name):
    assert refuse(server, name, package({})) == (400, "InvalidParameterValueException", "Uploaded file must be a non-empty zip")


@pytest.mark.parametrize("entry", ["../evil", "a/../../evil", "/etc/evil", "..\\evil"])
def test_paths_that_leave_the_package(server, name, entry):
    status, code, text = refuse(server, name, package({entry: "x"}))
    assert (status, code) == (400, "InvalidParameterValueException") and "evil" in text


def test_links_that_leave_the_package(server, name):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        link = zipfile.ZipInfo("link")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc")
        archive.writestr("link/evil", "x")
    assert refuse(server, name, buffer.getvalue())[:2] == (400, "InvalidParameterValueException")


def test_a_bomb(server, name):
    bomb = package({"zeros": bytes(300 << 20)})
    assert len(bomb) < 1 << 20
    assert refuse(server, name, bomb)[2] == "Unzipped size must be smaller than 262144000 bytes"


def test_a_bomb_that_lies_about_its_size(server, name):
    bomb = bytearray(package({"zeros": bytes(300 << 20)}))
    size = struct.pack("<I", 300 << 20)
    while size in bomb:
        at = bomb.index(size)
        bomb[at:at + 4] = struct.pack("<I", 10)
    assert refuse(server, name, bytes(bomb))[0] == 400


def test_more_than_fifty_megabytes(server, name):
    code = package({"noise": os.urandom(51 << 20)})
    assert refuse(server, name, code)[:2] == (413, "RequestEntityTooLargeException")


def test_a_request_that_is_too_large(server, name):
    status, code, text = refuse(server, name, os.urandom(60 << 20))
    assert (status, code) == (413, "RequestEntityTooLargeException")
    assert text == "Request must be smaller than 70167211 bytes for the CreateFunction operation"


# What is unusual and right: it has to work.

LOOK = "import os\ndef handler(event, context):\n    return eval(event)\n"


def zipped(entries):
    """A zip of (ZipInfo or name, content)."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for info, content in entries:
            archive.writestr(info, content)
    return buffer.getvalue()


def entry(name, mode=0o644, kind=0o100000, system=3, **more):
    info = zipfile.ZipInfo(name)
    info.create_system = system
    info.external_attr = (kind | mode) << 16 if system == 3 else 0
    for key, value in more.items():
        setattr(info, key, value)
    return info


def test_a_zip_made_on_windows_is_readable(server, name):
    server.create(name, zipped([(entry("app.py", system=0), LOOK), (entry("data\\file.txt".replace("\\", "/"), system=0), "data")]))
    assert server.invoke(name, "open('/var/task/data/file.txt').read()").succeeded() == "data"


def test_modes_links_and_names_are_kept(server, name):
    server.create(name, zipped([
        (entry("app.py"), LOOK), (entry("tool", 0o755), "#!/bin/sh\necho ran"), (entry("empty/", 0o755, 0o040000), ""),
        (entry("a/b/c/d/e.txt"), "deep"), (entry("link", 0o777, 0o120000), "a/b/c/d/e.txt"), (entry("up/link", 0o777, 0o120000), "../app.py"),
        (entry("ünï ☃.txt"), "name"), (entry("shared/" + "n" * 250), "long")]))
    see = lambda expression: server.invoke(name, expression).succeeded()
    assert see("__import__('subprocess').check_output(['/var/task/tool'], text=True)") == "ran\n"
    assert see("oct(os.stat('/var/task/app.py').st_mode & 0o777)") == "0o644"
    assert see("os.listdir('/var/task/empty')") == []
    assert see("open('/var/task/link').read()") == "deep" and see("os.readlink('/var/task/link')") == "a/b/c/d/e.txt"
    assert see("open('/var/task/up/link').read()") == LOOK
    assert see("open('/var/task/ünï ☃.txt').read()") == "name" and see("len(os.listdir('/var/task/shared')[0])") == 250


def test_special_bits_and_unreadable_modes_do_not_survive(server, name):
    server.create(name, zipped([(entry("app.py"), LOOK), (entry("root", 0o4755), "#!/bin/sh\nid -u"), (entry("secret", 0o000), "s")]))
    assert server.invoke(name, "os.stat('/var/task/root').st_mode & 0o7000").succeeded() == 0


def test_zips_of_other_kinds(server, name):
    plain = package({"app.py": LOOK})
    stored = io.BytesIO()
    with zipfile.ZipFile(stored, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("app.py", LOOK)
        archive.comment = b"a comment"
    streamed = io.BytesIO()

    class Unseekable(io.RawIOBase):
        def writable(self):
            return True

        def write(self, data):
            return streamed.write(data)
    with zipfile.ZipFile(Unseekable(), "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("app.py", LOOK)
    big = io.BytesIO()
    with zipfile.ZipFile(big, "w") as archive:
        with archive.open("app.py", "w", force_zip64=True) as file:
            file.write(LOOK.encode())
    for i, code in enumerate((stored.getvalue(), streamed.getvalue(), big.getvalue(), b"#!/bin/sh\n# self-extracting\n" + plain)):
        server.create(f"{name}-{i}", code)
        assert server.invoke(f"{name}-{i}", "1 + 1").succeeded() == 2, i


def test_many_files(server, name):
    files = {f"d{i % 50}/f{i}.txt": str(i) for i in range(5000)}
    server.create(name, package({"app.py": LOOK, **files}), Timeout=20)
    assert server.invoke(name, "sum(len(files) for _, _, files in os.walk('/var/task'))").succeeded() == 5001


@pytest.mark.parametrize("entries", [
    [(entry("app.py"), LOOK), (entry("dev", 0o666, 0o020000), "")],
    [(entry("app.py"), LOOK), (entry("fifo", 0o666, 0o010000), "")],
    [(entry("app.py"), LOOK), (entry("sock", 0o666, 0o140000), "")],
    [(entry("l", 0o777, 0o120000), "../../etc/passwd")],
    [(entry("l", 0o777, 0o120000), "l2"), (entry("l2", 0o777, 0o120000), ".."), (entry("l/x"), "y")],
    [(entry("d", 0o777, 0o120000), "."), (entry("d/../../x"), "y")],
    [(entry("x"), "file"), (entry("x/y"), "below a file")],
    [(entry("n" * 300), "long")],
    [(entry("/".join(["d" * 200] * 30)), "deep")],
    [(entry("."), "dot")], [(entry(""), "no name")], [(entry("a/./../../b"), "up")],
], ids=["device", "fifo", "socket", "link-out", "link-through-link", "dot-link", "below-a-file", "long-name", "long-path", "dot", "empty", "up"])
def test_hostile_entries(server, name, entries):
    """Refused, or unpacked inside of the package; never a 500, never anything outside, nothing left after a refusal."""
    before = stored(server.state)
    outside = set(os.listdir("/tmp")) | set(os.listdir(os.path.dirname(server.state)))
    try:
        server.create(name, zipped(entries))
    except botocore.exceptions.ClientError as refused:
        assert refused.response["ResponseMetadata"]["HTTPStatusCode"] == 400, refused
        assert stored(server.state) == before, "something was left behind"
    else:
        for tree in set(os.listdir(f"{server.state}/trees")) - set(before[0]):
            for top, _, files in os.walk(f"{server.state}/trees/{tree}"):
                for file in files:
                    assert stat.S_IFMT(os.lstat(f"{top}/{file}").st_mode) in (stat.S_IFREG, stat.S_IFLNK)
    assert not os.path.exists(f"{server.state}/x") and not os.path.exists(f"{server.state}/trees/x")
    assert set(os.listdir(os.path.dirname(server.state))) <= outside


@pytest.mark.parametrize("seed", range(40))
def test_random_damage(server, seed):
    """A good zip with flipped, cut and repeated bytes: made or refused with 400, never anything else."""
    numbers = random.Random(seed)
    data = bytearray(zipped([(entry(f"f{i}.py"), "x = 1\n" * i) for i in range(8)]))
    for _ in range(numbers.randrange(1, 10)):
        at = numbers.randrange(len(data))
        kind = numbers.randrange(4)
        if kind == 0:
            data[at] = numbers.randrange(256)
        elif kind == 1:
            del data[at:at + numbers.randrange(20)]
        elif kind == 2:
            data[at:at] = data[at:at + numbers.randrange(40)]
        else:
            data[at:at + 4] = struct.pack("<I", numbers.choice((0, 0xFFFFFFFF, 0x7FFFFFFF, 1 << 28)))
    before = stored(server.state)
    try:
        server.client.create_function(FunctionName=f"damaged-{seed}", Runtime="python3.11", Handler="app.handler", Role=ROLE, Code={"ZipFile": bytes(data)})
    except botocore.exceptions.ClientError as refused:
        assert refused.response["ResponseMetadata"]["HTTPStatusCode"] == 400, refused
        assert stored(server.state) == before, "something was left behind"


def test_a_refused_update_leaves_the_function_as_it_was(server, name):
    server.create(name, package({"app.py": LOOK}))
    before = server.client.get_function_configuration(FunctionName=name)
    for bad in (b"PK", package({"../x": "y"}), package({"zeros": bytes(300 << 20)})):
        assert error_of(server.client.update_function_code, FunctionName=name, ZipFile=bad)[0] == 400
    after = server.client.get_function_configuration(FunctionName=name)
    before.pop("ResponseMetadata"), after.pop("ResponseMetadata")
    assert after == before and server.invoke(name, "1").succeeded() == 1


def test_a_quarter_of_a_gigabyte_is_the_most(server, name):
    """Just below the limit of what a package may unpack to, spread over many files, it works; one byte above, it does not."""
    limit = 262144000
    block = bytes(1 << 20)
    files = {f"z{i}": block for i in range(249)}
    rest = limit - 249 * len(block) - len(LOOK)
    server.create(name, package({"app.py": LOOK, **files, "rest": bytes(rest)}), Timeout=20)
    assert server.invoke(name, "sum(os.path.getsize('/var/task/' + f) for f in os.listdir('/var/task'))").succeeded() == limit
    answer = refuse(server, name + "x", package({"app.py": LOOK, **files, "rest": bytes(rest + 1)}))
    assert answer[2] == "Unzipped size must be smaller than 262144000 bytes"
