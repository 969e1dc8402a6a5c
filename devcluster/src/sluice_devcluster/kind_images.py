"""The images of the kind cluster, named after the sources from which they are built."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sluice_devcluster.errors import DevclusterError
from sluice_devcluster.programs import ProgramRunner
from sluice_manifests.base_images import python_base_image

# What the Dockerfile of each image copies, relative to the root of the repository.
SOURCES = {
    "operator": ("operator", "crds", "requirements/build.txt", "requirements/operator.txt"),
    "runtime": ("runtime", "relay", "crds", "requirements/build.txt", "requirements/runtime.txt"),
}


@dataclass(frozen=True)
class SourceImage:
    """An image: `name` is operator or runtime, and the tag has a digest of its sources and its base image."""

    name: str
    tag: str

    @property
    def reference(self) -> str:
        """The name by which Docker and the manifests know the image."""
        return f"sluice-{self.name}:{self.tag}"


def source_images(root: Path) -> list[SourceImage]:
    """Return the images of the sources as they are now. `root` is the folder of the repository."""
    base_image = python_base_image(root)
    return [SourceImage(name, f"source-{_digest(root, paths, base_image)}") for name, paths in SOURCES.items()]


def build_missing_images(root: Path, images: list[SourceImage], docker: str, runner: ProgramRunner) -> None:
    """Build those images that Docker does not have. Raises DevclusterError if a build fails."""
    for image in images:
        if has_image(image.reference, docker, runner):
            continue
        runner.report(f"building {image.reference} (the first time, this takes about a minute)")
        runner.run(
            *("make", "--no-print-directory", "images", f"IMAGES={image.name}", f"VERSION={image.tag}"),
            doing=f"building {image.reference}",
            environment={"DOCKER": docker},
            folder=root,
        )


def has_image(reference: str, docker: str, runner: ProgramRunner) -> bool:
    """Return True if Docker has an image of this name."""
    return bool(runner.run(docker, "image", "ls", "--quiet", reference).strip())


def remove_image(reference: str, docker: str, runner: ProgramRunner) -> None:
    """Remove an image that is not used any more, if Docker has it."""
    with suppress(DevclusterError):
        runner.run(docker, "image", "rm", reference)


def _digest(root: Path, paths: tuple[str, ...], base_image: str) -> str:
    digest = hashlib.sha256(base_image.encode())
    for file in sorted(_files(root, paths)):
        digest.update(f"{file.relative_to(root)}\0{file.stat().st_mode & 0o100}\0".encode())
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:12]


def _files(root: Path, paths: tuple[str, ...]) -> Iterator[Path]:
    """Yield the files that a build sees: .dockerignore excludes the others."""
    for path in paths:
        found = root / path
        for file in [found] if found.is_file() else found.rglob("*"):
            parts = file.relative_to(root).parts
            is_ignored = any(part == "__pycache__" or part.endswith(".egg-info") for part in parts)
            if file.is_file() and not is_ignored:
                yield file
