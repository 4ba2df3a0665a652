import { z } from 'zod'
import { labelField } from '../../convert/labels.ts'
import { ScrapeError } from '../../errors.ts'
import { type ParsedItem, parseItems } from './items.ts'
import { recognisePage } from './pages.ts'
import { decodeTokens } from './tokens.ts'

/** One FNC=LOAD answer: a page of one area. */
export interface LoadAnswer {
  items: ParsedItem[]
  /** The ids the answer lists (`rlist`), in its order. */
  ids: string[]
  /** Neither listings nor ids: an empty area, or a session that never saw the day page. The two look the same. */
  empty: boolean
}

/**
 * Reads the body of an FNC=LOAD answer: JSON under white-space padding, whatever its content type says.
 *
 * Throws SITE_OFFLINE or BLOCKED for such a page, and TEMPLATE_CHANGED for what is no answer, for listings that the
 * answer's own list lacks or the other way round, and when not one listing shows a case number: an unread template
 * must never become empty rows.
 */
export function parseLoad(body: string): LoadAnswer {
  const answer = readLoad(body)
  if (answer === null) throw new ScrapeError('TEMPLATE_CHANGED', 'the answer to FNC=LOAD has no retHTML')
  const found = new Set(answer.items.map((item) => item.auctionId))
  const missing = answer.ids.filter((id) => !found.has(id))
  if (missing.length > 0) {
    throw new ScrapeError('TEMPLATE_CHANGED', `listings ${missing.join(', ')} are in rlist and not in the markup`)
  }
  const extra = [...found].filter((id) => !answer.ids.includes(id))
  if (extra.length > 0) {
    throw new ScrapeError('TEMPLATE_CHANGED', `listings ${extra.join(', ')} are in the markup and not in rlist`)
  }
  if (answer.items.length > 0 && !answer.items.some(hasCaseNumber)) {
    throw new ScrapeError('TEMPLATE_CHANGED', `none of ${answer.items.length} listings shows a case number`)
  }
  return answer
}

/**
 * The same without the checks of one part against another. null for JSON of another kind, such as a status answer.
 */
export function readLoad(body: string): LoadAnswer | null {
  const parsed = loadBody.safeParse(parseJson(body, 'FNC=LOAD'))
  if (!parsed.success) return null
  const { retHTML, rlist } = parsed.data
  const html = decodeTokens(retHTML)
  const items = parseItems(html)
  if (items.length === 0 && html.trim() !== '') {
    const fault = recognisePage(html)
    if (fault !== null) throw fault
  }
  const ids = [...new Set(String(rlist).split(/[\s,]+/))].filter((id) => id !== '')
  return { items, ids, empty: items.length === 0 && ids.length === 0 }
}

/**
 * The JSON of an answer that may be padded. Throws SITE_OFFLINE or BLOCKED when a page of that kind came instead,
 * TEMPLATE_CHANGED for anything else that is not JSON.
 */
export function parseJson(body: string, call: string): unknown {
  try {
    return JSON.parse(body.replace(/^\uFEFF/, ''))
  } catch (error) {
    throw (
      recognisePage(body) ??
      new ScrapeError('TEMPLATE_CHANGED', `the answer to ${call} is not JSON: ${body.trim().slice(0, 60) || 'empty'}`, {
        cause: error,
      })
    )
  }
}

/** A single id may come as a number. */
const loadBody = z.object({ retHTML: z.string(), rlist: z.union([z.string(), z.number()]) })

const hasCaseNumber = (item: ParsedItem): boolean =>
  item.fields.some((field) => field.value !== '' && labelField(field.label) === 'caseNumber')
