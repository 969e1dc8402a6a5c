"""The images on which Sluice's images are built, which base-images.txt names."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sluice_manifests.errors import ManifestsError

FILE = "base-images.txt"
PYTHON = "PYTHON_BASE_IMAGE"
_LINE = re.compile(r"^([A-Z_]+)=([^\s@]+)(?:@(sha256:[0-9a-f]{64}))?$")


@dataclass(frozen=True)
class BaseImage:
    """An image to build on: `argument` is the build argument that names it, `name` has the tag and no digest.

    `digest` is sha256:... of the image's index, or empty if it is not locked.
    """

    argument: str
    name: str
    digest: str = ""

    @property
    def reference(self) -> str:
        """The name by which a build pulls the image."""
        return f"{self.name}@{self.digest}" if self.digest else self.name


def read_base_images(root: Path) -> dict[str, BaseImage]:
    """Return the images of base-images.txt by their build arguments. Raises ManifestsError if a line is none."""
    return parse_base_images((root / FILE).read_text())


def python_base_image(root: Path) -> str:
    """Return the name of the image with Python to build on: the variable PYTHON_BASE_IMAGE, or that of the file."""
    return os.environ.get(PYTHON) or read_base_images(root)[PYTHON].reference


def parse_base_images(text: str) -> dict[str, BaseImage]:
    """Return the images by their build arguments. Raises ManifestsError that names the first line that is no image."""
    images = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        found = _LINE.match(line)
        if found is None:
            raise ManifestsError(
                f"{FILE}, line {number}, names no image: write NAME=image:tag or NAME=image:tag@sha256:DIGEST"
            )
        images[found[1]] = BaseImage(found[1], found[2], found[3] or "")
    return images


def lock_base_images(root: Path, digest_of: Callable[[str], str]) -> list[BaseImage]:
    """Write the digest that each image has today into base-images.txt. Return the images.

    `digest_of` returns the digest of an image's name in its registry. The file changes only if all digests are known.
    """
    text = (root / FILE).read_text()
    locked = [BaseImage(each.argument, each.name, digest_of(each.name)) for each in parse_base_images(text).values()]
    for image in locked:
        text = re.sub(rf"^{image.argument}=.*$", f"{image.argument}={image.reference}", text, flags=re.MULTILINE)
    (root / FILE).write_text(text)
    return locked


def digest_in_registry(docker: str, run: Callable[..., str]) -> Callable[[str], str]:
    """Return a function that pulls an image by its name and returns the digest that its registry gave.

    `docker` is the path or name of Docker's command, and `run` runs a command and returns its output. The function
    raises ManifestsError if the registry cannot be reached, or if the image came from no registry.
    """

    def digest(name: str) -> str:
        try:
            run(docker, "pull", "--quiet", name)
            found = run(docker, "image", "inspect", "--format", '{{join .RepoDigests "\\n"}}', name).split()
        except (ManifestsError, OSError) as error:
            raise ManifestsError(
                f"{name} cannot be pulled, so its digest is not known, and {FILE} is unchanged: run make lock-images "
                f"where Docker runs and reaches the image's registry ({error})"
            ) from None
        digests = sorted({each.rpartition("@")[2] for each in found})
        if len(digests) != 1:
            raise ManifestsError(
                f"{name} has {len(digests)} digests on this machine: remove the image, and run make lock-images again"
            )
        return digests[0]

    return digest
