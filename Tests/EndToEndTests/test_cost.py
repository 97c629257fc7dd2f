# What AWS would have charged: `martlet cost` against the sums of the REPORT lines, provisioned concurrency, the free tier,
# months, prices of one's own, a crash; `martlet invoke --report`.
import json
import re
import signal
import subprocess
import urllib.request
from decimal import Decimal

import boto3
import pytest

from conftest import Server, new_directory, program, wait_until

APP = """
def handler(event, context):
    if event.get("fail"): raise ValueError("asked for")
    return "ok"
"""
GB_SECOND = {"x86_64": Decimal("0.0000166667"), "arm64": Decimal("0.0000133334")}
REQUEST = Decimal("0.0000002")


@pytest.fixture(scope="module")
def server():
    server = Server()
    yield server
    assert server.stop() == 0


def martlet(server, *words, expected=0, **environment):
    import os
    done = subprocess.run(
        [program(), *words, "--endpoint", server.endpoint], capture_output=True, text=True, timeout=60,
        env={**os.environ, "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "test", **environment})
    assert done.returncode == expected, (done.stdout, done.stderr)
    return done


def cost(server, *words, **environment):
    return json.loads(martlet(server, "cost", "--json", *words, **environment).stdout)


def of(server, name, requests, *words):
    """What it says of a function, as soon as it has counted so many requests."""
    def found():
        rows = [row for row in cost(server, *words)["Functions"] if row["FunctionName"] == name]
        return rows if sum(row["Requests"] for row in rows) == requests else None
    return wait_until(found, what=f"{requests} requests of {name}")


def billed(answer):
    return int(re.search(r"\tBilled Duration: (\d+) ms", answer.log).group(1))


def test_a_function_costs_what_its_reports_say(server, name):
    server.create(name, APP, MemorySize=256)
    times = [billed(server.invoke(name, event)) for event in [{}, {}, {"fail": True}]]
    # INIT is billed with the first.
    (row,) = of(server, name, 3)
    assert row["Architecture"] == "x86_64" and row["BilledMilliseconds"] == sum(times)
    duration = Decimal(sum(times)) * 256 / 1024 / 1000 * GB_SECOND["x86_64"]
    assert abs(Decimal(row["Cost"]["Duration"]) - duration) < Decimal("1e-12")
    assert Decimal(row["Cost"]["Requests"]) == 3 * REQUEST
    assert abs(Decimal(row["Cost"]["Total"]) - 3 * REQUEST - duration) < Decimal("1e-12")
    text = martlet(server, "cost").stdout
    assert re.search(rf"^{name} +x86_64 +3 +{sum(times)} ms", text, re.M)
    assert "free tier" in text and re.search(r"^AWS would charge +\$0\.00$", text, re.M)
    assert "An estimate." in text


def test_storage_and_architecture_have_their_prices(server, name):
    server.create(name, APP, MemorySize=128, EphemeralStorage={"Size": 1536}, Architectures=["arm64"])
    time = billed(server.invoke(name))
    (row,) = of(server, name, 1)
    assert row["Architecture"] == "arm64"
    assert abs(Decimal(row["Cost"]["Duration"]) - Decimal(time) * 128 / 1024000 * GB_SECOND["arm64"]) < Decimal("1e-12")
    assert abs(Decimal(row["Cost"]["Storage"]) - Decimal(time) / 1000 * Decimal("0.0000000309")) < Decimal("1e-12")


def test_provisioned_concurrency_is_charged_by_five_minutes(server, name):
    server.create(name, APP, MemorySize=512)
    version = server.client.publish_version(FunctionName=name)["Version"]
    server.client.put_provisioned_concurrency_config(FunctionName=name, Qualifier=version, ProvisionedConcurrentExecutions=2)
    wait_until(lambda: server.client.get_provisioned_concurrency_config(FunctionName=name, Qualifier=version)["Status"] == "READY")
    price = Decimal("0.0000041667")  # of two times 512 MB for a second

    def kept():
        rows = cost(server, name)["Functions"]
        return rows and Decimal(rows[0]["Cost"]["Provisioned"])
    assert wait_until(kept) == 300 * price
    martlet(server, "clock", "advance", "10m")
    wait_until(lambda: kept() == 900 * price, what="the next ten minutes")
    # INIT is paid for with it, though the first REPORT names it.
    answer = server.invoke(name, Qualifier=version)
    duration = float(re.search(r"\tDuration: ([0-9.]+) ms", answer.log).group(1))
    assert billed(answer) - 1 <= duration <= billed(answer)
    (row,) = of(server, name, 1, name)
    assert Decimal(row["Cost"]["Duration"]) == 0
    assert Decimal(row["Cost"]["Provisioned"]) > 900 * price
    server.client.delete_provisioned_concurrency_config(FunctionName=name, Qualifier=version)


def test_the_free_tier_is_the_accounts(server, name):
    server.create(name, APP)
    server.invoke(name)
    of(server, name, 1)
    free, full = cost(server), cost(server, "--no-free-tier")
    assert Decimal(free["Bill"]["Total"]) == Decimal(free["Bill"]["List"]) - Decimal(free["Bill"]["FreeTier"])
    assert Decimal(free["Bill"]["FreeTier"]) > 0
    assert full["Bill"]["Total"] == full["Bill"]["List"] == free["Bill"]["List"]
    # Of one function nothing is taken off.
    one = martlet(server, "cost", name).stdout
    assert "list price" in one and "free tier" not in one
    # Nor does one's cost go into another's.
    assert [row["FunctionName"] for row in cost(server, name)["Functions"]] == [name]
    assert Decimal(full["Bill"]["List"]) >= sum(Decimal(row["Cost"]["Total"]) for row in full["Functions"]) - Decimal("1e-9")


def test_prices_can_be_replaced(server, name):
    server.create(name, APP)
    server.invoke(name)
    of(server, name, 1)
    one = {"x86_64": "1", "arm64": "1"}
    path = f"{new_directory()}/prices.json"
    table = {
        "region": "eu-central-1", "currency": "EUR", "date": "2026-11-01", "requestsPerMillion": {"x86_64": "3000", "arm64": "1"},
        "durationPerGBSecond": {"x86_64": [{"price": "0"}], "arm64": [{"price": "0"}]}, "provisionedConcurrencyPerGBSecond": one,
        "provisionedDurationPerGBSecond": one, "storagePerGBSecond": one, "streamingPerGB": one,
        "freePerMonth": {"requests": 0, "gbSeconds": 0, "streamingGB": 0}}
    with open(path, "w") as file:
        json.dump(table, file)
    for told in [cost(server, name, "--prices", path), cost(server, name, MARTLET_PRICES=path)]:
        assert told["Currency"] == "EUR" and told["Region"] == "eu-central-1" and told["PricesOf"] == "2026-11-01"
        assert told["Functions"][0]["Cost"]["Total"] == "0.003000000000"
    del table["date"]
    with open(path, "w") as file:
        json.dump(table, file)
    assert "date is missing" in martlet(server, "cost", "--prices", path, expected=64).stderr
    assert "cannot be read" in martlet(server, "cost", "--prices", "/nowhere", expected=64).stderr
    assert "--since" in martlet(server, "cost", "--since", "soon", expected=64).stderr


def test_invoke_tells_what_it_costs(server, name):
    server.create(name, APP, MemorySize=1024)
    done = martlet(server, "invoke", name, "--report", "--no-log")
    assert done.stdout == '"ok"\n'
    assert re.search(r"^[0-9.]+ ms, INIT [0-9.]+ ms, billed \d+ ms of 1024 MB \(\d+ MB used\): \$0\.0000\d+, a million of them \$\d+\.\d{2,5}$", done.stderr, re.M)
    report = json.loads(martlet(server, "invoke", name, "--report", "--output", "json").stdout)["Report"]
    assert "InitDurationMs" not in report
    price = REQUEST + Decimal(report["BilledDurationMs"]) / 1000 * GB_SECOND["x86_64"]
    assert abs(Decimal(report["Cost"]) - price) < Decimal("1e-12")


def test_what_was_used_survives_a_crash_and_months_end(own_server, name):
    server = own_server()
    server.create(name, APP)
    times = [billed(server.invoke(name)) for _ in range(2)]
    of(server, name, 2)
    cloudwatch = boto3.client("cloudwatch", endpoint_url=server.endpoint, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="x")
    listed = cloudwatch.list_metrics(Namespace="Martlet/Cost", Dimensions=[{"Name": "FunctionName", "Value": name}])["Metrics"]
    assert {"Requests", "BilledDuration", "OnDemandMegabyteMilliseconds"} <= {metric["MetricName"] for metric in listed}
    server.stop(signal.SIGKILL)
    again = own_server(state=server.state)
    (row,) = of(again, name, 2)
    assert row["BilledMilliseconds"] == sum(times)
    # Another month has a free tier of its own, and what was used before is no part of it.
    martlet(again, "clock", "advance", "32d")
    assert cost(again)["Functions"] == []
    assert "Nothing ran" in martlet(again, "cost").stdout
    (row,) = cost(again, name, "--since", "40d")["Functions"]
    assert row["Requests"] == 2
    # It is not listed any more, but in the sum.
    assert "not listed any more" in martlet(again, "cost", "--since", "40d").stdout


def test_nothing_is_counted_with_metrics_off(own_server, name):
    server = own_server("--metrics", "off")
    server.create(name, APP)
    server.invoke(name)
    server.invoke(name, {"fail": True})
    cloudwatch = boto3.client("cloudwatch", endpoint_url=server.endpoint, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="x")
    # Every look at this page collects what was counted.
    page = urllib.request.urlopen(f"{server.endpoint}/_martlet/metrics", timeout=10).read().decode()
    assert "martlet_function_invocations_total" not in page and "martlet_environments" in page
    assert not [metric for metric in cloudwatch.list_metrics()["Metrics"] if metric["Namespace"] in ("AWS/Lambda", "Martlet/Cost")]
    assert "Nothing ran" in martlet(server, "cost").stdout
