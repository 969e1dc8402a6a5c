import type { BadgedFeed, PageStore } from "../model/page-store";

/** The name of the page, the feeds with the worst first, and the account. */
export function TopBar({ store }: { store: PageStore }) {
  const feeds = store.badgedFeeds();
  const tenants = [...new Set(feeds.map(({ feed }) => feed.config.tenant))];
  const { tenant } = store.selected.config;
  const shown = feeds.filter(({ feed }) => feed.config.tenant === tenant);
  return (
    <header className="top">
      <h1 className="brand">Sluice</h1>
      {tenants.length > 1 ? <TenantSelect store={store} feeds={feeds} tenants={tenants} /> : <span>{tenant}</span>}
      <nav aria-label="Feeds, the worst first">
        <ul className="feeds">
          {shown.map((each) => (
            <li key={each.feed.key}>
              <FeedTab store={store} badged={each} />
            </li>
          ))}
        </ul>
      </nav>
      <span className="spring" />
      <Account store={store} />
    </header>
  );
}

function TenantSelect({ store, feeds, tenants }: { store: PageStore; feeds: BadgedFeed[]; tenants: string[] }) {
  // The feeds are sorted, so the first of a tenant is its worst.
  const worstOf = (tenant: string) => feeds.find(({ feed }) => feed.config.tenant === tenant) as BadgedFeed;
  return (
    <select
      aria-label="Tenant"
      value={store.selected.config.tenant}
      onChange={(event) => store.select(worstOf(event.target.value).feed)}
    >
      {tenants.map((tenant) => {
        const { badge } = worstOf(tenant);
        return (
          <option key={tenant} value={tenant}>
            {`${badge.glyph} ${tenant} – ${badge.word}`}
          </option>
        );
      })}
    </select>
  );
}

function FeedTab({ store, badged: { feed, badge } }: { store: PageStore; badged: BadgedFeed }) {
  const name = feed.state.heartbeat?.job?.split("/")[1] ?? feed.config.document;
  return (
    <button
      type="button"
      className={`feed-tab ${badge.tone}`}
      aria-pressed={feed === store.selected}
      title={`tenants/${feed.config.tenant}/ops/${feed.config.document}`}
      onClick={() => store.select(feed)}
    >
      <span className="glyph" aria-hidden="true">
        {badge.glyph}
      </span>
      {name}
      <span className="word">{badge.word}</span>
    </button>
  );
}

function Account({ store }: { store: PageStore }) {
  const { signedIn, userID } = store.selected.state;
  if (signedIn === null) {
    return null;
  }
  if (!signedIn) {
    return (
      <button type="button" onClick={() => void store.signIn()}>
        Sign in
      </button>
    );
  }
  return (
    <>
      <span className="who">{userID}</span>
      <button type="button" onClick={() => void store.signOut()}>
        Sign out
      </button>
    </>
  );
}
