"""The message about a pod that the API server refuses: what to do, and the API server's own words."""

from __future__ import annotations

import re

# Policies name the fields; OpenShift also names its SecurityContextConstraints.
_ABOUT_USER_IDS = re.compile(r"runAs(?:User|Group)|fsGroup|supplementalGroups|security context constraint")
_USER_ID_REMEDY = (
    "If this cluster assigns user IDs itself, as OpenShift does, set the operator's podUserID to platform. "
)


def refusal_message(refusal: str) -> str:
    """Return the message for a pod that was refused with the API server's text `refusal`.

    A remedy that the text suggests comes first, because an Event keeps only 1,024 characters, and OpenShift's text can
    be longer.
    """
    remedy = _USER_ID_REMEDY if _ABOUT_USER_IDS.search(refusal) else ""
    reason = refusal.rstrip(".")
    return f"{remedy}The API server refuses the pod: {reason}. Correct the cause; the operator retries once a minute."
