# Objects cost no memory, however large they are: what the server takes while one goes in and out, in every way.
import base64
import hashlib
import os
import socket
import zlib

import pytest

from conftest import new_directory
from test_s3 import s3_of

SIZE = 300 << 20
PIECE = 1 << 20
# Ten parts at once, each with two lots of a MiB on its way to the disk, and what the allocator keeps of them.
BOUND = 96


@pytest.fixture(scope="module")
def large():
    path = f"{new_directory()}/large"
    block, digest = os.urandom(16 << 20), hashlib.md5()
    with open(path, "wb") as file:
        left = SIZE
        while left > 0:
            piece = block[:left]
            file.write(piece)
            digest.update(piece)
            left -= len(piece)
    return path, digest.hexdigest()


def memory(server, field):
    """MiB."""
    with open(f"/proc/{server.process.pid}/status") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith(field)) / 1024


class Growth:
    """By how much the server's memory rises at most meanwhile."""

    def __init__(self, server, what):
        self.server, self.what = server, what

    def __enter__(self):
        with open(f"/proc/{self.server.process.pid}/clear_refs", "w") as file:
            file.write("5")
        self.before = memory(self.server, "VmRSS")

    def __exit__(self, *problem):
        if problem[0] is None:
            growth = memory(self.server, "VmHWM") - self.before
            assert growth < BOUND, f"{self.what}: {growth:.0f} MiB"


class Hashing:
    """A sink that keeps nothing."""

    def __init__(self):
        self.digest = hashlib.md5()

    def write(self, data):
        self.digest.update(data)


def put_in_chunks(server, bucket, key, path):
    """As SDKs send streams: encoded, with a checksum behind them."""
    count = SIZE // PIECE
    head, end = f"{PIECE:x}\r\n".encode(), b"\r\n"
    length = count * (len(head) + PIECE + 2) + len("0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n")
    with socket.create_connection(("127.0.0.1", server.port)) as connection, open(path, "rb") as file:
        connection.sendall((
            f"PUT /{bucket}/{key} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\nx-amz-decoded-content-length: {SIZE}\r\n"
            "x-amz-content-sha256: STREAMING-UNSIGNED-PAYLOAD-TRAILER\r\nContent-Encoding: aws-chunked\r\nx-amz-trailer: x-amz-checksum-crc32\r\n"
            "Connection: close\r\n\r\n").encode())
        crc = 0
        while piece := file.read(PIECE):
            crc = zlib.crc32(piece, crc)
            connection.sendall(head + piece + end)
        connection.sendall(b"0\r\nx-amz-checksum-crc32:" + base64.b64encode(crc.to_bytes(4, "big")) + b"\r\n\r\n")
        answer = b""
        while data := connection.recv(PIECE):
            answer += data
    assert answer.startswith(b"HTTP/1.1 200 "), answer


def post_form(server, bucket, key, path):
    edge = "------edge"
    head = f'--{edge}\r\nContent-Disposition: form-data; name="key"\r\n\r\n{key}\r\n--{edge}\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'.encode()
    tail = f"\r\n--{edge}--\r\n".encode()
    with socket.create_connection(("127.0.0.1", server.port)) as connection, open(path, "rb") as file:
        connection.sendall((
            f"POST /{bucket} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(head) + SIZE + len(tail)}\r\n"
            f"Content-Type: multipart/form-data; boundary={edge}\r\nConnection: close\r\n\r\n").encode() + head)
        connection.sendfile(file)
        connection.sendall(tail)
        answer = connection.recv(PIECE)
    assert answer.startswith(b"HTTP/1.1 204 "), answer


@pytest.mark.timeout(300)
def test_large_objects_need_no_memory(own_server, large):
    server = own_server("--isolation", "none")
    s3, bucket, (path, digest) = s3_of(server), "large", large
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="warm", Body=os.urandom(2 << 20))

    def check(key):
        with Growth(server, f"GET {key}"):
            sink = Hashing()
            body = s3.get_object(Bucket=bucket, Key=key)["Body"]
            for piece in body.iter_chunks(PIECE):
                sink.write(piece)
        assert sink.digest.hexdigest() == digest, key
        s3.delete_object(Bucket=bucket, Key=key)

    with Growth(server, "PutObject"), open(path, "rb") as file:
        s3.put_object(Bucket=bucket, Key="whole", Body=file)
    with Growth(server, "PutObject in chunks"):
        put_in_chunks(server, bucket, "chunks", path)
    check("chunks")
    with Growth(server, "a form"):
        post_form(server, bucket, "form", path)
    check("form")
    with Growth(server, "upload_file"):
        s3.upload_file(path, bucket, "parts")
    with Growth(server, "CopyObject of an object that came in parts"):
        s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/parts")
    check("copy")
    check("whole")
    with Growth(server, "download_file"):
        s3.download_file(bucket, "parts", f"{path}.back")
    assert os.path.getsize(f"{path}.back") == SIZE
    os.remove(f"{path}.back")
    check("parts")
    left = [name for _, _, names in os.walk(f"{server.state}/objects") for name in names]
    assert len(left) == 1
