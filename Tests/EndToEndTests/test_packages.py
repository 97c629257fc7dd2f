# Deployment packages that are broken, hostile or too large: a clear error, and nothing left behind.
import io
import os
import struct
import zipfile

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
    assert refuse(server, name, package({}))[:2] == (400, "InvalidParameterValueException")


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
