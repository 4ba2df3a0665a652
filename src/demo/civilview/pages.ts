import { escapeText } from '../site/html.ts'
import { printed, type SampleSale } from './sales.ts'

/** How a county's site looks: the two layouts of a sale's page, and the words of its headers. */
export interface CivilViewLook {
  layout: 'rows' | 'divs'
  /** The header of the sheriff's number; counties differ. */
  numberHeader: string
}

/** The list of sales, with the form that asks for the other one. */
export function listPage(
  sales: readonly SampleSale[],
  options: { county: string; open: boolean; look: CivilViewLook; link: (sale: SampleSale) => string },
): string {
  const { county, open, look, link } = options
  const rows = sales.map((sale) => {
    const [street = ''] = sale.address
    const cells = [
      sale.sheriffNumber,
      sale.date === null ? '' : printed(sale.date),
      sale.plaintiff,
      sale.defendant,
      street.length > 14 ? `${street.slice(0, 14)}...` : street,
    ]
    const details = `<td class="hidden-print"><a href="${link(sale)}">Details</a></td>`
    return `<tr>${details}${cells.map((cell) => `<td>${escapeText(cell)}</td>`).join('')}</tr>`
  })
  const headers = ['', look.numberHeader, 'Sales Date', 'Plaintiff', 'Defendant', 'Address']
  const head = headers.map((text, i) => `<th${i === 0 ? ' class="hidden-print"' : ''}>${text}</th>`).join('')
  const table = `<table class="table table-striped">
<thead><tr>${head}</tr></thead>
<tbody>
${rows.join('\n')}
</tbody></table>`
  const checked = (value: boolean) => (value === open ? ' checked="checked"' : '')
  return page(
    `${county} County Sales Listing`,
    `<form action="/Sales/SalesSearch" method="post">
<input name="countyId" type="hidden" value="7" />
<label><input name="IsOpen" type="radio" value="true"${checked(true)} /> Open</label>
<label><input name="IsOpen" type="radio" value="false"${checked(false)} /> Sold\\Cancelled</label>
<input name="SheriffNumber" type="text" value="" />
<select name="PropertyStatusDate"><option value="" selected="selected">All</option><option value="1">Today</option></select>
<input type="submit" value="Search" />
</form>
${sales.length === 0 ? '<p>No sales found.</p>' : table}`,
  )
}

/** The page of one sale: rows with the newest status first, or pairs of blocks with the oldest first. */
export function detailPage(sale: SampleSale, { layout }: CivilViewLook): string {
  const when = sale.date === null ? '' : [printed(sale.date), sale.time ?? ''].join(' ').trim()
  const fields: [string, string][] = [
    ['Sheriff #', escapeText(sale.sheriffNumber)],
    ['Court Case #', escapeText(sale.caseNumber)],
    ['Sales Date', when],
    ['Plaintiff', escapeText(sale.plaintiff)],
    ['Defendant', escapeText(sale.defendant)],
    ['Address', sale.address.map(escapeText).join('<br/>')],
    ['Priors', ''],
    ['Attorney', escapeText(sale.attorney)],
    ['Approx. Judgment*', sale.judgment],
    ['Approx. Upset*', sale.upset],
    ['Parcel #', escapeText(sale.parcel)],
    ['Property Note', 'OCCUPANCY STATUS: UNKNOWN;'],
  ]
  const history = layout === 'rows' ? sale.history.toReversed() : sale.history
  const table = `<table id="longTable" class="table">
<tr><th>Status</th><th>Date</th></tr>
${history.map(({ status, date }) => `<tr><td>${escapeText(status)}</td><td>${printed(date)}</td></tr>`).join('\n')}
</table>`
  return page('Sale Details', `${layout === 'rows' ? asRows(fields) : asBlocks(fields)}\n${table}`)
}

/** Where the server sends who has no session. */
export const indexPage = (): string =>
  page('Counties', '<table><tr><td><a href="/Sales/SalesSearch?countyId=7">Tilbury County, NJ</a></td></tr></table>')

const asRows = (fields: readonly [string, string][]): string =>
  `<table class="table table-striped">
${fields.map(([label, value]) => `<tr><td class="heading-bold columnwidth-15">${label} : </td><td>${value}</td></tr>`).join('\n')}
</table>`

const asBlocks = (fields: readonly [string, string][]): string =>
  `<div class="sale-details-list">
${fields
  .map(
    ([label, value]) =>
      `<div class="sale-detail-item"><div class="sale-detail-label">${label}&colon;</div><div class="sale-detail-value">${value}</div></div>`,
  )
  .join('\n')}
</div>`

const page = (title: string, content: string): string => `<!DOCTYPE html>
<html lang="en">
<head><title>${title}</title></head>
<body>
<h1>${title}</h1>
${content}
</body>
</html>
`
