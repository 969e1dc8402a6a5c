import type { Heartbeat } from "../../src/lib/types";

/** A command that the reader copies into a terminal. The page itself never changes anything. */
export interface Command {
  label: string;
  line: string;
}

// The names that Kubernetes accepts. Nothing else from a document goes into a line that a person pastes into a shell.
const NAME = /^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$/;

/**
 * Return the commands that fit the state of a feed, the most useful one first.
 *
 * They are empty while the heartbeat does not name a job: its field `job` is "namespace/name".
 */
export function commandsFor(heartbeat: Heartbeat | null): Command[] {
  const [namespace, name] = (heartbeat?.job ?? "").split("/");
  if (!heartbeat || !namespace || !name || !NAME.test(namespace) || !NAME.test(name)) {
    return [];
  }
  const look = { label: "Show the job", line: `kubectl get ij/${name} -n ${namespace}` };
  const logs = { label: "Read the log", line: `kubectl logs -n ${namespace} ${name}-ingest --tail=50` };
  const pause = { label: "Pause this feed", line: patch(namespace, name, { enabled: false }) };
  const ofPause = pauseCommand(heartbeat, namespace, name);
  if (heartbeat.status === "paused" || heartbeat.ingestEnabled === false) {
    return [...(ofPause ? [ofPause] : []), look, logs];
  }
  return [pause, look, logs];
}

/**
 * Return the command about the first switch that pauses the job: it ends one of the document, and shows a pause object.
 *
 * The document pauses its job with `enabled` or with `pause`, so its command ends both. A pause object can cover other
 * jobs too, so the reader first sees who paused them and why.
 */
function pauseCommand({ ingestEnabledSource }: Heartbeat, namespace: string, name: string): Command | null {
  const [kind, pause] = (ingestEnabledSource ?? "").split(":");
  if (kind === "spec.enabled" || kind === "spec.pause" || kind === "cr") {
    return { label: "Resume this feed", line: patch(namespace, name, { enabled: true, pause: null }) };
  }
  if (!pause || !NAME.test(pause)) {
    return null;
  }
  if (kind === "pause") {
    return { label: "Show the pause", line: `kubectl get ipause/${pause} -n ${namespace}` };
  }
  return kind === "clusterpause" ? { label: "Show the pause", line: `kubectl get cipause/${pause}` } : null;
}

function patch(namespace: string, name: string, spec: object): string {
  const document = JSON.stringify({ spec });
  return `kubectl patch ij/${name} -n ${namespace} --type merge --field-manager=sluice -p '${document}'`;
}
