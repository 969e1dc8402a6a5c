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

/** Return a price with at least two decimals, or a dash where there is none. */
export function formatPrice(price: number | null): string {
  if (price === null) {
    return "–";
  }
  // A price below 1 needs more decimals to show a change.
  return price.toLocaleString("en-US", {
    minimumFractionDigits: 2,
    maximumFractionDigits: Math.abs(price) < 1 ? 6 : 4,
  });
}
