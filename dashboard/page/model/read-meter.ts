const WINDOW_SECONDS = 10;

/** Counts the documents that Firestore bills as read, and the open listeners. */
export class ReadMeter {
  total = 0;
  listeners = 0;
  private readonly buckets = new Map<number, number>();

  /** Count `documents` reads at `now`. */
  countReads(now: number, documents: number): void {
    const second = Math.floor(now / 1000);
    this.total += documents;
    this.buckets.set(second, (this.buckets.get(second) ?? 0) + documents);
    for (const old of this.buckets.keys()) {
      if (old < second - WINDOW_SECONDS) {
        this.buckets.delete(old);
      }
    }
  }

  /** Return the reads per second, averaged over the 10 whole seconds before `now`. */
  perSecond(now: number): number {
    const second = Math.floor(now / 1000);
    let reads = 0;
    for (let back = 1; back <= WINDOW_SECONDS; back += 1) {
      reads += this.buckets.get(second - back) ?? 0;
    }
    return reads / WINDOW_SECONDS;
  }
}
