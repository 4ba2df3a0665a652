/** Where readers sleep until there is something new. */
export interface WakeUp {
  /** Resolves at the next wake, or when the signal aborts. */
  sleep(signal: AbortSignal): Promise<void>
  wake(): void
  waiters(): number
}

export function createWakeUp(): WakeUp {
  const sleepers = new Set<() => void>()
  return {
    async sleep(signal) {
      if (signal.aborted) return
      const { promise, resolve } = Promise.withResolvers<void>()
      const aborted = () => resolve()
      sleepers.add(resolve)
      signal.addEventListener('abort', aborted)
      try {
        await promise
      } finally {
        sleepers.delete(resolve)
        signal.removeEventListener('abort', aborted)
      }
    },
    wake() {
      for (const resolve of sleepers) resolve()
    },
    waiters: () => sleepers.size,
  }
}

/**
 * A generator whose return() ends it at once, also while it sleeps: a bare one that awaits does not hear of it. The
 * generator is made with a signal that aborts on return() and with any of the given signals.
 */
export function endsOnReturn<T>(
  signals: readonly AbortSignal[],
  make: (signal: AbortSignal) => AsyncGenerator<T, void, undefined>,
): AsyncGenerator<T, void, undefined> {
  const left = new AbortController()
  const inner = make(AbortSignal.any([...signals, left.signal]))
  const outer: AsyncGenerator<T, void, undefined> = {
    next: async () => await inner.next(),
    async return(value) {
      left.abort()
      return await inner.return(await value)
    },
    async throw(error) {
      left.abort()
      return await inner.throw(error)
    },
    [Symbol.asyncIterator]: () => outer,
    async [Symbol.asyncDispose]() {
      await outer.return(undefined)
    },
  }
  return outer
}
