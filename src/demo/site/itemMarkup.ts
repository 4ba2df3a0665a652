import type { RawField } from '../../domain.ts'
import { escapeHref, escapeText } from './html.ts'
import type { SampleItem } from './types.ts'

/**
 * One listing in the markup of its template, before the tokens. It carries the irregularities of the real pages, spread
 * over items by their number: attributes that touch, stray blanks and line breaks, a last row that is not closed, an
 * extra class on the container.
 */
export function itemMarkup(item: SampleItem): string {
  const extra = number(item) % 4 === 1 ? ' adc-spacer' : ''
  return `<div id="AITEM_${item.aid}" aria-label="Auction Details" class="AUCTION_ITEM PREVIEW${extra}" aid="${item.aid}" rem="0" isset="0">${statusSlots(item)}<div class="AUCTION_DETAILS">${details[item.template](item)}</div></div><div class="AUCTION_ITEM_SPACER">&nbsp;</div> `
}

/** The same listing after a redesign of the page: values, but no labels to tell them apart. */
export function itemWithoutLabels(item: SampleItem): string {
  const values = item.fields.map((field) => `<li>${valueMarkup(field)}</li>`).join('')
  return `<div id="AITEM_${item.aid}" class="AUCTION_ITEM PREVIEW" aid="${item.aid}">${statusSlots(item)}<div class="AUCTION_DETAILS"><ul class="lot_card">${values}</ul></div></div>`
}

const number = (item: SampleItem): number => Number(item.aid)

/** The empty slots that the status call fills. */
function statusSlots(item: SampleItem): string {
  const nextCheck = item.area === 'R' ? ' p_back="NextCheck=15"' : ''
  return `<div class="AUCTION_STATS" tabindex="0"${nextCheck}><div class="ASTAT_MSGA ASTAT_LBL"></div><div class="ASTAT_MSGB Astat_DATA"></div><div class="ASTAT_MSGC ASTAT_LBL"></div> <div class="ASTAT_MSGD Astat_DATA"></div><div class="ASTAT_MSG_SOLDTO_Label ASTAT_LBL"></div><div class="ASTAT_MSG_SOLDTO_MSG Astat_DATA"></div></div>`
}

const details: Record<SampleItem['template'], (item: SampleItem) => string> = {
  td(item) {
    const rows = item.fields.map((field, row) => {
      const gap = field.label === '' ? ' ' : ''
      return `<tr><td ${labelAttributes(item, field, row)}>${labelText(item, field)}</td><td${valueAttributes(item, field, row)}>${valueMarkup(field)}</td></tr>${gap}`
    })
    return `<table class="ad_tab"${number(item) % 2 ? ' ' : ''}><tbody>${rows.join('')}</tbody></table>`
  },
  th(item) {
    const rows = item.fields.map((field, row) => {
      const unclosed = row === item.fields.length - 1 && field.label === 'Deposit Requirement:'
      return `<tr><th ${labelAttributes(item, field, row)}>${labelText(item, field)}</th><td${valueAttributes(item, field, row)}>${valueMarkup(field)}${unclosed ? '' : '</td></tr>'}`
    })
    const link = `<div class="AUCTION_LINK" style="Display:none"><a href="/index.cfm?zaction=auction&zmethod=details&AID=${item.aid}">Details</a></div>`
    return `<table class="ad_tab"><tbody>${rows.join('')}</tbody></table>${link}`
  },
  div(item) {
    const pairs = item.fields.map(
      (field, row) =>
        `<div ${labelAttributes(item, field, row)}>${labelText(item, field)}</div><div${valueAttributes(item, field, row)}>${valueMarkup(field)}</div>`,
    )
    return `<div><div class="ad_tab">${pairs.join('')}</div></div>`
  },
}

function labelAttributes(item: SampleItem, field: RawField, row: number): string {
  if (field.label === '') return 'class="AD_LBL" scope="row"'
  const touching = (number(item) + row) % 7 === 3 ? '' : ' '
  const spoken = field.label === 'Case #:' ? ' aria-label="Case Number"' : ''
  return `tabindex="0"${touching}class="AD_LBL" scope="row"${spoken}`
}

function valueAttributes(item: SampleItem, field: RawField, row: number): string {
  const classes = field.label === 'Plaintiff Max Bid:' ? 'AD_DTA ASTAT_MSGPB' : 'AD_DTA'
  const tab = ['', ' tabindex="0"', ' tabindex="0"'][(number(item) + row) % 3]
  const touching = tab !== '' && (number(item) + row) % 5 === 2 ? '' : ' '
  return `${tab}${touching}class="${classes}"`
}

function labelText(item: SampleItem, field: RawField): string {
  const text = escapeText(field.label)
  return number(item) % 6 === 0 ? text.replace('Max Bid', 'Max\n\t\tBid') : text
}

function valueMarkup(field: RawField): string {
  const text = escapeText(field.value)
  if (field.href !== undefined) {
    return ` <a href="${escapeHref(field.href)}" onClick = "return showExitPopup();" target="_blank">${text}</a> `
  }
  if (field.label === 'Case #:') return ` ${text}`
  return field.label === 'Auction Type:' ? `${text} ` : text
}
