# Every recorded scenario of the control plane is replayed, or listed in recorded/NOT_REPLAYED.txt with a reason.
import pytest

import replay
import scenarios_asynchronous  # noqa: F401
import scenarios_configs  # noqa: F401
import scenarios_functions  # noqa: F401
import scenarios_mappings  # noqa: F401
import scenarios_names  # noqa: F401
import scenarios_versions  # noqa: F401

RECORDINGS = replay.recordings()
SCENARIOS = replay.scenarios()


def not_replayed():
    lines = (replay.RECORDED / "NOT_REPLAYED.txt").read_text().splitlines()
    return {line.split(" ", 1)[0]: line.split(" ", 1)[1] for line in lines if line and not line.startswith("#")}


def test_every_recording_is_replayed_or_listed():
    assert set(RECORDINGS) == set(SCENARIOS) | (set(not_replayed()) & set(RECORDINGS))
    assert not set(SCENARIOS) & set(not_replayed())


def newest(runtimes):
    return max(runtimes, key=lambda name: int(name.split(".")[1]))


@pytest.mark.parametrize("scenario", sorted(set(SCENARIOS) & set(RECORDINGS)))
def test_answers_as_recorded(server, python_runtimes, scenario):
    run = replay.Replay(server, scenario, RECORDINGS[scenario], newest(python_runtimes))
    SCENARIOS[scenario](run)
    run.finish()
