"""Values of the chart, each with a text that it adds to the rendered objects."""

DIGEST = "sha256:" + "0" * 64

OTHER_VALUES = {
    "image.repository=registry/operator": "image: registry/operator:",
    f"image.digest={DIGEST}": f"image: sluice-operator@{DIGEST}",
    "runtimeImage.tag=9.9.9": "value: sluice-runtime:9.9.9",
    "image.pullPolicy=Always": "imagePullPolicy: Always",
    "image.pullSecrets[0].name=pull": "imagePullSecrets:\n      - name: pull",
    "replicas=3": "replicas: 3",
    "resources.limits.memory=2Gi": "memory: 2Gi",
    "nodeSelector.disk=ssd": "nodeSelector:\n        disk: ssd",
    "watchNamespaces={acme,other}": "name: SLUICE_WATCH_NAMESPACES\n          value: acme,other",
    "defaultFirestoreProject=acme-1": "name: SLUICE_FIRESTORE_PROJECT\n          value: acme-1",
    "firestoreEmulatorHost=emulator:8080": "name: FIRESTORE_EMULATOR_HOST\n          value: emulator:8080",
    "firestoreEmulatorHost=http://[::1]:8080": "value: http://[::1]:8080",
    "podProxy.httpsProxy=http://proxy:3128": "name: SLUICE_POD_HTTPS_PROXY\n          value: http://proxy:3128",
    "podProxy.httpProxy=http://proxy:3128": "name: SLUICE_POD_HTTP_PROXY\n          value: http://proxy:3128",
    "podProxy.noProxy=10.0.0.0/8": "name: SLUICE_POD_NO_PROXY\n          value: 10.0.0.0/8",
    "providerHosts={a.example,ws://b:*}": "name: SLUICE_PROVIDER_HOSTS\n          value: a.example,ws://b:*",
    "podBounds.priorityClasses={a,b}": "name: SLUICE_POD_PRIORITY_CLASSES\n          value: a,b",
    "podBounds.metadataDomains={a.example}": "name: SLUICE_POD_METADATA_DOMAINS\n          value: a.example",
    "podBounds.nodeKeyDomains={a.example}": "name: SLUICE_POD_NODE_KEY_DOMAINS\n          value: a.example",
    "podUserID=platform": "name: SLUICE_POD_USER_ID\n          value: platform",
    "rollout.maxUnavailable=25%": "name: SLUICE_ROLLOUT_MAX_UNAVAILABLE\n          value: 25%",
    "rollout.progressDeadlineSeconds=60": "name: SLUICE_ROLLOUT_DEADLINE_SECONDS\n          value: '60'",
    "requirePolicies=false": "name: SLUICE_REQUIRE_POLICIES\n          value: 'false'",
    "logLevel=DEBUG": "name: SLUICE_LOG_LEVEL\n          value: DEBUG",
    "serviceAccount.annotations.a=b": "annotations:\n    a: b",
    "priorityClassName=high": "priorityClassName: high",
    "ingestPriorityClassName=low": "name: SLUICE_INGEST_PRIORITY_CLASS\n          value: low",
}
