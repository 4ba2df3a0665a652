import type { CalendarDate } from '../../domain.ts'
import { type PlainSite, startPlainSite } from '../plainSite.ts'
import { escapeText } from '../site/html.ts'
import { money } from '../site/listings.ts'
import { seededRandom } from '../site/random.ts'
import { streets } from '../site/words.ts'

/** What can go wrong here beside the faults of any site. */
export type TableFault =
  /** The table's headers have other words. */
  | 'changedHeader'
  /** The pager's links need a script. */
  | 'scriptedPager'
  /** Every page is the first again. */
  | 'repeatPage'

/** One row of the table, as it is printed. */
export interface SampleRow {
  owners: readonly string[]
  parcel: string
  caseNumber: string
  address: readonly string[]
  /** Printed in two ways, with a year of two digits in every other row; null: to be announced. */
  date: CalendarDate | null
  bid: string
}

export interface TableLook {
  /** Every cell is a `th` in the head, as some counties have it. */
  thOnly: boolean
  /** Rows on a page, with links to the next; null: all on one. */
  perPage: number | null
}

export interface SampleTable extends PlainSite<TableFault> {
  /** The scrape URL. */
  readonly url: string
  readonly rows: readonly SampleRow[]
  /** Replaces everything the site holds, from the next answer on. */
  setRows(rows: readonly SampleRow[]): void
}

/** Starts a sample of a county's page that holds nothing but a table. */
export async function startTable(rows: readonly SampleRow[], look: Partial<TableLook> = {}): Promise<SampleTable> {
  const shown: TableLook = { thOnly: false, perPage: null, ...look }
  let held = rows
  const site = await startPlainSite<TableFault>(({ url }, met) => {
    if (url.pathname !== '/tax/foreclosures') return { status: 404, body: 'Not found' }
    const asked = Number(url.searchParams.get('page') ?? 1)
    return { body: tablePage(held, met.has('repeatPage') ? 1 : asked, asked, shown, met) }
  })
  const { origin, host, requests, addFault, close } = site
  return {
    origin,
    host,
    requests,
    addFault,
    close,
    url: `${origin}/tax/foreclosures`,
    get held() {
      return site.held
    },
    get rows() {
      return held
    },
    setRows(next) {
      held = next
    },
  }
}

/** Rows for some days, and one that is not set for any; the last two name one parcel in two parts. */
export function inventRows(days: readonly CalendarDate[], perDay = 3): SampleRow[] {
  const rows = days.flatMap((date, day) => Array.from({ length: perDay }, (_, n) => inventRow(day * perDay + n, date)))
  const twice = inventRow(rows.length, days.at(-1) ?? null)
  return [...rows, inventRow(rows.length + 1, null), twice, { ...twice, bid: '$TBD' }]
}

function inventRow(n: number, date: CalendarDate | null): SampleRow {
  const random = seededRandom('row', n)
  return {
    owners: n % 2 === 0 ? ['PERRIN, HALE', 'PERRIN, IDA'] : ['ESTATE OF O. LINDQVIST'],
    parcel: `99${random.digits(5)}`,
    caseNumber: `26M${String(100 + n).padStart(6, '0')}-440`,
    address: [`${random.integer(1, 800)} ${random.pick(streets)}`, 'COVE HOLLOW, NC 28999'],
    date,
    bid: `${money(random.integer(50_000, 900_000))}*`,
  }
}

function tablePage(
  rows: readonly SampleRow[],
  page: number,
  asked: number,
  { thOnly, perPage }: TableLook,
  met: ReadonlySet<string>,
): string {
  const size = perPage ?? Math.max(rows.length, 1)
  const cell = thOnly ? 'th' : 'td'
  const lines = (texts: readonly string[]) => texts.map(escapeText).join('<br />\n\t\t')
  const headers = ['Owner', 'Parcel #', met.has('changedHeader') ? 'Docket' : 'Court File #', 'Address', 'Sale Day']
  const row = ({ owners, parcel, caseNumber, address, date, bid }: SampleRow, n: number) => {
    const docket = `<a href="https://docket.cove.example/#/case/${n}">${caseNumber}</a>`
    const cells = [lines(owners), parcel, docket, lines(address), printed(date, n), `<p>${bid}</p>`]
    return `<tr>${cells.map((text) => `<${cell}>${text}</${cell}>`).join('')}</tr>`
  }
  const shown = rows.slice((page - 1) * size, page * size)
  const blank = `<tr>${headers.map(() => `<${cell}>&nbsp;</${cell}>`).join('')}<${cell}></${cell}></tr>`
  return `<!DOCTYPE html>
<html><head><title>Tax Foreclosures | Cove County</title></head>
<body>
<ul><li><a href="/next">Next meeting of the board</a></li></ul>
<div class="content"><table class="list">
<thead><tr><th colspan="6">Tax foreclosure sales of Cove County</th></tr>
<tr>${[...headers, 'Estimated Opening Bid*'].map((text) => `<th>${text}</th>`).join('')}</tr>${thOnly ? '' : '</thead><tbody>'}
${shown.map(row).join('\n')}
${blank}
${thOnly ? '</thead>' : '</tbody>'}</table></div>
${asked * size < rows.length ? pager(asked, met.has('scriptedPager')) : ''}
<p>*Without interest and expenses.</p>
</body></html>
`
}

const pager = (page: number, scripted: boolean): string =>
  scripted
    ? `<div class="pager"><a href="javascript:__doPostBack('list','Page$${page + 1}')">${page + 1}</a></div>`
    : `<div class="pager"><span>${page}</span> <a href="/tax/foreclosures?page=${page + 1}">Next &raquo;</a></div>`

const months = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC']

/** `07-JUL-2026`, and `15-MAY-26` in every other row. */
function printed(date: CalendarDate | null, n: number): string {
  if (date === null) return 'TBA'
  const [year = '', month = '', day = ''] = date.split('-')
  return `${day}-${months[Number(month) - 1]}-${n % 2 === 0 ? year : year.slice(2)}`
}
