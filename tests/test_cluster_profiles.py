"""The profiles say what the workflow has, and the status script understands every scheduler's words."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
STATUS = ROOT / "profiles" / "generic" / "status.sh"

PBS = 'if [ "$1" = --version ]; then echo "pbs_version = 22"; else printf " job_state = {}\\n Exit_status = {}\\n"; fi'
SGE = {"qstat": 'if [ "$1" = -j ]; then exit 1; else exit 0; fi'}


@pytest.mark.parametrize(
    ("commands", "answer"),
    [
        ({"squeue": "echo COMPLETED"}, "success"),
        ({"squeue": "echo PENDING"}, "running"),
        ({"squeue": "echo OUT_OF_MEMORY"}, "failed"),
        ({"squeue": "exit 1", "sacct": "echo 'CANCELLED by 0'"}, "failed"),
        ({"squeue": "exit 1", "sacct": "exit 1"}, "running"),  # the controller does not answer
        ({"bjobs": "echo DONE"}, "success"),
        ({"bjobs": "echo EXIT"}, "failed"),
        ({"bjobs": "echo PEND"}, "running"),
        ({"qstat": PBS.format("F", 0)}, "success"),
        ({"qstat": PBS.format("F", 137)}, "failed"),
        ({"qstat": PBS.format("Q", 0)}, "running"),
        ({"qstat": 'if [ "$1" = -j ]; then exit 0; else echo "7 0.5 name user r"; fi'}, "running"),
        ({"qstat": 'if [ "$1" = -j ]; then exit 0; else echo "7 0.5 name user Eqw"; fi'}, "failed"),
        ({**SGE, "qacct": "printf 'failed 0\\nexit_status 0\\n'"}, "success"),
        ({**SGE, "qacct": "printf 'failed 0\\nexit_status 137\\n'"}, "failed"),
        ({**SGE, "qacct": "exit 1"}, "running"),  # its accounting is late
    ],
)
def test_the_status_of_a_job(tmp_path: Path, commands: dict[str, str], answer: str) -> None:
    for tool in ("bash", "sed", "awk", "grep"):  # and none of the schedulers that this machine may have
        found = next(Path(folder) / tool for folder in ("/usr/bin", "/bin") if (Path(folder) / tool).exists())
        (tmp_path / tool).symlink_to(found)
    for name, text in commands.items():
        (tmp_path / name).write_text(f"#!/bin/bash\n{text}\n")
        (tmp_path / name).chmod(0o755)
    done = subprocess.run(
        ["/bin/bash", STATUS, "7"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PATH": str(tmp_path)},
    )
    assert done.stdout.split() == [answer]


def test_the_groups_of_the_profiles_are_those_of_the_rules() -> None:
    rules = "".join(path.read_text() for path in (ROOT / "workflow" / "rules").glob("*.smk"))
    groups = set(re.findall(r'group:\n\s+"(\w+)"', rules))
    for profile in ("slurm", "generic"):
        options = yaml.safe_load((ROOT / "profiles" / profile / "config.yaml").read_text())
        assert {component.split("=")[0] for component in options["group-components"]} == groups
