const WINDOW_MILLISECONDS = 10_000;

/** The pace at which a number of reads grows. */
export class ReadMeter {
  private samples: { at: number; total: number }[] = [];

  /** Record the total number of documents read so far. */
  record(now: number, total: number): void {
    this.samples = [...this.samples.filter(({ at }) => now - at <= WINDOW_MILLISECONDS), { at: now, total }];
  }

  /** The reads per second over the last 10 s. */
  get perSecond(): number {
    const [first, last] = [this.samples[0], this.samples.at(-1)];
    return first && last && last.at > first.at ? ((last.total - first.total) * 1000) / (last.at - first.at) : 0;
  }
}
