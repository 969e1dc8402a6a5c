export const BUCKET_MILLISECONDS = 4000;
export const BUCKETS = 150;

/** The prices of one symbol over the last 10 minutes, one sample for each 4 s; NaN if it was without a live price then. */
export class PriceHistory {
  private readonly samples = new Float64Array(BUCKETS).fill(Number.NaN);
  private newest = 0;
  private newestGap = -1;
  private hasPrice = false;

  /** Record the price at `now`, or null while the symbol has no live price. */
  record(now: number, price: number | null): void {
    const bucket = Math.floor(now / BUCKET_MILLISECONDS);
    this.advanceTo(bucket);
    if (bucket !== this.newest) {
      return;
    }
    if (price !== null) {
      this.hasPrice = true;
    } else if (this.hasPrice) {
      this.newestGap = bucket;
    }
    // A gap that is shorter than a bucket is shown, too.
    this.samples[bucket % BUCKETS] = price === null || this.newestGap === bucket ? Number.NaN : price;
  }

  /** Return the BUCKETS samples that end at `now`, oldest first. */
  read(now: number): number[] {
    const last = Math.floor(now / BUCKET_MILLISECONDS);
    this.advanceTo(last);
    return Array.from({ length: BUCKETS }, (_, index) => this.samples[(last + 1 + index) % BUCKETS] as number);
  }

  private advanceTo(bucket: number): void {
    const skipped = Math.min(bucket - this.newest, BUCKETS);
    for (let step = 0; step < skipped; step += 1) {
      this.samples[(bucket - step) % BUCKETS] = Number.NaN;
    }
    this.newest = Math.max(this.newest, bucket);
  }
}

/** A drawing of samples in a box: an SVG path with one line for each stretch without a gap, and the gaps' x ranges. */
export interface Drawing {
  path: string;
  gaps: { from: number; to: number }[];
  end: { x: number; y: number } | null;
}

/** Draw samples in a box of `width` × `height` pixels. A gap before the first sample is not drawn. */
export function drawSamples(samples: number[], width: number, height: number): Drawing {
  const known = samples.filter(Number.isFinite);
  const low = Math.min(...known);
  const span = Math.max(...known) - low;
  const x = (index: number) => round((index / (samples.length - 1)) * width);
  const y = (value: number) => round(span === 0 ? height / 2 : height - 1 - ((value - low) / span) * (height - 2));
  const drawing: Drawing = { path: "", gaps: [], end: null };
  let previous = -1;
  samples.forEach((value, index) => {
    if (!Number.isFinite(value)) {
      return;
    }
    const joined = previous === index - 1 && previous >= 0;
    if (!joined && previous >= 0) {
      drawing.gaps.push({ from: x(previous), to: x(index) });
    }
    drawing.path += `${joined ? "L" : "M"}${x(index)} ${y(value)}`;
    drawing.end = { x: x(index), y: y(value) };
    previous = index;
  });
  if (previous >= 0 && previous < samples.length - 2) {
    drawing.gaps.push({ from: x(previous), to: width });
  }
  return drawing;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
