import { type FeedConfig, feedKey } from "./config";

/** What a link to the page selects: ?tenant=acme&feed=market_ingest&symbol=SPY. */
export interface Link {
  tenant: string | null;
  feed: string | null;
  symbol: string | null;
}

/** Read the query part of an address. */
export function parseLink(search: string): Link {
  const query = new URLSearchParams(search);
  return { tenant: query.get("tenant"), feed: query.get("feed"), symbol: query.get("symbol") };
}

/** Return the query part that selects a feed and a symbol. */
export function formatLink(feed: FeedConfig, symbol: string | null): string {
  const query = new URLSearchParams({ tenant: feed.tenant, feed: feed.document });
  if (symbol) {
    query.set("symbol", symbol);
  }
  return `?${query}`;
}

/** Return the feed that a link selects; null if the link selects none, or one that is not configured. */
export function feedOfLink(link: Link, feeds: readonly FeedConfig[]): FeedConfig | null {
  if (!link.tenant && !link.feed) {
    return null;
  }
  const matches = (feed: FeedConfig) =>
    (!link.tenant || feed.tenant === link.tenant) &&
    (!link.feed || feed.document === link.feed || feedKey(feed) === link.feed);
  return feeds.find(matches) ?? null;
}
