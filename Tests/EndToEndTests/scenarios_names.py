# Recorded scenarios: how functions may be named, and what is answered to names that lead nowhere.
from replay import scenario

CASES = {
    "full_arn_and_qualifier_too_long_and_invalid_region": lambda r, long: (
        f"arn:aws:lambda:invalid-region:{r.account}:function:my-function-" + "a" * long, "a" * 129),
    "full_arn_with_multiple_qualifiers": lambda r, long: (
        f"arn:aws:lambda:us-east-1:{r.account}:function:my-function:1:2", None),
    "function_name_and_qualifier_too_long": lambda r, long: ("my-function", "a" * 65),
    "function_name_is_single_invalid": lambda r, long: ("*", None),
    "function_name_too_long": lambda r, long: ("a" * 65, None),
    "function_name_too_long_and_invalid_region": lambda r, long: (
        f"arn:aws:lambda:invalid-region:{r.account}:function:my-function" + "a" * long, None),
    "incomplete_arn": lambda r, long: ("arn:aws:lambda:us-east-1:function", None),
    "invalid_account_id_in_partial_arn": lambda r, long: ("invalid-account:function:my-function", None),
    "invalid_characters_in_function_name": lambda r, long: ("my-function!", None),
    "invalid_characters_in_qualifier": lambda r, long: ("my-function", "invalid!"),
    "invalid_region_in_arn": lambda r, long: (
        f"arn:aws:lambda:invalid-region:{r.account}:function:my-function", None),
    "latest_version_with_additional_qualifier": lambda r, long: ("my-function:$LATEST", "1"),
    "lowercase_latest_qualifier": lambda r, long: ("my-function", "$latest"),
    "missing_account_id_in_arn": lambda r, long: ("arn:aws:lambda:us-east-1::function:my-function", None),
    "missing_region_in_arn": lambda r, long: (f"arn:aws:lambda::{r.account}:function:my-function", None),
    "misspelled_latest_in_arn": lambda r, long: (
        f"arn:aws:lambda:us-east-1:{r.account}:function:my-function:$LATES", None),
    "non_lambda_arn": lambda r, long: (f"arn:aws:ec2:us-east-1:{r.account}:instance:i-1234567890abcdef0", None),
    "partial_arn_with_extra_qualifier": lambda r, long: ("function:my-function:$LATEST:extra", None),
    "qualifier_too_long": lambda r, long: ("my-function", "a" * 129),
    "qualifier_too_long0": lambda r, long: ("my-function", "a" * 129),
    "qualifier_too_long1": lambda r, long: ("my-function", "a" * 65),
}


def with_qualifier(r, name, qualifier):
    if qualifier is None or qualifier.startswith("a"):
        return name if qualifier is None else f"{name}:{qualifier}"
    return f"arn:aws:lambda:us-east-1:{r.account}:function:{name}:{qualifier}" if "$" in name + qualifier else f"{name}:{qualifier}"


@scenario(*(
    f"TestLambdaFunction::test_function_name_and_qualifier_validation[{case}-{operation}]"
    for case in CASES for operation in ("create_function", "delete_function", "get_function", "invoke")
    # Nothing was recorded of those that AWS accepts.
    if (case, operation) not in {
        ("incomplete_arn", "create_function"), ("qualifier_too_long1", "create_function"),
        ("function_name_and_qualifier_too_long", "create_function")}))
def names_and_qualifiers(r):
    case, operation = r.parameter.rsplit("-", 1)
    name, qualifier = CASES[case](r, 170)
    if operation == "create_function":
        r.errors(
            "create_function_exception", "create_function", FunctionName=with_qualifier(r, name, qualifier),
            Runtime=r.runtime, Handler="index.handler", Role=r.role, Code={"ZipFile": b"x"})
    else:
        r.errors(
            f"{operation}_exception", operation, FunctionName=name, **({"Qualifier": qualifier} if qualifier else {}))


@scenario(*(f"TestLambdaFunction::test_get_function_wrong_region[{operation}]" for operation in (
    "delete_function", "get_function", "get_function_code_signing_config", "get_function_concurrency",
    "get_function_configuration", "get_function_event_invoke_config", "get_function_url_config", "invoke")))
def wrong_region(r):
    r("wrong_region_exception", r.parameter, FunctionName=f"arn:aws:lambda:eu-west-1:{r.account}:function:{r.name}")




@scenario("TestLambdaFunction::test_delete_on_nonexisting_version")
def delete_what_is_not_there(r):
    r("delete_function_response_non_existent", "delete_function", FunctionName=r.name)
    r("delete_function_response_non_existent_with_qualifier", "delete_function", FunctionName=r.name, Qualifier="1")


@scenario(*(f"TestLambdaFunction::test_ops_on_nonexisting_version[{operation}]" for operation in (
    "get_function", "get_function_configuration", "get_function_event_invoke_config")))
def version_that_is_not_there(r):
    r.create()
    r("version_not_found_exception", r.parameter, FunctionName=r.name, Qualifier="1221")


@scenario("TestLambdaFunction::test_invalid_invoke")
def invalid_invoke(r):
    r("invoke_function_name_pattern_exc", "invoke", FunctionName="arn:aws:lambda:us-east-1:123400000000@function:myfn")
