# What objects can do beside being put and got: checksums, parts, conditions, attributes, listings, forms, other origins.
import base64
import hashlib
import os
import re
import urllib.error
import urllib.request
import zlib

import pytest

from conftest import error_of, new_directory
from test_s3 import aws, s3_of, send


@pytest.fixture
def s3(server):
    return s3_of(server)


@pytest.fixture
def bucket(s3, name):
    bucket = re.sub("[^a-z0-9]", "", name.lower())[:40] + "-obj"
    s3.create_bucket(Bucket=bucket)
    return bucket


def crc(data, polynomial, width):
    value = mask = (1 << width) - 1
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ polynomial if value & 1 else value >> 1
    return (value ^ mask).to_bytes(width // 8, "big")


SUMS = {
    "CRC32": lambda data: zlib.crc32(data).to_bytes(4, "big"), "CRC32C": lambda data: crc(data, 0x82F63B78, 32),
    "CRC64NVME": lambda data: crc(data, 0x9A6C9329AC4BC9B5, 64), "SHA1": lambda data: hashlib.sha1(data).digest(),
    "SHA256": lambda data: hashlib.sha256(data).digest()}


def encoded(data):
    return base64.b64encode(data).decode()


@pytest.mark.parametrize("algorithm", SUMS)
def test_every_checksum(server, s3, bucket, algorithm):
    body, member = b"some bytes " * 1000, f"Checksum{algorithm}"
    sum_ = encoded(SUMS[algorithm](body))
    put = s3.put_object(Bucket=bucket, Key="k", Body=body, **{member: sum_})
    assert put[member] == sum_ and put["ChecksumType"] == "FULL_OBJECT"
    head = s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert head[member] == sum_ and head["ChecksumType"] == "FULL_OBJECT"
    attributes = s3.get_object_attributes(Bucket=bucket, Key="k", ObjectAttributes=["Checksum", "ObjectSize", "ETag", "StorageClass", "ObjectParts"])
    assert attributes["Checksum"] == {member: sum_, "ChecksumType": "FULL_OBJECT"} and attributes["ObjectSize"] == len(body)
    assert attributes["ETag"] == put["ETag"].strip('"') and attributes["StorageClass"] == "STANDARD" and "ObjectParts" not in attributes
    wrong = encoded(SUMS[algorithm](b"other"))
    assert error_of(s3.put_object, Bucket=bucket, Key="k", Body=body, **{member: wrong})[:2] == (400, "BadDigest")
    status, answer = send(server, "PUT", f"/{bucket}/k", body, **{f"x-amz-checksum-{algorithm.lower()}": "eA=="})
    assert status == 400 and b"<Code>InvalidRequest</Code>" in answer
    assert s3.list_objects_v2(Bucket=bucket)["Contents"][0]["ChecksumAlgorithm"] == [algorithm]


def test_an_object_without_a_checksum_gets_one(server, s3, bucket):
    assert send(server, "PUT", f"/{bucket}/k", b"123456789")[0] == 200
    assert s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")["ChecksumCRC64NVME"] == encoded(bytes.fromhex("ae8b14860a799888"))


@pytest.mark.parametrize("algorithm, kind", [("CRC32", "COMPOSITE"), ("CRC32", "FULL_OBJECT"), ("SHA256", "COMPOSITE"), (None, None)])
def test_parts(s3, bucket, algorithm, kind):
    here = {"Bucket": bucket, "Key": "k"}
    bodies = [os.urandom(5 << 20), os.urandom(5 << 20), b"the rest"]
    more = {"ChecksumAlgorithm": algorithm} if algorithm else {}
    upload = s3.create_multipart_upload(**here, **more, **({"ChecksumType": kind} if kind else {}))["UploadId"]
    parts = []
    for number, body in zip((2, 5, 9), bodies):
        part = s3.upload_part(**here, UploadId=upload, PartNumber=number, Body=body, **more)
        member = f"Checksum{algorithm}"
        parts.append({"PartNumber": number, "ETag": part["ETag"], **({member: part[member]} if algorithm else {})})
    if algorithm == "SHA256":
        assert error_of(s3.upload_part, **here, UploadId=upload, PartNumber=1, Body=b"", ChecksumAlgorithm="CRC32")[2] == (
            "Checksum Type mismatch occurred, expected checksum Type: sha256, actual checksum Type: crc32")
    complete = {"UploadId": upload, "MultipartUpload": {"Parts": parts}}
    if kind == "COMPOSITE":
        bare = [{"PartNumber": part["PartNumber"], "ETag": part["ETag"]} for part in parts]
        assert "must include the checksum for each part" in error_of(s3.complete_multipart_upload, **here, UploadId=upload, MultipartUpload={"Parts": bare})[2]
        wrong = [{**parts[0], f"Checksum{algorithm}": parts[1][f"Checksum{algorithm}"]}, *parts[1:]]
        assert error_of(s3.complete_multipart_upload, **here, UploadId=upload, MultipartUpload={"Parts": wrong})[1] == "InvalidPart"
    whole = b"".join(bodies)
    if kind == "FULL_OBJECT":
        assert error_of(s3.complete_multipart_upload, **here, **complete, ChecksumCRC32="AAAAAA==")[1] == "BadDigest"
        complete["ChecksumCRC32"] = encoded(SUMS["CRC32"](whole))
    assert "does not match what was computed" in error_of(s3.complete_multipart_upload, **here, **complete, MpuObjectSize=7)[2]
    done = s3.complete_multipart_upload(**here, **complete, MpuObjectSize=len(whole))
    attributes = s3.get_object_attributes(**here, ObjectAttributes=["ObjectParts", "Checksum"], MaxParts=2)
    assert attributes["ObjectParts"]["TotalPartsCount"] == 3
    assert done["ChecksumType"] == (kind or "FULL_OBJECT") == attributes["Checksum"]["ChecksumType"]
    if kind == "COMPOSITE":
        sums = b"".join(SUMS[algorithm](body) for body in bodies)
        assert done[f"Checksum{algorithm}"] == encoded(SUMS[algorithm](sums)) + "-3"
        shown = attributes["ObjectParts"]
        assert [(p["PartNumber"], p["Size"]) for p in shown["Parts"]] == [(2, 5 << 20), (5, 5 << 20)] and shown["IsTruncated"]
        rest = s3.get_object_attributes(**here, ObjectAttributes=["ObjectParts"], PartNumberMarker=shown["NextPartNumberMarker"])["ObjectParts"]
        assert [p["PartNumber"] for p in rest["Parts"]] == [9] and not rest["IsTruncated"]
    for number, body in enumerate(bodies, 1):
        got = s3.get_object(**here, PartNumber=number)
        assert got["Body"].read() == body and got["PartsCount"] == 3 and got["ResponseMetadata"]["HTTPStatusCode"] == 206
    assert s3.head_object(**here, PartNumber=3)["ContentLength"] == 8
    assert error_of(s3.get_object, **here, PartNumber=4)[:2] == (416, "InvalidPartNumber")
    # A copy comes whole.
    copy = s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/k")["CopyObjectResult"]
    assert copy["ETag"] == f'"{hashlib.md5(whole).hexdigest()}"'
    assert "PartsCount" not in s3.head_object(Bucket=bucket, Key="copy", PartNumber=1)
    assert error_of(s3.create_multipart_upload, **here, ChecksumAlgorithm="SHA1", ChecksumType="FULL_OBJECT")[1] == "InvalidRequest"


def test_conditional_writes(s3, bucket):
    here = {"Bucket": bucket, "Key": "k"}
    assert error_of(s3.put_object, **here, Body=b"", IfMatch='"x"')[:2] == (404, "NoSuchKey")
    tag = s3.put_object(**here, Body=b"1", IfNoneMatch="*")["ETag"]
    assert error_of(s3.put_object, **here, Body=b"2", IfNoneMatch="*") == (
        412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
    upload = s3.create_multipart_upload(**here)["UploadId"]
    part = [{"PartNumber": 1, "ETag": s3.upload_part(**here, UploadId=upload, PartNumber=1, Body=b"3")["ETag"]}]
    assert error_of(s3.complete_multipart_upload, **here, UploadId=upload, MultipartUpload={"Parts": part}, IfNoneMatch="*")[0] == 412
    assert error_of(s3.complete_multipart_upload, **here, UploadId=upload, MultipartUpload={"Parts": part}, IfMatch='"x"')[0] == 412
    assert error_of(s3.copy_object, **{**here, "Key": "c"}, CopySource=f"{bucket}/k", CopySourceIfMatch='"x"')[:2] == (412, "PreconditionFailed")
    assert error_of(s3.copy_object, **{**here, "Key": "c"}, CopySource=f"{bucket}/k", CopySourceIfNoneMatch=tag)[0] == 412
    s3.copy_object(Bucket=bucket, Key="c", CopySource=f"{bucket}/k", CopySourceIfMatch=tag)
    assert error_of(s3.delete_object, **here, IfMatch='"x"')[:2] == (412, "PreconditionFailed")
    failed = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "k", "ETag": '"x"'}, {"Key": "c", "ETag": tag}]})
    assert failed["Errors"][0]["Code"] == "PreconditionFailed" and failed["Deleted"][0]["Key"] == "c"
    s3.complete_multipart_upload(**here, UploadId=upload, MultipartUpload={"Parts": part}, IfMatch=tag)
    s3.delete_object(**here, IfMatch="*")
    assert error_of(s3.head_object, **here)[0] == 404


def test_listings_of_uploads(s3, bucket):
    keys = ["a/1", "a/2", "b", "b", "c/1"]
    ids = {s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"] for key in keys}
    for size in (1, 2, 100):
        pages = list(s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket, PaginationConfig={"PageSize": size}))
        found = [upload for page in pages for upload in page.get("Uploads", [])]
        assert [upload["Key"] for upload in found] == keys and {upload["UploadId"] for upload in found} == ids
        pages = list(s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket, Delimiter="/", PaginationConfig={"PageSize": size}))
        assert [upload["Key"] for page in pages for upload in page.get("Uploads", [])] == ["b", "b"]
        assert [p["Prefix"] for page in pages for p in page.get("CommonPrefixes", [])] == ["a/", "c/"]
    here = {"Bucket": bucket, "Key": "a/1", "UploadId": s3.list_multipart_uploads(Bucket=bucket, Prefix="a/1")["Uploads"][0]["UploadId"]}
    for number in (1, 5, 7):
        s3.upload_part(**here, PartNumber=number, Body=b"x" * number)
    pages = list(s3.get_paginator("list_parts").paginate(**here, PaginationConfig={"PageSize": 2}))
    assert [(part["PartNumber"], part["Size"]) for page in pages for part in page["Parts"]] == [(1, 1), (5, 5), (7, 7)]


def ask(server, method, path, body=None, **headers):
    request = urllib.request.Request(server.endpoint + path, data=body, method=method, headers=headers)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, dict(answer.headers), answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, dict(error.headers), error.read().decode()


def test_other_origins(server, s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    preflight = {"Origin": "https://a.example.com", "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "X-Amz-Date, content-type"}
    status, _, body = ask(server, "OPTIONS", f"/{bucket}/k", **preflight)
    assert status == 403 and "CORSResponse: CORS is not enabled for this bucket." in body
    s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [
        {"AllowedOrigins": ["https://*.example.com"], "AllowedMethods": ["GET", "PUT"], "AllowedHeaders": ["x-amz-*", "Content-Type"],
         "ExposeHeaders": ["ETag"], "MaxAgeSeconds": 100},
        {"AllowedOrigins": ["*"], "AllowedMethods": ["GET"]}]})
    status, headers, _ = ask(server, "OPTIONS", f"/{bucket}/k", **preflight)
    assert status == 200 and headers["Access-Control-Allow-Origin"] == "https://a.example.com"
    assert headers["Access-Control-Allow-Methods"] == "GET, PUT" and headers["Access-Control-Max-Age"] == "100"
    assert headers["Access-Control-Allow-Headers"] == "x-amz-date, content-type" and headers["Access-Control-Allow-Credentials"] == "true"
    for change in ({"Origin": "https://example.org"}, {"Access-Control-Request-Method": "DELETE"}, {"Access-Control-Request-Headers": "x-other"}):
        status, _, body = ask(server, "OPTIONS", f"/{bucket}/k", **{**preflight, **change})
        assert status == 403 and "<Code>AccessForbidden</Code>" in body
    assert ask(server, "OPTIONS", f"/{bucket}/k", Origin="https://a.example.com")[0] == 400
    assert ask(server, "OPTIONS", f"/{bucket}/k")[0] == 400
    _, headers, _ = ask(server, "GET", f"/{bucket}/k", Origin="https://b.example.com")
    assert headers["Access-Control-Allow-Origin"] == "https://b.example.com" and headers["Access-Control-Expose-Headers"] == "ETag"
    _, headers, _ = ask(server, "GET", f"/{bucket}/k", Origin="http://elsewhere")
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Origin" not in ask(server, "GET", f"/{bucket}/k")[1]


def form(fields, content, filename="my file.txt"):
    edge = "----edge"
    lines = b"".join(f'--{edge}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode() for name, value in fields.items())
    lines += f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="{filename}"\r\nContent-Type: text/x\r\n\r\n'.encode()
    return lines + content + f"\r\n--{edge}--\r\n".encode(), f"multipart/form-data; boundary={edge}"


def test_forms(server, s3, bucket):
    content = b"line\r\n--not the edge\r\n" + bytes(range(256))
    post = s3.generate_presigned_post(
        bucket, "up/${filename}", Fields={"x-amz-meta-a": "b", "success_action_status": "201"},
        Conditions=[{"x-amz-meta-a": "b"}, {"success_action_status": "201"}, ["content-length-range", 1, 1000]])

    def send_form(fields, content=content):
        body, kind = form(fields, content)
        return ask(server, "POST", f"/{bucket}", body, **{"Content-Type": kind})

    status, headers, body = send_form(post["fields"])
    assert status == 201 and f"<Key>up/my file.txt</Key>" in body and f"<Bucket>{bucket}</Bucket>" in body, body
    got = s3.get_object(Bucket=bucket, Key="up/my file.txt")
    assert got["Body"].read() == content and got["Metadata"] == {"a": "b"} and headers["ETag"] == got["ETag"]
    for change, code, text in [
        ({"x-amz-meta-a": "c"}, 403, "Invalid according to Policy: Policy Condition failed: [&quot;eq&quot;, &quot;$x-amz-meta-a&quot;, &quot;b&quot;]"),
        ({"key": "elsewhere"}, 403, "Policy Condition failed"), ({"x-amz-meta-new": "1"}, 403, "Extra input fields: x-amz-meta-new"),
        ({"policy": "nonsense"}, 400, "<Code>InvalidPolicyDocument</Code>"),
    ]:
        status, _, body = send_form({**post["fields"], **change})
        assert status == code and text in body, body
    assert send_form(post["fields"], b"")[2].count("<Code>EntityTooSmall</Code>") == 1
    assert send_form(post["fields"], b"x" * 1001)[2].count("<Code>EntityTooLarge</Code>") == 1
    old = s3.generate_presigned_post(bucket, "old", ExpiresIn=-10)
    assert "Invalid according to Policy: Policy expired." in send_form(old["fields"])[2]
    assert send_form({"key": "plain"})[0] == 204
    assert "Bucket POST must contain a field named &apos;key&apos;" in send_form({}, b"x")[2].replace("'", "&apos;")
    status, _, body = ask(server, "POST", f"/{bucket}", b"nonsense", **{"Content-Type": "multipart/form-data; boundary=x"})
    assert status == 400 and "MalformedPOSTRequest" in body


def test_the_command_line_synchronizes(server, s3, bucket):
    directory = new_directory()
    for name in ("a.txt", "folder/b c.txt", "folder/ü.bin"):
        os.makedirs(os.path.dirname(f"{directory}/{name}"), exist_ok=True)
        with open(f"{directory}/{name}", "wb") as file:
            file.write(os.urandom(1000))
        os.utime(f"{directory}/{name}", (1600000000, 1600000000))  # S3 tells seconds: what is newer by a fraction would be sent again
    done = aws(server, "s3", "sync", directory, f"s3://{bucket}/copy")
    assert done.returncode == 0, done.stderr
    assert sorted(o["Key"] for o in s3.list_objects_v2(Bucket=bucket)["Contents"]) == ["copy/a.txt", "copy/folder/b c.txt", "copy/folder/ü.bin"]
    os.remove(f"{directory}/a.txt")
    done = aws(server, "s3", "sync", directory, f"s3://{bucket}/copy", "--delete")
    assert "delete:" in done.stdout and "upload:" not in done.stdout, done.stdout
    back = new_directory()
    assert aws(server, "s3", "sync", f"s3://{bucket}/copy", back).returncode == 0
    with open(f"{directory}/folder/ü.bin", "rb") as one, open(f"{back}/folder/ü.bin", "rb") as two:
        assert one.read() == two.read()
    url = aws(server, "s3", "presign", f"s3://{bucket}/copy/folder/b c.txt").stdout.strip()
    with urllib.request.urlopen(url) as answer, open(f"{directory}/folder/b c.txt", "rb") as file:
        assert answer.read() == file.read()
    assert aws(server, "s3", "mv", f"s3://{bucket}/copy/folder/ü.bin", f"s3://{bucket}/moved").returncode == 0
    assert sorted(o["Key"] for o in s3.list_objects_v2(Bucket=bucket)["Contents"]) == ["copy/folder/b c.txt", "moved"]


@pytest.mark.parametrize("key", ["../../../etc/passwd", "..", "./x", "a/../../b", "/etc/passwd", "//", "C:\\x", "a\nb", "%2e%2e/%2f", "\x7f", "x" * 1024])
def test_keys_are_no_paths(server, s3, bucket, key):
    s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == key.encode()
    assert [o["Key"] for o in s3.list_objects_v2(Bucket=bucket)["Contents"]] == [key]
    names = [name for _, _, files in os.walk(f"{server.state}/objects") for name in files]
    assert all(re.fullmatch("[0-9a-f]{32}", name) for name in names)


def test_keys_that_are_too_long(s3, bucket):
    assert error_of(s3.put_object, Bucket=bucket, Key="ü" * 513, Body=b"")[:2] == (400, "KeyTooLongError")
