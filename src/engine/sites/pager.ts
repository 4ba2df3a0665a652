import type { CheerioAPI } from 'cheerio'
import type { Element } from 'domhandler'
import { sameHost } from './pages.ts'
import { textOf } from './text.ts'

/** What follows a page of a table. */
export type NextPage =
  | { kind: 'none' }
  | { kind: 'link'; url: URL }
  /** There is more, behind a script or a form. */
  | { kind: 'unreachable'; says: string }

/**
 * Looks for a pager around these tables: a next page, the number after `pagesRead`, or a count such as
 * `Showing 1 to 10 of 57` that is not at its end.
 */
export function findNextPage($: CheerioAPI, tables: readonly Element[], page: URL, pagesRead: number): NextPage {
  const areas = pagerAreas($, tables)
  const controls = areas
    .flatMap((area) => ($(area).is('a, button') ? [area] : $(area).find(controlSelector).toArray()))
    .filter((control) => !isOff($, control))
  const named = (test: (text: string) => boolean) => controls.find((control) => test(saysWhat(control)))
  const next =
    named((text) => nextWords.test(text)) ??
    named((text) => text === String(pagesRead + 1)) ??
    named((text) => /^\d{1,4}$/.test(text) && Number(text) > pagesRead)
  if (next !== undefined) {
    const url = followable(next, page)
    return url === null ? { kind: 'unreachable', says: saysWhat(next) } : { kind: 'link', url }
  }
  for (const area of areas) {
    const [says, last = '', total = ''] = countWords.exec(textOf(area)) ?? []
    if (says !== undefined && Number(last) < Number(total.replaceAll(',', ''))) return { kind: 'unreachable', says }
  }
  return { kind: 'none' }
}

const controlSelector = 'a, button, input[type=submit], input[type=button]'
const nextWords = /^(?:next(?: page)?|load more|show more)\s*[›»>→]*$|^[›»>→]{1,2}$/i
const countWords = /\b\d[\d,]* ?(?:-|–|to|through) ?(\d+) of (?:about )?(\d[\d,]*)\b/i

/** What calls itself a pager, what stands behind a table, and rows of one cell within it. */
function pagerAreas($: CheerioAPI, tables: readonly Element[]): Element[] {
  const named = $('[class], [id], [aria-label]')
    .toArray()
    .filter(({ attribs }) => pagerName.test([attribs['class'], attribs['id'], attribs['aria-label']].join(' ')))
  const around = tables.flatMap((table) => {
    const parent = $(table).parent().not('body, html')
    return [...$(table).nextAll().slice(0, 2).toArray(), ...parent.nextAll().slice(0, 2).toArray()]
  })
  const within = tables.flatMap((table) => [
    ...$(table).find('tfoot').toArray(),
    ...$(table)
      .find('tr')
      .toArray()
      .filter((row) => $(row).children('td, th').length === 1),
  ])
  // A table that comes next is not this one's pager.
  return [...new Set([...named, ...around, ...within])].filter((area) => !tables.includes(area))
}

const pagerName = /(?:^|[-_ ])(?:pager|pagination|paginate|paginator|paging|pagenavi|page-numbers)(?:$|[-_ ])/i

function saysWhat(control: Element): string {
  const { attribs } = control
  return textOf(control) || (attribs['value'] ?? attribs['aria-label'] ?? attribs['title'] ?? '').trim()
}

function isOff($: CheerioAPI, control: Element): boolean {
  const marked = $(control).add($(control).closest('li'))
  return marked.is('.disabled, .active, .current, [disabled], [aria-disabled=true], [aria-current], [hidden]')
}

function followable(control: Element, page: URL): URL | null {
  const href = control.attribs['href']?.trim() ?? ''
  if (href === '' || href.startsWith('#') || !URL.canParse(href, page)) return null
  const url = new URL(href, page)
  url.hash = ''
  return /^https?:$/.test(url.protocol) && sameHost(url, page) ? url : null
}
