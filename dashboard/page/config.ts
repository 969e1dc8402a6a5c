/** One feed: the heartbeat document and the quotes that belong to it. */
export interface FeedConfig {
  tenant: string;
  document: string;
  collection: string;
}

/** The page's configuration, /config.json: which Firestore it reads, and how its users sign in. */
export interface PageConfig {
  projectId: string;
  apiKey: string | null;
  authDomain: string | null;
  database: string | null;
  emulatorHost: string | null;
  mockUser: { uid: string; tenantId: string } | null;
  feeds: FeedConfig[];
  /** A heartbeat that is older than this many seconds makes its feed stale. */
  heartbeatStaleAfterSeconds: number;
}

/** The configuration cannot be used. The message says what is wrong and how to correct it. */
export class ConfigError extends Error {}

const EXAMPLE = "See dashboard/config.example.json.";

/** Check what config.json contains. Raises ConfigError. */
export function parseConfig(value: unknown): PageConfig {
  if (!isRecord(value)) {
    throw new ConfigError(`config.json is not a JSON object. ${EXAMPLE}`);
  }
  const config: PageConfig = {
    projectId: text(value, "projectId") ?? missing("projectId"),
    apiKey: text(value, "apiKey"),
    authDomain: text(value, "authDomain"),
    database: text(value, "database"),
    emulatorHost: text(value, "emulatorHost"),
    mockUser: mockUserOf(value.mockUser),
    feeds: feedsOf(value),
    heartbeatStaleAfterSeconds: staleAfterOf(value.heartbeatStaleAfterSeconds),
  };
  if (!config.emulatorHost && !config.apiKey) {
    throw new ConfigError(`config.json has neither apiKey, of a Firebase project, nor emulatorHost. ${EXAMPLE}`);
  }
  return config;
}

/** Return a feed's name in links and lists. */
export function feedKey(feed: FeedConfig): string {
  return `${feed.tenant}/${feed.document}/${feed.collection}`;
}

function feedsOf(value: Record<string, unknown>): FeedConfig[] {
  const listed = value.feeds ?? [{}];
  if (!Array.isArray(listed) || listed.length === 0 || !listed.every(isRecord)) {
    throw new ConfigError(`The field feeds of config.json must be a list of at least one object. ${EXAMPLE}`);
  }
  const tenant = text(value, "tenant");
  return listed.map((each) => ({
    tenant: text(each, "tenant") ?? tenant ?? missing("tenant"),
    document: text(each, "document") ?? "market_ingest",
    collection: text(each, "collection") ?? "live_quotes",
  }));
}

function mockUserOf(value: unknown): PageConfig["mockUser"] {
  if (value === undefined || value === null) {
    return null;
  }
  if (!isRecord(value)) {
    throw new ConfigError(`The field mockUser of config.json must be an object with uid and tenantId. ${EXAMPLE}`);
  }
  return {
    uid: text(value, "uid") ?? missing("mockUser.uid"),
    tenantId: text(value, "tenantId") ?? missing("mockUser.tenantId"),
  };
}

function staleAfterOf(value: unknown): number {
  if (value === undefined) {
    return 30;
  }
  if (typeof value !== "number" || !(value > 0)) {
    throw new ConfigError("The field heartbeatStaleAfterSeconds of config.json must be a number above 0, such as 30.");
  }
  return value;
}

function text(record: Record<string, unknown>, name: string): string | null {
  const value = record[name] ?? null;
  if (value !== null && typeof value !== "string") {
    throw new ConfigError(`The field ${name} of config.json must be a text. ${EXAMPLE}`);
  }
  return value || null;
}

function missing(name: string): never {
  throw new ConfigError(`config.json has no field ${name}. ${EXAMPLE}`);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
