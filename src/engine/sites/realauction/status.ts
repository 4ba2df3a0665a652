import { z } from 'zod'
import type { RawStatus } from '../../../domain.ts'
import { ScrapeError } from '../../errors.ts'
import { textOfHtml } from '../text.ts'
import { parseJson } from './load.ts'

/** One FNC=UPDATE answer. */
export interface StatusAnswer {
  /** By auction id. A listing may be missing: days that are past can answer an empty list. */
  items: Map<string, RawStatus>
  /** Pages of area C (`CM`); null where the answer does not say. */
  pagesClosed: number | null
}

/**
 * Reads the body of an FNC=UPDATE answer. AITEM is a list, or the listing itself when there is one; keys may be
 * missing and numbers may be text.
 *
 * Throws SITE_OFFLINE or BLOCKED for such a page, TEMPLATE_CHANGED for what is no status answer.
 */
export function parseStatus(body: string): StatusAnswer {
  const parsed = statusBody.safeParse(parseJson(body, 'FNC=UPDATE'))
  if (!parsed.success) throw new ScrapeError('TEMPLATE_CHANGED', 'the answer to FNC=UPDATE has no ADATA of statuses')
  const { ADATA, CM } = parsed.data
  const items = new Map<string, RawStatus>()
  for (const { AID, ...status } of [ADATA.AITEM].flat()) items.set(AID, status)
  return { items, pagesClosed: /^\d+$/.test(CM) ? Number(CM) : null }
}

const text = z
  .union([z.string(), z.number(), z.null()])
  .default('')
  .transform((value) => textOfHtml(String(value ?? '')))

const statusItem = z.object({
  AID: text.refine((id) => /^\d+$/.test(id)),
  A: text,
  B: text,
  C: text,
  D: text,
  SL: text,
  ST: text,
})

const statusBody = z.object({
  ADATA: z.object({ AITEM: z.union([z.array(statusItem), statusItem]).default([]) }),
  CM: text,
})
