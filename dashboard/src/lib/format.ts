import type { Quote } from "./types";

const UNITS = [
  ["d", 86_400],
  ["h", 3600],
  ["m", 60],
  ["s", 1],
] as const;

/** Return a duration in its two largest units, such as `2 h 14 m`. Less than a second is `0 s`. */
export function formatDuration(milliseconds: number): string {
  let seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const parts: string[] = [];
  for (const [unit, size] of UNITS) {
    const count = Math.floor(seconds / size);
    seconds -= count * size;
    if (count > 0) {
      parts.push(`${count} ${unit}`);
    } else if (parts.length > 0) {
      break;
    }
    if (parts.length === 2) {
      break;
    }
  }
  return parts.join(" ") || "0 s";
}

/** Return an instant such as `2026-03-02 14:31:05 UTC`. */
export function formatInstant(milliseconds: number): string {
  const instant = new Date(milliseconds);
  if (Number.isNaN(instant.getTime())) {
    return "an unknown time";
  }
  return `${instant.toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** Return the time that is left, rounded up, so that it reaches `0 s` exactly at the end. */
export function formatCountdown(milliseconds: number): string {
  return formatDuration(Math.ceil(milliseconds / 1000) * 1000);
}

/** Return how many digits after the point show this price: two, or as many as a small price needs to show a change. */
export function decimalsOf(price: number | null): number {
  if (price === null || price === 0) {
    return 2;
  }
  const size = Math.abs(price);
  if (size >= 1) {
    const isInCents = Math.abs(price * 100 - Math.round(price * 100)) < 1e-6;
    return size < 10 && !isInCents ? 4 : 2;
  }
  return Math.min(8, Math.max(4, 3 - Math.floor(Math.log10(size))));
}

/** Return a price, with `decimals` digits after the point if they are given, or a dash where there is none. */
export function formatPrice(price: number | null, decimals = decimalsOf(price)): string {
  if (price === null) {
    return "–";
  }
  return price.toLocaleString("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
}

/** Return the price that a quote shows: null where its writer says that it is not a price. */
export function shownPrice({ price, priceBasis }: Pick<Quote, "price" | "priceBasis">): number | null {
  return priceBasis === null ? null : price;
}
