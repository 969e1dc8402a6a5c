"""A real Prometheus that scrapes what the PodMonitors of manifests/monitoring select, and evaluates its rules.

Debian builds Prometheus without the discovery of Kubernetes' pods, so this module lists the pods for it.
"""

from __future__ import annotations

import copy
import http.server
import json
import subprocess
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from sluice_devcluster.controlplane import find_free_port
from sluice_devcluster.kubectl import Kubectl
from support.deadlines import scaled
from support.prometheus import MONITORING, program, rule_groups
from support.site import eventually

KUBE_STATE_METRICS = Path(__file__).parent / "kube_state_metrics.txt"
# The rules wait for minutes; a test waits for seconds.
_FOR = "2s"


class Prometheus:
    """The HTTP interface of a running Prometheus."""

    def __init__(self, url: str) -> None:
        """`url` has no slash at its end."""
        self.url = url

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Return the result of an expression now. Raises AssertionError with Prometheus' message if it fails."""
        found: list[dict[str, Any]] = self._get("query", query=expression)["result"]
        return found

    def series(self, selector: str) -> list[dict[str, str]]:
        """Return the labels of each series that a selector selects."""
        found: list[dict[str, str]] = self._get("series", **{"match[]": selector})
        return found

    def firing(self) -> list[dict[str, Any]]:
        """Return the alerts that fire now."""
        return [each for each in self._get("alerts")["alerts"] if each["state"] == "firing"]

    def unhealthy_rules(self) -> dict[str, str]:
        """Return the last error of each rule that cannot be evaluated, by the name of the rule."""
        rules = [rule for group in self._get("rules")["groups"] for rule in group["rules"]]
        return {rule["name"]: rule["lastError"] for rule in rules if rule["health"] == "err"}

    def healthy_targets(self) -> dict[str, int]:
        """Return the number of the targets that answered their last scrape, by their scrape job."""
        targets = self._get("targets")["activeTargets"]
        jobs = [each["scrapePool"] for each in targets if each["health"] == "up"]
        return {job: jobs.count(job) for job in jobs}

    def _get(self, path: str, **parameters: str) -> Any:
        query = urllib.parse.urlencode(parameters)
        try:
            url = f"{self.url}/api/v1/{path}?{query}"
            with urllib.request.urlopen(url, timeout=scaled(10)) as answer:  # noqa: S310  on this machine
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{parameters}: {error.read().decode()}") from error


@contextmanager
def running_prometheus(folder: Path, kubectl: Kubectl) -> Iterator[Prometheus]:
    """Run Prometheus with the rules of manifests/monitoring on a cluster, and on the series of kube-state-metrics.

    Scrapes and evaluations follow each other quickly, and an alert fires after 2 s instead of minutes.
    """
    monitors = [each for each in yaml.safe_load_all((MONITORING / "pod-monitors.yaml").read_text()) if each]
    pages = {
        "/metrics": ("text/plain; version=0.0.4", KUBE_STATE_METRICS.read_bytes),
        "/pods": ("application/json", lambda: json.dumps(pod_targets(kubectl.get("pods", "-A")["items"])).encode()),
    }
    with _served(pages) as address:
        other = {"job_name": "kube-state-metrics", "honor_labels": True, "static_configs": [{"targets": [address]}]}
        (folder / "rules.yaml").write_text(yaml.safe_dump({"groups": _quick(rule_groups())}))
        (folder / "prometheus.yaml").write_text(
            yaml.safe_dump(
                {
                    "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
                    "rule_files": ["rules.yaml"],
                    "scrape_configs": [*(scrape_config(each, f"http://{address}/pods") for each in monitors), other],
                }
            )
        )
        port = find_free_port()
        command = [program("prometheus"), f"--config.file={folder / 'prometheus.yaml'}"]
        command += [f"--storage.tsdb.path={folder / 'data'}", f"--web.listen-address=127.0.0.1:{port}"]
        with (folder / "log").open("w") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
            try:
                found = Prometheus(f"http://127.0.0.1:{port}")
                eventually(lambda: _is_ready(found, process, folder / "log"))
                yield found
            finally:
                process.terminate()


def scrape_config(monitor: Mapping[str, Any], discovery: str) -> dict[str, Any]:
    """Return the scrape configuration that the Prometheus operator makes of a PodMonitor with one endpoint.

    `discovery` is the URL at which the targets of all pods are listed.
    """
    metadata, spec = monitor["metadata"], monitor["spec"]
    [endpoint] = spec["podMetricsEndpoints"]
    labels = spec["selector"]["matchLabels"]
    kept = {f"__meta_kubernetes_pod_label_{_meta(name)}": value for name, value in labels.items()}
    kept["__meta_kubernetes_pod_container_port_name"] = endpoint["port"]
    if not spec.get("namespaceSelector", {}).get("any"):
        kept["__meta_kubernetes_namespace"] = metadata["namespace"]
    copied = {"namespace": "namespace", "pod_container_name": "container", "pod_name": "pod"}
    return {
        "job_name": f"{metadata['namespace']}/{metadata['name']}",
        "honor_labels": endpoint.get("honorLabels", False),
        "http_sd_configs": [{"url": discovery, "refresh_interval": "2s"}],
        "relabel_configs": [
            *({"action": "keep", "source_labels": [label], "regex": value} for label, value in kept.items()),
            *(
                {"source_labels": [f"__meta_kubernetes_{source}"], "target_label": target}
                for source, target in copied.items()
            ),
            *(
                {"source_labels": each["sourceLabels"], "target_label": each["targetLabel"]}
                for each in endpoint.get("relabelings", ())
            ),
        ],
    }


def pod_targets(pods: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what Prometheus' discovery of pods finds: a target for each port, with labels of its pod."""
    found = []
    for pod in pods:
        metadata, address = pod["metadata"], pod["status"].get("podIP")
        of_pod = {f"pod_label_{_meta(name)}": value for name, value in metadata.get("labels", {}).items()}
        of_pod |= {"namespace": metadata["namespace"], "pod_name": metadata["name"]}
        for container in pod["spec"]["containers"] if address else ():
            for port in container.get("ports", ()):
                labels = of_pod | {"pod_container_name": container["name"], "pod_container_port_name": port["name"]}
                named = {f"__meta_kubernetes_{name}": value for name, value in labels.items()}
                found.append({"targets": [f"{address}:{port['containerPort']}"], "labels": named})
    return found


def _meta(label: str) -> str:
    return "".join(each if each.isalnum() else "_" for each in label)


def _quick(groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found = copy.deepcopy(groups)
    for group in found:
        group["interval"] = "1s"
        for rule in group["rules"]:
            if "for" in rule:
                rule["for"] = _FOR
    return found


def _is_ready(prometheus: Prometheus, process: subprocess.Popen[bytes], log: Path) -> bool:
    assert process.poll() is None, log.read_text()
    try:
        with urllib.request.urlopen(f"{prometheus.url}/-/ready", timeout=scaled(5)):  # noqa: S310
            return True
    except OSError:
        return False


@contextmanager
def _served(pages: Mapping[str, tuple[str, Callable[[], bytes]]]) -> Iterator[str]:
    """Serve pages, each with its content type, on this machine. Yield the address."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content_type, read = pages[self.path]
            self.send_response(200)
            self.send_header("Content-Type", content_type)
            self.end_headers()
            self.wfile.write(read())

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
