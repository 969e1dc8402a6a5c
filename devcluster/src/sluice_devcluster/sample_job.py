"""The sample job of `make up`, and the same job with a recorded tape."""

from __future__ import annotations

import base64
import codecs
import csv
import gzip
import io
from pathlib import Path
from typing import Any

import yaml

from sluice_devcluster.errors import DevclusterError

TAPE_KEY = "tape.csv.gz"

# The size limit of a ConfigMap.
_CONFIG_MAP_BYTES = 1 << 20


def sample_documents(manifests: Path) -> list[dict[str, Any]]:
    """Return the documents of the sample: a Namespace and an IngestJob."""
    return list(yaml.safe_load_all((manifests / "samples/ingestjob.yaml").read_text()))


def with_tape_replay(documents: list[dict[str, Any]], tape: Path, speed: float) -> list[dict[str, Any]]:
    """Return the sample with a job that replays the tape, and with the ConfigMap that holds the tape.

    Raises DevclusterError if the file is not a tape, or too large for a ConfigMap.
    """
    packed, symbols = _packed_tape(tape)
    [namespace, job] = documents
    where = job["metadata"]["namespace"]
    config_map = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "tape", "namespace": where},
        "binaryData": {TAPE_KEY: base64.b64encode(packed).decode()},
    }
    spec = {name: value for name, value in job["spec"].items() if name != "synthetic"}
    replay = {"tape": {"configMapRef": {"name": "tape"}}, "speed": speed}
    return [
        namespace,
        config_map,
        {**job, "spec": {**spec, "provider": "replay", "symbols": symbols, "replay": replay}},
    ]


def _packed_tape(tape: Path) -> tuple[bytes, list[str]]:
    try:
        raw = tape.read_bytes()
        plain = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
        rows = csv.DictReader(io.StringIO(_decode_text(plain)))
        symbols = sorted({row["symbol"] for row in rows})
    except (OSError, EOFError) as error:
        raise DevclusterError(f"TAPE={tape} cannot be read: {error}") from error
    except ValueError as error:
        raise DevclusterError(f"TAPE={tape} cannot be read: {error}; save it as UTF-8") from error
    except KeyError as error:
        raise DevclusterError(
            f"TAPE={tape} has no column `symbol`: see docs/ingestjob.md for a tape's columns"
        ) from error
    packed = raw if raw is not plain else gzip.compress(plain)
    if len(packed) * 4 / 3 > _CONFIG_MAP_BYTES:
        raise DevclusterError(f"TAPE={tape} has {len(packed)} bytes packed: a ConfigMap holds at most about 780,000")
    return packed, symbols


def _decode_text(plain: bytes) -> str:
    """Decode a text by its byte order mark; without a mark it is UTF-8.

    Raises ValueError if the text has another encoding.
    """
    marks = {
        codecs.BOM_UTF32_LE: "utf-32",  # checked before UTF-16, whose mark has the same first bytes
        codecs.BOM_UTF32_BE: "utf-32",
        codecs.BOM_UTF16_LE: "utf-16",
        codecs.BOM_UTF16_BE: "utf-16",
    }
    text = plain.decode(next((name for mark, name in marks.items() if plain.startswith(mark)), "utf-8-sig"))
    if "\0" in text:
        raise ValueError("the text looks like UTF-16 without a byte order mark")
    return text
