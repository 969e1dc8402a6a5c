"""Build `kubectl-sluice`, one file that needs only Python 3.9 or later: `make plugin`. It uses the standard library.

The file has the sources, and beside each its bytecode for the Python that builds it, so that this version starts
faster. Other versions use the sources. The same sources and the same Python give the same bytes.
"""

from __future__ import annotations

import importlib.util
import marshal
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[1] / "src"
PACKAGE = "sluice_cli"
SHEBANG = b"#!/usr/bin/env -S python3 -IS\n"
_MAIN = "from sluice_cli.__main__ import run\n\nrun()\n"
_UNCHECKED_HASH = 0b01
_EPOCH = (1980, 1, 1, 0, 0, 0)


def build_plugin(folder: Path) -> Path:
    """Write `kubectl-sluice` and the script of its completion into a folder. Return the path of the plugin."""
    folder.mkdir(parents=True, exist_ok=True)
    plugin = folder / "kubectl-sluice"
    with plugin.open("wb") as file:
        file.write(SHEBANG)
        with zipfile.ZipFile(
            file, "w", zipfile.ZIP_STORED
        ) as archive:  # stored: decompression takes longer than reading
            for name, content in _entries():
                archive.writestr(zipfile.ZipInfo(name, _EPOCH), content)
    completion = folder / "kubectl_complete-sluice"
    completion.write_text(_completion_script())
    for each in (plugin, completion):
        each.chmod(0o755)
    return plugin


def _entries() -> Iterator[tuple[str, bytes]]:
    """Yield the name and the content of each file of the archive."""
    yield from _module("__main__.py", _MAIN.encode())
    for path in sorted((SOURCE / PACKAGE).rglob("*")):
        name = path.relative_to(SOURCE).as_posix()
        if path.suffix == ".py":
            yield from _module(name, path.read_bytes())
        elif path.suffix == ".json":
            yield name, path.read_bytes()


def _module(name: str, source: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield a source file and its bytecode, which names the source by its hash and is used without a check."""
    yield name, source
    header = importlib.util.MAGIC_NUMBER + _UNCHECKED_HASH.to_bytes(4, "little") + importlib.util.source_hash(source)
    code = compile(source, f"kubectl-sluice/{name}", "exec", dont_inherit=True, optimize=0)
    yield f"{name}c", header + marshal.dumps(code)


def _completion_script() -> str:
    sys.path.insert(0, str(SOURCE))
    from sluice_cli.commands.completion import SCRIPT  # noqa: PLC0415  the source is on the path only now

    return SCRIPT


if __name__ == "__main__":
    sys.stdout.write(f"{build_plugin(Path(sys.argv[1]))}\n")
