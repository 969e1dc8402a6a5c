"""The library kstatus of Kubernetes, with which GitOps tools and `kubectl`-like tools decide whether an object is done.

It is written in Go: the program beside this file is built once from pinned modules.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sluice_manifests.go_programs import GoProgram, find_or_build_programs
from support.deadlines import scaled

MODULE = Path(__file__).with_name("kstatus_program")
PROGRAM = GoProgram("kstatus", MODULE, ".", "sigs.k8s.io/cli-utils", may_be_installed=False)


def compute_statuses(objects: Iterable[dict[str, Any]]) -> list[str]:
    """Return the status of each object: Current, InProgress, Failed, Terminating or Unknown."""
    [program] = find_or_build_programs((PROGRAM,), lambda _: None)
    text = "\n".join(map(json.dumps, objects))
    done = subprocess.run([program], input=text, capture_output=True, text=True, timeout=scaled(30), check=True)
    return [line.split("\t")[0] for line in done.stdout.splitlines()]


def compute_status(document: dict[str, Any]) -> str:
    """Return the status of one object."""
    [found] = compute_statuses([document])
    return found
