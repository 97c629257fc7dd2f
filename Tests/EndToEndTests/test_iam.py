# IAM as deployment tools use it: boto3, the aws CLI, and the sequences of Terraform.
import json
import os
import signal
import subprocess
import sys
import threading
import urllib.parse
import urllib.request

import boto3
import botocore.config
import botocore.exceptions
import pytest

from conftest import error_of, package

TRUST = json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]})
GRANT = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/<&>\"é"}]})
BASIC = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"


def client_of(server, service="iam", key="test", secret="x", token=None, region="us-east-1", checked=True):
    return boto3.client(
        service, endpoint_url=server.endpoint, region_name=region, aws_access_key_id=key, aws_secret_access_key=secret, aws_session_token=token,
        config=botocore.config.Config(parameter_validation=checked, retries={"max_attempts": 0}))


@pytest.fixture
def iam(server):
    return client_of(server)


def test_a_role_as_terraform_manages_it(iam, name):
    created = iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST, Path="/app/", Description="d é", Tags=[{"Key": "k", "Value": ""}])["Role"]
    assert created["Arn"] == f"arn:aws:iam::000000000000:role/app/{name}" and created["RoleId"].startswith("AROA") and len(created["RoleId"]) == 21
    iam.get_waiter("role_exists").wait(RoleName=name)
    read = iam.get_role(RoleName=name)["Role"]
    assert read["AssumeRolePolicyDocument"] == json.loads(TRUST) and read["MaxSessionDuration"] == 3600 and read["Description"] == "d é"
    assert read["Tags"] == [{"Key": "k", "Value": ""}] and read["RoleLastUsed"] == {} and read["CreateDate"] == created["CreateDate"]
    iam.attach_role_policy(RoleName=name, PolicyArn=BASIC)
    iam.put_role_policy(RoleName=name, PolicyName="inline", PolicyDocument=GRANT)
    assert iam.list_role_policies(RoleName=name)["PolicyNames"] == ["inline"]
    assert iam.get_role_policy(RoleName=name, PolicyName="inline")["PolicyDocument"] == json.loads(GRANT)
    attached = iam.list_attached_role_policies(RoleName=name)
    assert attached["AttachedPolicies"] == [{"PolicyName": "AWSLambdaBasicExecutionRole", "PolicyArn": BASIC}] and attached["IsTruncated"] is False
    assert iam.list_attached_role_policies(RoleName=name, PathPrefix="/other/")["AttachedPolicies"] == []
    assert iam.list_instance_profiles_for_role(RoleName=name)["InstanceProfiles"] == []
    iam.tag_role(RoleName=name, Tags=[{"Key": "a", "Value": "1"}, {"Key": "k", "Value": "2"}])
    iam.untag_role(RoleName=name, TagKeys=["a"])
    assert iam.list_role_tags(RoleName=name)["Tags"] == [{"Key": "k", "Value": "2"}]
    iam.update_role(RoleName=name, Description="new", MaxSessionDuration=7200)
    assert iam.update_role_description(RoleName=name, Description="newer")["Role"]["Description"] == "newer"
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=TRUST.replace("lambda", "events"))
    read = iam.get_role(RoleName=name)["Role"]
    assert read["MaxSessionDuration"] == 7200 and "events" in json.dumps(read["AssumeRolePolicyDocument"])
    iam.put_role_permissions_boundary(RoleName=name, PermissionsBoundary="arn:aws:iam::aws:policy/AdministratorAccess")
    assert iam.get_role(RoleName=name)["Role"]["PermissionsBoundary"]["PermissionsBoundaryArn"].endswith("AdministratorAccess")
    iam.delete_role_permissions_boundary(RoleName=name)
    assert "PermissionsBoundary" not in iam.get_role(RoleName=name)["Role"]

    assert error_of(iam.create_role, RoleName=name.upper(), AssumeRolePolicyDocument=TRUST) == (
        409, "EntityAlreadyExists", f"Role with name {name.upper()} already exists.")
    assert error_of(iam.delete_role, RoleName=name) == (409, "DeleteConflict", "Cannot delete entity, must detach all policies first.")
    iam.detach_role_policy(RoleName=name, PolicyArn=BASIC)
    assert error_of(iam.detach_role_policy, RoleName=name, PolicyArn=BASIC) == (404, "NoSuchEntity", f"Policy {BASIC} was not found.")
    assert error_of(iam.delete_role, RoleName=name) == (409, "DeleteConflict", "Cannot delete entity, must delete policies first.")
    iam.delete_role_policy(RoleName=name, PolicyName="inline")
    assert error_of(iam.delete_role_policy, RoleName=name, PolicyName="inline") == (
        404, "NoSuchEntity", "The role policy with name inline cannot be found.")
    iam.delete_role(RoleName=name)
    assert error_of(iam.get_role, RoleName=name) == (404, "NoSuchEntity", f"The role with name {name} cannot be found.")


def test_managed_policies(iam, name):
    policy = iam.create_policy(PolicyName=name, PolicyDocument=GRANT, Path="/p/", Description="why", Tags=[{"Key": "a", "Value": "b"}])["Policy"]
    arn = policy["Arn"]
    assert arn == f"arn:aws:iam::000000000000:policy/p/{name}" and policy["DefaultVersionId"] == "v1" and policy["PolicyId"].startswith("ANPA")
    iam.get_waiter("policy_exists").wait(PolicyArn=arn)
    assert iam.get_policy_version(PolicyArn=arn, VersionId="v1")["PolicyVersion"]["Document"] == json.loads(GRANT)
    for number in range(2, 6):
        assert iam.create_policy_version(PolicyArn=arn, PolicyDocument=GRANT, SetAsDefault=number == 3)["PolicyVersion"]["VersionId"] == f"v{number}"
    status, code, message = error_of(iam.create_policy_version, PolicyArn=arn, PolicyDocument=GRANT)
    assert (status, code) == (409, "LimitExceeded") and message.startswith("A managed policy can have up to 5 versions.")
    listed = iam.list_policy_versions(PolicyArn=arn)["Versions"]
    assert [(v["VersionId"], v["IsDefaultVersion"]) for v in listed] == [("v5", False), ("v4", False), ("v3", True), ("v2", False), ("v1", False)]
    paged = [v["VersionId"] for page in iam.get_paginator("list_policy_versions").paginate(PolicyArn=arn, PaginationConfig={"PageSize": 2}) for v in page["Versions"]]
    assert paged == ["v5", "v4", "v3", "v2", "v1"]
    iam.set_default_policy_version(PolicyArn=arn, VersionId="v5")
    assert iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"] == "v5"
    assert error_of(iam.delete_policy_version, PolicyArn=arn, VersionId="v5") == (409, "DeleteConflict", "Cannot delete the default version of a policy.")
    assert error_of(iam.delete_policy_version, PolicyArn=arn, VersionId="v9")[:2] == (404, "NoSuchEntity")
    iam.tag_policy(PolicyArn=arn, Tags=[{"Key": "c", "Value": "d"}])
    iam.untag_policy(PolicyArn=arn, TagKeys=["a"])
    assert iam.list_policy_tags(PolicyArn=arn)["Tags"] == [{"Key": "c", "Value": "d"}]

    iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
    iam.create_user(UserName=name)
    iam.create_group(GroupName=name)
    iam.attach_role_policy(RoleName=name, PolicyArn=arn)
    iam.attach_user_policy(UserName=name, PolicyArn=arn)
    iam.attach_group_policy(GroupName=name, PolicyArn=arn)
    entities = iam.list_entities_for_policy(PolicyArn=arn)
    assert [entities[k][0][n] for k, n in (("PolicyRoles", "RoleName"), ("PolicyUsers", "UserName"), ("PolicyGroups", "GroupName"))] == [name] * 3
    assert iam.list_entities_for_policy(PolicyArn=arn, EntityFilter="Role")["PolicyUsers"] == []
    assert iam.get_policy(PolicyArn=arn)["Policy"]["AttachmentCount"] == 3
    assert [p["Arn"] for p in iam.list_policies(Scope="Local", OnlyAttached=True, PathPrefix="/p/")["Policies"]] == [arn]
    assert error_of(iam.delete_policy, PolicyArn=arn) == (409, "DeleteConflict", "Cannot delete a policy attached to entities.")
    assert iam.list_attached_user_policies(UserName=name)["AttachedPolicies"] == iam.list_attached_group_policies(GroupName=name)["AttachedPolicies"]
    iam.detach_role_policy(RoleName=name, PolicyArn=arn)
    iam.detach_user_policy(UserName=name, PolicyArn=arn)
    iam.detach_group_policy(GroupName=name, PolicyArn=arn)
    assert error_of(iam.delete_policy, PolicyArn=arn)[2].startswith("This policy has more than one version.")
    for number in range(1, 5):
        iam.delete_policy_version(PolicyArn=arn, VersionId=f"v{number}")
    iam.delete_policy(PolicyArn=arn)
    assert error_of(iam.get_policy, PolicyArn=arn) == (404, "NoSuchEntity", f"Policy {arn} was not found.")
    assert error_of(iam.attach_role_policy, RoleName=name, PolicyArn=arn) == (
        404, "NoSuchEntity", f"Policy {arn} does not exist or is not attachable.")
    iam.delete_role(RoleName=name), iam.delete_user(UserName=name), iam.delete_group(GroupName=name)


def test_the_policies_that_aws_ships(iam):
    shipped = {p["PolicyName"]: p for page in iam.get_paginator("list_policies").paginate(Scope="AWS", PaginationConfig={"PageSize": 7}) for p in page["Policies"]}
    wanted = """AWSLambdaBasicExecutionRole AWSLambdaVPCAccessExecutionRole AWSLambdaSQSQueueExecutionRole AWSLambdaKinesisExecutionRole
        AWSLambdaDynamoDBExecutionRole AWSLambdaMSKExecutionRole AWSXRayDaemonWriteAccess AWSLambda_FullAccess AWSLambda_ReadOnlyAccess AWSLambdaRole
        CloudWatchLambdaInsightsExecutionRolePolicy AWSCodeDeployRoleForLambda AWSCodeDeployRoleForLambdaLimited AWSLambdaBasicDurableExecutionRolePolicy
        AWSLambdaManagedEC2ResourceOperator AmazonS3FullAccess AmazonS3ReadOnlyAccess AmazonSQSFullAccess AmazonSQSReadOnlyAccess AmazonSNSFullAccess
        AmazonSNSReadOnlyAccess AmazonDynamoDBFullAccess AmazonDynamoDBReadOnlyAccess AdministratorAccess""".split()
    assert set(wanted) <= set(shipped)
    assert shipped["AWSLambdaBasicExecutionRole"]["Arn"] == BASIC and shipped["AdministratorAccess"]["Arn"] == "arn:aws:iam::aws:policy/AdministratorAccess"
    for policy in shipped.values():
        assert policy["DefaultVersionId"] == "v1" and policy["IsAttachable"]
        document = iam.get_policy_version(PolicyArn=policy["Arn"], VersionId="v1")["PolicyVersion"]["Document"]
        assert document["Version"] == "2012-10-17" and document["Statement"]
    assert error_of(iam.delete_policy, PolicyArn=BASIC)[:2] == (403, "AccessDenied")
    assert error_of(iam.get_policy, PolicyArn="not-an-arn-of-anything")[:2] == (400, "InvalidInput")
    assert all(p["Arn"].startswith("arn:aws:iam::000000000000:") for p in iam.list_policies(Scope="Local")["Policies"])


def test_users_groups_and_access_keys(server, iam, name):
    user = iam.create_user(UserName=name, Path="/u/", Tags=[{"Key": "a", "Value": "b"}])["User"]
    iam.get_waiter("user_exists").wait(UserName=name)
    assert user["UserId"].startswith("AIDA") and user["Arn"] == f"arn:aws:iam::000000000000:user/u/{name}"
    iam.tag_user(UserName=name, Tags=[{"Key": "c", "Value": "d"}])
    iam.untag_user(UserName=name, TagKeys=["a"])
    assert iam.list_user_tags(UserName=name)["Tags"] == iam.get_user(UserName=name)["User"]["Tags"] == [{"Key": "c", "Value": "d"}]
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=GRANT)
    assert iam.list_user_policies(UserName=name)["PolicyNames"] == ["p"]
    assert iam.get_user_policy(UserName=name, PolicyName="p")["PolicyDocument"] == json.loads(GRANT)
    iam.delete_user_policy(UserName=name, PolicyName="p")
    iam.put_user_permissions_boundary(UserName=name, PermissionsBoundary=BASIC)
    assert iam.get_user(UserName=name)["User"]["PermissionsBoundary"]["PermissionsBoundaryArn"] == BASIC
    iam.delete_user_permissions_boundary(UserName=name)

    key = iam.create_access_key(UserName=name)["AccessKey"]
    assert len(key["AccessKeyId"]) == 20 and key["AccessKeyId"].startswith("AKIA") and len(key["SecretAccessKey"]) == 40 and key["Status"] == "Active"
    other = iam.create_access_key(UserName=name)["AccessKey"]["AccessKeyId"]
    assert error_of(iam.create_access_key, UserName=name) == (409, "LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2")
    iam.update_access_key(UserName=name, AccessKeyId=other, Status="Inactive")
    assert {k["AccessKeyId"]: k["Status"] for k in iam.list_access_keys(UserName=name)["AccessKeyMetadata"]} == {key["AccessKeyId"]: "Active", other: "Inactive"}
    assert iam.get_access_key_last_used(AccessKeyId=other)["AccessKeyLastUsed"] == {"ServiceName": "N/A", "Region": "N/A"}
    as_user = client_of(server, key=key["AccessKeyId"], secret=key["SecretAccessKey"])
    assert as_user.get_user()["User"]["UserName"] == name and len(as_user.list_access_keys()["AccessKeyMetadata"]) == 2
    assert iam.get_access_key_last_used(AccessKeyId=key["AccessKeyId"])["AccessKeyLastUsed"]["ServiceName"] == "iam"
    assert iam.get_user()["User"]["Arn"] == "arn:aws:iam::000000000000:root"

    iam.create_group(GroupName=name, Path="/g/")
    iam.add_user_to_group(GroupName=name, UserName=name)
    iam.add_user_to_group(GroupName=name, UserName=name)
    iam.put_group_policy(GroupName=name, PolicyName="p", PolicyDocument=GRANT)
    assert iam.list_group_policies(GroupName=name)["PolicyNames"] == ["p"]
    assert iam.get_group_policy(GroupName=name, PolicyName="p")["GroupName"] == name
    iam.update_group(GroupName=name, NewGroupName=f"{name}-2")
    iam.update_user(UserName=name, NewUserName=f"{name}-2", NewPath="/")
    assert error_of(iam.get_user, UserName=name)[1] == "NoSuchEntity"
    name += "-2"
    assert iam.get_user(UserName=name)["User"]["Arn"] == f"arn:aws:iam::000000000000:user/{name}"
    assert [u["UserName"] for u in iam.get_group(GroupName=name)["Users"]] == [name]
    assert [g["GroupName"] for g in iam.list_groups_for_user(UserName=name)["Groups"]] == [name]
    assert name in [g["GroupName"] for g in iam.list_groups()["Groups"]] and name in [u["UserName"] for u in iam.list_users()["Users"]]

    assert error_of(iam.delete_group, GroupName=name)[1] == "DeleteConflict"
    assert error_of(iam.delete_user, UserName=name) == (409, "DeleteConflict", "Cannot delete entity, must remove users from group first.")
    iam.remove_user_from_group(GroupName=name, UserName=name)
    assert error_of(iam.delete_user, UserName=name) == (409, "DeleteConflict", "Cannot delete entity, must delete access keys first.")
    for identifier in (key["AccessKeyId"], other):
        iam.delete_access_key(UserName=name, AccessKeyId=identifier)
    assert error_of(iam.delete_access_key, UserName=name, AccessKeyId=other) == (404, "NoSuchEntity", f"The Access Key with id {other} cannot be found.")
    iam.delete_user(UserName=name)
    assert error_of(iam.delete_group, GroupName=name)[2] == "Cannot delete entity, must delete policies first."
    iam.delete_group_policy(GroupName=name, PolicyName="p")
    iam.delete_group(GroupName=name)
    assert error_of(iam.get_group, GroupName=name)[1] == "NoSuchEntity"


def test_instance_profiles_service_roles_and_the_account(server, name):
    iam = client_of(server, key="777777777777")
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
    profile = iam.create_instance_profile(InstanceProfileName=name)["InstanceProfile"]
    assert profile["InstanceProfileId"].startswith("AIPA") and profile["Roles"] == []
    iam.get_waiter("instance_profile_exists").wait(InstanceProfileName=name)
    iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)
    assert error_of(iam.add_role_to_instance_profile, InstanceProfileName=name, RoleName=name)[1] == "LimitExceeded"
    assert iam.get_instance_profile(InstanceProfileName=name)["InstanceProfile"]["Roles"][0]["RoleName"] == name
    assert iam.list_instance_profiles_for_role(RoleName=name)["InstanceProfiles"][0]["InstanceProfileName"] == name
    assert iam.list_instance_profiles()["InstanceProfiles"][0]["Roles"][0]["RoleName"] == name
    iam.tag_instance_profile(InstanceProfileName=name, Tags=[{"Key": "a", "Value": "b"}])
    iam.untag_instance_profile(InstanceProfileName=name, TagKeys=["b"])
    assert iam.list_instance_profile_tags(InstanceProfileName=name)["Tags"] == [{"Key": "a", "Value": "b"}]
    assert error_of(iam.delete_role, RoleName=name)[2] == "Cannot delete entity, must remove roles from instance profile first."
    assert error_of(iam.delete_instance_profile, InstanceProfileName=name)[1] == "DeleteConflict"
    iam.remove_role_from_instance_profile(InstanceProfileName=name, RoleName=name)
    iam.delete_instance_profile(InstanceProfileName=name)
    iam.delete_role(RoleName=name)

    role = iam.create_service_linked_role(AWSServiceName="lambda.application-autoscaling.amazonaws.com")["Role"]
    assert role["RoleName"] == "AWSServiceRoleForApplicationAutoScaling_LambdaConcurrency" and role["Path"].startswith("/aws-service-role/")
    assert error_of(iam.create_service_linked_role, AWSServiceName="lambda.application-autoscaling.amazonaws.com")[1] == "InvalidInput"
    assert error_of(iam.delete_role, RoleName=role["RoleName"])[1] == "UnmodifiableEntity"
    task = iam.delete_service_linked_role(RoleName=role["RoleName"])["DeletionTaskId"]
    assert iam.get_service_linked_role_deletion_status(DeletionTaskId=task)["Status"] == "SUCCEEDED"

    assert iam.list_account_aliases()["AccountAliases"] == []
    iam.create_account_alias(AccountAlias="alias-of-seven")
    assert iam.list_account_aliases()["AccountAliases"] == ["alias-of-seven"]
    iam.delete_account_alias(AccountAlias="alias-of-seven")
    summary = iam.get_account_summary()["SummaryMap"]
    assert summary["Roles"] == 0 and summary["RolesQuota"] == 1000 and summary["AccessKeysPerUserQuota"] == 2


def test_pages_and_accounts(server, name):
    here, there = client_of(server, key="333333333333"), client_of(server, key="444444444444", region="eu-west-1")
    for i in range(7):
        here.create_role(RoleName=f"r{i}", AssumeRolePolicyDocument=TRUST, Path="/odd/" if i % 2 else "/")
    there.create_role(RoleName="r0", AssumeRolePolicyDocument=TRUST)
    pages = list(here.get_paginator("list_roles").paginate(PaginationConfig={"PageSize": 3}))
    assert [[r["RoleName"] for r in p["Roles"]] for p in pages] == [["r0", "r1", "r2"], ["r3", "r4", "r5"], ["r6"]]
    assert [p["IsTruncated"] for p in pages] == [True, True, False]
    assert [r["RoleName"] for r in here.list_roles(PathPrefix="/odd")["Roles"]] == ["r1", "r3", "r5"]
    assert there.list_roles()["Roles"][0]["Arn"] == "arn:aws:iam::444444444444:role/r0"
    assert client_of(server, key="333333333333", region="ap-south-1").get_role(RoleName="r6")["Role"]["RoleName"] == "r6", "IAM has no regions"
    assert error_of(here.list_roles, Marker="%%%")[:2] == (400, "ValidationError")
    assert error_of(there.get_policy, PolicyArn=here.create_policy(PolicyName=name, PolicyDocument=GRANT)["Policy"]["Arn"])[1] == "NoSuchEntity"


@pytest.mark.parametrize("arguments, code, message", [
    ({"AssumeRolePolicyDocument": "{"}, "MalformedPolicyDocument", "This policy contains invalid Json"),
    ({"AssumeRolePolicyDocument": TRUST.replace("Action", "Acton")}, "MalformedPolicyDocument", "Syntax errors in policy."),
    ({"AssumeRolePolicyDocument": TRUST.replace("sts:AssumeRole", "s3:*")}, "MalformedPolicyDocument", "AssumeRole policy may only specify STS AssumeRole actions."),
    ({"AssumeRolePolicyDocument": GRANT}, "MalformedPolicyDocument", "Has prohibited field Resource"),
    ({"AssumeRolePolicyDocument": TRUST.replace("lambda.amazonaws.com", "lambda")}, "MalformedPolicyDocument", 'Invalid principal in policy: "SERVICE":"lambda"'),
    ({"RoleName": "a b"}, "ValidationError", "The specified value for roleName is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-"),
    ({"RoleName": "x" * 65}, "ValidationError", f"1 validation error detected: Value '{'x' * 65}' at 'roleName' failed to satisfy constraint: Member must have length less than or equal to 64"),
    ({"RoleName": None}, "ValidationError", "1 validation error detected: Value null at 'roleName' failed to satisfy constraint: Member must not be null"),
    ({"MaxSessionDuration": 1, "RoleName": "x" * 65}, "ValidationError", "2 validation errors detected: "),
    ({"Path": "no"}, "ValidationError", "The specified value for path is invalid."),
    ({"PermissionsBoundary": "arn:aws:iam::aws:policy/None"}, "NoSuchEntity", "Policy arn:aws:iam::aws:policy/None does not exist or is not attachable."),
    ({"Tags": [{"Key": "a", "Value": ""}, {"Key": "A", "Value": ""}]}, "InvalidInput", "Duplicate tag keys found."),
    ({"AssumeRolePolicyDocument": TRUST.replace("sts:AssumeRole", "sts:" + "x" * 2048)}, "LimitExceeded", "Cannot exceed quota for ACLSizePerRole: 2048"),
])
def test_what_is_refused(server, name, arguments, code, message):
    iam = client_of(server, checked=False)
    arguments = {"RoleName": name, "AssumeRolePolicyDocument": TRUST, **arguments}
    status, said, text = error_of(iam.create_role, **{k: v for k, v in arguments.items() if v is not None})
    assert said == code and text.startswith(message), text
    assert status == {"LimitExceeded": 409, "NoSuchEntity": 404}.get(code, 400)


def test_what_is_missing_says_so(server, iam):
    assert error_of(iam.simulate_principal_policy, PolicySourceArn="arn:aws:iam::000000000000:role/r", ActionNames=["s3:GetObject"])[:2] == (501, "NotImplemented")
    status, code, message = error_of(client_of(server, "ec2").describe_instances)
    assert (status, code) == (501, "NotImplemented") and "ec2" in message
    status, code, message = error_of(client_of(server, "dynamodb").list_tables)
    assert status == 501 and "dynamodb" in message


def test_raw_requests(server):
    def ask(body, headers={"Content-Type": "application/x-www-form-urlencoded"}, path="/"):
        request = urllib.request.Request(server.endpoint + path, data=body, headers=headers)
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
    status, text = ask(b"Action=ListRoles&Version=2010-05-08")
    assert status == 200 and text.startswith('<ListRolesResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><ListRolesResult><Roles>')
    assert "<ResponseMetadata><RequestId>" in text
    assert ask(b"Action=Nope&Version=2010-05-08")[0] == 400 and "<Code>InvalidAction</Code>" in ask(b"Action=Nope&Version=2010-05-08")[1]
    assert ask(None, path="/?Action=GetCallerIdentity&Version=2011-06-15")[0] == 200
    assert "<Code>MalformedInput</Code>" in ask(b"Action=ListRoles&Version=2010-05-08&MaxItems=many")[1]
    assert "<Code>MalformedQueryString</Code>" in ask(b"Action=ListRoles&Version=2010-05-08&" + b".".join([b"a"] * 40) + b"=1")[1]
    assert ask(b"Action=ListRoles&Version=2010-05-08&%&=&a=%zz&Marker=%ff")[0] in (200, 400)


def test_the_aws_command_line(server, name, tmp_path):
    environment = {**os.environ, "AWS_ENDPOINT_URL": server.endpoint, "AWS_ACCESS_KEY_ID": "555555555555", "AWS_SECRET_ACCESS_KEY": "x",
                   "AWS_DEFAULT_REGION": "eu-central-1", "AWS_PAGER": "", "AWS_CONFIG_FILE": "/nonexistent"}

    def aws(*arguments):
        run = subprocess.run([sys.executable, "-m", "awscli", *arguments], capture_output=True, text=True, env=environment)
        return run.returncode, json.loads(run.stdout) if run.stdout.strip().startswith("{") else run.stdout + run.stderr
    (tmp_path / "trust.json").write_text(TRUST)
    code, role = aws("iam", "create-role", "--role-name", name, "--assume-role-policy-document", f"file://{tmp_path}/trust.json")
    assert code == 0 and role["Role"]["Arn"] == f"arn:aws:iam::555555555555:role/{name}"
    assert aws("iam", "attach-role-policy", "--role-name", name, "--policy-arn", BASIC)[0] == 0
    assert aws("iam", "wait", "role-exists", "--role-name", name)[0] == 0
    code, identity = aws("sts", "get-caller-identity")
    assert identity == {"UserId": "555555555555", "Account": "555555555555", "Arn": "arn:aws:iam::555555555555:root"}
    code, text = aws("iam", "delete-role", "--role-name", name)
    assert code != 0 and "(DeleteConflict)" in text and "must detach all policies first" in text
    code, policies = aws("iam", "list-policies", "--scope", "AWS", "--max-items", "3")
    assert code == 0 and len(policies["Policies"]) == 3 and policies["NextToken"]


def test_everything_survives_kill_9(own_server):
    """Roles, users and policies are changed by several callers until the server is killed; what was acknowledged is there."""
    server = own_server()
    acknowledged, doubtful, stop = {}, set(), threading.Event()

    def storm(worker):
        iam = client_of(server)
        for i in range(10_000):
            role = f"w{worker}-{i % 5}"
            try:
                doubtful.add(role)
                if i % 7 == 6:
                    iam.delete_role(RoleName=role) if role in acknowledged else None
                    acknowledged.pop(role, None)
                elif role in acknowledged:
                    iam.update_role(RoleName=role, Description=str(i))
                    acknowledged[role] = str(i)
                else:
                    iam.create_role(RoleName=role, AssumeRolePolicyDocument=TRUST, Description=str(i))
                    acknowledged[role] = str(i)
                doubtful.discard(role)
            except (botocore.exceptions.HTTPClientError, botocore.exceptions.ConnectionError):
                stop.set()
                return
            if i > 100:
                stop.set()
    setup = client_of(server)
    setup.create_user(UserName="u")
    key = setup.create_access_key(UserName="u")["AccessKey"]
    policy = setup.create_policy(PolicyName="p", PolicyDocument=GRANT)["Policy"]["Arn"]
    setup.attach_user_policy(UserName="u", PolicyArn=policy)
    setup.create_group(GroupName="g")
    setup.add_user_to_group(GroupName="g", UserName="u")
    setup.update_group(GroupName="g", NewGroupName="h")
    workers = [threading.Thread(target=storm, args=(w,)) for w in range(4)]
    for worker in workers:
        worker.start()
    stop.wait(60)
    server.stop(signal.SIGKILL)
    for worker in workers:
        worker.join()
    second = own_server(state=server.state)
    iam = client_of(second)
    found = {r["RoleName"]: r["Description"] for r in iam.list_roles()["Roles"]}
    assert len(acknowledged) > 4
    assert {r: d for r, d in found.items() if r not in doubtful} == {r: d for r, d in acknowledged.items() if r not in doubtful}
    assert [u["UserName"] for u in iam.get_group(GroupName="h")["Users"]] == ["u"] and error_of(iam.get_group, GroupName="g")[0] == 404
    assert iam.list_attached_user_policies(UserName="u")["AttachedPolicies"] == [{"PolicyName": "p", "PolicyArn": policy}]
    assert client_of(second, "sts", key=key["AccessKeyId"]).get_caller_identity()["Arn"] == "arn:aws:iam::000000000000:user/u"


def test_lambda_asks_whether_it_may_assume_the_role(server, name):
    iam, aws_lambda = client_of(server, key="666666666666"), client_of(server, "lambda", key="666666666666")
    code = package({"app.py": "def handler(event, context):\n    return 1\n"})
    refused = (400, "InvalidParameterValueException", "The role defined for the function cannot be assumed by Lambda.")

    def create(role, function=name):
        return aws_lambda.create_function(FunctionName=function, Runtime="python3.11", Handler="app.handler", Code={"ZipFile": code},
                                          Role=f"arn:aws:iam::666666666666:role/{role}")
    trusts = {"events": TRUST.replace("lambda", "events"), "good": TRUST,
              "list": TRUST.replace('"lambda.amazonaws.com"', '["edgelambda.amazonaws.com", "lambda.amazonaws.com"]'),
              "denied": json.dumps({"Statement": [*json.loads(TRUST)["Statement"], {"Effect": "Deny", "Principal": "*", "Action": "sts:*"}]})}
    for role, trust in trusts.items():
        iam.create_role(RoleName=role, AssumeRolePolicyDocument=trust)
    for role in ("events", "denied"):
        with pytest.raises(botocore.exceptions.ClientError) as caught:
            create(role)
        response = caught.value.response
        assert (response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"], response["Error"]["Message"]) == refused
    create("good")
    create("list", f"{name}-list")
    create("a-role-that-the-account-does-not-have", f"{name}-none")
    aws_lambda.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.02, "MaxAttempts": 3000})
    assert error_of(aws_lambda.update_function_configuration, FunctionName=name, Role="arn:aws:iam::666666666666:role/events") == refused
    iam.update_assume_role_policy(RoleName="events", PolicyDocument=TRUST)
    aws_lambda.update_function_configuration(FunctionName=name, Role="arn:aws:iam::666666666666:role/events")
