"""Every shared scenario on the in-memory ledger."""

from pathlib import Path

import pytest
from scenario_runner import load, run

FILES = sorted((Path(__file__).parents[1] / "scenarios").glob("*/*.json"))


def test_scenario_files_are_there():
    assert len(FILES) >= 94


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_scenario(path):
    run(load(path))
