# Recorded scenarios: what is configured beside a function: policies, URLs, event sources, code signing, retries.
import botocore.exceptions

from conftest import package, wait_until
from replay import scenario

HANDLER = {
    "Handler": "handler.handler", "Timeout": 30, "Environment": {"Variables": {}},
    "Code": {"ZipFile": package({"handler.py": "def handler(event, context):\n    return event\n"})}}
S3 = {"Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com"}
FROM_BUCKET = {**S3, "SourceArn": "arn:aws:s3:::bucket"}


# Permissions


@scenario("TestLambdaPermissions::test_add_lambda_permission_aws")
def permission(r):
    r.create("create_lambda", inside="CreateFunctionResponse", **HANDLER)
    r("add_permission", "add_permission", FunctionName=r.name, StatementId="s3", **FROM_BUCKET)
    r("get_policy", "get_policy", FunctionName=r.name)


@scenario("TestLambdaPermissions::test_add_lambda_permission_fields")
def permission_fields(r):
    r.create()

    def add(step, sid, **more):
        r(f"add_permission_{step}", "add_permission", **{
            "FunctionName": r.name, "StatementId": sid, "Action": "lambda:InvokeFunction", **more})

    # The organisation's and the skill's own ids stand as they were recorded.
    own = {"SourceAccount": r.account}
    add("principal_wildcard", "wilcard", Principal="*", **own)
    add("principal_service", "lambda", Principal="lambda.amazonaws.com", **own)
    add("principal_account", "account-id", Principal=r.account)
    add("principal_arn", "user-arn", Principal=f"arn:aws:iam::{r.account}:user/somebody", **own)
    add("optional_fields", "urlPermission", Action="lambda:InvokeFunctionUrl", Principal="*",
        SourceArn="arn:aws:s3:::bucket", PrincipalOrgID="o-1234567890", FunctionUrlAuthType="NONE", **own)
    add("alexa_skill", "alexaSkill", Principal="*",
        EventSourceToken="amzn1.ask.skill.xxxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx")


@scenario("TestLambdaPermissions::test_remove_multi_permissions")
def permissions_removed(r):
    r.create()
    named = {"FunctionName": r.name}
    r("add_permission_1", "add_permission", **named, StatementId="s3", **S3)
    r("add_permission_2", "add_permission", **named, StatementId="sqs", Action="lambda:InvokeFunction",
      Principal="sqs.amazonaws.com", SourceArn="arn:aws:s3:::bucket")
    r("policy_after_2_add", "get_policy", **named)
    r("remove_permission_exception_nonexisting_sid", "remove_permission", **named, StatementId="non-existent")
    r.do("remove_permission", **named, StatementId="sqs")
    r("policy_after_removal", "get_policy", **named)
    r("policy_after_removal_attempt", "get_policy", **named)
    r.do("remove_permission", **named, StatementId="s3")
    r("get_policy_exception_removed_all", "get_policy", **named)


@scenario("TestLambdaPermissions::test_permission_exceptions")
def permissions_refused(r):
    r.create()

    def add(step, **arguments):
        r(f"add_permission_{step}", "add_permission", **{
            "FunctionName": r.name, "StatementId": "s3", **S3, **arguments})

    add("invalid_statement_id", StatementId="example.com")
    add("fn_qualifier_mismatch", FunctionName=f"{r.arn}:alias-not-42", Qualifier="42")
    add("fn_qualifier_latest", Qualifier="$LATEST")
    add("fn_qualifier_invalid", Qualifier="invalid-qualifier-with-?-char")
    add("fn_qualifier_valid_doesnotexist", Qualifier="valid-with-$-but-doesnotexist")
    add("fn_doesnotexist", FunctionName="doesnotexist")
    add("principal_invalid", Principal="invalid.nonaws.com")
    add("fn_version_doesnotexist", Qualifier="42")
    add("fn_alias_doesnotexist", Qualifier="alias-doesnotexist")
    r("get_policy_fn_doesnotexist", "get_policy", FunctionName="doesnotexist")
    r("remove_permission_fn_doesnotexist", "remove_permission", FunctionName="doesnotexist", StatementId="s3")
    r("remove_permission_policy_doesnotexist", "remove_permission", FunctionName=r.name, StatementId="s3")
    r.do("add_permission", FunctionName=r.name, StatementId="s3", **S3)
    add("conflicting_statement_id")
    r("get_policy_fn_version_doesnotexist", "get_policy", FunctionName=r.name, Qualifier="42")
    r("remove_permission_fn_alias_doesnotexist", "remove_permission", FunctionName=r.name, StatementId="s3",
      Qualifier="alias-doesnotexist")


@scenario("TestLambdaPermissions::test_lambda_permission_revisions")
def permission_revisions(r):
    named = {"FunctionName": r.name}
    r.create(**HANDLER)
    first = r.do("add_permission", **named, StatementId="s3", **FROM_BUCKET)
    assert first["Statement"]
    revision = r.do("get_function", **named)["Configuration"]["RevisionId"]
    r.do("publish_version", **named)
    r("add_permission_revision_id_doesnotmatch", "add_permission", **named, StatementId="s3_2", **FROM_BUCKET,
      RevisionId=revision)
    r.do("add_permission", **named, StatementId="s3_2", **FROM_BUCKET,
         RevisionId=r.do("get_function", **named)["Configuration"]["RevisionId"])
    r("get_policy_after_publish_version", "get_policy", **named)
    version = {**named, "Qualifier": "1"}
    r.do("add_permission", **version, StatementId="s3_2", **FROM_BUCKET)
    r("get_policy_v1_after_publish_version", "get_policy", **version)
    r("get_function_fn8", "get_function", **named)
    r("get_function_fn8_v1", "get_function", **version)
    r.do("add_permission", **version, StatementId="s3_3", **FROM_BUCKET)
    r("get_policy_v1_after_add_permission9", "get_policy", **version)
    r("get_function_fn9", "get_function", **named)
    r("get_function_fn9_v1", "get_function", **version)
    r("remove_permission_fn_revision_id_doesnotmatch", "remove_permission", **named, StatementId="s3",
      RevisionId="wrong")


@scenario("TestLambdaRevisions::test_function_revisions_permissions")
def revision_of_a_policy(r):
    r.create()
    # Before there is a policy.
    r("add_permission_revision_exception", "add_permission", FunctionName=r.name, StatementId="s3", **S3,
      RevisionId="wrong")


# Event invoke configuration


@scenario("TestLambdaEventInvokeConfig::test_lambda_eventinvokeconfig_lifecycle")
def event_invoke(r):
    r.create(**HANDLER)
    named = {"FunctionName": r.name}
    r("put_invokeconfig_retries_0", "put_function_event_invoke_config", **named, MaximumRetryAttempts=0)
    r("put_invokeconfig_eventage_60", "put_function_event_invoke_config", **named, MaximumEventAgeInSeconds=60)
    r("update_invokeconfig_eventage_nochange", "update_function_event_invoke_config", **named,
      MaximumEventAgeInSeconds=60)
    r("update_invokeconfig_retries", "update_function_event_invoke_config", **named, MaximumRetryAttempts=1)
    r("get_invokeconfig", "get_function_event_invoke_config", **named)
    r("list_single_invokeconfig", "list_function_event_invoke_configs", **named)
    r("get_invokeconfig_latest", "get_function_event_invoke_config", **named, Qualifier="$LATEST")
    r("publish_version_result", "publish_version", **named)
    r("get_invokeconfig_postpublish", "get_function_event_invoke_config", **named, Qualifier="1")
    r("put_published_invokeconfig", "put_function_event_invoke_config", **named, Qualifier="1",
      MaximumEventAgeInSeconds=120)
    r("get_published_invokeconfig", "get_function_event_invoke_config", **named, Qualifier="1")
    r.do("delete_function_event_invoke_config", **named)
    r("list_paging_nolimit_postdelete", "list_function_event_invoke_configs", **named)


# Function URLs


@scenario("TestLambdaUrl::test_url_config_lifecycle")
def url(r):
    r.create()
    named = {"FunctionName": r.name}
    r("url_creation", "create_function_url_config", **named, AuthType="NONE")
    r("failed_duplication", "create_function_url_config", **named, AuthType="NONE")
    r("get_url_config", "get_function_url_config", **named)
    r("updated_url_config", "update_function_url_config", **named, AuthType="AWS_IAM")
    r.do("delete_function_url_config", **named)
    r("failed_getter", "get_function_url_config", **named)


@scenario("TestLambdaUrl::test_url_config_deletion_without_qualifier")
def url_deletion(r):
    r.create(Publish=True)
    named = {"FunctionName": r.name}
    alias = {**named, "Qualifier": "test-alias"}
    r.do("create_alias", **named, Name="test-alias", FunctionVersion="1")
    r("url_creation", "create_function_url_config", **named, AuthType="NONE")
    r("url_with_alias_creation", "create_function_url_config", **alias, AuthType="NONE")
    r("get_url_config", "get_function_url_config", **named)
    r("get_url_config_with_alias", "get_function_url_config", **alias)
    r("delete_function_url_config", "delete_function_url_config", **named)
    r("get_url_config_after_deletion", "get_function_url_config", **named)
    r("get_url_config_with_alias_after_deletion", "get_function_url_config", **alias)


def with_alias(r):
    code = {"ZipFile": package({"lambda_handler.py": "def handler(event, context):\n    return event\n"})}
    r.create(Handler="lambda_handler.handler", Timeout=30, Code=code, Environment={"Variables": {}})
    r("fn_version_result", "publish_version", FunctionName=r.name)
    r("create_alias_result", "create_alias", FunctionName=r.name, Name="urlalias", FunctionVersion="1")


@scenario("TestLambdaUrl::test_url_config_list_paging")
def url_list(r):
    with_alias(r)
    named = {"FunctionName": r.name}
    r("list_function_notfound", "list_function_url_configs", FunctionName="doesnotexist")
    r("list_all_empty", "list_function_url_configs", **named)
    r("url_config_fn", "create_function_url_config", **named, AuthType="NONE")
    r("url_config_alias", "create_function_url_config", **named, Qualifier="urlalias", AuthType="NONE")
    r("list_all", "list_function_url_configs", **named)
    page = r.do("list_function_url_configs", **named, MaxItems=1)
    rest = r.do("list_function_url_configs", **named, MaxItems=1, Marker=page["NextMarker"])
    assert [len(page["FunctionUrlConfigs"]), len(rest["FunctionUrlConfigs"])] == [1, 1] and "NextMarker" not in rest


@scenario("TestLambdaUrl::test_url_config_exceptions")
def urls_refused(r):
    with_alias(r)
    unknown = r.arn.rsplit(":", 1)[0] + ":doesnotexist"
    cases = {
        "name_doesnotexist": {"FunctionName": "doesnotexist"},
        "name_doesnotexist_qualifier": {"FunctionName": "doesnotexist", "Qualifier": "1"},
        "arn_doesnotexist": {"FunctionName": unknown},
        "qualifier_version_doesnotexist": {"FunctionName": r.name, "Qualifier": "2"},
        "qualifier_version": {"FunctionName": r.name, "Qualifier": "1"},
        "qualifier_latest": {"FunctionName": r.name, "Qualifier": "$LATEST"},
        "qualifier_alias_doesnotexist": {"FunctionName": r.name, "Qualifier": "aliasdoesnotexist"},
        "qualifier_alias_doesnotmatch_arn": {"FunctionName": f"{r.arn}:urlalias", "Qualifier": "somethingelse"},
    }
    for verb in ("create", "get", "update", "delete"):
        for case, arguments in cases.items():
            step = f"{verb}_function_url_config_{case}"
            if r.recorded.get(step) == "<aws_internal_failure>":
                r.value(step, "AWS failed here, which is nothing to be like.")
                continue
            more = {"AuthType": "NONE"} if verb in ("create", "update") else {}
            r(step, f"{verb}_function_url_config", **arguments, **more)
        if verb != "create":
            more = {"AuthType": "NONE"} if verb == "update" else {}
            r(f"{verb}_function_url_config_config_doesnotexist", f"{verb}_function_url_config", FunctionName=r.name,
              **more)


# Code signing


def publishers(r):
    arn = f"arn:aws:signer:us-east-1:{r.account}:/signing-profiles/test"
    return {"AllowedPublishers": {"SigningProfileVersionArns": [arn]}}


@scenario("TestCodeSigningConfig::test_function_code_signing_config")
def code_signing(r):
    r.create()
    created = r("create_code_signing_config", "create_code_signing_config", Description="Testing CodeSigning Config",
                CodeSigningPolicies={"UntrustedArtifactOnDeployment": "Enforce"}, **publishers(r))
    config = {"CodeSigningConfigArn": created["CodeSigningConfig"]["CodeSigningConfigArn"]}
    r("update_code_signing_config", "update_code_signing_config", **config,
      CodeSigningPolicies={"UntrustedArtifactOnDeployment": "Warn"})
    r("get_code_signing_config", "get_code_signing_config", **config)
    r("put_function_code_signing_config", "put_function_code_signing_config", FunctionName=r.name, **config)
    r("get_function_code_signing_config", "get_function_code_signing_config", FunctionName=r.name)
    r.value("list_code_signing_configs", r.do("list_code_signing_configs")["CodeSigningConfigs"][0])
    r("list_functions_by_code_signing_config", "list_functions_by_code_signing_config", **config)
    r("delete_function_code_signing_config", "delete_function_code_signing_config", FunctionName=r.name)
    r("delete_code_signing_config", "delete_code_signing_config", **config)


@scenario("TestCodeSigningConfig::test_code_signing_not_found_excs")
def code_signing_not_found(r):
    r.create()
    created = r("create_code_signing_config", "create_code_signing_config", Description="Testing CodeSigning Config",
                CodeSigningPolicies={"UntrustedArtifactOnDeployment": "Enforce"}, **publishers(r))
    config = {"CodeSigningConfigArn": created["CodeSigningConfig"]["CodeSigningConfigArn"]}
    wrong = {"CodeSigningConfigArn": config["CodeSigningConfigArn"][:-1] + "x"}
    unknown = {"FunctionName": "csc-test-doesnotexist"}
    policies = {"CodeSigningPolicies": {"UntrustedArtifactOnDeployment": "Warn"}}
    r("delete_csc_notfound", "delete_code_signing_config", **wrong)
    r("nothing_to_delete_response", "delete_function_code_signing_config", FunctionName=r.name)
    r("delete_function_csc_fnnotfound", "delete_function_code_signing_config", **unknown)
    r("put_function_csc_invalid_fnname", "put_function_code_signing_config", **unknown, **config)
    r("put_function_csc_invalid_csc_arn", "put_function_code_signing_config", FunctionName=r.name, **wrong)
    r("put_function_csc_invalid_both", "put_function_code_signing_config", **unknown, **wrong)
    r("update_csc_invalid_csc_arn", "update_code_signing_config", **wrong, **policies)
    r("update_csc_noupdates", "update_code_signing_config", **wrong)
    r("update_csc_noupdate_response", "update_code_signing_config", **config)
    r("get_csc_invalid", "get_code_signing_config", **wrong)
    r("get_function_csc_fnwithoutcsc", "get_function_code_signing_config", FunctionName=r.name)
    r("get_function_csc_nonexistingfn", "get_function_code_signing_config", **unknown)
    r("list_functions_by_csc_fnwithoutcsc", "list_functions_by_code_signing_config", **config)
    r("list_functions_by_csc_invalid_cscarn", "list_functions_by_code_signing_config", **wrong)


# Event source mappings


@scenario("TestLambdaEventSourceMappings::test_create_event_source_validation")
def mapping_refused(r):
    r.create()
    stream = f"arn:aws:dynamodb:us-east-1:{r.account}:table/some-table/stream/2026-01-01T00:00:00.000"
    mapping = {"FunctionName": r.name, "EventSourceArn": stream}
    r("no_starting_position", "create_event_source_mapping", **mapping)
    r("invalid_starting_position", "create_event_source_mapping", **mapping, StartingPosition="invalid")
    r("incompatible_starting_position", "create_event_source_mapping", **mapping, StartingPosition="AT_TIMESTAMP",
      StartingPositionTimestamp="1741010802")


@scenario("TestLambdaEventSourceMappings::test_function_name_variations")
def mapping_names(r):
    r.create(Publish=True)
    r.do("create_alias", FunctionName=r.name, Name="myalias", FunctionVersion="1")
    queue = f"arn:aws:sqs:us-east-1:{r.account}:queue"
    names = {
        "name_only": r.name, "partial_arn_latest": f"{r.name}:$LATEST", "partial_arn_version": f"{r.name}:1",
        "partial_arn_alias": f"{r.name}:myalias", "full_arn_latest": r.arn, "full_arn_version": f"{r.arn}:1",
        "full_arn_alias": f"{r.arn}:myalias"}
    for step, name in names.items():
        made = r(f"{step}_create_esm", "create_event_source_mapping", EventSourceArn=queue, FunctionName=name)
        if "UUID" in made:
            # One that is still being created is in use.
            wait_until(lambda: r.do("get_event_source_mapping", UUID=made["UUID"])["State"] == "Enabled", 10, "the mapping's state")
            r.do("delete_event_source_mapping", UUID=made["UUID"])
            gone(r, made["UUID"])


def gone(r, uuid):
    def is_gone():
        try:
            r.client.get_event_source_mapping(UUID=uuid)
        except botocore.exceptions.ClientError:
            return True
    wait_until(is_gone, 10, "the mapping's end")


@scenario(
    "TestLambdaEventSourceMappings::test_event_source_mapping_lifecycle",
    "TestLambdaEventSourceMappings::test_event_source_mapping_lifecycle_delete_function")
def mapping_lifecycle(r):
    r.create()
    made = r("create_response", "create_event_source_mapping", FunctionName=r.name, StartingPosition="TRIM_HORIZON",
             EventSourceArn=f"arn:aws:dynamodb:us-east-1:{r.account}:table/t/stream/2026-01-01T00:00:00.000",
             DestinationConfig={"OnFailure": {"Destination": f"arn:aws:sqs:us-east-1:{r.account}:queue"}}, BatchSize=1,
             MaximumBatchingWindowInSeconds=1, MaximumRetryAttempts=1)
    uuid = {"UUID": made["UUID"]}
    wait_until(lambda: r.do("get_event_source_mapping", **uuid)["State"] == "Enabled", 10, "the mapping's state")
    r("get_response", "get_event_source_mapping", **uuid)
    if "delete_function_response" in r.recorded:
        r("delete_function_response", "delete_function", FunctionName=r.name)
        r("get_response_post_delete", "get_event_source_mapping", **uuid)
    r("delete_response", "delete_event_source_mapping", **uuid)
