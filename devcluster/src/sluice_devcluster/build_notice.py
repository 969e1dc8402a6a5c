"""The first line of a `make up` that has to compile Kubernetes. Runs before the packages are installed."""

from __future__ import annotations

import sys
from pathlib import Path

from sluice_devcluster import binaries

NOTICE = (
    "This first `make up` compiles Kubernetes from its Go modules, once: that takes three to six minutes on two cores "
    "and 2 GB of disk. Later ones take seconds. (With Docker, `make up CLUSTER=kind` compiles nothing.)"
)


def notice(state: Path, asked: str, platform: str = sys.platform) -> str:
    """Return the notice, or an empty text if this `make up` compiles nothing.

    `state` is the state directory, and `asked` the kind of cluster that the user asks for, which may be empty.
    """
    is_kind = asked == "kind" or (not asked and (state / "kind.json").exists())
    if is_kind or platform != "linux" or not binaries.are_missing():
        return ""
    return NOTICE


if __name__ == "__main__":
    text = notice(Path(sys.argv[1]), sys.argv[2])
    if text:
        print(text, flush=True)
