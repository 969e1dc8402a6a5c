"""The destinations of a job besides its document store, which is Firestore for every job: `firestore.factory`."""

from __future__ import annotations

from importlib import import_module
from typing import Final, Protocol

from ..destination_ports import Destination
from ..settings import Settings
from ..state.destination_health import DestinationHealths

# The modules of this package that have a function `create_destination`, see `CreateDestination`. A module imports the
# packages of its destination only if the job declares it.
MODULES: Final[tuple[str, ...]] = ()


class CreateDestination(Protocol):
    """Creates one destination of a job."""

    def __call__(self, settings: Settings, healths: DestinationHealths) -> Destination | None:
        """Return the destination, which records its results in one of `healths`; None if the job does not declare it.

        Raises:
            SettingsError: the destination cannot be created with these settings.
        """


def create_destinations(settings: Settings, healths: DestinationHealths) -> list[Destination]:
    """Return the destinations that the job declares, besides its document store.

    Raises:
        SettingsError: a destination cannot be created with these settings.
    """
    found = []
    for module in MODULES:
        create: CreateDestination = import_module(f".{module}", __package__).create_destination
        if (destination := create(settings, healths)) is not None:
            found.append(destination)
    return found
