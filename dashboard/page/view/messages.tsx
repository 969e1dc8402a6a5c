import type { ReactNode } from "react";
import type { Badge } from "../model/badge";
import type { PageStore } from "../model/page-store";

/** A message in place of the table: what is the case, and what to do. */
export function Message({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <section className="message">
      <h2>{title}</h2>
      {children}
    </section>
  );
}

/** Explain why there is no table: signed out, denied, offline, no heartbeat, loading, or no symbol. */
export function NoTable({ store, badge }: { store: PageStore; badge: Badge }) {
  const { tenant, collection, document } = store.board.feed;
  switch (badge.reason) {
    case "not_signed_in":
      return (
        <Message title="You are signed out">
          <p>Sign in as a member of tenant {tenant}. You return to this feed.</p>
          {store.signInError && <p role="alert">{store.signInError}</p>}
          <button type="button" onClick={() => void store.signIn()}>
            Sign in
          </button>
        </Message>
      );
    case "denied":
      return (
        <Message title={`This account may not read tenant ${tenant}`}>
          <p>
            An administrator must create the document tenants/{tenant}/users/{store.identity?.userID ?? "USER-ID"} and
            set the claim tenant_id of the account to {tenant}. Then sign out and in again. The page tries again every
            10 s.
          </p>
        </Message>
      );
    case "offline":
      return (
        <Message title="Firestore cannot be reached">
          <p>Check the network of this computer. The page continues by itself when Firestore answers.</p>
        </Message>
      );
    case "loading":
      return <Message title="Loading" />;
    case "never_heard_of":
      return (
        <Message title="No job has written this feed">
          <p>
            There is no document tenants/{tenant}/ops/{document}. Check the names in config.json, and that a job writes
            it: kubectl get ij -A.
          </p>
        </Message>
      );
    default:
      return <QuotesMissing store={store} collection={`tenants/${tenant}/${collection}`} />;
  }
}

function QuotesMissing({ store, collection }: { store: PageStore; collection: string }) {
  const { board } = store;
  if (board.error) {
    return (
      <Message title="The quotes cannot be read">
        <p>{board.error.message}</p>
      </Message>
    );
  }
  if (!board.listed) {
    return <Message title="Loading the symbols" />;
  }
  return (
    <Message title="There are no quotes yet">
      <p>
        {collection} has no quote of this feed. A symbol appears with its first quote. If none appears while the market
        is open, read the log of the job's pod: the command is above.
      </p>
    </Message>
  );
}
