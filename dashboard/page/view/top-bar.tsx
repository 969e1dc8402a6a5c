import type { FeedState, PageStore } from "../model/page-store";

/** The name of the page, the feeds with the worst first, and the account. */
export function TopBar({ store, states }: { store: PageStore; states: FeedState[] }) {
  const tenants = [...new Set(states.map(({ monitor }) => monitor.feed.tenant))];
  const { tenant } = store.board.feed;
  const shown = states.filter(({ monitor }) => monitor.feed.tenant === tenant);
  return (
    <header className="top">
      <h1 className="brand">Sluice</h1>
      {tenants.length > 1 ? <TenantSelect store={store} states={states} tenants={tenants} /> : <span>{tenant}</span>}
      <nav aria-label="Feeds, the worst first">
        <ul className="feeds">
          {shown.map((state) => (
            <li key={state.monitor.key}>
              <FeedTab store={store} state={state} />
            </li>
          ))}
        </ul>
      </nav>
      <span className="spring" />
      <Account store={store} />
    </header>
  );
}

function TenantSelect({ store, states, tenants }: { store: PageStore; states: FeedState[]; tenants: string[] }) {
  // The states are sorted, so the first of a tenant is its worst.
  const worstOf = (tenant: string) => states.find(({ monitor }) => monitor.feed.tenant === tenant) as FeedState;
  return (
    <select
      aria-label="Tenant"
      value={store.board.feed.tenant}
      onChange={(event) => store.select(worstOf(event.target.value).monitor.feed)}
    >
      {tenants.map((tenant) => {
        const { badge } = worstOf(tenant);
        return (
          <option key={tenant} value={tenant}>
            {`${badge.glyph} ${tenant} – ${badge.label}`}
          </option>
        );
      })}
    </select>
  );
}

function FeedTab({ store, state: { monitor, badge } }: { store: PageStore; state: FeedState }) {
  const name = monitor.heartbeat?.job?.split("/")[1] ?? monitor.feed.document;
  return (
    <button
      type="button"
      className={`feed-tab ${badge.tone}`}
      aria-pressed={monitor === store.selected}
      title={`tenants/${monitor.feed.tenant}/ops/${monitor.feed.document}`}
      onClick={() => store.select(monitor.feed)}
    >
      <span className="glyph" aria-hidden="true">
        {badge.glyph}
      </span>
      {name}
      <span className="word">{badge.label}</span>
    </button>
  );
}

function Account({ store }: { store: PageStore }) {
  if (store.identity === null) {
    return null;
  }
  if (!store.identity.signedIn) {
    return (
      <button type="button" onClick={() => void store.signIn()}>
        Sign in
      </button>
    );
  }
  return (
    <>
      <span className="who">{store.identity.userID}</span>
      <button type="button" onClick={() => void store.signOut()}>
        Sign out
      </button>
    </>
  );
}
