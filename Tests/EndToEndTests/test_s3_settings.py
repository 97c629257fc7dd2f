# Configurations of buckets, tags, access lists and locks; and the calls that Terraform's provider makes of a bucket.
import datetime
import json
import random
import re

import botocore.exceptions
import botocore.loaders
import pytest

from conftest import error_of
from test_s3 import s3_of, send


@pytest.fixture
def s3(server):
    return s3_of(server)


@pytest.fixture
def bucket(s3, name):
    bucket = re.sub("[^a-z0-9]", "", name.lower())[:40] + "-set"
    s3.create_bucket(Bucket=bucket)
    return bucket


def status(answer):
    return answer["ResponseMetadata"]["HTTPStatusCode"]


def without_metadata(answer):
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


def is_missing(call, code, **arguments):
    found = error_of(call, **arguments)
    assert found[:2] == (404, code), found
    return found[2]


def test_the_calls_of_terraform(server, s3, name):
    """aws_s3_bucket and its companions: create, read back, change, destroy."""
    bucket = re.sub("[^a-z0-9]", "", name.lower()) + "-tf"
    here = {"Bucket": bucket}
    assert error_of(s3.head_bucket, **here)[0] == 404
    s3.create_bucket(**here)
    s3.head_bucket(**here)
    assert s3.get_bucket_tagging.__self__ is s3
    # What the provider reads of every bucket.
    assert is_missing(s3.get_bucket_policy, "NoSuchBucketPolicy", **here) == "The bucket policy does not exist"
    acl = s3.get_bucket_acl(**here)
    assert [(g["Grantee"]["Type"], g["Grantee"]["ID"] == acl["Owner"]["ID"], g["Permission"]) for g in acl["Grants"]] == [("CanonicalUser", True, "FULL_CONTROL")]
    assert is_missing(s3.get_bucket_cors, "NoSuchCORSConfiguration", **here) == "The CORS configuration does not exist"
    is_missing(s3.get_bucket_website, "NoSuchWebsiteConfiguration", **here)
    assert "Status" not in s3.get_bucket_versioning(**here)
    assert "Status" not in s3.get_bucket_accelerate_configuration(**here)
    assert s3.get_bucket_request_payment(**here)["Payer"] == "BucketOwner"
    assert "LoggingEnabled" not in s3.get_bucket_logging(**here)
    is_missing(s3.get_bucket_lifecycle_configuration, "NoSuchLifecycleConfiguration", **here)
    is_missing(s3.get_bucket_replication, "ReplicationConfigurationNotFoundError", **here)
    rules = s3.get_bucket_encryption(**here)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rules == [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}]
    is_missing(s3.get_object_lock_configuration, "ObjectLockConfigurationNotFoundError", **here)
    assert is_missing(s3.get_bucket_tagging, "NoSuchTagSet", **here) == "The TagSet does not exist"
    assert s3.get_bucket_location(**here)["LocationConstraint"] is None
    # aws_s3_bucket_public_access_block, _ownership_controls
    assert set(s3.get_public_access_block(**here)["PublicAccessBlockConfiguration"].values()) == {True}
    assert s3.get_bucket_ownership_controls(**here)["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    off = {name: False for name in ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")}
    s3.put_public_access_block(**here, PublicAccessBlockConfiguration=off)
    assert s3.get_public_access_block(**here)["PublicAccessBlockConfiguration"] == off
    s3.put_bucket_ownership_controls(**here, OwnershipControls={"Rules": [{"ObjectOwnership": "ObjectWriter"}]})
    # _acl
    s3.put_bucket_acl(**here, ACL="public-read")
    grants = s3.get_bucket_acl(**here)["Grants"]
    assert [g["Permission"] for g in grants] == ["FULL_CONTROL", "READ"]
    assert grants[1]["Grantee"] == {"Type": "Group", "URI": "http://acs.amazonaws.com/groups/global/AllUsers"}
    s3.put_bucket_acl(**here, AccessControlPolicy={"Owner": acl["Owner"], "Grants": acl["Grants"]})
    assert without_metadata(s3.get_bucket_acl(**here)) == without_metadata(acl)
    # _versioning, _lifecycle_configuration
    s3.put_bucket_versioning(**here, VersioningConfiguration={"Status": "Enabled"})
    rule = {"ID": "r", "Status": "Enabled", "Filter": {"Prefix": "logs/"}, "Expiration": {"Days": 30},
            "NoncurrentVersionExpiration": {"NoncurrentDays": 7}, "Transitions": [{"Days": 10, "StorageClass": "GLACIER"}],
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 3}}
    put = s3.put_bucket_lifecycle_configuration(
        **here, LifecycleConfiguration={"Rules": [rule]}, TransitionDefaultMinimumObjectSize="varies_by_storage_class")
    assert put["TransitionDefaultMinimumObjectSize"] == "varies_by_storage_class"
    got = s3.get_bucket_lifecycle_configuration(**here)
    assert got["Rules"] == [rule] and got["TransitionDefaultMinimumObjectSize"] == "varies_by_storage_class"
    # _server_side_encryption_configuration
    kms = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "alias/k"}, "BucketKeyEnabled": True}]}
    s3.put_bucket_encryption(**here, ServerSideEncryptionConfiguration=kms)
    assert s3.get_bucket_encryption(**here)["ServerSideEncryptionConfiguration"] == kms
    assert s3.put_object(**here, Key="k", Body=b"")["ServerSideEncryption"] == "aws:kms"
    # _policy
    policy = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"}]})
    assert status(s3.put_bucket_policy(**here, Policy=policy)) == 204
    assert s3.get_bucket_policy(**here)["Policy"] == policy
    assert s3.get_bucket_policy_status(**here)["PolicyStatus"]["IsPublic"] is True
    # _cors_configuration, _website_configuration, _logging, _accelerate, _request_payment, tags
    cors = [{"AllowedMethods": ["GET", "PUT"], "AllowedOrigins": ["*"], "AllowedHeaders": ["*"], "ExposeHeaders": ["ETag"], "MaxAgeSeconds": 60}]
    s3.put_bucket_cors(**here, CORSConfiguration={"CORSRules": cors})
    assert s3.get_bucket_cors(**here)["CORSRules"] == cors
    site = {"IndexDocument": {"Suffix": "index.html"}, "ErrorDocument": {"Key": "error.html"}}
    s3.put_bucket_website(**here, WebsiteConfiguration=site)
    assert without_metadata(s3.get_bucket_website(**here)) == site
    s3.put_bucket_logging(**here, BucketLoggingStatus={"LoggingEnabled": {"TargetBucket": bucket, "TargetPrefix": "log/"}})
    assert s3.get_bucket_logging(**here)["LoggingEnabled"]["TargetPrefix"] == "log/"
    s3.put_bucket_accelerate_configuration(**here, AccelerateConfiguration={"Status": "Enabled"})
    assert s3.get_bucket_accelerate_configuration(**here)["Status"] == "Enabled"
    s3.put_bucket_request_payment(**here, RequestPaymentConfiguration={"Payer": "Requester"})
    assert s3.get_bucket_request_payment(**here)["Payer"] == "Requester"
    tags = [{"Key": "env", "Value": "test"}, {"Key": "leer", "Value": ""}]
    assert status(s3.put_bucket_tagging(**here, Tagging={"TagSet": tags})) == 204
    assert s3.get_bucket_tagging(**here)["TagSet"] == tags
    # Lists by id.
    for (kind, *operations), configuration in {
        ("Analytics", "put_bucket_analytics_configuration", "get_bucket_analytics_configuration", "list_bucket_analytics_configurations", "delete_bucket_analytics_configuration"): {"Id": "i", "StorageClassAnalysis": {}},
        ("Metrics", "put_bucket_metrics_configuration", "get_bucket_metrics_configuration", "list_bucket_metrics_configurations", "delete_bucket_metrics_configuration"): {"Id": "i", "Filter": {"Prefix": "p"}},
        ("IntelligentTiering", "put_bucket_intelligent_tiering_configuration", "get_bucket_intelligent_tiering_configuration", "list_bucket_intelligent_tiering_configurations", "delete_bucket_intelligent_tiering_configuration"): {"Id": "i", "Status": "Enabled", "Tierings": [{"Days": 90, "AccessTier": "ARCHIVE_ACCESS"}]},
        ("Inventory", "put_bucket_inventory_configuration", "get_bucket_inventory_configuration", "list_bucket_inventory_configurations", "delete_bucket_inventory_configuration"): {"Id": "i", "IsEnabled": True, "IncludedObjectVersions": "All", "Schedule": {"Frequency": "Daily"},
                      "Destination": {"S3BucketDestination": {"Bucket": f"arn:aws:s3:::{bucket}", "Format": "CSV"}}},
    }.items():
        put, get, list_all, delete = (getattr(s3, operation) for operation in operations)
        shape = f"{kind}Configuration"
        assert f"{shape}List" not in list_all(**here)
        is_missing(get, "NoSuchConfiguration", **here, Id="i")
        put(**here, Id="i", **{shape: configuration})
        assert get(**here, Id="i")[shape] == configuration
        assert list_all(**here)[f"{shape}List"] == [configuration]
        assert error_of(put, **here, Id="j", **{shape: configuration})[1] == "InvalidConfigurationId"
        delete(**here, Id="i")
        is_missing(delete, "NoSuchConfiguration", **here, Id="i")
    # Destroy.
    for get, delete, code in [
        ("get_bucket_policy", "delete_bucket_policy", "NoSuchBucketPolicy"),
        ("get_bucket_cors", "delete_bucket_cors", "NoSuchCORSConfiguration"),
        ("get_bucket_website", "delete_bucket_website", "NoSuchWebsiteConfiguration"),
        ("get_bucket_lifecycle_configuration", "delete_bucket_lifecycle", "NoSuchLifecycleConfiguration"),
        ("get_bucket_tagging", "delete_bucket_tagging", "NoSuchTagSet"),
        ("get_bucket_ownership_controls", "delete_bucket_ownership_controls", "OwnershipControlsNotFoundError"),
    ]:
        for _ in range(2):
            assert status(getattr(s3, delete)(**here)) == 204
        is_missing(getattr(s3, get), code, **here)
    s3.delete_public_access_block(**here)
    is_missing(s3.get_public_access_block, "NoSuchPublicAccessBlockConfiguration", **here)
    s3.delete_bucket_encryption(**here)
    assert s3.get_bucket_encryption(**here)["ServerSideEncryptionConfiguration"]["Rules"][0]["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    for found in s3.list_object_versions(**here)["Versions"]:
        s3.delete_object(**here, Key=found["Key"], VersionId=found["VersionId"])
    s3.delete_bucket(**here)
    # Nothing of it comes back with the name.
    s3.create_bucket(**here)
    is_missing(s3.get_bucket_replication, "ReplicationConfigurationNotFoundError", **here)
    assert "LoggingEnabled" not in s3.get_bucket_logging(**here)
    s3.put_bucket_abac(**here, AbacStatus={"Status": "Enabled"})
    assert s3.get_bucket_abac(**here)["AbacStatus"]["Status"] == "Enabled"
    assert error_of(s3.get_bucket_cors, Bucket="nobodys-bucket-at-all")[1] == "NoSuchBucket"


def test_replication(s3, bucket):
    rule = {"ID": "r", "Status": "Enabled", "Priority": 1, "Filter": {}, "DeleteMarkerReplication": {"Status": "Disabled"},
            "Destination": {"Bucket": f"arn:aws:s3:::{bucket}-copy"}}
    put = {"Bucket": bucket, "ReplicationConfiguration": {"Role": "arn:aws:iam::000000000000:role/r", "Rules": [rule]}}
    assert error_of(s3.put_bucket_replication, **put)[2] == "Versioning must be 'Enabled' on the bucket to apply a replication configuration"
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    assert error_of(s3.put_bucket_replication, **put)[2] == "Destination bucket must exist."
    s3.create_bucket(Bucket=f"{bucket}-copy")
    s3.put_bucket_versioning(Bucket=f"{bucket}-copy", VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_replication(**put)
    assert s3.get_bucket_replication(Bucket=bucket)["ReplicationConfiguration"] == put["ReplicationConfiguration"]
    s3.delete_bucket_replication(Bucket=bucket)
    is_missing(s3.get_bucket_replication, "ReplicationConfigurationNotFoundError", Bucket=bucket)


class Samples:
    """Documents that botocore's model allows."""

    def __init__(self, seed):
        self.model = botocore.loaders.Loader().load_service_model("s3", "service-2")
        self.random = random.Random(seed)

    def make(self, name):
        shape = self.model["shapes"][name]
        if shape["type"] == "structure":
            return {
                member: self.make(found["shape"]) for member, found in shape["members"].items()
                if member in shape.get("required", []) or self.random.random() < 0.6}
        if shape["type"] == "list":
            return [self.make(shape["member"]["shape"]) for _ in range(self.random.randint(1, 3))]
        if "enum" in shape:
            return self.random.choice(shape["enum"])
        if shape["type"] in ("integer", "long"):
            return self.random.randint(1, 1000)
        if shape["type"] == "boolean":
            return self.random.random() < 0.5
        if shape["type"] == "timestamp":
            return datetime.datetime(2031, 1, self.random.randint(1, 28), tzinfo=datetime.timezone.utc)
        return self.random.choice(["a", "ü <&>\"'", " b ", "x/y"])


@pytest.mark.parametrize("operation, member, shape", [
    ("bucket_analytics_configuration", "AnalyticsConfiguration", "AnalyticsConfiguration"),
    ("bucket_metrics_configuration", "MetricsConfiguration", "MetricsConfiguration"),
    ("bucket_inventory_configuration", "InventoryConfiguration", "InventoryConfiguration"),
    ("bucket_intelligent_tiering_configuration", "IntelligentTieringConfiguration", "IntelligentTieringConfiguration"),
    ("public_access_block", "PublicAccessBlockConfiguration", "PublicAccessBlockConfiguration"),
    ("bucket_cors", "CORSConfiguration", "CORSConfiguration"),
])
def test_all_that_the_model_allows_comes_back(s3, bucket, operation, member, shape):
    samples = Samples(operation)
    for i in range(25):
        document = samples.make(shape)
        more = {}
        if "Id" in document:
            more["Id"] = document["Id"] = f"id-{i}"
        if member == "CORSConfiguration":
            for rule in document["CORSRules"]:
                rule["AllowedMethods"] = ["GET"]
        if not document:
            continue
        getattr(s3, f"put_{operation}")(Bucket=bucket, **more, **{member: document})
        got = without_metadata(getattr(s3, f"get_{operation}")(Bucket=bucket, **more))
        if member != "CORSConfiguration":
            got = got[member]
        assert prune(got) == prune(document)


def prune(value):
    """Without empty structures, which XML and botocore tell from absent ones in different ways."""
    if isinstance(value, dict):
        return {name: prune(found) for name, found in value.items() if prune(found) not in ({}, [], None)}
    return [prune(found) for found in value] if isinstance(value, list) else value


MALFORMED = {
    "cors": [b"", b"<x/>", b"<CORSConfiguration/>", b"<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin></CORSRule></CORSConfiguration>"],
    "lifecycle": [
        b"<LifecycleConfiguration><Rule><Status>Enabled</Status></Rule></LifecycleConfiguration>",
        b"<LifecycleConfiguration><Rule><Status>On</Status><Prefix/><Expiration><Days>1</Days></Expiration></Rule></LifecycleConfiguration>",
        b"<LifecycleConfiguration><Rule><Status>Enabled</Status><Prefix/><Expiration><Days>1</Days><Date>2030-01-01</Date></Expiration></Rule></LifecycleConfiguration>",
        b"<LifecycleConfiguration><Rule><Status>Enabled</Status><Prefix/><Expiration><Days>one</Days></Expiration></Rule></LifecycleConfiguration>"],
    "tagging": [b"<Tagging/>", b"<Tagging><TagSet><Tag><Key>a</Key></Tag></TagSet></Tagging>", b"<Tagging><TagSet></Tagging>",
                b"<!DOCTYPE a [<!ENTITY e 'x'>]><Tagging><TagSet/></Tagging>"],
    "versioning": [b"<VersioningConfiguration><Status>On</Status></VersioningConfiguration>"],
    "encryption": [b"<ServerSideEncryptionConfiguration><Rule><BucketKeyEnabled>maybe</BucketKeyEnabled></Rule></ServerSideEncryptionConfiguration>"],
    "publicAccessBlock": [b"<PublicAccessBlockConfiguration/>"],
    "accelerate": [b"<AccelerateConfiguration/>"],
    "ownershipControls": [b"<OwnershipControls><Rule><ObjectOwnership>Nobody</ObjectOwnership></Rule></OwnershipControls>"],
    "website": [b"<WebsiteConfiguration><IndexDocument/></WebsiteConfiguration>"],
}


@pytest.mark.parametrize("kind", MALFORMED)
def test_malformed_documents(server, s3, bucket, kind):
    for document in MALFORMED[kind]:
        code, body = send(server, "PUT", f"/{bucket}?{kind}", document)
        assert code == 400 and b"<Code>MalformedXML</Code>" in body, (document, body)


def test_rules_that_make_no_sense(s3, bucket):
    def lifecycle(**rule):
        return error_of(s3.put_bucket_lifecycle_configuration, Bucket=bucket, LifecycleConfiguration={"Rules": [
            {"ID": "r", "Status": "Enabled", "Filter": {"Prefix": ""}, **rule}]})[1:]

    assert lifecycle(Expiration={"Days": 0}) == ("InvalidArgument", "'Days' for Expiration action must be a positive integer")
    assert lifecycle() == ("InvalidRequest", "At least one action needs to be specified in a rule")
    assert lifecycle(Expiration={"Date": datetime.datetime(2030, 1, 1, 1)}) == ("InvalidArgument", "'Date' must be at midnight GMT")
    twice = {"ID": "r", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}}
    assert error_of(s3.put_bucket_lifecycle_configuration, Bucket=bucket, LifecycleConfiguration={"Rules": [twice, twice]})[2] == (
        "Rule ID must be unique. Found same ID for more than one rule")
    assert error_of(s3.put_bucket_cors, Bucket=bucket, CORSConfiguration={"CORSRules": [{"AllowedMethods": ["PATCH"], "AllowedOrigins": ["*"]}]})[1:] == (
        "InvalidRequest", "Found unsupported HTTP method in CORS config. Unsupported method is PATCH")
    assert error_of(s3.put_bucket_logging, Bucket=bucket, BucketLoggingStatus={"LoggingEnabled": {"TargetBucket": "missing-bucket", "TargetPrefix": ""}})[1] == (
        "InvalidTargetBucketForLogging")
    # An id that nobody gave.
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": [
        {"Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}}]})
    assert s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"][0]["ID"]


def test_policies(s3, bucket):
    def refused(document):
        found = error_of(s3.put_bucket_policy, Bucket=bucket, Policy=document if isinstance(document, str) else json.dumps(document))
        assert found[:2] == (400, "MalformedPolicy")
        return found[2]

    def statement(**more):
        return {"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"AWS": "000000000000"}, "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*", **more}]}

    assert refused("nonsense") == refused("[]") == "Policies must be valid JSON and the first byte must be '{'"
    assert refused({}) == "Missing required field Statement"
    assert refused(statement(Action="sqs:SendMessage")) == "Policy has invalid action"
    assert refused(statement(Resource="arn:aws:s3:::another/*")) == "Policy has invalid resource"
    assert refused(statement(Principal={})) == "Invalid principal in policy"
    assert refused(statement(Effect="Perhaps")) == "Invalid effect: Perhaps"
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(statement()))
    assert s3.get_bucket_policy_status(Bucket=bucket)["PolicyStatus"]["IsPublic"] is False
    code, error, message = error_of(s3.put_bucket_policy, Bucket=bucket, Policy=json.dumps(statement(Principal="*")))
    assert (code, error) == (403, "AccessDenied") and "BlockPublicPolicy" in message
    assert json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"]) == statement()


def test_tags_of_objects(s3, bucket):
    here = {"Bucket": bucket, "Key": "k"}
    s3.put_object(**here, Body=b"", Tagging="a=1&b+c=d%20e")
    assert s3.get_object_tagging(**here)["TagSet"] == [{"Key": "a", "Value": "1"}, {"Key": "b c", "Value": "d e"}]
    assert s3.get_object(**here)["TagCount"] == 2
    s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/k")
    assert len(s3.get_object_tagging(Bucket=bucket, Key="copy")["TagSet"]) == 2
    s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/k", TaggingDirective="REPLACE", Tagging="n=e")
    assert s3.get_object_tagging(Bucket=bucket, Key="copy")["TagSet"] == [{"Key": "n", "Value": "e"}]
    upload = s3.create_multipart_upload(Bucket=bucket, Key="parts", Tagging="p=q")["UploadId"]
    part = s3.upload_part(Bucket=bucket, Key="parts", UploadId=upload, PartNumber=1, Body=b"")
    s3.complete_multipart_upload(Bucket=bucket, Key="parts", UploadId=upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]})
    assert s3.get_object_tagging(Bucket=bucket, Key="parts")["TagSet"] == [{"Key": "p", "Value": "q"}]

    def refused(*tags):
        return error_of(s3.put_object_tagging, **here, Tagging={"TagSet": [{"Key": key, "Value": value} for key, value in tags]})[1:]

    assert refused(*((str(i), "") for i in range(11))) == ("BadRequest", "Object tags cannot be greater than 10")
    assert refused(("a", "1"), ("a", "2")) == ("InvalidTag", "Cannot provide multiple Tags with the same key")
    assert refused(("aws:a", "1")) == ("InvalidTag", "System tags cannot be added/updated by requester")
    assert refused(("k" * 129, "")) == ("InvalidTag", "The TagKey you have provided is invalid")
    assert refused(("k", "v" * 257)) == ("InvalidTag", "The TagValue you have provided is invalid")
    assert error_of(s3.put_object, **here, Body=b"", Tagging="a=1&a=2")[1] == "InvalidArgument"
    assert len(s3.get_object_tagging(**here)["TagSet"]) == 2
    s3.delete_object_tagging(**here)
    assert s3.get_object_tagging(**here)["TagSet"] == [] and "TagCount" not in s3.get_object(**here)
    assert error_of(s3.put_bucket_tagging, Bucket=bucket, Tagging={"TagSet": [{"Key": str(i), "Value": ""} for i in range(51)]})[1] == "BadRequest"
    assert error_of(s3.get_object_tagging, Bucket=bucket, Key="missing")[1] == "NoSuchKey"


def test_access_lists(s3, bucket):
    # What every bucket is since 2023: lists count for nothing.
    assert error_of(s3.put_object, Bucket=bucket, Key="k", Body=b"", ACL="public-read")[:2] == (400, "AccessControlListNotSupported")
    assert error_of(s3.put_bucket_acl, Bucket=bucket, ACL="public-read")[1] == "AccessControlListNotSupported"
    s3.put_object(Bucket=bucket, Key="k", Body=b"", ACL="bucket-owner-full-control")
    s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerPreferred"}]})
    assert error_of(s3.put_object, Bucket=bucket, Key="k", Body=b"", ACL="public-read")[:2] == (403, "AccessDenied")
    s3.delete_public_access_block(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="k", Body=b"", ACL="public-read")
    assert [g["Permission"] for g in s3.get_object_acl(Bucket=bucket, Key="k")["Grants"]] == ["FULL_CONTROL", "READ"]
    s3.put_object_acl(Bucket=bucket, Key="k", ACL="private")
    assert [g["Permission"] for g in s3.get_object_acl(Bucket=bucket, Key="k")["Grants"]] == ["FULL_CONTROL"]
    s3.put_object_acl(Bucket=bucket, Key="k", GrantRead='uri="http://acs.amazonaws.com/groups/global/AllUsers", id="abc"')
    assert [g["Grantee"]["Type"] for g in s3.get_object_acl(Bucket=bucket, Key="k")["Grants"]] == ["Group", "CanonicalUser"]
    assert error_of(s3.create_bucket, Bucket=f"{bucket}-2", ACL="public-read")[1] == "InvalidBucketAclWithObjectOwnership"
    s3.create_bucket(Bucket=f"{bucket}-2", ACL="public-read", ObjectOwnership="ObjectWriter")
    assert len(s3.get_bucket_acl(Bucket=f"{bucket}-2")["Grants"]) == 2


def test_locks(s3, bucket):
    locked = f"{bucket}-lock"
    later = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0) + datetime.timedelta(days=3)
    assert error_of(s3.put_object, Bucket=bucket, Key="k", Body=b"", ObjectLockLegalHoldStatus="ON")[1:] == (
        "InvalidRequest", "Bucket is missing Object Lock Configuration")
    s3.create_bucket(Bucket=locked, ObjectLockEnabledForBucket=True)
    assert s3.get_bucket_versioning(Bucket=locked)["Status"] == "Enabled"
    assert s3.get_object_lock_configuration(Bucket=locked)["ObjectLockConfiguration"] == {"ObjectLockEnabled": "Enabled"}
    assert error_of(s3.put_bucket_versioning, Bucket=locked, VersioningConfiguration={"Status": "Suspended"})[:2] == (409, "InvalidBucketState")
    here = {"Bucket": locked, "Key": "k"}
    version = s3.put_object(**here, Body=b"", ObjectLockMode="GOVERNANCE", ObjectLockRetainUntilDate=later)["VersionId"]
    assert s3.get_object_retention(**here)["Retention"] == {"Mode": "GOVERNANCE", "RetainUntilDate": later}
    assert s3.head_object(**here)["ObjectLockMode"] == "GOVERNANCE"
    assert error_of(s3.delete_object, **here, VersionId=version)[:2] == (403, "AccessDenied")
    assert s3.delete_objects(Bucket=locked, Delete={"Objects": [{"Key": "k", "VersionId": version}]})["Errors"][0]["Code"] == "AccessDenied"
    # A marker hides it and takes nothing away.
    marker = s3.delete_object(**here)["VersionId"]
    s3.delete_object(**here, VersionId=marker)
    s3.put_object_legal_hold(**here, LegalHold={"Status": "ON"})
    assert s3.get_object_legal_hold(**here)["LegalHold"] == {"Status": "ON"}
    assert error_of(s3.delete_object, **here, VersionId=version, BypassGovernanceRetention=True)[1] == "AccessDenied"
    s3.put_object_legal_hold(**here, LegalHold={"Status": "OFF"})
    shorter = {"Mode": "GOVERNANCE", "RetainUntilDate": later - datetime.timedelta(days=1)}
    assert error_of(s3.put_object_retention, **here, Retention=shorter)[1] == "AccessDenied"
    s3.put_object_retention(**here, Retention=shorter, BypassGovernanceRetention=True)
    s3.delete_object(**here, VersionId=version, BypassGovernanceRetention=True)
    # By the bucket's own rule.
    rule = {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 1}}}
    s3.put_object_lock_configuration(Bucket=locked, ObjectLockConfiguration=rule)
    version = s3.put_object(**here, Body=b"")["VersionId"]
    assert s3.get_object_retention(**here)["Retention"]["Mode"] == "COMPLIANCE"
    assert error_of(s3.delete_object, **here, VersionId=version, BypassGovernanceRetention=True)[1] == "AccessDenied"
    assert error_of(s3.get_object_legal_hold, **here)[:2] == (404, "NoSuchObjectLockConfiguration")
    assert error_of(s3.put_object_lock_configuration, Bucket=bucket, ObjectLockConfiguration=rule)[:2] == (409, "InvalidBucketState")
    assert error_of(s3.get_object_retention, Bucket=bucket, Key="k")[1] == "NoSuchKey"


def test_attributes_of_an_object(s3, bucket):
    put = s3.put_object(Bucket=bucket, Key="k", Body=b"12345", ChecksumAlgorithm="SHA256")
    got = s3.get_object_attributes(Bucket=bucket, Key="k", ObjectAttributes=["ETag", "Checksum", "ObjectSize", "StorageClass", "ObjectParts"])
    assert (got["ETag"], got["ObjectSize"], got["StorageClass"]) == (put["ETag"].strip('"'), 5, "STANDARD") and "ObjectParts" not in got
    assert got["Checksum"] == {"ChecksumSHA256": put["ChecksumSHA256"], "ChecksumType": "FULL_OBJECT"}
