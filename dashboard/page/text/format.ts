/** The zones in which the page can show times. */
export const ZONES = ["exchange", "UTC", "local"] as const;
export type Zone = (typeof ZONES)[number];

const EXCHANGE_ZONE = "America/New_York";
const DASH = "–";
const formats = new Map<string, Intl.DateTimeFormat>();

function timeFormat(zone: Zone, seconds: boolean): Intl.DateTimeFormat {
  const key = `${zone} ${seconds}`;
  const known = formats.get(key);
  if (known) {
    return known;
  }
  const made = new Intl.DateTimeFormat("en-GB", {
    hour: "2-digit",
    minute: "2-digit",
    ...(seconds ? { second: "2-digit" as const } : {}),
    ...(zone === "local" ? {} : { timeZone: zone === "UTC" ? "UTC" : EXCHANGE_ZONE }),
  });
  formats.set(key, made);
  return made;
}

/** Return a time of day, as 09:30:02 or 09:30. */
export function formatTime(at: number, zone: Zone, seconds = true): string {
  return timeFormat(zone, seconds).format(at);
}

/** Return a time of day, with the date if it is not that of `now` in this zone. */
export function formatTimeNear(at: number, now: number, zone: Zone): string {
  const day = new Intl.DateTimeFormat("en-GB", {
    weekday: "short",
    day: "numeric",
    month: "short",
    ...(zone === "local" ? {} : { timeZone: zone === "UTC" ? "UTC" : EXCHANGE_ZONE }),
  });
  const date = day.format(at);
  return date === day.format(now) ? formatTime(at, zone) : `${date} ${formatTime(at, zone, false)}`;
}

/** Return a short age, as 0 s, 14 s, 3 m 05 s, 2 h 14 m or 3 d 2 h; a dash if it is unknown. */
export function formatAge(milliseconds: number | null): string {
  if (milliseconds === null) {
    return DASH;
  }
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  if (seconds < 60) {
    return `${seconds} s`;
  }
  if (seconds < 3600) {
    return `${Math.floor(seconds / 60)} m ${pad(seconds % 60)} s`;
  }
  if (seconds < 86_400) {
    return `${Math.floor(seconds / 3600)} h ${pad(Math.floor((seconds % 3600) / 60))} m`;
  }
  return `${Math.floor(seconds / 86_400)} d ${Math.floor((seconds % 86_400) / 3600)} h`;
}

/** Return the time that is left, rounded up so that it reaches 0 s exactly at the end. */
export function formatCountdown(milliseconds: number): string {
  return formatAge(Math.ceil(milliseconds / 1000) * 1000);
}

/** Return how many digits after the point show this price: two, or as many as a price below 1 needs. */
export function decimalsOf(price: number | null): number {
  if (price === null || price === 0 || Math.abs(price) >= 1) {
    return price !== null && Math.abs(price) < 10 && !hasAtMostTwoDecimals(price) ? 4 : 2;
  }
  return Math.min(8, Math.max(4, 3 - Math.floor(Math.log10(Math.abs(price)))));
}

function hasAtMostTwoDecimals(price: number): boolean {
  return Math.abs(price * 100 - Math.round(price * 100)) < 1e-6;
}

/** Return a number with a fixed count of decimals and thousands separators; a dash for null. */
export function formatNumber(value: number | null, decimals: number): string {
  if (value === null || !Number.isFinite(value)) {
    return DASH;
  }
  return value.toLocaleString("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
}

/** Return a skew as +60 s or -7 s. */
export function formatSkew(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  return `${seconds > 0 ? "+" : "−"}${Math.abs(seconds)} s`;
}

function pad(value: number): string {
  return String(value).padStart(2, "0");
}
