/** How often something may be done: `perSecond` in the long run, and `burst` at once by whoever has paused. */
export interface Rate {
  readonly perSecond: number
  readonly burst: number
}

/** How often the buckets of those who have paused are thrown away. */
const sweepMs = 10_000

/**
 * A token bucket for each name. Every call takes a token; where there is none it answers the whole seconds until there
 * is one again, else null.
 */
export function createRate(rate: Rate): (name: string) => number | null {
  const buckets = new Map<string, { left: number; at: number }>()
  let sweptAt = performance.now()

  function filled(bucket: { left: number; at: number }, now: number): number {
    return Math.min(rate.burst, bucket.left + ((now - bucket.at) / 1000) * rate.perSecond)
  }

  function sweep(now: number): void {
    for (const [name, bucket] of buckets) if (filled(bucket, now) >= rate.burst) buckets.delete(name)
    sweptAt = now
  }

  return (name) => {
    const now = performance.now()
    if (now - sweptAt >= sweepMs) sweep(now)
    const bucket = buckets.get(name)
    const left = bucket ? filled(bucket, now) : rate.burst
    const taken = left >= 1
    buckets.set(name, { left: taken ? left - 1 : left, at: now })
    return taken ? null : Math.ceil((1 - left) / rate.perSecond)
  }
}
