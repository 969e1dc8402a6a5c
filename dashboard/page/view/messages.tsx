import type { ReactNode } from "react";
import type { SourceError } from "../../src/lib/types";
import type { Feed } from "../model/feed";
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
export function NoTable({ store }: { store: PageStore }) {
  const { state, config } = store.selected;
  if (state.signedIn === false) {
    return <SignedOut store={store} />;
  }
  if (state.error !== null) {
    return <NotReadable error={state.error} tenant={config.tenant} userID={state.userID} />;
  }
  if (!state.hasAnswered) {
    return <Message title="Loading" />;
  }
  if (state.heartbeat === null) {
    return (
      <Message title="No job has written this feed">
        <p>
          There is no document tenants/{config.tenant}/ops/{config.document}. Check the names in config.json, and that a
          job writes it: kubectl get ij -A.
        </p>
      </Message>
    );
  }
  return <QuotesMissing feed={store.selected} />;
}

function SignedOut({ store }: { store: PageStore }) {
  return (
    <Message title="You are signed out">
      <p>Sign in as a member of tenant {store.selected.config.tenant}. You return to this feed.</p>
      {store.signInError && <p role="alert">{store.signInError}</p>}
      <button type="button" onClick={() => void store.signIn()}>
        Sign in
      </button>
    </Message>
  );
}

interface NotReadableProps {
  error: SourceError;
  tenant: string;
  userID: string | null;
}

function NotReadable({ error, tenant, userID }: NotReadableProps) {
  switch (error.code) {
    case "permission-denied":
      return (
        <Message title={`This account may not read tenant ${tenant}`}>
          <p>
            An administrator must create the document tenants/{tenant}/users/{userID ?? "USER-ID"} and set the claim
            tenant_id of the account to {tenant}. Then sign out and in again. The page tries again every 10 s.
          </p>
        </Message>
      );
    case "offline":
    case "unavailable":
      return (
        <Message title="Firestore cannot be reached">
          <p>Check the network of this computer. The page continues by itself when Firestore answers.</p>
        </Message>
      );
    default:
      return (
        <Message title="Firestore cannot be read">
          <p>
            {error.message} {error.remedy}
          </p>
        </Message>
      );
  }
}

function QuotesMissing({ feed: { symbols, config } }: { feed: Feed }) {
  if (symbols.error) {
    return (
      <Message title="The quotes cannot be read">
        <p>
          {symbols.error.message} {symbols.error.remedy}
        </p>
      </Message>
    );
  }
  if (!symbols.isListed) {
    return <Message title="Loading the symbols" />;
  }
  return (
    <Message title="There are no quotes yet">
      <p>
        tenants/{config.tenant}/{config.collection} has no quote of this feed. A symbol appears with its first quote. If
        none appears while the market is open, read the log of the job's pod: the command is above.
      </p>
    </Message>
  );
}
