import { pageCount } from './days.ts'
import { padded } from './loadAnswer.ts'
import type { SampleDay } from './types.ts'

/**
 * The FNC=UPDATE answer: the status values of the asked listings of the session's day, the page counts of its closed
 * and waiting areas, and the seconds until one should ask again. One listing alone is no list; COUNT is a number then,
 * else a string, as both occur.
 */
export function statusAnswer(day: SampleDay | undefined, asked: string, pageSize: number): string {
  const wanted = new Set(asked.split(',').map((aid) => aid.trim()))
  const found = (day?.items ?? []).filter((item) => wanted.has(item.aid))
  // The buyer "Plaintiff" comes with a blank behind it.
  const items = found.map(({ aid, status }) => ({
    AID: aid,
    ...status,
    ST: status.ST === 'Plaintiff' ? 'Plaintiff ' : status.ST,
  }))
  const one = items.length === 1
  return padded(
    JSON.stringify({
      ADATA: { AITEM: one ? items[0] : items, COUNT: one ? 1 : String(items.length) },
      NC: 15,
      CM: String(pageCount(day, 'C', pageSize)),
      WM: String(pageCount(day, 'W', pageSize)),
    }),
  )
}
