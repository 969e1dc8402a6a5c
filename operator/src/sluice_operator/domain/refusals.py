"""The message about a pod that the API server does not create: what to do, and the API server's own words."""

from __future__ import annotations

import re
from typing import Final

# Policies name the fields; OpenShift also names its SecurityContextConstraints.
_ABOUT_USER_IDS = re.compile(r"runAs(?:User|Group)|fsGroup|supplementalGroups|security context constraint")
_USER_ID_REMEDY = (
    "If this cluster assigns user IDs itself, as OpenShift does, set the operator's podUserID to platform. "
)
_FAILED_WEBHOOK = re.compile(r'failed calling webhook "([^"]{1,253})"')
_QUOTED_CHARACTERS: Final = 512


def refusal_message(refusal: str) -> str:
    """Return the message for a pod that was refused with the API server's text `refusal`.

    A remedy that the text suggests comes first, because an Event keeps only 1,024 characters, and OpenShift's text can
    be longer.
    """
    remedy = _USER_ID_REMEDY if _ABOUT_USER_IDS.search(refusal) else ""
    reason = refusal.rstrip(".")
    return f"{remedy}The API server refuses the pod: {reason}. Correct the cause; the operator retries once a minute."


def failure_message(failure: str) -> str:
    """Return the message for a pod whose creation fails, without a refusal, with the API server's text `failure`.

    At most 512 characters of the text are quoted.
    """
    found = _FAILED_WEBHOOK.search(failure)
    remedy = (
        f"Restore the admission webhook {found[1]}, or exempt the pods of the ServiceAccount sluice-ingest from it"
        if found is not None
        else "Correct the cause if it lasts"
    )
    quoted = failure if len(failure) <= _QUOTED_CHARACTERS else failure[: _QUOTED_CHARACTERS - 1] + "…"
    return (
        f"The API server does not create the pod: {quoted.rstrip('.')}. {remedy}; the operator retries, at least once "
        "a minute."
    )
