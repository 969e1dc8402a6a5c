import { documentIDOf, isDocumentName } from "./documentIDs";
import { errorOf } from "./sourceErrors";
import type { SourceError } from "./types";

interface CheckedOptions {
  tenant: string;
  document: string;
  collection: string;
  symbols: readonly string[];
  heartbeatStaleAfterSeconds: number;
}

const errors = new Map<string, SourceError>();

/** Return what is wrong with the options of `useLiveQuotes`, or null: the same object for the same mistake. */
export function findOptionError(options: CheckedOptions): SourceError | null {
  const message = findMistake(options);
  if (message === null) {
    return null;
  }
  const known = errors.get(message) ?? { ...errorOf("failed", message), remedy: "Fix the options of useLiveQuotes." };
  errors.set(message, known);
  return known;
}

function findMistake(options: CheckedOptions): string | null {
  for (const name of ["tenant", "document", "collection"] as const) {
    if (!isDocumentName(options[name])) {
      return `The option ${name} is ${JSON.stringify(options[name])}, which Firestore does not accept as a name.`;
    }
  }
  const symbol = options.symbols.find((each) => !isDocumentName(documentIDOf(each)));
  if (symbol !== undefined) {
    return `The option symbols contains ${JSON.stringify(symbol)}, which is not a symbol.`;
  }
  const seconds = options.heartbeatStaleAfterSeconds;
  return seconds > 0 ? null : `The option heartbeatStaleAfterSeconds is ${seconds}; it must be more than 0.`;
}
