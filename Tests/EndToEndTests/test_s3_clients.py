# What stock clients do with S3 beside the plain put and get: addresses, listings of odd keys, owners, refusals of bodies.
import base64
import hashlib
import io
import os
import re
import socket
import unicodedata
import urllib.error
import urllib.request

import boto3
import botocore.config
import pytest

from conftest import error_of, new_directory
from test_s3 import aws, chunked, s3_of, send

ACCOUNT = "000000000000"


@pytest.fixture
def s3(server):
    return s3_of(server)


@pytest.fixture
def bucket(s3, name):
    bucket = re.sub("[^a-z0-9]", "", name.lower())[:40] + "-cl"
    s3.create_bucket(Bucket=bucket)
    return bucket


# MARK: addresses


@pytest.fixture
def resolved(monkeypatch):
    """Every name below localhost is this host, as resolvers of desktops have it."""
    real = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *more, **named: real("127.0.0.1" if str(host).endswith("localhost") else host, *more, **named))


@pytest.mark.parametrize("host", ["s3.localhost", "localhost"])
def test_virtual_hosts(server, bucket, resolved, host):
    client = boto3.client(
        "s3", endpoint_url=f"http://{host}:{server.port}", region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="x",
        config=botocore.config.Config(s3={"addressing_style": "virtual"}, retries={"max_attempts": 0}))
    key = "a b/c+d/é//?&#%41"
    put = client.put_object(Bucket=bucket, Key=key, Body=b"0123456789")
    assert client.get_object(Bucket=bucket, Key=key, Range="bytes=1-3")["Body"].read() == b"123"
    assert client.head_object(Bucket=bucket, Key=key)["ETag"] == put["ETag"]
    assert [o["Key"] for o in client.list_objects_v2(Bucket=bucket)["Contents"]] == [key]
    assert client.get_bucket_location(Bucket=bucket)["LocationConstraint"] is None
    assert bucket in [b["Name"] for b in client.list_buckets()["Buckets"]]
    client.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": key})
    upload = client.create_multipart_upload(Bucket=bucket, Key="parts")["UploadId"]
    part = client.upload_part_copy(Bucket=bucket, Key="parts", UploadId=upload, PartNumber=1, CopySource={"Bucket": bucket, "Key": key})
    client.complete_multipart_upload(
        Bucket=bucket, Key="parts", UploadId=upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["CopyPartResult"]["ETag"]}]})
    url = client.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "parts"})
    assert f"{bucket}.{host}" in url
    with urllib.request.urlopen(url) as answer:
        assert answer.read() == b"0123456789"
    made = f"{bucket}-made"
    client.create_bucket(Bucket=made)
    client.delete_bucket(Bucket=made)
    assert error_of(client.head_bucket, Bucket=made)[0] == 404


def test_names_with_dots(s3, bucket):
    name = f"{bucket}.with.s3.dots"
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key="s3.localhost/k", Body=b"x")
    assert s3.get_object(Bucket=name, Key="s3.localhost/k")["Body"].read() == b"x"


# MARK: listings

ODD = ["!", "a", "a b", "a+b", "a%20b", "a&b", "a<b>", "a\"b'", "ab", "a\tb", "b//c", "b//d", "b/c", "é", unicodedata.normalize("NFD", "é"), "\U0001F600/x", "\U0010FFFF", "~", "*"]


@pytest.mark.parametrize("operation", ["list_objects", "list_objects_v2", "list_object_versions"])
def test_odd_keys_in_pages(s3, bucket, operation):
    for key in ODD:
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    ordered = sorted(ODD, key=lambda key: key.encode())
    member = "Versions" if operation == "list_object_versions" else "Contents"
    for size in (1, 2, 5, 1000):
        for prefix, delimiter in [("", None), ("a", None), ("", "/"), ("b/", "/"), ("", "//"), ("", " "), ("e", "\u0301"), ("", "é")]:
            named = {"Delimiter": delimiter} if delimiter else {}
            pages = list(s3.get_paginator(operation).paginate(Bucket=bucket, Prefix=prefix, PaginationConfig={"PageSize": size}, **named))
            keys, prefixes = [], []
            for key in ordered:
                if not key.encode().startswith(prefix.encode()):
                    continue
                rest = key[len(prefix):]
                if delimiter and delimiter in rest:
                    rolled = prefix + rest[:rest.index(delimiter) + len(delimiter)]
                    if rolled not in prefixes:
                        prefixes.append(rolled)
                else:
                    keys.append(key)
            assert [o["Key"] for page in pages for o in page.get(member, [])] == keys, (size, prefix, delimiter)
            assert [p["Prefix"] for page in pages for p in page.get("CommonPrefixes", [])] == prefixes, (size, prefix, delimiter)
            assert all(len(page.get(member, [])) + len(page.get("CommonPrefixes", [])) <= size for page in pages)
            assert all(page["IsTruncated"] for page in pages[:-1]) and not pages[-1]["IsTruncated"]
    for key in ODD:
        assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == key.encode()
    done = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key} for key in ODD]})
    assert sorted(d["Key"] for d in done["Deleted"]) == sorted(ODD) and "Contents" not in s3.list_objects(Bucket=bucket)


def test_how_keys_are_encoded(server, s3, bucket):
    s3.put_object(Bucket=bucket, Key="a b/ü+~*\x01", Body=b"")
    status, body = send(server, "GET", f"/{bucket}?list-type=2&encoding-type=url&delimiter=%7E")
    assert status == 200 and b"<Prefix>a+b/%C3%BC%2B%7E</Prefix>" in body and b"<Delimiter>%7E</Delimiter>" in body and b"<EncodingType>url</EncodingType>" in body
    assert b"<Key>a+b/%C3%BC%2B%7E*%01</Key>" in send(server, "GET", f"/{bucket}?encoding-type=url")[1]
    assert s3.list_objects_v2(Bucket=bucket)["Contents"][0]["Key"] == "a b/ü+~*\x01"


def test_listings_that_are_refused(server, s3, bucket):
    for query, message in [
        ("max-keys=-1", "Argument maxKeys must be an integer between 0 and 2147483647"), ("max-keys=x", "Provided max-keys not an integer or within integer range"),
        ("encoding-type=x", "Invalid Encoding Method specified in Request"), ("list-type=2&continuation-token=", "The continuation token provided is incorrect"),
        ("list-type=2&continuation-token=%21", "The continuation token provided is incorrect"),
        ("versions&version-id-marker=x", "A version-id marker cannot be specified without a key marker."),
    ]:
        status, body = send(server, "GET", f"/{bucket}?{query}")
        assert status == 400 and b"<Code>InvalidArgument</Code>" in body and message.encode() in body, (query, body)
    assert s3.list_objects_v2(Bucket=bucket, MaxKeys=5000)["MaxKeys"] == 1000
    s3.put_object(Bucket=bucket, Key="k", Body=b"")
    assert s3.list_objects_v2(Bucket=bucket)["Contents"][0]["LastModified"] == s3.head_object(Bucket=bucket, Key="k")["LastModified"]
    owner = s3.list_objects(Bucket=bucket)["Contents"][0]["Owner"]["ID"]
    assert s3.list_objects_v2(Bucket=bucket, FetchOwner=True)["Contents"][0]["Owner"]["ID"] == owner == s3.list_buckets()["Owner"]["ID"]
    assert "Owner" not in s3.list_objects_v2(Bucket=bucket)["Contents"][0]


# MARK: owners, versions, addresses that are none


def test_expected_owners(s3, bucket):
    here = {"Bucket": bucket, "Key": "k"}
    s3.put_object(**here, Body=b"x", ExpectedBucketOwner=ACCOUNT)
    for call, more in [(s3.get_object, {}), (s3.head_object, {}), (s3.put_object, {"Body": b""}), (s3.delete_object, {})]:
        assert error_of(call, **here, **more, ExpectedBucketOwner="111111111111")[0] == 403
    assert error_of(s3.list_objects_v2, Bucket=bucket, ExpectedBucketOwner="111111111111")[:2] == (403, "AccessDenied")
    assert error_of(s3.copy_object, Bucket=bucket, Key="c", CopySource=f"{bucket}/k", ExpectedSourceBucketOwner="111111111111")[:2] == (403, "AccessDenied")
    assert error_of(s3.get_bucket_location, Bucket=bucket, ExpectedBucketOwner="somebody")[:2] == (400, "InvalidArgument")
    assert error_of(s3.list_objects_v2, Bucket=f"{bucket}-missing", ExpectedBucketOwner=ACCOUNT)[1] == "NoSuchBucket"
    s3.copy_object(Bucket=bucket, Key="c", CopySource=f"{bucket}/k", ExpectedSourceBucketOwner=ACCOUNT, ExpectedBucketOwner=ACCOUNT)


def test_ids_that_are_none(server, s3, bucket):
    here = {"Bucket": bucket, "Key": "k"}
    s3.put_object(**here, Body=b"x")
    for version in ("short", "x" * 31, "é" * 16):
        for call in (s3.get_object, s3.delete_object, s3.get_object_tagging):
            assert error_of(call, **here, VersionId=version) == (400, "InvalidArgument", "Invalid version id specified")
    assert b"Version id cannot be the empty string" in send(server, "GET", f"/{bucket}/k?versionId=")[1]
    assert error_of(s3.get_object, **here, VersionId="x" * 32)[:2] == (404, "NoSuchVersion")
    failed = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "k", "VersionId": "short"}, {"Key": "k", "VersionId": "null"}]})
    assert failed["Errors"][0]["Code"] == "InvalidArgument" and failed["Deleted"][0]["VersionId"] == "null"
    status, body = send(server, "PUT", f"/{bucket}/%ff%fe", b"")
    assert status == 400 and b"<Code>InvalidURI</Code>" in body
    status, body = send(server, "GET", f"/{bucket}/missing")
    assert status == 404 and b"<Key>missing</Key>" in body


def test_metadata_has_a_limit(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"", Metadata={"a": "x" * 2047})
    assert error_of(s3.put_object, Bucket=bucket, Key="k", Body=b"", Metadata={"a": "x" * 2048})[:2] == (400, "MetadataTooLarge")
    assert error_of(s3.create_multipart_upload, Bucket=bucket, Key="k", Metadata={"a": "x" * 2048})[1] == "MetadataTooLarge"


# MARK: bodies


def test_what_is_said_of_bodies(server, s3, bucket):
    crc, sha = "x-amz-checksum-crc32", "x-amz-checksum-sha256"

    def refused(**headers):
        status, body = send(server, "PUT", f"/{bucket}/k", b"x", **headers)
        assert status == 400, body
        return re.search(b"<Code>(.*)</Code><Message>(.*)</Message>", body).group(2).decode()

    assert refused(**{crc: "AAAAAA==", sha: "A" * 43 + "="}) == "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."
    assert refused(**{"x-amz-sdk-checksum-algorithm": "CRC32"}).startswith("x-amz-sdk-checksum-algorithm specified, but no corresponding")
    assert refused(**{"x-amz-sdk-checksum-algorithm": "CRC16", crc: "AAAAAA=="}) == "Value for x-amz-sdk-checksum-algorithm header is invalid."
    status, body = send(server, "POST", f"/{bucket}?delete", b"<Delete><Object><Key>k</Key></Object></Delete>")
    assert status == 400 and b"Missing required header for this request: Content-MD5" in body
    assert error_of(s3.head_object, Bucket=bucket, Key="k")[0] == 404


@pytest.mark.parametrize("size", [10, 3 << 20])
@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"])
def test_trailers(server, s3, bucket, algorithm, size):
    """Small bodies stay in memory, larger ones are summed on their way into a file."""
    content = os.urandom(size)
    s3.put_object(Bucket=bucket, Key="like", Body=b"")
    sums = {}
    for key, data in (("k", content), ("other", content[::-1])):
        put = s3.put_object(Bucket=bucket, Key=key, Body=data, ChecksumAlgorithm=algorithm) if algorithm in ("CRC32", "SHA1", "SHA256") else None
        if put is None:
            from test_s3_objects import SUMS
            sums[key] = base64.b64encode(SUMS[algorithm](data[:2000])).decode()
        else:
            sums[key] = put[f"Checksum{algorithm}"]
    if algorithm not in ("CRC32", "SHA1", "SHA256"):
        content = content[:2000]

    def put(sum_, named=True, body=None):
        name = f"x-amz-checksum-{algorithm.lower()}"
        return send(
            server, "PUT", f"/{bucket}/k", body or chunked(content, trailer=sum_ and f"{name}:{sum_}", size=1 << 16), x_amz_content_sha256="STREAMING-UNSIGNED-PAYLOAD-TRAILER",
            Content_Encoding="aws-chunked", x_amz_decoded_content_length=str(len(content)), **({"x-amz-trailer": name} if named else {}))

    assert put(sums["k"])[0] == 200
    got = s3.get_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert got["Body"].read() == content and got[f"Checksum{algorithm}"] == sums["k"] and got["ChecksumType"] == "FULL_OBJECT"
    assert got["ETag"] == f'"{hashlib.md5(content).hexdigest()}"'
    for status, body in (put(sums["other"]), put("eA=="), put(None)):
        assert status == 400
    assert b"<Code>MalformedTrailerError</Code>" in put(None)[1]
    assert b"<Code>IncompleteBody</Code>" in put(sums["k"], body=chunked(content, size=1 << 16)[:-9])[1]
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == content


def test_large_bodies_are_checked(server, s3, bucket):
    content = os.urandom(3 << 20)
    right, wrong = hashlib.sha256(content).hexdigest(), hashlib.sha256(b"").hexdigest()
    assert send(server, "PUT", f"/{bucket}/k", content, x_amz_content_sha256=right)[0] == 200
    status, body = send(server, "PUT", f"/{bucket}/k", content[::-1], x_amz_content_sha256=wrong)
    assert status == 400 and b"XAmzContentSHA256Mismatch" in body
    md5 = base64.b64encode(hashlib.md5(content).digest()).decode()
    s3.put_object(Bucket=bucket, Key="k", Body=content, ContentMD5=md5)
    assert error_of(s3.put_object, Bucket=bucket, Key="k", Body=content[::-1], ContentMD5=md5)[1] == "BadDigest"
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == content
    # Nothing of what was refused stays.
    assert sum(len(names) for _, _, names in os.walk(f"{server.state}/incoming")) == 0


def test_large_forms(server, s3, bucket):
    content = b"\r\n--edge\r" + os.urandom(5 << 20) + b"\r\n--ed"
    post = s3.generate_presigned_post(bucket, "dir/${filename}", Fields={"Content-Type": "x/y"}, Conditions=[{"Content-Type": "x/y"}])
    edge = "edge-of-the-form"
    lines = b"".join(f'--{edge}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode() for name, value in post["fields"].items())
    lines += f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="C:\\dir\\large.bin"\r\nContent-Type: a/b\r\n\r\n'.encode()
    request = urllib.request.Request(
        f"{server.endpoint}/{bucket}", data=lines + content + f"\r\n--{edge}--\r\n".encode(), method="POST", headers={"Content-Type": f"multipart/form-data; boundary={edge}"})
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 204 and answer.headers["ETag"] == f'"{hashlib.md5(content).hexdigest()}"'
    got = s3.get_object(Bucket=bucket, Key="dir/large.bin")
    assert got["Body"].read() == content and got["ContentType"] == "x/y"


# MARK: presigned addresses


def test_headers_in_presigned_addresses(server, s3, bucket):
    """Some SDKs put headers into the address."""
    url = s3_of(server, signature_version="s3v4").generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "k"})
    more = "&x-amz-meta-a=b%20c&x-amz-tagging=t%3Dv&x-amz-storage-class=STANDARD_IA"
    with urllib.request.urlopen(urllib.request.Request(url + more, data=b"x", method="PUT")) as answer:
        assert answer.status == 200
    head = s3.head_object(Bucket=bucket, Key="k")
    assert head["Metadata"] == {"a": "b c"} and head["StorageClass"] == "STANDARD_IA"
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == [{"Key": "t", "Value": "v"}]
    request = urllib.request.Request(url + "&x-amz-checksum-crc32=AAAAAA%3D%3D&x-amz-sdk-checksum-algorithm=CRC32", data=b"x", method="PUT")
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request)
    assert b"<Code>BadDigest</Code>" in caught.value.read()


def test_presigned_for_everything(server, s3, bucket):
    client = s3_of(server, signature_version="s3v4")
    here = {"Bucket": bucket, "Key": "a b"}

    def ask(operation, data=None, headers={}, **more):
        url = client.generate_presigned_url(operation, Params={**here, **more})
        method = {"get_object": "GET", "head_object": "HEAD", "delete_object": "DELETE"}.get(operation, "PUT")
        with urllib.request.urlopen(urllib.request.Request(url, data=data, method=method, headers=headers)) as answer:
            return dict(answer.headers), answer.read()

    ask("put_object", b"0123456789", {"Content-Type": "x/y"}, ContentType="x/y")
    headers, body = ask("get_object", ResponseContentDisposition="attachment; filename=\"x y\"", ResponseContentType="text/z")
    assert body == b"0123456789" and headers["Content-Disposition"] == "attachment; filename=\"x y\"" and headers["Content-Type"] == "text/z"
    assert ask("get_object", headers={"Range": "bytes=-2"})[1] == b"89"
    assert ask("head_object")[0]["Content-Length"] == "10"
    upload = s3.create_multipart_upload(**here)["UploadId"]
    tag = ask("upload_part", b"part", UploadId=upload, PartNumber=1)[0]["ETag"]
    s3.complete_multipart_upload(**here, UploadId=upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": tag}]})
    assert ask("get_object")[1] == b"part"
    ask("delete_object")
    assert error_of(s3.head_object, **here)[0] == 404


# MARK: the aws CLI


def test_the_command_line_api(server, s3, bucket):
    """The verbs of s3api, as scripts use them."""
    directory = new_directory()
    path = f"{directory}/body"
    with open(path, "wb") as file:
        file.write(b"0123456789")

    def cli(verb, *arguments, bucket=bucket, fails=None):
        done = aws(server, "s3api", verb, "--bucket", bucket, *arguments, "--output", "text")
        assert done.returncode == 0 if fails is None else fails in done.stderr, (verb, done.stdout, done.stderr)
        return done.stdout.strip()

    cli("put-bucket-versioning", "--versioning-configuration", "Status=Enabled")
    first = cli("put-object", "--key", "k", "--body", path, "--metadata", "a=b", "--checksum-algorithm", "SHA256", "--query", "VersionId")
    assert cli("put-object", "--key", "k", "--body", path, "--if-none-match", "*", fails="PreconditionFailed") == ""
    assert cli("get-object", "--key", "k", "--range", "bytes=2-4", f"{directory}/out", "--query", "ContentRange") == "bytes 2-4/10"
    with open(f"{directory}/out", "rb") as file:
        assert file.read() == b"234"
    assert cli("copy-object", "--key", "c", "--copy-source", f"{bucket}/k", "--metadata-directive", "REPLACE", "--metadata", "n=1", "--query", "CopyObjectResult.ETag")
    assert cli("head-object", "--key", "c", "--query", "Metadata.n") == "1"
    cli("put-object-tagging", "--key", "k", "--tagging", "TagSet=[{Key=t,Value=v}]")
    assert cli("get-object-tagging", "--key", "k", "--query", "TagSet[0].Value") == "v"
    assert cli("get-object-attributes", "--key", "k", "--object-attributes", "ObjectSize", "Checksum", "--query", "ObjectSize") == "10"
    assert cli("delete-object", "--key", "k", "--query", "DeleteMarker") == "True"
    assert cli("get-object", "--key", "k", f"{directory}/out", fails="NoSuchKey") == ""
    assert cli("get-object", "--key", "k", "--version-id", first, f"{directory}/out", "--query", "VersionId") == first
    assert cli("list-object-versions", "--query", "[length(Versions), length(DeleteMarkers)]").split() == ["2", "1"]
    assert cli("list-objects-v2", "--query", "Contents[].Key") == "c" and cli("list-objects", "--query", "Contents[].Key") == "c"
    upload = cli("create-multipart-upload", "--key", "m", "--query", "UploadId")
    tag = cli("upload-part", "--key", "m", "--upload-id", upload, "--part-number", "1", "--body", path, "--query", "ETag")
    copied = cli("upload-part-copy", "--key", "m", "--upload-id", upload, "--part-number", "2", "--copy-source", f"{bucket}/c", "--copy-source-range", "bytes=0-3")
    assert copied and cli("list-parts", "--key", "m", "--upload-id", upload, "--query", "Parts[].Size").split() == ["10", "4"]
    cli("complete-multipart-upload", "--key", "m", "--upload-id", upload, "--multipart-upload", f"Parts=[{{PartNumber=1,ETag={tag}}}]")
    assert cli("head-object", "--key", "m", "--query", "ContentLength") == "10"
    done = aws(server, "s3", "cp", "-", f"s3://{bucket}/stream", input="from a pipe")
    assert done.returncode == 0, done.stderr
    assert aws(server, "s3", "cp", f"s3://{bucket}/stream", "-").stdout == "from a pipe"
    assert "stream" in aws(server, "s3", "ls", f"s3://{bucket}/").stdout
    assert aws(server, "s3", "rm", f"s3://{bucket}", "--recursive").returncode == 0
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)


# MARK: versions


def test_copies_of_versions(s3, bucket):
    here = {"Bucket": bucket, "Key": "k"}
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    one = s3.put_object(**here, Body=b"one", Metadata={"v": "1"}, Tagging="a=b")["VersionId"]
    two = s3.put_object(**here, Body=b"two")["VersionId"]
    # An older version becomes the newest.
    restored = s3.copy_object(**here, CopySource={**here, "VersionId": one})
    assert restored["CopySourceVersionId"] == one and restored["VersionId"] not in (one, two)
    got = s3.get_object(**here)
    assert got["Body"].read() == b"one" and got["Metadata"] == {"v": "1"} and got["TagCount"] == 1
    assert error_of(s3.copy_object, **here, CopySource=here)[1] == "InvalidRequest"
    replaced = s3.copy_object(**here, CopySource=here, TaggingDirective="REPLACE", Tagging="c=d", MetadataDirective="REPLACE", ContentType="x/y")
    assert s3.get_object_tagging(**here)["TagSet"] == [{"Key": "c", "Value": "d"}] and s3.head_object(**here)["ContentType"] == "x/y"
    marker = s3.delete_object(**here)
    assert error_of(s3.copy_object, Bucket=bucket, Key="c", CopySource=here)[:2] == (404, "NoSuchKey")
    assert error_of(s3.copy_object, Bucket=bucket, Key="c", CopySource={**here, "VersionId": marker["VersionId"]}) == (
        400, "InvalidRequest", "The source of a copy request may not specifically refer to a delete marker by version id.")
    with pytest.raises(s3.exceptions.ClientError) as caught:
        s3.head_object(**here)
    assert caught.value.response["ResponseMetadata"]["HTTPHeaders"]["x-amz-delete-marker"] == "true"
    deleted = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "k", "VersionId": marker["VersionId"]}, {"Key": "new"}]})["Deleted"]
    assert deleted[0]["DeleteMarker"] is True and deleted[0]["DeleteMarkerVersionId"] == marker["VersionId"]
    assert deleted[1]["DeleteMarker"] is True and deleted[1]["DeleteMarkerVersionId"] and "VersionId" not in deleted[1]
    assert s3.head_object(**here)["VersionId"] == replaced["VersionId"]
    # Nothing is written where the newest is a marker, except by whoever wants nothing to be there.
    assert error_of(s3.put_object, Bucket=bucket, Key="new", Body=b"", IfMatch="*")[0] == 404
    s3.put_object(Bucket=bucket, Key="new", Body=b"", IfNoneMatch="*")


def test_ranges_of_copied_parts(s3, bucket):
    s3.put_object(Bucket=bucket, Key="source", Body=b"0123456789")
    here = {"Bucket": bucket, "Key": "k", "UploadId": s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]}
    for text in ("bytes=2", "bytes=-3", "bytes=3-", "bytes=5-2", "lines=1-2"):
        status, code, message = error_of(s3.upload_part_copy, **here, PartNumber=1, CopySource=f"{bucket}/source", CopySourceRange=text)
        assert (status, code) == (400, "InvalidArgument") and message.startswith("The x-amz-copy-source-range value must be of the form")
    assert error_of(s3.upload_part_copy, **here, PartNumber=1, CopySource=f"{bucket}/source", CopySourceRange="bytes=5-10")[2] == (
        "Range specified is not valid for source object of size: 10")
    part = s3.upload_part_copy(**here, PartNumber=1, CopySource=f"{bucket}/source", CopySourceRange="bytes=9-9")
    assert part["CopyPartResult"]["ETag"] == f'"{hashlib.md5(b"9").hexdigest()}"'


def test_what_will_expire_says_so(s3, bucket):
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": [
        {"ID": "a rule", "Status": "Enabled", "Filter": {"Prefix": "logs/"}, "Expiration": {"Days": 3}},
        {"ID": "later", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Date": "2126-01-01T00:00:00Z"}}]})
    put = s3.put_object(Bucket=bucket, Key="logs/k", Body=b"x")["Expiration"]
    assert re.fullmatch(r'expiry-date="\w{3}, \d\d \w{3} \d{4} 00:00:00 GMT", rule-id="a%20rule"', put)
    assert s3.head_object(Bucket=bucket, Key="logs/k")["Expiration"] == put == s3.get_object(Bucket=bucket, Key="logs/k")["Expiration"]
    copied = s3.copy_object(Bucket=bucket, Key="k", CopySource=f"{bucket}/logs/k")
    assert copied["Expiration"] == 'expiry-date="Tue, 01 Jan 2126 00:00:00 GMT", rule-id="later"'


def test_transfers_of_boto3(s3, bucket):
    """What upload_fileobj, download_fileobj and copy do: parts, ranges, copies of parts."""
    content = os.urandom((20 << 20) + 17)
    s3.upload_fileobj(io.BytesIO(content), bucket, "large", ExtraArgs={"ChecksumAlgorithm": "SHA256", "Metadata": {"a": "b"}})
    sink = io.BytesIO()
    s3.download_fileobj(bucket, "large", sink)
    assert sink.getvalue() == content
    config = boto3.s3.transfer.TransferConfig(multipart_threshold=5 << 20, multipart_chunksize=6 << 20)
    s3.copy({"Bucket": bucket, "Key": "large"}, bucket, "copy", Config=config)
    head = s3.head_object(Bucket=bucket, Key="copy")
    assert head["ETag"].endswith('-4"') and head["ContentLength"] == len(content)
    assert hashlib.md5(s3.get_object(Bucket=bucket, Key="copy")["Body"].read()).digest() == hashlib.md5(content).digest()
    waiter = s3.get_waiter("object_exists")
    waiter.wait(Bucket=bucket, Key="copy", WaiterConfig={"Delay": 1, "MaxAttempts": 1})
    s3.get_waiter("bucket_exists").wait(Bucket=bucket, WaiterConfig={"Delay": 1, "MaxAttempts": 1})
    s3.get_waiter("object_not_exists").wait(Bucket=bucket, Key="nothing", WaiterConfig={"Delay": 1, "MaxAttempts": 1})
