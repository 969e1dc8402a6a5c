import type { Badge } from "../src/lib/badge";
import type { Tone } from "../src/lib/looks";

const COLORS: Record<Tone, string> = { good: "#2f9e6e", idle: "#6485ad", warning: "#d9941a", bad: "#d0453b" };

// The shapes differ as well as the colors: a disc, two bars, a triangle, a cross.
const SHAPES: Record<Tone, string> = {
  good: '<circle cx="16" cy="16" r="11"/>',
  idle: '<path d="M8 5h6v22H8zM18 5h6v22h-6z"/>',
  warning: '<path d="M16 4 30 28H2z"/>',
  bad: '<path d="m7 3 9 9 9-9 4 4-9 9 9 9-4 4-9-9-9 9-4-4 9-9-9-9z"/>',
};

/** Show the badge in the title and the icon of the browser's tab. */
export function showInTab(badge: Badge, name: string): void {
  document.title = `${badge.glyph} ${badge.word} ${name} – Sluice`;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32" fill="${COLORS[badge.tone]}">${SHAPES[badge.tone]}</svg>`;
  const link = document.querySelector<HTMLLinkElement>('link[rel="icon"]');
  if (link) {
    link.href = `data:image/svg+xml,${encodeURIComponent(svg)}`;
  }
}
