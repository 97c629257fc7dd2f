# What the documents say of tests is so.
import os
import re

import pytest

from conftest import ROOT

with open(f"{ROOT}/docs/environment.md") as text:
    NAMED = sorted(set(re.findall(r"`([\w/]+\.py)::(\w+)`", text.read())))


def test_the_page_on_the_environment_names_tests():
    assert len(NAMED) > 50


@pytest.mark.parametrize("file, test", NAMED)
def test_every_test_that_is_named_exists(file, test):
    path = f"{ROOT}/{file}" if "/" in file else f"{ROOT}/Tests/EndToEndTests/{file}"
    assert os.path.exists(path), f"there is no {file}"
    with open(path) as text:
        assert re.search(rf"^def {test}\(", text.read(), re.M), f"{file} has no {test}"
