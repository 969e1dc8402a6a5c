"""The recorded tape that may lie beside the project's folder."""

from pathlib import Path

RECORDED = Path("shared/tapes/us-equities-2013-10-07.csv.gz")


def recorded_tape() -> Path | None:
    """Return the recorded tape beside the project's folder, or None if there is none."""
    project = Path(__file__).resolve().parents[2]
    path = project.parent / RECORDED
    return path if path.is_file() else None
