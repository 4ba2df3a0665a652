import { vi } from 'vitest'

/** Waits until the check no longer throws; longer than vi.waitFor would, for machines that do other things too. */
export async function until<T>(check: () => T | Promise<T>): Promise<T> {
  return await vi.waitFor(check, { timeout: 20_000 })
}
