"""What node autoscalers read from a pod before they evict it."""

from __future__ import annotations

from typing import Any, Final

Manifest = dict[str, Any]

LOCAL_VOLUMES_ANNOTATION: Final = "cluster-autoscaler.kubernetes.io/safe-to-evict-local-volumes"


def with_local_volumes_annotation(manifest: Manifest) -> Manifest:
    """Return the manifest with the annotation that names the pod's local volumes, unless the job declares it.

    The Cluster Autoscaler otherwise keeps a node because of an emptyDir. A volume of an ingest pod holds nothing that a
    new pod needs. The annotation is not part of the cold hash, so it replaces no pod that runs without it.
    """
    names = ",".join(volume["name"] for volume in manifest["spec"]["volumes"] if "emptyDir" in volume)
    metadata = manifest["metadata"]
    annotations = {LOCAL_VOLUMES_ANNOTATION: names, **metadata["annotations"]}
    return manifest | {"metadata": metadata | {"annotations": annotations}}
