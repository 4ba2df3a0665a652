import { padding } from './html.ts'
import { itemMarkup, itemWithoutLabels } from './itemMarkup.ts'
import { encodeTokens } from './tokens.ts'
import type { SampleItem } from './types.ts'

/**
 * The FNC=LOAD answer: a page of an area, its markup shortened by the token table. Without items it is the same as what
 * a cold session gets. `changed`: as after a change of the page's templates.
 */
export function loadAnswer(items: readonly SampleItem[], changed?: 'token' | 'labels'): string {
  const markup = encodeTokens(items.map(changed === 'labels' ? itemWithoutLabels : itemMarkup).join(''))
  const retHTML = changed === 'token' ? markup.replaceAll('ASTAT_', '@M') : markup
  const rlist = items.map((item) => item.aid).join(',')
  return padded(`{"retHTML":${JSON.stringify(retHTML)}, "rlist":${JSON.stringify(rlist)}}`)
}

/** JSON as the real site sends it: white space around it, and HTML by its content type. */
export const padded = (json: string): string => `${padding}${json}\n\n\n\n\n`
