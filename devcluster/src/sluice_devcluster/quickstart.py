"""The quickstart (`make up`): starts a cluster with Sluice on it, applies the sample job, and prints its status."""

from __future__ import annotations

import argparse
import asyncio
import os
import shlex
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from sluice_contract.providers import DEFAULT_HOST_ENTRIES
from sluice_devcluster import binaries, cluster, dashboard, emulator, kind_site, startup
from sluice_devcluster.emulator_documents import PROJECT, read_collection
from sluice_devcluster.errors import DevclusterError
from sluice_devcluster.job_status import print_job_status
from sluice_devcluster.kind_cluster import kubectl_program
from sluice_devcluster.kind_site import KindOptions
from sluice_devcluster.kubectl import Kubectl, KubectlError
from sluice_devcluster.layout import KindSettings, StateDirectory
from sluice_devcluster.sample_job import sample_documents, with_tape_replay
from sluice_manifests.progress import ProgressPrinter
from sluice_manifests.toolchain import ReportProgress

OPERATOR = "deployment/sluice-operator"
SYSTEM_NAMESPACE = "sluice-system"

# The simulated providers run on this machine, without TLS. The providers themselves are allowed as by default.
SIMULATOR_HOSTS = ",".join(
    (*DEFAULT_HOST_ENTRIES, "127.0.0.1:*", "ws://127.0.0.1:*", "http://127.0.0.1:*", "tcp://127.0.0.1:*")
)
_FIRST_QUOTE_SECONDS = 10.0

_NEXT_STEPS = """
  export KUBECONFIG={kubeconfig}
  make plugin && export PATH=$PWD/build/plugin:$PATH   # kubectl sluice: docs/kubectl-sluice.md
  kubectl sluice status -A -w                          # the jobs, live
  kubectl patch ij {name} -n {namespace} --field-manager=sluice --type=merge -p '{{"spec":{{"enabled":false}}}}' \\
    && kubectl wait ij/{name} -n {namespace} --for=condition=Paused --timeout=10s     # pause the job and wait
  kubectl patch ij {name} -n {namespace} --field-manager=sluice --type=merge -p '{{"spec":{{"enabled":true}}}}' # resume
  kubectl logs -n {namespace} {name}-ingest --tail=5     # the pod's log
  make dashboard                                       # the quotes in a browser
  FIRESTORE_EMULATOR_HOST={emulator} python print_quotes.py     # in a program of yours: docs/readers.md
  make status                                          # the jobs
  make down                                            # stop everything
"""


def install_operator(kubectl: Kubectl, manifests: Path, environment: dict[str, str]) -> None:
    """Install the operator from manifests/base with `environment` added, and wait until it runs.

    Jobs may connect to the simulated providers on this machine, unless `environment` sets other hosts.
    """
    variables = {"SLUICE_PROVIDER_HOSTS": SIMULATOR_HOSTS} | environment
    documents = [each for each in yaml.safe_load_all(kubectl("kustomize", str(manifests / "base"))) if each]
    for document in documents:
        if document["kind"] == "Deployment":
            [container] = document["spec"]["template"]["spec"]["containers"]
            added = [{"name": name, "value": value} for name, value in variables.items()]
            container["env"] = [*container.get("env", []), *added]
    kubectl.apply(documents)
    kubectl("rollout", "status", OPERATOR, "-n", SYSTEM_NAMESPACE, "--timeout=60s")


class Quickstart:
    """A cluster that is up, of either kind, on which Sluice is installed."""

    def __init__(self, state: StateDirectory, manifests: Path) -> None:
        """`manifests` is the folder `manifests` of the project.

        Raises DevclusterError, which says what to do, if no cluster is up, or if the kind cluster is not running.
        """
        settings = state.load_site_settings()
        if settings is None or settings.firestore_emulator_host is None:
            raise DevclusterError("No cluster is up: start one with `make up`.")
        if isinstance(settings, KindSettings):
            kind_site.require_running(state, settings)
            program = kubectl_program()
        else:
            program = binaries.provide_binaries(lambda _: None).kubectl
        self.kubeconfig = state.kubeconfig_file
        self.emulator = settings.firestore_emulator_host
        self.manifests = manifests
        self._state = state
        self.kubectl = Kubectl(program, state.kubeconfig_file)
        self._program = program

    def apply_and_show_status(self, documents: list[dict[str, Any]], progress: ReportProgress) -> None:
        """Apply the sample, in which the last document is the job; wait for its quotes, and print its status."""
        self.kubectl.apply(documents)
        job = documents[-1]
        name, namespace = job["metadata"]["name"], job["metadata"]["namespace"]
        progress(f"applied the sample job {namespace}/{name}; waiting until it is Ready")
        try:
            self.kubectl("wait", f"ij/{name}", "-n", namespace, "--for=condition=Ready", "--timeout=100s")
        except KubectlError as error:
            raise DevclusterError(
                f"The job was not Ready within 100 s. Run `make up` again to wait longer; `make status` and "
                f"`kubectl describe ij {name} -n {namespace} --kubeconfig {self.kubeconfig}` show its state.\n{error}"
            ) from error
        progress("Ready")
        collection = f"tenants/{job['spec']['tenant']}/live_quotes"
        quotes = self._wait_for_quotes(collection)
        print()
        print_job_status(self._program, self.kubeconfig)
        print(f"\nFirestore emulator: {self.emulator}, project {PROJECT}; {quotes} quotes in {collection}\n")
        kubeconfig = shlex.quote(str(self.kubeconfig))
        names = {"kubeconfig": kubeconfig, "name": name, "namespace": namespace, "emulator": self.emulator}
        print("Next steps:" + _NEXT_STEPS.format(**names))

    def show_status(self) -> None:
        """Print the jobs, and where the dashboard with their quotes is."""
        print_job_status(self._program, self.kubeconfig)
        settings = self._state.load_site_settings()
        url = settings.dashboard_url if settings is not None else None
        if url is None:
            print("Dashboard: not started; `make dashboard` starts it")
        elif dashboard.is_page_server_alive(self._state):
            print(f"Dashboard: {url}")
        else:
            print("Dashboard: its server has ended; `make dashboard` starts it again")

    def require_running(self) -> None:
        """Raise DevclusterError if the emulator does not answer, for example after a restart of the machine."""
        if not asyncio.run(emulator.is_answering(self.emulator)):
            raise DevclusterError(f"The Firestore emulator at {self.emulator} does not answer: run `make up`.")

    def start_dashboard(self, page: Path, tenant: str | None) -> None:
        """Serve the built page against the emulator, for a mock user who is a member of the tenant; print its URL.

        `tenant` is that of the sample job if it is None.
        """
        chosen = tenant or sample_documents(self.manifests)[1]["spec"]["tenant"]
        jobs = self.kubectl.get("ingestjobs", "-A")["items"]
        config = dashboard.page_config(PROJECT, self.emulator, chosen, jobs)
        if not config["feeds"]:
            raise DevclusterError(f"Tenant {chosen} has no job: apply one, or name another tenant with TENANT=.")
        with cluster.hold_lock(self._state):
            dashboard.write_membership(self.emulator, PROJECT, chosen)
            url = dashboard.start_page_server(self._state, page, config)
            settings = self._state.load_site_settings()
            if settings is None:
                raise DevclusterError("The cluster was stopped meanwhile: start it with `make up`.")
            settings.dashboard_url = url
            self._state.save_settings(settings)
        print(f"The page reads tenant {chosen} as {dashboard.USER}, a member. It is served until `make down`:")
        print(url)

    def _wait_for_quotes(self, collection: str) -> int:
        """Wait for the first quotes, which are written a moment after the job is Ready. Return how many there are."""
        deadline = time.monotonic() + _FIRST_QUOTE_SECONDS
        while time.monotonic() < deadline:
            with suppress(OSError):  # an emulator that is too busy to answer in time
                if quotes := read_collection(self.emulator, collection):
                    return len(quotes)
            time.sleep(0.1)
        return 0


def start_and_show_status(state: StateDirectory, options: argparse.Namespace, progress: ReportProgress) -> None:
    """Start a cluster with Sluice on it, or what is missing of it; apply the sample job, and print its status."""
    documents = sample_documents(options.manifests)
    if options.tape:
        documents = with_tape_replay(documents, options.tape, _parse_speed(options.speed))
    kind = KindOptions(options.kind_cluster_name, options.kind_node_image, options.emulator_image)
    with cluster.hold_lock(state):
        startup.start(state, options.manifests, startup.choose_cluster(options.cluster, state), kind, progress)
        site = Quickstart(state, options.manifests)
        if not isinstance(state.load_site_settings(), KindSettings):
            progress("installing the operator")
            install_operator(site.kubectl, options.manifests, {"FIRESTORE_EMULATOR_HOST": site.emulator})
    site.apply_and_show_status(documents, progress)


def _parse_speed(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise DevclusterError(f"SPEED={text} is not a number: SPEED=60 replays the tape 60 times as fast.") from error


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return 0, or print the error on stderr and return 1."""
    options = _argument_parser().parse_args(arguments)
    try:
        _run_command(options)
        sys.stdout.flush()
    except DevclusterError as error:
        print(error, file=sys.stderr)
        return 1
    except BrokenPipeError:
        # The reader of a pipe, such as head, has ended. Nothing is written any more, not even at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        print("Interrupted: run the command again to continue, or `make down`.", file=sys.stderr)
        return 130
    return 0


def _run_command(options: argparse.Namespace) -> None:
    state = StateDirectory(options.state.resolve())
    if options.command == "up":
        start_and_show_status(state, options, ProgressPrinter())
        return
    site = Quickstart(state, options.manifests)
    if options.command == "status":
        site.show_status()
    elif options.command == "check":
        site.require_running()
    else:
        site.start_dashboard(options.page, options.tenant)


def _argument_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="quickstart")
    parser.add_argument("command", choices=("up", "status", "check", "dashboard"))
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--manifests", type=Path, required=True)
    parser.add_argument("--cluster", default="", help="kind or processes; without it, the kind that is up")
    parser.add_argument("--kind-cluster-name", default="", help="sluice unless it is given")
    parser.add_argument("--kind-node-image", default="", help="the image of the node, instead of kind's default")
    parser.add_argument("--emulator-image", default="", help="the emulator's image on kind, instead of Google's")
    parser.add_argument("--tape", type=Path)
    parser.add_argument("--speed", default="1")
    parser.add_argument("--page", type=Path, help="the folder that the dashboard was built into")
    parser.add_argument("--tenant", help="the tenant that the dashboard shows")
    return parser


if __name__ == "__main__":
    sys.exit(main())
