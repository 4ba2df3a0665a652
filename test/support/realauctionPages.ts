import { tokens } from '../../src/engine/sites/realauction/tokens.ts'

/** Pages and answers as RealAuction sites give them, with values of the test's own. */

export type Cell = [label: string, value: string]

/** A foreclosure as most Florida counties print it. */
export const foreclosure: Cell[] = [
  ['Auction Type:', 'FORECLOSURE'],
  ['Case #:', '<a href="https://clerk.example/case?book=11&Page=22" target="_blank">07-2026-CA-000123-XXAX</a>'],
  ['Final Judgment Amount:', '$139,493.42'],
  ['Parcel ID:', '<a href="https://appraiser.example/parcel?RE=0071230000&copy=2">007123-0000</a>'],
  ['Property Address:', '14 HERON LANDING CT'],
  ['', 'ORMISTON, FL- 32999'],
  ['Assessed Value:', '$92,567.00'],
  ['Plaintiff Max Bid:', 'Hidden'],
]

export type Template = 'td' | 'th' | 'div' | 'bare'

/** One listing's markup. */
export function itemHtml(aid: string, cells: Cell[], options: { template?: Template; stats?: string[] } = {}): string {
  const [a = '', b = '', c = '', d = '', sl = '', st = ''] = options.stats ?? []
  return (
    `<div id="AITEM_${aid}" aria-label="Auction Details" class="AUCTION_ITEM PREVIEW" aid="${aid}" rem="0" isset="0">` +
    `<div class="AUCTION_STATS" tabindex="0"><div class="ASTAT_MSGA ASTAT_LBL">${a}</div>` +
    `<div class="ASTAT_MSGB Astat_DATA">${b}</div><div class="ASTAT_MSGC ASTAT_LBL">${c}</div> ` +
    `<div class="ASTAT_MSGD Astat_DATA">${d}</div><div class="ASTAT_MSG_SOLDTO_Label ASTAT_LBL">${sl}</div>` +
    `<div class="ASTAT_MSG_SOLDTO_MSG Astat_DATA">${st}</div></div>` +
    `<div class="AUCTION_DETAILS">${table(cells, options.template ?? 'td')}</div></div>` +
    '<div class="AUCTION_ITEM_SPACER">&nbsp;</div> '
  )
}

const rows: Record<Template, (label: string, value: string) => string> = {
  td: (label, value) =>
    `<tr><td tabindex="0"class="AD_LBL" scope="row">${label}</td><td tabindex="0" class="AD_DTA">${value}</td></tr>`,
  th: (label, value) => `<tr><th class="AD_LBL" scope="row">${label}</th><td class="AD_DTA">${value}</td></tr>`,
  bare: (label, value) => `<tr><th>${label}</th><td>${value}</td></tr>`,
  div: (label, value) => `<div class="AD_LBL">${label}</div> <div class="AD_DTA">${value}</div>`,
}

function table(cells: Cell[], template: Template): string {
  const pairs = cells.map(([label, value]) => rows[template](label, value)).join(' ')
  return template === 'div'
    ? `<div class="ad_tab">${pairs}</div>`
    : `<table class="ad_tab"><tbody>${pairs}</tbody></table>`
}

/** The site's compression. Text must hold no `@` of its own. */
export function encodeTokens(html: string): string {
  const longestFirst = Object.entries(tokens).sort((a, b) => b[1].length - a[1].length)
  return longestFirst.reduce((text, [token, markup]) => text.split(markup).join(token), html)
}

/** The body of an FNC=LOAD answer, padded as the site pads it. */
export function loadBody(items: string[], ids: string[]): string {
  return `\n\t\n    \t ${JSON.stringify({ retHTML: encodeTokens(items.join('')), rlist: ids.join(',') })}\n\n`
}
