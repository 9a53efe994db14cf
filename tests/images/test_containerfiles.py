"""The rendered Containerfiles, read by the linter of docker's own builder."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from cluster import programs
from lectern_images import listing, rendering

IMAGES = Path(__file__).resolve().parents[2] / "images"
RULES = {
    "StageNameCasing": "FROM x:1 AS Big\n",
    "FromAsCasing": "FROM x:1 as small\n",
    "NoEmptyContinuation": "FROM x:1\nRUN a \\\n\n  b\n",
    "ConsistentInstructionCasing": "FROM x:1\nRUN a\nrun b\nRUN c\n",
    "DuplicateStageName": "FROM x:1 AS one\nFROM x:1 AS one\n",
    "ReservedStageName": "FROM x:1 AS scratch\n",
    "JSONArgsRecommended": "FROM x:1\nCMD run this\n",
    "MaintainerDeprecated": "FROM x:1\nMAINTAINER somebody\n",
    "UndefinedArgInFrom": "FROM x:${NOBODY_SET_THIS}\n",
    "WorkdirRelativePath": "FROM x:1\nWORKDIR here\n",
    "UndefinedVar": "FROM x:1\nENV A=$NOBODY\n",
    "MultipleInstructionsDisallowed": 'FROM x:1\nCMD ["a"]\nCMD ["b"]\n',
    "LegacyKeyValueFormat": "FROM x:1\nENV A b\n",
    "SecretsUsedInArgOrEnv": "FROM x:1\nARG AWS_SECRET_ACCESS_KEY\n",
}


@pytest.fixture(scope="module")
def lint(request):
    program = programs.built("containerfile-lint", print)

    def run(*paths: Path) -> dict[str, dict]:
        done = subprocess.run([program, *paths], capture_output=True, text=True, check=True)
        return json.loads(done.stdout)

    return run


def test_every_rendered_file_is_without_a_warning(lint):
    paths = [path for path in rendering.rendered(listing.load(IMAGES)) if path.suffix == ""]
    found = lint(*paths)
    assert len(found) == len(listing.load(IMAGES).file.images)
    assert {name: row for name, row in found.items() if row["warnings"] or "error" in row} == {}


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_fires(lint, tmp_path, rule):
    file = tmp_path / "Containerfile"
    file.write_text(RULES[rule])
    (row,) = lint(file).values()
    assert rule in {warning.partition(":")[0] for warning in row["warnings"]}


def test_what_would_end_a_build_is_an_error(lint, tmp_path):
    file = tmp_path / "Containerfile"
    file.write_text("FROM x:1\nRUNN true\n")
    (row,) = lint(file).values()
    assert "unknown instruction: RUNN" in row["error"]
