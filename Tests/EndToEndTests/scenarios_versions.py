# Recorded scenarios: versions, aliases and concurrency.
from conftest import package, wait_until
from replay import scenario

STAGING = {"Environment": {"Variables": {"testenv": "staging"}}}
NOTHING_SET = {"Environment": {"Variables": {}}}
PROD = {"Environment": {"Variables": {"testenv": "prod"}}}
VERSIONED = """
VERSION = "%s"
def handler(event, context):
    return {"invoked_arn": context.invoked_function_arn, "version_from_ctx": context.function_version, "version_id": VERSION}
"""


def code(number):
    return package({"handler.py": VERSIONED % f"version{number}"})


def two_versions(r, **settings):
    r.create("create_response", **STAGING, **settings)
    r("publish_v1", "publish_version", FunctionName=r.name)
    r.do("update_function_configuration", FunctionName=r.name, **PROD)
    r.updated()
    r("publish_v2", "publish_version", FunctionName=r.name)


def invoke(r, step, **arguments):
    r(step, "invoke", **{"FunctionName": r.name, "Payload": b"{}", **arguments})


# Aliases


@scenario("TestLambdaAlias::test_alias_lifecycle")
def alias_lifecycle(r):
    two_versions(r)
    named = {"FunctionName": r.name}
    r("create_alias_1_1", "create_alias", **named, Name="aliasname1_1", FunctionVersion="1", Description="custom-alias",
      RoutingConfig={"AdditionalVersionWeights": {"2": 0.2}})
    r("get_alias_1_1", "get_alias", **named, Name="aliasname1_1")
    r("get_function_alias_1_1", "get_function", **named, Qualifier="aliasname1_1")
    r("get_function_byarn_alias_1_1", "get_function", FunctionName=f"{r.arn}:aliasname1_1")
    r("get_function_alias_notfound_exc", "get_function", **named, Qualifier="aliasdoesnotexist")
    r("get_function_alias_byarn_notfound_exc", "get_function", FunctionName=f"{r.arn}:aliasdoesnotexist")
    r("create_alias_1_2", "create_alias", **named, Name="aliasname1_2", FunctionVersion="1", Description="custom-alias")
    r("get_alias_1_2", "get_alias", **named, Name="aliasname1_2")
    r("create_alias_1_3", "create_alias", **named, Name="aliasname1_3", FunctionVersion="1")
    r("get_alias_1_3", "get_alias", **named, Name="aliasname1_3")
    r("create_alias_2", "create_alias", **named, Name="aliasname2", FunctionVersion="2", Description="custom-alias")
    r("get_alias_2", "get_alias", **named, Name="aliasname2")
    listed = r.do("list_aliases", **named)
    r.value("list_aliases_for_fnname", {"Aliases": listed["Aliases"]})
    r("update_alias_1_1", "update_alias", **named, Name="aliasname1_1", RoutingConfig={"AdditionalVersionWeights": {}})
    r("get_alias_1_1_after_update", "get_alias", **named, Name="aliasname1_1")
    r("list_aliases_for_fnname_after_update", "list_aliases", **named)
    r("update_alias_1_2", "update_alias", **named, Name="aliasname1_2")
    r("get_alias_1_2_after_update", "get_alias", **named, Name="aliasname1_2")
    r("list_aliases_for_fnname_after_update_2", "list_aliases", **named)
    r("list_aliases_for_version", "list_aliases", **named, FunctionVersion="1")
    r("delete_alias_response", "delete_alias", **named, Name="aliasname1_1")
    r("list_aliases_for_fnname_afterdelete", "list_aliases", **named)


@scenario("TestLambdaAlias::test_alias_naming")
def alias_naming(r):
    r.create("create_response", **STAGING)
    r("publish_v1", "publish_version", FunctionName=r.name)
    alias = {"FunctionName": r.name, "FunctionVersion": "1", "Description": "custom-alias"}
    r("create_alias_number_exception", "create_alias", **alias, Name="2024")
    r("create_alias_date", "create_alias", **alias, Name="2024-01-02")
    r("get_alias_date", "get_alias", FunctionName=r.name, Name="2024-01-02")


@scenario("TestLambdaAlias::test_non_existent_alias_deletion")
def alias_deletion(r):
    r.create("create_response", **STAGING)
    r("delete_alias_response", "delete_alias", FunctionName=r.name, Name="non-existent")


@scenario("TestLambdaAlias::test_non_existent_alias_update")
def alias_update(r):
    r.create("create_response", **STAGING)
    r("update_alias_response", "update_alias", FunctionName=r.name, Name="non-existent")


@scenario("TestLambdaAlias::test_notfound_and_invalid_routingconfigs")
def alias_routing_refused(r):
    two_versions(r, Publish=True)

    def alias(step, version="1", weights=None, **more):
        routing = {} if weights is None else {"RoutingConfig": {"AdditionalVersionWeights": weights}}
        r(step, "create_alias", **{
            "FunctionName": r.name, "Name": "custom", "FunctionVersion": version, **routing, **more})

    alias("routing_config_exc_toomany", weights={"1": 0.5, "2": 0.5})
    alias("routing_config_exc_toohigh", weights={"2": 2})
    alias("routing_config_exc_subzero", weights={"2": -1})
    alias("routing_config_exc_sameversion", weights={"1": 0.5})
    alias("target_version_doesnotexist", version="10", weights={"2": 0.5})
    alias("routing_config_exc_version_doesnotexist", weights={"10": 0.5})
    alias("target_version_exc_version_latest", version="$LATEST", weights={"1": 0.5})
    alias("routing_config_exc_version_latest", weights={"$LATEST": 0.5})
    alias("create-alias-latest", version="$LATEST", Name="custom-latest")
    alias("routing_config_exc_fn_doesnotexist", weights={"2": 0.5}, FunctionName=f"{r.name}-unknown")
    alias("create_alias_empty_routingconfig", Name="custom-empty-routingconfig", RoutingConfig={})
    alias("create_alias_response", weights={"2": 0.5})
    alias("routing_config_exc_already_exist", weights={"2": 0.5})
    r("alias_does_not_exist_esc", "get_alias", FunctionName=r.name, Name="non-existent")


@scenario("TestLambdaAliases::test_alias_routingconfig")
def alias_routing(r):
    r.create()
    r.do("publish_version", FunctionName=r.name)
    r.do("update_function_code", FunctionName=r.name, ZipFile=code(2))
    r.updated()
    r.do("publish_version", FunctionName=r.name)
    r("create_alias_response", "create_alias", FunctionName=r.name, Name="alias1", FunctionVersion="1",
      RoutingConfig={"AdditionalVersionWeights": {"2": 0.5}})


@scenario("TestLambdaAliases::test_lambda_alias_moving")
def alias_moving(r):
    r.create("create_response", Handler="handler.handler", Code={"ZipFile": code(1)}, Description="No version :(")
    r.do("publish_version", FunctionName=r.name, Description="First version description :)")
    r.published("1")
    r("create_alias_response", "create_alias", FunctionName=r.name, FunctionVersion="1", Name="alias1")
    invoke(r, "invocation_result_qualifier_v1", Qualifier="alias1")
    invoke(r, "invocation_result_qualifier_v1_arn", FunctionName=f"{r.arn}:alias1")
    r("update_lambda_response", "update_function_code", FunctionName=r.name, ZipFile=code(2))
    r.updated()
    invoke(r, "invocation_result_qualifier_v1_after_update", Qualifier="alias1")
    r("second_publish_response", "publish_version", FunctionName=r.name, Description="Second version description :)")
    r.published("2")
    invoke(r, "invocation_result_qualifier_v1_after_publish", Qualifier="alias1")
    r("update_alias_response", "update_alias", FunctionName=r.name, FunctionVersion="2", Name="alias1")
    invoke(r, "invocation_result_qualifier_v2", Qualifier="alias1")
    invoke(r, "invocation_exc_not_existent", Qualifier="non-existent-alias")


# Versions


@scenario("TestLambdaVersions::test_publish_with_update")
def publish_with_update(r):
    r.create("create_response")
    r("get_function_result", "get_function", FunctionName=r.name)
    r("update_function_code_result", "update_function_code", FunctionName=r.name, ZipFile=code(2), Publish=True)
    # AWS was still at work on the update.
    r.published("1")
    r.updated()
    r.settled("get_function_version_result")
    r("get_function_version_result", "get_function", FunctionName=r.name, Qualifier="1")
    r.settled("get_function_latest_result")
    r("get_function_latest_result", "get_function", FunctionName=r.name, Qualifier="$LATEST")


@scenario("TestLambdaVersions::test_publish_with_wrong_revisionid")
def publish_with_wrong_revision(r):
    r.create("create_response")
    got = r("get_fn_response", "get_function", FunctionName=r.name)
    r("publish_wrong_revisionid_exc", "publish_version", FunctionName=r.name, RevisionId="doesntexist")
    r("publish_result", "publish_version", FunctionName=r.name, RevisionId=got["Configuration"]["RevisionId"])


@scenario("TestLambdaVersions::test_publish_with_wrong_sha256")
def publish_with_wrong_digest(r):
    r.create("create_response")
    got = r("get_fn_response", "get_function", FunctionName=r.name)
    r("publish_wrong_sha256_exc", "publish_version", FunctionName=r.name, CodeSha256="somenonexistentsha256")
    r("publish_result", "publish_version", FunctionName=r.name, CodeSha256=got["Configuration"]["CodeSha256"])


@scenario("TestLambdaVersions::test_lambda_handler_update")
def handler_update(r):
    both = 'def handler(e, c):\n    return {"handler": "handler"}\ndef handler_two(e, c):\n    return {"handler": "handler_two"}\n'
    r.create(Handler="handler.handler", Timeout=30, Code={"ZipFile": package({"handler.py": both})}, **NOTHING_SET)
    invoke(r, "invoke_result_handler_one")
    r("update_function_configuration_result", "update_function_configuration", FunctionName=r.name,
      Handler="handler.handler_two")
    r.updated()
    r("get_function_result", "get_function", FunctionName=r.name)
    invoke(r, "invoke_result_handler_two")
    r.do("publish_version", FunctionName=r.name)
    invoke(r, "invoke_result_handler_two_postpublish")


@scenario("TestLambdaVersions::test_lambda_versions_with_code_changes")
def versions_with_code_changes(r):
    r.create("create_response", Handler="handler.handler", Code={"ZipFile": code(1)}, Description="No version :(")
    r("first_publish_response", "publish_version", FunctionName=r.name, Description="First version description :)")
    r.published("1")
    invoke(r, "invocation_result_v1", Qualifier="1")
    r("update_lambda_response", "update_function_code", FunctionName=r.name, ZipFile=code(2))
    r.updated()
    invoke(r, "invocation_result_latest")
    invoke(r, "invocation_result_v1_end", Qualifier="1")
    r("second_publish_response", "publish_version", FunctionName=r.name, Description="Second version description :)")
    r.published("2")
    invoke(r, "invocation_result_v2", Qualifier="2")
    r("update_lambda_response_with_publish", "update_function_code", FunctionName=r.name, ZipFile=code(3), Publish=True)
    r.updated()
    r.published("3")
    invoke(r, "invocation_result_v3", Qualifier="3")
    invoke(r, "invocation_result_latest_end")
    invoke(r, "invocation_result_v2_end", Qualifier="2")


# Concurrency


def provisioned_ready(r, qualifier):
    def is_ready():
        got = r.do("get_provisioned_concurrency_config", FunctionName=r.name, Qualifier=qualifier)
        return got["Status"] == "READY"
    wait_until(is_ready, 30, "provisioned concurrency")


def before_ready(r, **arguments):
    """AWS is never ready by now; Martlet may be."""
    got = r.do("get_provisioned_concurrency_config", **arguments)
    if got["Status"] == "READY":
        r.recorded["get_provisioned_prewait"] = r.recorded["get_provisioned_postwait"]
    r.value("get_provisioned_prewait", got)


@scenario("TestLambdaReservedConcurrency::test_function_concurrency")
def reserved(r):
    r.create()
    named = {"FunctionName": r.name}
    r("put_function_concurrency_with_reserved_0", "put_function_concurrency", **named, ReservedConcurrentExecutions=0)
    r("put_function_concurrency_with_reserved_1", "put_function_concurrency", **named, ReservedConcurrentExecutions=1)
    r("get_function_concurrency", "get_function_concurrency", **named)
    r("delete_response", "delete_function_concurrency", **named)
    r("get_function_concurrency_after_delete", "get_function_concurrency", **named)


@scenario("TestLambdaReservedConcurrency::test_function_concurrency_limits")
def reserved_limits(r):
    r.create()
    limit = r.do("get_account_settings")["AccountLimit"]["ConcurrentExecutions"]
    r("put_function_concurrency_account_limit_exceeded", "put_function_concurrency", FunctionName=r.name,
      ReservedConcurrentExecutions=limit + 1)
    r("put_function_concurrency_below_unreserved_min_value", "put_function_concurrency", FunctionName=r.name,
      ReservedConcurrentExecutions=limit - 10)


@scenario("TestLambdaConcurrency::test_lambda_concurrency_crud")
def reserved_lifecycle(r):
    r.create()
    r("get_function_concurrency_default", "get_function_concurrency", FunctionName=r.name)
    r("put_function_concurrency", "put_function_concurrency", FunctionName=r.name,
      ReservedConcurrentExecutions=r.recorded["put_function_concurrency"]["ReservedConcurrentExecutions"])
    r("get_function_concurrency_updated", "get_function_concurrency", FunctionName=r.name)
    r.do("delete_function_concurrency", FunctionName=r.name)
    r("get_function_concurrency_deleted", "get_function_concurrency", FunctionName=r.name)


@scenario("TestLambdaProvisionedConcurrency::test_lambda_provisioned_lifecycle")
def provisioned_lifecycle(r):
    r.create(Handler="handler.handler", Timeout=30, Code={"ZipFile": code(1)}, **NOTHING_SET)
    r("publish_version_result", "publish_version", FunctionName=r.name)
    r("create_alias_result", "create_alias", FunctionName=r.name, FunctionVersion="1", Name="alias1")
    on_version, on_alias = ({"FunctionName": r.name, "Qualifier": qualifier} for qualifier in ("1", "alias1"))
    one = {"ProvisionedConcurrentExecutions": 1}
    r("put_provisioned_on_version", "put_provisioned_concurrency_config", **on_version, **one)
    r("put_provisioned_on_alias_versionconflict", "put_provisioned_concurrency_config", **on_alias, **one)
    provisioned_ready(r, "1")
    r("delete_provisioned_version", "delete_provisioned_concurrency_config", **on_version)
    r("get_provisioned_version_postdelete", "get_provisioned_concurrency_config", **on_version)
    r("put_provisioned_on_alias", "put_provisioned_concurrency_config", **on_alias, **one)
    r("put_provisioned_on_version_conflict", "put_provisioned_concurrency_config", **on_version, **one)
    provisioned_ready(r, "alias1")
    r("delete_alias_result", "delete_alias", FunctionName=r.name, Name="alias1")
    r("get_provisioned_alias_postaliasdelete", "get_provisioned_concurrency_config", **on_alias)
    r("list_response_postdeletes", "list_provisioned_concurrency_configs", FunctionName=r.name)


@scenario("TestLambdaProvisionedConcurrency::test_provisioned_concurrency_limits")
def provisioned_limits(r):
    r.create()
    r.do("publish_version", FunctionName=r.name)
    limit = r.do("get_account_settings")["AccountLimit"]["ConcurrentExecutions"]
    put = {"FunctionName": r.name, "Qualifier": "1"}
    r("put_provisioned_concurrency_account_limit_exceeded", "put_provisioned_concurrency_config", **put,
      ProvisionedConcurrentExecutions=limit + 1)
    r("put_provisioned_concurrency_below_unreserved_min_value", "put_provisioned_concurrency_config", **put,
      ProvisionedConcurrentExecutions=limit - 10)


@scenario(
    "TestLambdaConcurrency::test_provisioned_concurrency_on_alias",
    "TestLambdaConcurrency::test_lambda_provisioned_concurrency_scheduling")
def provisioned_on_alias(r):
    r.create(Handler="handler.handler", Code={"ZipFile": code(1)})
    r.do("publish_version", FunctionName=r.name)
    r.do("create_alias", FunctionName=r.name, FunctionVersion="1", Name="live")
    put = {"FunctionName": r.name, "Qualifier": "live"}
    count = r.recorded["get_provisioned_postwait"]["RequestedProvisionedConcurrentExecutions"]
    if "put_provisioned_5" in r.recorded:
        r("put_provisioned_5", "put_provisioned_concurrency_config", **put, ProvisionedConcurrentExecutions=count)
        before_ready(r, **put)
    else:
        r.do("put_provisioned_concurrency_config", **put, ProvisionedConcurrentExecutions=count)
    provisioned_ready(r, "live")
    r("get_provisioned_postwait", "get_provisioned_concurrency_config", **put)


@scenario("TestLambdaConcurrency::test_lambda_provisioned_concurrency_moves_with_alias")
def provisioned_moves(r):
    code = {"ZipFile": package({"handler.py": "def handler(event, context):\n    return event\n"})}
    r.create("create-result", inside="CreateFunctionResponse", Handler="handler.handler", Timeout=2, Code=code,
             **NOTHING_SET)
    named = {"FunctionName": r.name}
    r("get-function-configuration", "get_function_configuration", **named, Qualifier="$LATEST")
    r("publish_version_1", "publish_version", **named, Description="my-first-version")
    r.published("1")
    r("get_function_configuration_version_1", "get_function_configuration", **named, Qualifier="1")
    r("create_alias", "create_alias", **named, Name="live", FunctionVersion="1")
    r("get_function_before_provisioned", "get_function", **named, Qualifier="1")
    r.do("put_provisioned_concurrency_config", **named, Qualifier="live", ProvisionedConcurrentExecutions=1)
    provisioned_ready(r, "live")
    r("get_function_after_provisioned", "get_function", **named, Qualifier="live")
    r.do("update_function_configuration", **named, Timeout=10)
    r.updated()
    r("get_function_after_update", "get_function_configuration", **named)
    r("publish_version_2", "publish_version", **named)
    r.published("2")
    r("update_alias", "update_alias", **named, Name="live", FunctionVersion="2")
    r("provisioned_concurrency_notfound", "get_provisioned_concurrency_config", **named, Qualifier="2")
    # AWS was still moving it.
    provisioned_ready(r, "live")
    r.recorded["get_provisioned_config_after_alias_move"]["Status"] = "READY"
    r("get_provisioned_config_after_alias_move", "get_provisioned_concurrency_config", **named, Qualifier="live")


@scenario("TestLambdaConcurrency::test_lambda_concurrency_block")
def concurrency_block(r):
    hello = 'def handler(event, context):\n    return {"hello": "world"}\n'
    r.create(Handler="handler.handler", Timeout=30, Code={"ZipFile": package({"handler.py": hello})}, **NOTHING_SET)
    r("v1_result", "publish_version", FunctionName=r.name)
    r.published("1")
    r("reserved_concurrency_result", "put_function_concurrency", FunctionName=r.name, ReservedConcurrentExecutions=1)
    invoke(r, "invoke_latest_before_block")
    r("provisioned_concurrency_result", "put_provisioned_concurrency_config", FunctionName=r.name, Qualifier="1",
      ProvisionedConcurrentExecutions=1)
    provisioned_ready(r, "1")
    invoke(r, "invoke_v1_after_block", Qualifier="1")
    invoke(r, "invoke_latest_first_exc")
    invoke(r, "invoke_latest_second_exc")


@scenario("TestLambdaConcurrency::test_reserved_provisioned_overlap")
def reserved_and_provisioned(r):
    r.create(Handler="handler.handler", Timeout=30, Code={"ZipFile": code(1)}, **NOTHING_SET)
    named = {"FunctionName": r.name}
    r.do("publish_version", **named)
    r.published("1")
    count = r.recorded["put_provisioned_5"]["RequestedProvisionedConcurrentExecutions"]
    r("put_provisioned_5", "put_provisioned_concurrency_config", **named, Qualifier="1",
      ProvisionedConcurrentExecutions=count)
    before_ready(r, **named, Qualifier="1")
    provisioned_ready(r, "1")
    r("get_provisioned_postwait", "get_provisioned_concurrency_config", **named, Qualifier="1")
    r("reserved_lower_than_provisioned_exc", "put_function_concurrency", **named,
      ReservedConcurrentExecutions=count - 1)
    r.do("put_function_concurrency", **named, ReservedConcurrentExecutions=count)
    r("get_concurrency", "get_function_concurrency", **named)
    invoke(r, "reserved_equals_provisioned_latest_invoke_exc")
    r("reserved_equals_provisioned_increase_provisioned_exc", "put_provisioned_concurrency_config", **named,
      Qualifier="1", ProvisionedConcurrentExecutions=count + 1)
    r("update_func_config", "update_function_configuration", **named, Timeout=15)
    r.updated()
    r.do("publish_version", **named)
    r("reserved_equals_provisioned_another_provisioned_exc", "put_provisioned_concurrency_config", **named,
      Qualifier="2", ProvisionedConcurrentExecutions=1)
