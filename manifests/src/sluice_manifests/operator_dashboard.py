"""The Grafana dashboard of the operator: who leads, whether it keeps up, and whether its watches deliver everything."""

from __future__ import annotations

from typing import Final

from sluice_manifests.dashboard_panels import Dashboard, Panel, Query, Row

_LEADER = Row(
    "Leadership and work",
    (
        Panel(
            "Leaders", "Exactly one replica leads.", (Query("sum(sluice_operator_leader)"),), kind="number", columns=4
        ),
        Panel("Jobs", "IngestJobs in the cache.", (Query("max(sluice_operator_jobs)"),), kind="number", columns=4),
        Panel("Pods", "Ingest pods in the cache.", (Query("max(sluice_operator_pods)"),), kind="number", columns=4),
        Panel(
            "Pauses", "Pause objects in the cache.", (Query("max(sluice_operator_pauses)"),), kind="number", columns=4
        ),
        Panel(
            "Policies proven",
            "1 while dry runs prove that the admission policies limit the operator. Without it, no pod is created.",
            (Query("min(sluice_operator_policies_proven and on (namespace, pod) sluice_operator_leader == 1)"),),
            kind="number",
            columns=4,
        ),
        Panel(
            "Version",
            "The replicas of each version of the operator.",
            (Query("count by (version) (sluice_operator_build_info)", "{{version}}"),),
            kind="number",
            columns=4,
        ),
        Panel(
            "Jobs that wait",
            "Jobs in the queue, and those that wait for a retry.",
            (Query("max(sluice_operator_queue_depth)", "waiting"),),
        ),
        Panel(
            "Oldest waiting job",
            "Seconds for which it has waited. More than 60 fire SluiceOperatorBacklog.",
            (Query("max(sluice_operator_queue_oldest_seconds)", "oldest"),),
            "s",
        ),
        Panel(
            "Reconciliation, p50 and p99",
            "Without a request 0.2 ms, with two requests about 10 ms.",
            tuple(
                Query(
                    f"histogram_quantile({share}, sum by (le) "
                    "(rate(sluice_operator_reconcile_seconds_bucket[$__rate_interval])))",
                    name,
                )
                for share, name in ((0.5, "p50"), (0.99, "p99"))
            ),
            "s",
        ),
        Panel(
            "Reconciliations by outcome",
            "settled, again, or the type of an error.",
            (Query("sum by (outcome) (rate(sluice_operator_reconciles_total[$__rate_interval]))", "{{outcome}}"),),
            "ops",
        ),
        Panel(
            "Delay of the event loop",
            "A delay of seconds holds up everything, also the renewal of the lease.",
            (Query("max by (pod) (sluice_operator_loop_lag_seconds)", "{{pod}}"),),
            "s",
        ),
        Panel(
            "Changes of the leader",
            "Changes within an hour.",
            (Query("max(delta(sluice_operator_lease_transitions[1h]))", "changes"),),
        ),
    ),
)

_WATCHES = Row(
    "Watches and writes",
    (
        Panel(
            "Objects that a resync corrected",
            "Objects per hour that the watch did not deliver. More than 0 fire SluiceWatchLosesObjects.",
            (Query("sum by (kind) (increase(sluice_operator_resync_repairs_total[1h]))", "{{kind}}"),),
        ),
        Panel(
            "Age of each watch",
            "Seconds since the watch of a kind delivered something.",
            (Query("max by (kind) (sluice_operator_watch_age_seconds)", "{{kind}}"),),
            "s",
        ),
        Panel(
            "Undelivered objects",
            "Objects whose newest state the watch has not delivered for 10 s. They are read live.",
            (Query("max by (kind) (sluice_operator_undelivered_objects)", "{{kind}}"),),
        ),
        Panel(
            "Denials",
            "Requests that a policy refused, and jobs without a pod, by cause, per hour.",
            (Query("sum by (cause) (increase(sluice_operator_denials_total[1h])) > 0", "{{cause}}"),),
        ),
        Panel(
            "Events dropped",
            "Kubernetes Events per second that rate limiting dropped.",
            (Query("sum(rate(sluice_operator_events_dropped_total[$__rate_interval]))", "dropped"),),
            "ops",
        ),
        Panel(
            "Shared keys",
            "Namespaces that use a key of a provider which another namespace uses too.",
            (Query("max by (key, namespace) (sluice_operator_key_shared)", "{{key}} {{namespace}}"),),
        ),
    ),
)

_ROLLOUTS = Row(
    "Rollouts, objectives and process",
    (
        Panel(
            "Outdated pods",
            "Pods that wait for their replacement, by the cause of the rollout.",
            (Query("max by (cause) (sluice_operator_rollout_pods_outdated)", "{{cause}}"),),
        ),
        Panel(
            "Jobs not ready after their replacement",
            "In progress, and overdue. Too many overdue jobs stop the rollout.",
            (
                Query("max by (cause) (sluice_operator_rollout_jobs_in_progress)", "{{cause}} in progress"),
                Query("max by (cause) (sluice_operator_rollout_jobs_overdue)", "{{cause}} overdue"),
            ),
        ),
        Panel(
            "Memory of the replicas",
            "Resident memory.",
            (Query("process_resident_memory_bytes and on (namespace, pod) sluice_operator_leader", "{{pod}}"),),
            "bytes",
        ),
        Panel(
            "Pauses acknowledged in time, 28 days",
            "The share of the pauses that were acknowledged within 5 s. The objective is 99.9 %.",
            (Query("sluice:slo_stops:ratio_28d", "in time"),),
            "percentunit",
        ),
        Panel(
            "Epochs changed by upgrades, 28 days",
            "Jobs whose epoch changed around a change of the operator's version. The objective is 0.",
            (Query("sluice:slo_survives:epoch_changes_28d", "epochs"),),
        ),
        Panel(
            "Pauses not confirmed",
            "Feeds that have not confirmed a pause.",
            (Query("sluice:slo_stops:unacknowledged", "feeds"),),
        ),
    ),
)

OPERATOR: Final = Dashboard(
    uid="sluice-operator",
    title="Sluice / Operator",
    description="Who leads, whether the operator keeps up, and whether its watches deliver everything.",
    variables=(),
    rows=(_LEADER, _WATCHES, _ROLLOUTS),
)
