/** The zones in which the page can show times. */
export const ZONES = ["exchange", "UTC", "local"] as const;
export type Zone = (typeof ZONES)[number];

const EXCHANGE_ZONE = "America/New_York";
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

/** Return a skew as +60 s or −7 s. */
export function formatSkew(skewSeconds: number): string {
  const seconds = Math.round(skewSeconds);
  return `${seconds > 0 ? "+" : "−"}${Math.abs(seconds)} s`;
}
