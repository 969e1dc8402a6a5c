"""A stand-in for the runtime in the pods of a devcluster, which proves that no two containers of a job overlap.

Each container takes a lock of its job for as long as it runs, and answers the probes. A container that finds the lock
taken records that, and runs on.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import msgspec

PROGRAM = """#!{python} -ISE
import fcntl, json, os, signal, socket, sys, time
job = json.loads(os.environ["SLUICE_JOB"])
name = job["namespace"] + "/" + job["name"]
def record(what):
    line = {{"what": what, "job": name, "jobUID": job["uid"], "epoch": job["epoch"], "podUID": os.environ["POD_UID"],
             "process": os.getpid(), "at": time.time()}}
    os.write(records, (json.dumps(line) + "\\n").encode())
records = os.open("{folder}/runs.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
signal.signal(signal.SIGTERM, lambda *_: (time.sleep({ending_seconds}), record("end"), os._exit(0)))
lock = os.open("{folder}/" + name.replace("/", ".") + ".lock", os.O_RDWR | os.O_CREAT, 0o666)
try:
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    record("start")
except BlockingIOError:
    record("overlap")
if job["spec"]["provider"] == "replay":
    time.sleep({replay_seconds})
    record("end")
    os._exit(0)
server = socket.create_server((os.environ["POD_IP"], 8080))
while True:
    client, _ = server.accept()
    client.recv(65536)
    client.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 3\\r\\nConnection: close\\r\\n\\r\\nok\\n")
    client.close()
"""
ENDING_SECONDS = 0.3  # between SIGTERM and the end: a successor that does not wait finds the lock taken
REPLAY_SECONDS = 2.0


class Run(msgspec.Struct, frozen=True, rename="camel"):
    """A line of the record: `what` is start, end, or overlap for a start while another container of the job runs."""

    what: str
    job: str  # namespace/name
    epoch: int
    process: int
    at: float
    job_uid: str = msgspec.field(name="jobUID")
    pod_uid: str = msgspec.field(name="podUID")


class LockedRuntime:
    """The folder of programs for the node's PATH, and the record of all runs."""

    def __init__(self, folder: Path) -> None:
        """Write the program `sluice-runtime` into `folder`/bin."""
        self.programs = folder / "bin"
        self.programs.mkdir(parents=True)
        self._runs = folder / "runs.jsonl"
        self._runs.touch()
        program = self.programs / "sluice-runtime"
        program.write_text(
            PROGRAM.format(
                python=sys.executable, folder=folder, ending_seconds=ENDING_SECONDS, replay_seconds=REPLAY_SECONDS
            )
        )
        program.chmod(0o755)

    def runs(self, job: str) -> list[Run]:
        """Return the runs of a job, `namespace/name`, in order."""
        lines = self._runs.read_text().splitlines()
        return [msgspec.convert(json.loads(line), Run) for line in lines if f'"{job}"' in line]
