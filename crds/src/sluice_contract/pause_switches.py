"""Each switch that can pause a job: what ends it, and the command that does so, in the order of the status."""

from __future__ import annotations

from typing import Final

import msgspec

from . import identity
from . import pause_sources as sources

_PATCH: Final = "kubectl patch ij {job} -n {namespace} --type=merge --field-manager=sluice -p "
_EDIT: Final = "kubectl edit ij {job} -n {namespace}"
_NEW_POD: Final = f"kubectl delete pod {{job}}{identity.POD_SUFFIX} -n {{namespace}}"


class PauseSwitch(msgspec.Struct, frozen=True):
    """A switch by the name of its source; a name that ends in a colon is followed by the name of an object or a file.

    `ends` says what ends the pause. `command` ends it, or shows what to correct; it is empty where none helps. The
    placeholders `{namespace}`, `{job}` and `{name}` (the text after the colon) stand for words of a shell.
    """

    source: str
    ends: str
    command: str


SWITCHES: Final = (
    PauseSwitch(identity.DELETED_SOURCE, "The job is being deleted; apply its document again afterwards.", ""),
    PauseSwitch(identity.UNREAD_SOURCE, "The pod reads its job at the start; wait some seconds.", ""),
    PauseSwitch(
        identity.UNREADABLE_SOURCE,
        "Correct or delete the field or the pause that the reason names.",
        "kubectl describe ij {job} -n {namespace}",
    ),
    PauseSwitch(
        sources.CLUSTER_PAUSE_PREFIX,
        "Delete the ClusterIngestPause; it covers jobs in all namespaces.",
        "kubectl sluice resume --fleet --pause {name}",
    ),
    PauseSwitch(
        sources.PAUSE_PREFIX,
        "Delete the IngestPause; it can cover other jobs too.",
        "kubectl sluice resume --pause {name} -n {namespace}",
    ),
    PauseSwitch(
        sources.SPEC_ENABLED_SOURCE,
        "Set spec.enabled to true; if a GitOps tool owns the job, change it in Git.",
        _PATCH + """'{{"spec":{{"enabled":true}}}}'""",
    ),
    PauseSwitch(
        sources.SPEC_PAUSE_SOURCE,
        "Remove spec.pause; if a GitOps tool owns the job, change it in Git.",
        _PATCH + """'{{"spec":{{"pause":null}}}}'""",
    ),
    PauseSwitch(sources.QUOTA_SOURCE, "Raise limits.writesPerDay, or wait until midnight in Los Angeles.", _EDIT),
    PauseSwitch(
        sources.AUTO_STOP_SOURCE, "Correct why the limit was reached, then let the operator create a new pod.", _NEW_POD
    ),
    PauseSwitch(
        sources.API_SOURCE,
        "Send POST /runtime/ingest/start to the pod, or let the operator create a new one.",
        _NEW_POD,
    ),
    PauseSwitch(
        sources.FILE_PREFIX,
        "Correct the first line of the file in the pod, or delete the file.",
        f"kubectl exec -n {{namespace}} {{job}}{identity.POD_SUFFIX} -c {identity.CONTAINER} -- rm {{name}}",
    ),
    PauseSwitch(
        sources.ENVIRONMENT_SOURCE, "Remove INGEST_ENABLED from spec.pod.env; the pod is then replaced.", _EDIT
    ),
)
