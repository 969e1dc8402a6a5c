from sluice_cli.model.pod import pod_of
from support.fake_kubectl import Object


def test_a_pod_has_its_node_and_the_restarts_of_its_own_container() -> None:
    document: Object = {
        "metadata": {"name": "us-ingest"},
        "spec": {"nodeName": "node-3"},
        "status": {
            "phase": "Running",
            "containerStatuses": [{"name": "proxy", "restartCount": 9}, {"name": "ingest", "restartCount": 2}],
        },
    }
    found = pod_of(document)
    assert (found.phase, found.node, found.restarts, found.is_running) == ("Running", "node-3", 2, True)
    document["metadata"]["deletionTimestamp"] = "2026-11-27T14:00:00Z"
    assert pod_of(document).phase == "Terminating"
    assert pod_of({}).node == ""
