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
  const resume = resumeCommand(heartbeat, namespace, name);
  if (heartbeat.status === "paused" || heartbeat.ingestEnabled === false) {
    return [...(resume ? [resume] : []), look, logs];
  }
  return [pause, look, logs];
}

/** The document pauses its job with `enabled` or with `pause`, so this command ends both. */
function resumeCommand({ ingestEnabledSource }: Heartbeat, namespace: string, name: string): Command | null {
  const isOfDocument = ingestEnabledSource?.startsWith("cr:") || ingestEnabledSource?.startsWith("spec.");
  return isOfDocument
    ? { label: "Resume this feed", line: patch(namespace, name, { enabled: true, pause: null }) }
    : null;
}

function patch(namespace: string, name: string, spec: object): string {
  const document = JSON.stringify({ spec });
  return `kubectl patch ij/${name} -n ${namespace} --type merge --field-manager=sluice -p '${document}'`;
}
