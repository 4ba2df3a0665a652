import { setTimeout as delay } from 'node:timers/promises'
import { seededRandom } from '../../src/demo/site/random.ts'
import { type SampleSite, startSampleSite } from '../../src/demo/site/server.ts'
import type { DayType } from '../../src/demo/site/types.ts'
import { day, sale, today } from '../support/sampleDays.ts'

/** Days around today on which a site may hold a sale. Tomorrow has none: a run over midnight would judge it otherwise. */
const offsets = [-6, -5, -4, -3, -2, -1, 0, 2, 3, 4, 5]

/** The days that jobs are about. */
export const range = { first: -6, last: 6, startDate: day(-6), endDate: day(6) }

const types: readonly DayType[] = ['FC', 'SHERIFF', 'TD', 'BOTH']

/** Sites with the same listings for the same seed, whatever day it is. */
export async function openSites(count: number, seed: number): Promise<SampleSite[]> {
  return await Promise.all(
    Array.from({ length: count }, async (_, site) => {
      const random = seededRandom('chaos site', seed, site)
      const days = offsets
        .filter(() => random.chance(0.6))
        .map((offset) => sale(offset, random.integer(3, 16), random.pick(types), seed * 100 + site))
      return await startSampleSite({ days, today, latencyMs: 10 })
    }),
  )
}

/** Plays a fault on a site for some time, or until the signal aborts. */
export async function playFault(
  site: SampleSite,
  fault: Parameters<SampleSite['faults']['add']>[0],
  seconds: number,
  signal: AbortSignal,
): Promise<void> {
  const remove = site.faults.add(fault)
  await delay(seconds * 1000, undefined, { signal }).catch(() => undefined)
  remove()
}
