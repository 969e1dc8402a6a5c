import type { Auth } from "firebase/auth";
import {
  collection,
  doc,
  documentId,
  type Firestore,
  getDocsFromServer,
  onSnapshot,
  type QuerySnapshot,
  query,
  where,
} from "firebase/firestore";
import { parseHeartbeat, parseQuote } from "./parse";
import { errorFromFirestore, errorOf } from "./sourceErrors";
import {
  type HeartbeatEvent,
  type Identity,
  MAX_IDS_PER_LISTENER,
  type QuoteDocument,
  type QuoteLister,
  type QuoteSource,
  type QuotesEvent,
  type Unsubscribe,
} from "./types";

const OPTIONS = { includeMetadataChanges: true };

/**
 * Return a source that listens to Firestore.
 *
 * Without `auth` the reader counts as signed in, and the rules of Firestore decide what it can read.
 */
export function firestoreSource(firestore: Firestore, auth?: Auth): QuoteSource & QuoteLister {
  return {
    subscribeHeartbeat: (tenant, document, listener) => listenToHeartbeat(firestore, [tenant, document], listener),
    subscribeQuotes(tenant, collectionName, documentIDs, listener) {
      if (documentIDs.length === 0 || documentIDs.length > MAX_IDS_PER_LISTENER) {
        throw new RangeError(`a listener names 1 to ${MAX_IDS_PER_LISTENER} documents, not ${documentIDs.length}`);
      }
      return listenToQuotes(firestore, [tenant, collectionName], documentIDs, listener);
    },
    subscribeIdentity: (listener) => listenToIdentity(auth, listener),
    async listQuotes(tenant, collectionName) {
      try {
        const snapshot = await getDocsFromServer(collection(firestore, "tenants", tenant, collectionName));
        return snapshot.docs.flatMap((each) => quoteDocument(each.id, each.data()));
      } catch (error) {
        throw errorFromFirestore(error);
      }
    },
  };
}

/**
 * Follows which snapshots of a document come from Firestore and which from the cache.
 *
 * The client keeps a listener open while it has no connection, and reports that with a snapshot from the cache. A first
 * snapshot from the cache that has the document is normal: another listener has it, and Firestore's answer follows.
 * Queries are not followed: while the client checks a removed document, their snapshots come from the cache, too.
 */
class ConnectionState {
  private hasAnswered = false;

  /** Return whether this snapshot reports a lost connection. */
  isLost(fromCache: boolean, exists: boolean): boolean {
    const lost = fromCache && (this.hasAnswered || !exists);
    this.hasAnswered = !fromCache;
    return lost;
  }
}

type Path = readonly [tenant: string, name: string];

function listenToHeartbeat(
  firestore: Firestore,
  [tenant, name]: Path,
  listener: (event: HeartbeatEvent) => void,
): Unsubscribe {
  const connection = new ConnectionState();
  return onSnapshot(
    doc(firestore, "tenants", tenant, "ops", name),
    OPTIONS,
    (snapshot) => {
      const { fromCache } = snapshot.metadata;
      if (connection.isLost(fromCache, snapshot.exists())) {
        listener(errorOf("offline"));
        return;
      }
      const heartbeat = snapshot.exists() ? parseHeartbeat(snapshot.data()) : null;
      listener({ kind: "data", heartbeat, documentsRead: fromCache ? 0 : 1, fromCache });
    },
    (error) => listener(errorFromFirestore(error)),
  );
}

function listenToQuotes(
  firestore: Firestore,
  [tenant, name]: Path,
  documentIDs: readonly string[],
  listener: (event: QuotesEvent) => void,
): Unsubscribe {
  let isFirst = true;
  return onSnapshot(
    query(collection(firestore, "tenants", tenant, name), where(documentId(), "in", [...documentIDs])),
    OPTIONS,
    (snapshot) => {
      const { fromCache } = snapshot.metadata;
      const { changed, removed } = changesIn(snapshot);
      // Firestore bills a query without results as one read.
      const billed = Math.max(changed.length, isFirst ? 1 : 0);
      isFirst = isFirst && fromCache;
      listener({ kind: "data", changed, removed, documentsRead: fromCache ? 0 : billed, fromCache });
    },
    (error) => listener(errorFromFirestore(error)),
  );
}

function changesIn(snapshot: QuerySnapshot): { changed: QuoteDocument[]; removed: string[] } {
  const changed: QuoteDocument[] = [];
  const removed: string[] = [];
  for (const { type, doc: document } of snapshot.docChanges()) {
    if (type === "removed") {
      removed.push(document.id);
    } else {
      changed.push(...quoteDocument(document.id, document.data()));
    }
  }
  return { changed, removed };
}

function quoteDocument(id: string, fields: unknown): QuoteDocument[] {
  const quote = parseQuote(fields, id);
  return quote === null ? [] : [{ id, quote }];
}

function listenToIdentity(auth: Auth | undefined, listener: (identity: Identity) => void): Unsubscribe {
  if (auth !== undefined) {
    return auth.onAuthStateChanged((user) => listener({ signedIn: user !== null, userID: user?.uid ?? null }));
  }
  let isOpen = true;
  queueMicrotask(() => {
    if (isOpen) {
      listener({ signedIn: true, userID: null });
    }
  });
  return () => {
    isOpen = false;
  };
}
