import type { SourceError, SourceErrorCode } from "./types";

type Texts = readonly [message: string, remedy: string];

const TEXTS: Record<SourceErrorCode, Texts> = {
  "permission-denied": [
    "Firestore does not let this account read the tenant.",
    "Ask an administrator of the tenant for membership, or sign in with another account.",
  ],
  unauthenticated: ["The sign-in is not valid any more.", "Sign in again."],
  unavailable: [
    "Firestore cannot be reached.",
    "Check the network and the status of Firestore; reading continues by itself.",
  ],
  offline: ["This computer has no connection to Firestore.", "Check the network; reading continues by itself."],
  failed: [
    "Firestore cannot be read.",
    "Reload the page. If it fails again, report the error in the browser's console.",
  ],
};

// The codes of Firestore that have the same meaning and remedy.
const CODES: Record<string, SourceErrorCode> = {
  "permission-denied": "permission-denied",
  unauthenticated: "unauthenticated",
  unavailable: "unavailable",
  "deadline-exceeded": "unavailable",
  "resource-exhausted": "unavailable",
};

/** Return the event for an error. `detail` is a sentence that replaces the message. */
export function errorOf(code: SourceErrorCode, detail?: string): SourceError {
  const [message, remedy] = TEXTS[code];
  return { kind: "error", code, message: detail ?? message, remedy, ended: code !== "offline" };
}

/** Return the event for what Firestore threw. */
export function errorFromFirestore(thrown: unknown): SourceError {
  const name = typeof thrown === "object" && thrown !== null && "code" in thrown ? String(thrown.code) : "";
  const code = CODES[name.replace(/^firestore\//, "")];
  if (code !== undefined) {
    return errorOf(code);
  }
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  return errorOf("failed", `Firestore cannot be read: ${text}`);
}
