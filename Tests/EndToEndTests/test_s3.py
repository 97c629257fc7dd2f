# The embedded S3 with boto3 and the aws CLI: objects and versions, listings, code of functions, a server that is killed.
import threading
import concurrent.futures
import base64
import hashlib
import io
import json
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request

import boto3
import botocore.config
import pytest

from conftest import ROLE, error_of, new_directory, package

HANDLER = "def handler(event, context):\n    return {text!r}\n"


def s3_of(server, key="test", region="us-east-1", style="path", **config):
    return boto3.client(
        "s3", endpoint_url=server.endpoint, region_name=region, aws_access_key_id=key, aws_secret_access_key="x",
        config=botocore.config.Config(s3={"addressing_style": style}, retries={"max_attempts": 0}, **config))


@pytest.fixture
def s3(server):
    return s3_of(server)


@pytest.fixture
def bucket(s3, name):
    bucket = name.lower().replace("-", "")[:40] + "-bucket"
    s3.create_bucket(Bucket=bucket)
    return bucket


def aws(server, *arguments, **settings):
    environment = {
        **os.environ, "AWS_ENDPOINT_URL": server.endpoint, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1", "AWS_PAGER": ""}
    return subprocess.run(
        [sys.executable, "-m", "awscli", *arguments], env=environment, capture_output=True, text=True, timeout=100, **settings)


def test_buckets(server, s3, bucket):
    assert bucket in [b["Name"] for b in s3.list_buckets()["Buckets"]]
    assert s3.head_bucket(Bucket=bucket)["BucketRegion"] == "us-east-1"
    assert s3.get_bucket_location(Bucket=bucket)["LocationConstraint"] is None
    s3.create_bucket(Bucket=bucket)
    assert error_of(s3.create_bucket, Bucket="Upper")[1] == "InvalidBucketName"
    assert error_of(s3.create_bucket, Bucket="192.168.1.1")[1] == "InvalidBucketName"
    other = s3_of(server, key="222222222222")
    assert error_of(other.create_bucket, Bucket=bucket)[:2] == (409, "BucketAlreadyExists")
    assert error_of(other.list_objects_v2, Bucket=bucket)[:2] == (403, "AccessDenied")
    assert other.list_buckets()["Buckets"] == []
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    assert error_of(s3.delete_bucket, Bucket=bucket)[:2] == (409, "BucketNotEmpty")
    s3.delete_object(Bucket=bucket, Key="k")
    s3.delete_bucket(Bucket=bucket)
    assert error_of(s3.head_bucket, Bucket=bucket)[:2] == (404, "404")
    assert error_of(s3.list_objects, Bucket=bucket) == (404, "NoSuchBucket", "The specified bucket does not exist")


def test_buckets_of_other_regions(server, name):
    s3 = s3_of(server, region="eu-west-1")
    bucket = f"{name.lower()}-eu"
    assert error_of(s3.create_bucket, Bucket=bucket)[1] == "IllegalLocationConstraintException"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    assert s3.get_bucket_location(Bucket=bucket)["LocationConstraint"] == "eu-west-1"
    assert error_of(
        s3.create_bucket, Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )[1] == "BucketAlreadyOwnedByYou"


@pytest.mark.parametrize("key", ["a", "a b/c+d/é ü/%41?&#=", "double//slash/", ".", "a/../b", "\U0001F600", "<&>\"'"])
def test_objects_come_back_as_they_went(s3, bucket, key):
    body = os.urandom(1000)
    put = s3.put_object(
        Bucket=bucket, Key=key, Body=body, ContentType="text/x", CacheControl="no-store", ContentEncoding="gzip",
        Metadata={"one": "1", "two": "b c"})
    assert put["ETag"] == f'"{hashlib.md5(body).hexdigest()}"'
    got = s3.get_object(Bucket=bucket, Key=key)
    assert got["Body"].read() == body
    assert (got["ContentType"], got["CacheControl"], got["ContentEncoding"]) == ("text/x", "no-store", "gzip")
    assert got["Metadata"] == {"one": "1", "two": "b c"}
    assert got["ETag"] == put["ETag"] and "VersionId" not in got
    head = s3.head_object(Bucket=bucket, Key=key)
    assert head["ContentLength"] == 1000 and head["ETag"] == put["ETag"] and head["LastModified"] == got["LastModified"]
    assert [o["Key"] for o in s3.list_objects_v2(Bucket=bucket)["Contents"]] == [key]
    assert [o["Key"] for o in s3.list_objects(Bucket=bucket)["Contents"]] == [key]
    s3.delete_object(Bucket=bucket, Key=key)
    assert error_of(s3.get_object, Bucket=bucket, Key=key)[:2] == (404, "NoSuchKey")
    assert error_of(s3.head_object, Bucket=bucket, Key=key)[0] == 404


def test_empty_and_large_objects(s3, bucket):
    s3.put_object(Bucket=bucket, Key="empty", Body=b"")
    assert s3.get_object(Bucket=bucket, Key="empty")["Body"].read() == b""
    large = os.urandom(24 << 20)
    s3.put_object(Bucket=bucket, Key="large", Body=large)
    assert s3.get_object(Bucket=bucket, Key="large")["Body"].read() == large
    assert s3.head_object(Bucket=bucket, Key="large")["ContentLength"] == len(large)


@pytest.mark.parametrize("algorithm", ["CRC32", "SHA1", "SHA256"])
def test_checksums(s3, bucket, algorithm):
    body = io.BytesIO(b"some bytes" * 100_000)
    put = s3.put_object(Bucket=bucket, Key="k", Body=body, ChecksumAlgorithm=algorithm)
    got = s3.get_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert put[f"Checksum{algorithm}"] == got[f"Checksum{algorithm}"]
    assert got["Body"].read() == body.getvalue()
    if algorithm == "SHA256":
        assert put["ChecksumSHA256"] == base64.b64encode(hashlib.sha256(body.getvalue()).digest()).decode()
    wrong = base64.b64encode(b"x" * {"CRC32": 4, "SHA1": 20, "SHA256": 32}[algorithm]).decode()
    assert error_of(s3.put_object, Bucket=bucket, Key="k2", Body=b"x", **{f"Checksum{algorithm}": wrong})[1] == "BadDigest"
    assert error_of(s3.get_object, Bucket=bucket, Key="k2")[1] == "NoSuchKey"


def test_content_md5(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", ContentMD5=base64.b64encode(hashlib.md5(b"x").digest()).decode())
    wrong = base64.b64encode(hashlib.md5(b"y").digest()).decode()
    assert error_of(s3.put_object, Bucket=bucket, Key="k", Body=b"x", ContentMD5=wrong)[:2] == (400, "BadDigest")
    assert error_of(s3.put_object, Bucket=bucket, Key="k", Body=b"x", ContentMD5="eA==")[1] == "InvalidDigest"


def chunked(content, *, trailer=None, size=7, signature=False):
    out = b""
    for i in range(0, len(content), size):
        part = content[i:i + size]
        out += f"{len(part):x}{';chunk-signature=' + 'a' * 64 if signature else ''}\r\n".encode() + part + b"\r\n"
    out += b"0" + (b";chunk-signature=" + b"a" * 64 if signature else b"") + b"\r\n"
    return out + (f"{trailer}\r\n".encode() if trailer else b"") + b"\r\n"


def send(server, method, path, body=None, **headers):
    request = urllib.request.Request(server.endpoint + path, data=body, method=method)
    request.add_header("Authorization", "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0")
    for name, value in headers.items():
        request.add_header(name.replace("_", "-"), value)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def test_bodies_in_chunks(server, s3, bucket):
    content = b"0123456789" * 50
    def put(body, length=len(content), **headers):
        return send(server, "PUT", f"/{bucket}/k", body, x_amz_content_sha256="STREAMING-UNSIGNED-PAYLOAD-TRAILER",
                    Content_Encoding="aws-chunked", x_amz_decoded_content_length=str(length), **headers)

    crc = base64.b64encode(__import__("zlib").crc32(content).to_bytes(4, "big")).decode()
    assert put(chunked(content, trailer=f"x-amz-checksum-crc32:{crc}"), x_amz_trailer="x-amz-checksum-crc32")[0] == 200
    got = s3.get_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert got["Body"].read() == content and got["ChecksumCRC32"] == crc and "ContentEncoding" not in got
    assert put(chunked(content, signature=True))[0] == 200
    status, body = put(chunked(content, trailer="x-amz-checksum-crc32:AAAAAA=="), x_amz_trailer="x-amz-checksum-crc32")
    assert status == 400 and b"<Code>BadDigest</Code>" in body
    for wrong in [b"", b"5\r\nabc", chunked(content)[:-9], chunked(content) + b"more", b"zz\r\n", chunked(content[:-1])]:
        status, body = put(wrong)
        assert status == 400 and b"<Code>IncompleteBody</Code>" in body, wrong


def test_a_signed_body_that_was_changed(server, bucket):
    status, body = send(server, "PUT", f"/{bucket}/k", b"x", x_amz_content_sha256=hashlib.sha256(b"y").hexdigest())
    assert status == 400 and b"<Code>XAmzContentSHA256Mismatch</Code>" in body


def test_ranges_and_conditions(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"0123456789")

    def part(text):
        got = s3.get_object(Bucket=bucket, Key="k", Range=text)
        return got["ResponseMetadata"]["HTTPStatusCode"], got["Body"].read(), got.get("ContentRange")

    assert part("bytes=2-4") == (206, b"234", "bytes 2-4/10")
    assert part("bytes=7-") == (206, b"789", "bytes 7-9/10")
    assert part("bytes=-3") == (206, b"789", "bytes 7-9/10")
    assert part("bytes=5-99") == (206, b"56789", "bytes 5-9/10")
    assert part("lines=1-2") == (200, b"0123456789", None)
    assert error_of(s3.get_object, Bucket=bucket, Key="k", Range="bytes=10-")[:2] == (416, "InvalidRange")
    head = s3.head_object(Bucket=bucket, Key="k")
    assert s3.get_object(Bucket=bucket, Key="k", IfMatch=head["ETag"])["ContentLength"] == 10
    assert error_of(s3.get_object, Bucket=bucket, Key="k", IfMatch='"x"')[:2] == (412, "PreconditionFailed")
    assert error_of(s3.get_object, Bucket=bucket, Key="k", IfNoneMatch=head["ETag"])[0] == 304
    assert error_of(s3.get_object, Bucket=bucket, Key="k", IfModifiedSince=head["LastModified"])[0] == 304
    assert s3.get_object(Bucket=bucket, Key="k", IfUnmodifiedSince=head["LastModified"])["ContentLength"] == 10
    assert error_of(s3.put_object, Bucket=bucket, Key="k", Body=b"", IfNoneMatch="*")[:2] == (412, "PreconditionFailed")
    s3.put_object(Bucket=bucket, Key="k", Body=b"new", IfMatch=head["ETag"])
    assert error_of(s3.put_object, Bucket=bucket, Key="k", Body=b"", IfMatch=head["ETag"])[0] == 412
    shown = s3.get_object(Bucket=bucket, Key="k", ResponseContentType="a/b", ResponseCacheControl="c")
    assert (shown["ContentType"], shown["CacheControl"]) == ("a/b", "c")


def test_versions(s3, bucket):
    assert "Status" not in s3.get_bucket_versioning(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="k", Body=b"before")
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    one, two = (s3.put_object(Bucket=bucket, Key="k", Body=text)["VersionId"] for text in (b"one", b"two"))

    def body(**version):
        return s3.get_object(Bucket=bucket, Key="k", **version)["Body"].read()

    assert (body(), body(VersionId=one), body(VersionId="null")) == (b"two", b"one", b"before")
    marker = s3.delete_object(Bucket=bucket, Key="k")
    assert marker["DeleteMarker"] is True
    assert error_of(s3.get_object, Bucket=bucket, Key="k")[:2] == (404, "NoSuchKey")
    assert error_of(s3.get_object, Bucket=bucket, Key="k", VersionId=marker["VersionId"])[:2] == (405, "MethodNotAllowed")
    listed = s3.list_object_versions(Bucket=bucket)
    assert [v["VersionId"] for v in listed["Versions"]] == [two, one, "null"]
    assert [m["VersionId"] for m in listed["DeleteMarkers"]] == [marker["VersionId"]]
    assert listed["DeleteMarkers"][0]["IsLatest"] and "Contents" not in s3.list_objects_v2(Bucket=bucket)
    s3.delete_object(Bucket=bucket, Key="k", VersionId=marker["VersionId"])
    assert body() == b"two"
    assert error_of(s3.get_object, Bucket=bucket, Key="k", VersionId="x" * 32)[:2] == (404, "NoSuchVersion")
    s3.delete_object(Bucket=bucket, Key="k", VersionId=two)
    assert body() == b"one"
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
    assert s3.put_object(Bucket=bucket, Key="k", Body=b"null again")["ResponseMetadata"]["HTTPHeaders"].get("x-amz-version-id") == "null"
    assert body() == b"null again" and body(VersionId=one) == b"one"
    pages = s3.get_paginator("list_object_versions").paginate(Bucket=bucket, PaginationConfig={"PageSize": 1})
    assert [v["VersionId"] for page in pages for v in page.get("Versions", [])] == ["null", one]


def test_listings(s3, bucket):
    keys = [f"{folder}/{i}" for folder in ("a", "b", "b/c", "z") for i in range(4)] + ["top", "ä", "a b"]
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=b"")
    ordered = sorted(keys, key=lambda key: key.encode())
    for operation in ("list_objects", "list_objects_v2"):
        for size in (1, 3, 100):
            pages = list(s3.get_paginator(operation).paginate(Bucket=bucket, PaginationConfig={"PageSize": size}))
            assert [o["Key"] for page in pages for o in page.get("Contents", [])] == ordered
            pages = list(s3.get_paginator(operation).paginate(
                Bucket=bucket, Delimiter="/", PaginationConfig={"PageSize": size}))
            assert [o["Key"] for page in pages for o in page.get("Contents", [])] == ["a b", "top", "ä"]
            assert [p["Prefix"] for page in pages for p in page.get("CommonPrefixes", [])] == ["a/", "b/", "z/"]
            pages = list(s3.get_paginator(operation).paginate(
                Bucket=bucket, Prefix="b/", Delimiter="/", PaginationConfig={"PageSize": size}))
            assert [o["Key"] for page in pages for o in page.get("Contents", [])] == [f"b/{i}" for i in range(4)]
            assert [p["Prefix"] for page in pages for p in page.get("CommonPrefixes", [])] == ["b/c/"]
    after = s3.list_objects_v2(Bucket=bucket, StartAfter="b/c/2")
    assert [o["Key"] for o in after["Contents"]] == ordered[ordered.index("b/c/2") + 1:] and after["KeyCount"] == len(after["Contents"])
    empty = s3.list_objects_v2(Bucket=bucket, MaxKeys=0)
    assert empty["KeyCount"] == 0 and not empty["IsTruncated"]


def test_copies(s3, bucket):
    s3.put_object(Bucket=bucket, Key="a b/ü", Body=b"content", ContentType="x/y", Metadata={"m": "1"})
    copied = s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "a b/ü"})
    assert copied["CopyObjectResult"]["ETag"] == f'"{hashlib.md5(b"content").hexdigest()}"'
    s3.delete_object(Bucket=bucket, Key="a b/ü")
    got = s3.get_object(Bucket=bucket, Key="copy")
    assert (got["Body"].read(), got["ContentType"], got["Metadata"]) == (b"content", "x/y", {"m": "1"})
    assert error_of(s3.copy_object, Bucket=bucket, Key="copy", CopySource=f"{bucket}/copy")[1] == "InvalidRequest"
    s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/copy", MetadataDirective="REPLACE", Metadata={"n": "2"})
    assert s3.head_object(Bucket=bucket, Key="copy")["Metadata"] == {"n": "2"}
    assert error_of(s3.copy_object, Bucket=bucket, Key="x", CopySource=f"{bucket}/missing")[1] == "NoSuchKey"


def test_deleting_many(s3, bucket):
    for i in range(5):
        s3.put_object(Bucket=bucket, Key=f"k{i}", Body=b"")
    done = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": f"k{i}"} for i in range(4)] + [{"Key": "missing"}]})
    assert [d["Key"] for d in done["Deleted"]] == ["k0", "k1", "k2", "k3", "missing"]
    assert "Deleted" not in s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "k4"}], "Quiet": True})
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)


def test_hosts_that_name_the_bucket(server, s3, bucket):
    s3.put_object(Bucket=bucket, Key="k/x", Body=b"virtual")
    request = urllib.request.Request(f"{server.endpoint}/k/x", headers={"Host": f"{bucket}.s3.amazonaws.com"})
    with urllib.request.urlopen(request) as answer:
        assert answer.read() == b"virtual"


@pytest.mark.parametrize("signature", ["s3v4", "s3"])
def test_presigned(server, bucket, signature):
    s3 = s3_of(server, signature_version=signature)
    url = s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "k"})
    with urllib.request.urlopen(urllib.request.Request(url, data=b"presigned", method="PUT")) as answer:
        assert answer.status == 200
    with urllib.request.urlopen(s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k"})) as answer:
        assert answer.read() == b"presigned"


def test_what_is_not_built_names_itself(s3, bucket):
    for call, arguments in [
        (s3.get_object_torrent, {"Key": "k"}), (s3.restore_object, {"Key": "k", "RestoreRequest": {"Days": 1}}),
        (s3.get_bucket_metadata_configuration, {}),
    ]:
        status, code, message = error_of(call, Bucket=bucket, **arguments)
        assert (status, code) == (501, "NotImplemented") and "S3" in message
    key = base64.b64encode(b"k" * 32).decode()
    assert error_of(s3.put_object, Bucket=bucket, Key="k", Body=b"", SSECustomerKey=key, SSECustomerAlgorithm="AES256")[:2] == (501, "NotImplemented")


def test_presigned_addresses_expire(server, s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")

    def answer(url):
        try:
            with urllib.request.urlopen(url) as found:
                return found.status, found.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    for signature in ("s3v4", "s3"):
        client = s3_of(server, signature_version=signature)
        url = client.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k"}, ExpiresIn=600)
        assert answer(url) == (200, "x")
        status, body = answer(re.sub(r"X-Amz-Date=\d{8}", "X-Amz-Date=20240229", re.sub(r"Expires=\d{10}", "Expires=1700000000", url)))
        assert status == 403 and "<Code>AccessDenied</Code><Message>Request has expired</Message>" in body and "<ServerTime>" in body
    url = s3_of(server, signature_version="s3v4").generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k"})
    for old, new, code, text in [
        ("X-Amz-Expires=3600", "X-Amz-Expires=604801", 400, "X-Amz-Expires must be less than a week"),
        ("X-Amz-Expires=3600", "X-Amz-Expires=-1", 400, "X-Amz-Expires must be non-negative"),
        ("X-Amz-Expires=3600", "X-Amz-Expires=x", 400, "X-Amz-Expires should be a number"),
        ("X-Amz-Date=2", "X-Amz-Date=9", 400, "X-Amz-Date must be in the ISO8601 Long Format"),
        ("&X-Amz-Expires=3600", "", 400, "AuthorizationQueryParametersError"),
    ]:
        assert old in url
        status, body = answer(url.replace(old, new))
        assert status == code and text in body, body


def create(server, name, client=None, **code):
    client = client or server.client
    created = client.create_function(FunctionName=name, Runtime="python3.11", Handler="app.handler", Role=ROLE, Code=code)
    client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.02, "MaxAttempts": 3000})
    return created


def test_code_of_a_function(server, s3, bucket, name):
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    one, two = (
        s3.put_object(Bucket=bucket, Key="code.zip", Body=package({"app.py": HANDLER.format(text=text)}))["VersionId"]
        for text in ("one", "two"))
    create(server, name, S3Bucket=bucket, S3Key="code.zip", S3ObjectVersion=one)
    assert server.invoke(name).succeeded() == "one"
    server.client.update_function_code(FunctionName=name, S3Bucket=bucket, S3Key="code.zip")
    server.client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.02, "MaxAttempts": 3000})
    assert server.invoke(name).succeeded() == "two"
    location = server.client.get_function(FunctionName=name)["Code"]["Location"]
    with urllib.request.urlopen(location) as answer:
        assert answer.read() == s3.get_object(Bucket=bucket, Key="code.zip")["Body"].read()
    # What runs is a copy.
    s3.delete_object(Bucket=bucket, Key="code.zip", VersionId=two)
    assert server.invoke(name).succeeded() == "two"


def test_code_that_is_refused(server, s3, bucket, name):
    def message(**code):
        status, error, text = error_of(
            server.client.create_function, FunctionName=name, Runtime="python3.11", Handler="app.handler", Role=ROLE, Code=code)
        assert (status, error) == (400, "InvalidParameterValueException")
        return text.removeprefix("Error occurred while GetObject. ")

    s3.put_object(Bucket=bucket, Key="k", Body=b"no zip")
    assert message(S3Bucket=bucket, S3Key="x") == "S3 Error Code: NoSuchKey. S3 Error Message: The specified key does not exist."
    assert message(S3Bucket="nobodys-bucket", S3Key="x") == (
        "S3 Error Code: NoSuchBucket. S3 Error Message: The specified bucket does not exist")
    assert message(S3Bucket=bucket, S3Key="k", S3ObjectVersion="v" * 32).startswith("S3 Error Code: NoSuchVersion.")
    assert message(S3Bucket=bucket, S3Key="k").startswith("Could not unzip uploaded file.")
    other = server.make_client(key="222222222222")
    assert "S3 Error Code: AccessDenied" in error_of(
        other.create_function, FunctionName=name, Runtime="python3.11", Handler="app.handler",
        Role="arn:aws:iam::222222222222:role/r", Code={"S3Bucket": bucket, "S3Key": "k"})[2]
    elsewhere = server.make_client(region="eu-west-1")
    assert error_of(
        elsewhere.create_function, FunctionName=name, Runtime="python3.11", Handler="app.handler", Role=ROLE,
        Code={"S3Bucket": bucket, "S3Key": "k"})[2].endswith(
            "S3 Error Code: PermanentRedirect. S3 Error Message: The bucket is in this region: us-east-1. "
            "Please use this region to retry the request")


def test_the_command_line(server, bucket, name):
    directory = new_directory()
    path = f"{directory}/code.zip"
    with open(path, "wb") as file:
        file.write(package({"app.py": HANDLER.format(text="by the aws CLI"), "noise": os.urandom(3 << 20)}))
    done = aws(server, "s3", "cp", path, f"s3://{bucket}/folder/code.zip")
    assert done.returncode == 0, done.stderr
    listed = aws(server, "s3", "ls", f"s3://{bucket}", "--recursive")
    assert "folder/code.zip" in listed.stdout, listed.stderr
    done = aws(
        server, "lambda", "create-function", "--function-name", name, "--runtime", "python3.11", "--handler",
        "app.handler", "--role", ROLE, "--code", f"S3Bucket={bucket},S3Key=folder/code.zip")
    assert done.returncode == 0, done.stderr
    assert server.invoke(name).succeeded() == "by the aws CLI"
    done = aws(server, "s3", "cp", f"s3://{bucket}/folder/code.zip", f"{directory}/back.zip")
    assert done.returncode == 0, done.stderr
    with open(path, "rb") as one, open(f"{directory}/back.zip", "rb") as two:
        assert one.read() == two.read()
    assert aws(server, "s3", "rb", f"s3://{bucket}", "--force").returncode == 0


def test_a_kill_loses_nothing(own_server, name):
    server = own_server()
    s3 = s3_of(server)
    s3.create_bucket(Bucket="kept")
    s3.put_bucket_versioning(Bucket="kept", VersioningConfiguration={"Status": "Enabled"})
    kept = {}
    for i in range(30):
        body = os.urandom(2000 * i)
        kept[s3.put_object(Bucket="kept", Key=f"k{i % 7}", Body=body)["VersionId"]] = (f"k{i % 7}", body)
    gone = s3.put_object(Bucket="kept", Key="gone", Body=b"x")["VersionId"]
    s3.delete_object(Bucket="kept", Key="gone", VersionId=gone)
    # What is left of an upload that a crash cut off.
    os.makedirs(f"{server.state}/objects/ab", exist_ok=True)
    with open(f"{server.state}/objects/ab/abandoned", "w") as file:
        file.write("x")
    server.stop(signal.SIGKILL)
    server = own_server(state=server.state)
    s3 = s3_of(server)
    for version, (key, body) in kept.items():
        assert s3.get_object(Bucket="kept", Key=key, VersionId=version)["Body"].read() == body
    assert s3.get_object(Bucket="kept", Key="k1")["Body"].read() == kept[list(kept)[29]][1]
    versions = s3.list_object_versions(Bucket="kept")["Versions"]
    assert {v["VersionId"] for v in versions} == set(kept)
    files = [f for _, _, names in os.walk(f"{server.state}/objects") for f in names]
    assert len(files) == 30


@pytest.mark.parametrize("algorithm", [None, "CRC32", "SHA256"])
def test_uploads_in_parts(s3, bucket, algorithm):
    more = {"ChecksumAlgorithm": algorithm} if algorithm else {}
    upload = s3.create_multipart_upload(Bucket=bucket, Key="a b", ContentType="x/y", Metadata={"m": "1"}, **more)["UploadId"]
    here = {"Bucket": bucket, "Key": "a b", "UploadId": upload}
    assert [u["UploadId"] for u in s3.list_multipart_uploads(Bucket=bucket)["Uploads"]] == [upload]
    bodies = [os.urandom(5 << 20), os.urandom(5 << 20), b"last"]
    s3.upload_part(**here, PartNumber=2, Body=b"replaced", **more)
    parts = []
    for number, body in ((3, bodies[2]), (1, bodies[0]), (2, bodies[1])):
        part = s3.upload_part(**here, PartNumber=number, Body=body, **more)
        assert part["ETag"] == f'"{hashlib.md5(body).hexdigest()}"'
        parts.append({"PartNumber": number, "ETag": part["ETag"], **{k: v for k, v in part.items() if k.startswith("Checksum") and k != "ChecksumType"}})
    parts.sort(key=lambda part: part["PartNumber"])
    assert [p["PartNumber"] for p in s3.list_parts(**here)["Parts"]] == [1, 2, 3]
    assert error_of(s3.get_object, Bucket=bucket, Key="a b")[1] == "NoSuchKey"
    assert error_of(s3.complete_multipart_upload, **here, MultipartUpload={"Parts": parts[::-1]})[1] == "InvalidPartOrder"
    wrong = [{"PartNumber": 1, "ETag": '"x"'}]
    assert error_of(s3.complete_multipart_upload, **here, MultipartUpload={"Parts": wrong})[1] == "InvalidPart"
    done = s3.complete_multipart_upload(**here, MultipartUpload={"Parts": parts})
    tag = hashlib.md5(b"".join(hashlib.md5(body).digest() for body in bodies)).hexdigest()
    assert done["ETag"] == f'"{tag}-3"'
    if algorithm == "SHA256":
        digests = b"".join(hashlib.sha256(body).digest() for body in bodies)
        assert done["ChecksumSHA256"] == base64.b64encode(hashlib.sha256(digests).digest()).decode() + "-3"
    got = s3.get_object(Bucket=bucket, Key="a b")
    assert got["Body"].read() == b"".join(bodies) and got["ContentType"] == "x/y" and got["Metadata"] == {"m": "1"}
    assert error_of(s3.complete_multipart_upload, **here, MultipartUpload={"Parts": parts})[:2] == (404, "NoSuchUpload")
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)


def test_uploads_that_come_to_nothing(s3, bucket):
    here = {"Bucket": bucket, "Key": "k", "UploadId": s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]}
    parts = [
        {"PartNumber": number, "ETag": s3.upload_part(**here, PartNumber=number, Body=b"small")["ETag"]} for number in (1, 2)]
    assert error_of(s3.complete_multipart_upload, **here, MultipartUpload={"Parts": parts})[:2] == (400, "EntityTooSmall")
    assert error_of(s3.upload_part, **here, PartNumber=10_001, Body=b"")[1] == "InvalidArgument"
    s3.abort_multipart_upload(**here)
    assert error_of(s3.upload_part, **here, PartNumber=1, Body=b"")[:2] == (404, "NoSuchUpload")


def test_parts_that_are_copied(s3, bucket):
    s3.put_object(Bucket=bucket, Key="source", Body=b"0123456789")
    here = {"Bucket": bucket, "Key": "k", "UploadId": s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]}
    part = s3.upload_part_copy(**here, PartNumber=1, CopySource=f"{bucket}/source", CopySourceRange="bytes=2-5")
    s3.complete_multipart_upload(
        **here, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["CopyPartResult"]["ETag"]}]})
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"2345"


def test_a_large_package_by_the_command_line(server, s3, bucket, name):
    directory = new_directory()
    with open(f"{directory}/code.zip", "wb") as file:
        file.write(package({"app.py": HANDLER.format(text="large"), "noise": os.urandom(55 << 20)}))
    done = aws(server, "s3", "cp", f"{directory}/code.zip", f"s3://{bucket}/code.zip")
    assert done.returncode == 0, done.stderr
    assert "-" in s3.head_object(Bucket=bucket, Key="code.zip")["ETag"]
    assert create(server, name, S3Bucket=bucket, S3Key="code.zip")["CodeSize"] > 55 << 20
    assert server.invoke(name).succeeded() == "large"


def test_reading_while_others_write(s3, bucket):
    """Whoever reads gets one whole version or another, never an error."""
    bodies = [bytes([65 + i]) * 20_000 for i in range(4)]
    s3.put_object(Bucket=bucket, Key="k", Body=bodies[0])
    done = threading.Event()

    def write(body):
        while not done.is_set():
            s3.put_object(Bucket=bucket, Key="k", Body=body)

    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        writers = [pool.submit(write, body) for body in bodies[1:]]
        try:
            seen = {s3.get_object(Bucket=bucket, Key="k")["Body"].read() for _ in range(200)}
            for number in range(50):
                s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/k")
                seen.add(s3.get_object(Bucket=bucket, Key="copy")["Body"].read())
        finally:
            done.set()
        for writer in writers:
            writer.result()
    assert seen <= set(bodies)
