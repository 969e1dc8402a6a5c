"""The parts of the name of an image."""

from __future__ import annotations


def image_repository(image: str) -> str:
    """Return the name of an image without tag and digest. A colon before a slash belongs to the port.

    >>> image_repository("host:5000/sluice-operator:0.1.0")
    'host:5000/sluice-operator'
    """
    name = image.partition("@")[0]
    folder, slash, last = name.rpartition("/")
    return folder + slash + last.partition(":")[0]


def image_tag(image: str) -> str:
    """Return the tag of an image; empty if it has none.

    >>> image_tag("host:5000/sluice-operator:0.1.0")
    '0.1.0'
    """
    return image.partition("@")[0].rpartition("/")[2].partition(":")[2]
