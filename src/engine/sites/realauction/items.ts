import type { Cheerio, CheerioAPI } from 'cheerio/slim'
import { load } from 'cheerio/slim'
import type { Element } from 'domhandler'
import type { RawData, RawField, RawStatus } from '../../../domain.ts'
import { ScrapeError } from '../../errors.ts'
import { fold, textOf } from '../text.ts'

export type Area = NonNullable<RawData['area']>

/** One listing as its markup has it. */
export interface ParsedItem {
  /** The site's `aid`. */
  auctionId: string
  /** In page order. A blank label continues the field before it. */
  fields: RawField[]
  /** The status block where it is filled: FNC=LOAD answers leave it empty. */
  status: RawStatus | null
  /** The area of the day page it stands in; null where the markup does not say, as in FNC=LOAD answers. */
  area: Area | null
}

/**
 * The listings in a day page or in decoded FNC=LOAD markup.
 *
 * Three templates exist, and a county may change from one to another: label and value as `td` and `td`, as `th` and
 * `td`, or as flat `div` siblings without rows; the classes AD_LBL and AD_DTA may be missing where table cells say the
 * same. Fields are read by label in document order, never by position.
 *
 * Throws TEMPLATE_CHANGED for a listing without an id.
 */
export function parseItems(html: string): ParsedItem[] {
  const $ = load(html)
  return $(itemSelector)
    .toArray()
    .map((element) => {
      const item = $(element)
      return { auctionId: idOf(item), fields: readFields($, item), status: readStatus(item), area: areaOf(item) }
    })
}

const itemSelector = '.AUCTION_ITEM, [id^="AITEM_"]'

function idOf(item: Cheerio<Element>): string {
  const id = item.attr('aid')?.trim() || (item.attr('id') ?? '').replace(/^AITEM_/, '')
  if (!/^\d+$/.test(id)) throw new ScrapeError('TEMPLATE_CHANGED', `a listing has no auction id: ${id || 'none'}`)
  return id
}

function areaOf(item: Cheerio<Element>): Area | null {
  const area = item.closest('[arid]').attr('arid')
  return area === 'W' || area === 'R' || area === 'C' ? area : null
}

function readFields($: CheerioAPI, item: Cheerio<Element>): RawField[] {
  const cells = item
    .find('.AD_LBL, .AD_DTA, th, td')
    .filter((_, cell) => $(cell).closest(itemSelector).is(item) && $(cell).closest('.AUCTION_STATS').length === 0)
    // A cell around other cells is layout.
    .filter((_, cell) => $(cell).find('.AD_LBL, .AD_DTA, th, td').length === 0)
  const fields: RawField[] = []
  // Values of one label that stand in several cells are further lines of it.
  let filled = true
  for (const element of cells.toArray()) {
    if (isLabel($, element)) {
      fields.push({ label: textOf(element), value: '' })
      filled = false
      continue
    }
    const value = readValue($, element)
    const last = fields.at(-1)
    if (filled || last === undefined) fields.push({ label: '', ...value })
    else Object.assign(last, value)
    filled = true
  }
  return fields
}

function isLabel($: CheerioAPI, element: Element): boolean {
  const cell = $(element)
  if (cell.is('.AD_LBL, .AD_DTA')) return cell.hasClass('AD_LBL')
  if (element.name === 'th') return true
  // Bare td and td: the first cell of its row names the second.
  const row = cell.siblings('th, td')
  return cell.is(':first-child') && row.length > 0 && !row.is('th, .AD_LBL')
}

/** The text of a cell's link where it has exactly one with a text, else of the cell; the first link's address. */
function readValue($: CheerioAPI, cell: Element): { value: string; href?: string } {
  const links = $(cell).find('a').toArray()
  const named = links.filter((link) => textOf(link) !== '')
  const value = textOf(named.length === 1 && named[0] ? named[0] : cell)
  const href = fold((named[0] ?? links[0])?.attribs['href'] ?? '')
  return href === '' ? { value } : { value, href }
}

function readStatus(item: Cheerio<Element>): RawStatus | null {
  const slot = (name: string) => {
    const element = item.find(`.AUCTION_STATS .${name}`).get(0)
    return element === undefined ? '' : textOf(element)
  }
  const status: RawStatus = {
    A: slot('ASTAT_MSGA'),
    B: slot('ASTAT_MSGB'),
    C: slot('ASTAT_MSGC'),
    D: slot('ASTAT_MSGD'),
    SL: slot('ASTAT_MSG_SOLDTO_Label'),
    ST: slot('ASTAT_MSG_SOLDTO_MSG'),
  }
  return Object.values(status).some((text) => text !== '') ? status : null
}
