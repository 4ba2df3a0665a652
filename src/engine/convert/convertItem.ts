import type { AuctionType, ProspectFields, SitePlatform } from '../../domain.ts'
import type { ConvertContext, LabelReading, SiteItem } from '../sites/site.ts'
import { knownState, parseAddress, parseCityLine, readZip } from './address.ts'
import { splitCaseNumber } from './cases.ts'
import { type PrintedDate, parseMoment, parseNamedDate, parsePrintedDate, startInstant } from './dates.ts'
import { type LabelField, labelField, type MoneyField } from './labels.ts'
import { parseMoney } from './money.ts'
import { readOutcome } from './status.ts'
import { isUntold, toldText, ValueError } from './values.ts'

export type Conversion = { unknownLabels: string[] } & (
  | { kind: 'prospect'; fields: ProspectFields }
  | { kind: 'rejected'; field: string; message: string }
)

/**
 * A listing as the fields of a prospect. Labels decide, wherever they stand; unknown ones are named beside the result.
 *
 * A value that looks like one of its kind and is none rejects the row, named by the prospect's field; so does a
 * listing without what its platform knows it by. Nothing is thrown for what a page may hold.
 */
export function convertItem(item: SiteItem, context: ConvertContext): Conversion {
  const entries = readEntries(item)
  const unknownLabels = [...new Set(entries.filter((entry) => entry.field === null).map((entry) => entry.label))]
  try {
    return { kind: 'prospect', fields: convertEntries(entries, item, context), unknownLabels }
  } catch (error) {
    if (!(error instanceof RowError)) throw error
    return { kind: 'rejected', field: error.field, message: error.message, unknownLabels }
  }
}

/** One label with all its lines. */
interface Entry {
  label: string
  field: LabelField | null
  lines: string[]
  href: string | undefined
}

class RowError extends Error {
  override name = 'RowError'
  readonly field: keyof ProspectFields

  constructor(field: keyof ProspectFields, message: string) {
    super(message)
    this.field = field
  }
}

/** Gives a value that does not convert the name of its field. */
function named<T>(field: keyof ProspectFields, convert: () => T): T {
  try {
    return convert()
  } catch (error) {
    if (error instanceof ValueError) throw new RowError(field, error.message)
    throw error
  }
}

/**
 * A blank label continues the entry before it. The address's row may be missing while its city row is there: a city's
 * line after a number or an amount is the address's.
 */
function readEntries({ raw, reading }: SiteItem): Entry[] {
  const named = (label: string, name: string) => reading?.fields.get(label) ?? (name === '' ? 'none' : labelField(name))
  const entries: Entry[] = []
  for (const { label, value, href } of raw.fields) {
    const name = label.replace(/[\s:]+$/, '')
    const last = entries.at(-1)
    if (name !== '' || last === undefined) {
      entries.push({ label: name, field: named(label, name), lines: [value], href })
    } else if (last.field !== null && numeric.has(last.field) && parseCityLine(value) !== null) {
      entries.push({ label: '', field: 'cityLine', lines: [value], href: undefined })
    } else {
      last.lines.push(value)
      last.href ??= href
    }
  }
  return entries
}

const moneyFields = [
  'finalJudgmentAmount',
  'plaintiffMaxBid',
  'assessedValue',
  'openingBid',
  'depositAmount',
  'saleAmount',
] as const

const numeric: ReadonlySet<LabelField> = new Set<LabelField>([
  ...moneyFields,
  'caseNumber',
  'certificateNumber',
  'parcelId',
  'saleNumber',
  'cityLine',
])

function convertEntries(entries: readonly Entry[], item: SiteItem, context: ConvertContext): ProspectFields {
  const of = (field: LabelField) => entries.filter((entry) => entry.field === field)
  const text = (field: LabelField) =>
    of(field)
      .map(joined)
      .find((value) => value !== null) ?? null
  const link = (field: LabelField) => absolute(of(field).find((entry) => entry.href !== undefined)?.href, item.url)
  const money = (field: MoneyField) =>
    firstTold(of(field), (entry) => named(field, () => parseMoney(amountText(entry, item.reading))))

  const caseText = text('caseNumber')
  const parcelId = text('parcelId')
  const isNamed = {
    REALAUCTION: caseText !== null,
    CIVILVIEW: text('saleNumber') !== null,
    HTML_TABLE: [caseText, parcelId, text('certificateNumber'), text('address')].some((value) => value !== null),
  }
  if (!isNamed[context.platform]) throw new RowError(...nameless[context.platform])
  const typeText = text('auctionType')
  const assessed = money('assessedValue')
  const ownDate = named('auctionDate', () => readDate(text('auctionDate'), context.timezone, item.reading))
  const auctionDate = item.auctionDate ?? ownDate?.date ?? null
  const timeText =
    item.timeText ??
    text('timeText') ??
    ownDate?.timeText ??
    named('startsAt', () => startTime(item, auctionDate, context))
  const address = parseAddress([
    ...(of('address')[0]?.lines.map((line) => toldText(line) ?? '') ?? ['']),
    ...of('cityLine').flatMap((entry) => entry.lines),
  ])
  const outcome = named('soldAt', () =>
    readOutcome(item.raw, {
      statusText: text('status'),
      sale: { saleAmount: money('saleAmount').value, soldTo: text('soldTo') },
      auctionDate,
      today: context.today,
      timezone: context.timezone,
    }),
  )
  return {
    ...(caseText === null ? { caseNumber: null, caseSuffix: null } : splitCaseNumber(caseText, context.state)),
    auctionDate,
    startsAt:
      auctionDate === null || timeText === null
        ? null
        : named('startsAt', () => startInstant(auctionDate, timeText, context.timezone)),
    timeText,
    ...outcome,
    auctionType: auctionTypeOf(typeText) ?? context.auctionType ?? 'OTHER',
    auctionTypeText: typeText,
    ...address,
    city: text('city') ?? address.city,
    stateCode: knownState(text('stateCode')) ?? address.stateCode ?? (context.state || null),
    zip: readZip(text('zip') ?? '') ?? address.zip,
    parcelId: parcelId !== null && /^property appraiser$/i.test(parcelId) ? null : parcelId,
    legalDescription: text('legalDescription'),
    finalJudgmentAmount: money('finalJudgmentAmount').value,
    plaintiffMaxBid: money('plaintiffMaxBid').value,
    assessedValue: assessed.value,
    assessedValueLabel: assessed.entry?.label ?? null,
    openingBid: money('openingBid').value,
    depositAmount: money('depositAmount').value,
    plaintiff: text('plaintiff'),
    defendant: text('defendant'),
    attorney: text('attorney'),
    certificateNumber: text('certificateNumber'),
    saleNumber: text('saleNumber'),
    auctionId: item.auctionId,
    caseUrl: link('caseNumber'),
    parcelUrl: link('parcelId'),
    sourceUrl: item.url,
  }
}

const joined = (entry: Entry): string | null => toldText(entry.lines.filter((line) => !isUntold(line)).join(', '))

/** The first entry that has a value, else the first there is. Every entry is converted, so that none is bad unseen. */
function firstTold<T>(entries: readonly Entry[], convert: (entry: Entry) => T | null) {
  const all = entries.map((entry) => ({ entry, value: convert(entry) }))
  return all.find(({ value }) => value !== null) ?? all[0] ?? { entry: null, value: null }
}

const nameless: Record<SitePlatform, [keyof ProspectFields, string]> = {
  REALAUCTION: ['caseNumber', 'no case number'],
  CIVILVIEW: ['saleNumber', 'no sheriff number'],
  HTML_TABLE: ['caseNumber', 'neither case, certificate, parcel nor address'],
}

/** The text of an amount: all of it, or what the site's options find in it. */
function amountText({ lines }: Entry, reading: LabelReading | undefined): string {
  const text = lines.join(' ')
  const found = reading?.money?.exec(text)
  if (found === null && !isUntold(text) && /\d/.test(text)) throw new ValueError(`no amount in: ${text}`)
  return found ? (found[1] ?? found[0]) : text
}

/** The date of a label; null for text without a digit. */
function readDate(text: string | null, timezone: string, reading: LabelReading | undefined): PrintedDate | null {
  if (text === null || !/\d/.test(text)) return null
  const format = reading?.dateFormat ?? null
  const date =
    format === null
      ? (parseMoment(text, timezone) ?? parsePrintedDate(text) ?? namedDate(text))
      : parsePrintedDate(text, format)
  if (date === null) throw new ValueError(`not a date: ${text}`)
  return date
}

function namedDate(text: string): PrintedDate | null {
  const date = parseNamedDate(text)
  return date === null ? null : { date, timeText: null }
}

/** The time a waiting listing announces for its own day. */
function startTime(item: SiteItem, auctionDate: string | null, context: ConvertContext): string | null {
  const { A = '', B = '' } = item.raw.status ?? {}
  if (!/^(A|auction starts)$/i.test(A)) return null
  const moment = parseMoment(B, context.timezone)
  return moment !== null && moment.date === auctionDate ? moment.timeText : null
}

function auctionTypeOf(text: string | null): AuctionType | null {
  const letters = (text ?? '').toUpperCase().replace(/[^A-Z]/g, '')
  return auctionTypeWords.find(([words]) => words.test(letters))?.[1] ?? null
}

const auctionTypeWords: readonly [RegExp, AuctionType][] = [
  [/TAXDEED|TREASURERDEED|TREASURERSDEED/, 'TAX_DEED'],
  [/TAXLIEN|TAXCERTIFICATE/, 'TAX_LIEN'],
  [/FORECLOSURE/, 'FORECLOSURE'],
  [/SHERIFF/, 'SHERIFF_SALE'],
]

/** A link of a page as an address of its own; null for none and for what no browser would open as a page. */
function absolute(href: string | undefined, base: string): string | null {
  if (href === undefined || !URL.canParse(href, base)) return null
  const url = new URL(href, base)
  return url.protocol === 'http:' || url.protocol === 'https:' ? url.href : null
}
