import { createWriteStream } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { stringify } from 'csv-stringify'
import { type CsvRow, readRawLabels, streamJobProspects } from '../db/csvRows.ts'
import type { Database } from '../db/database.ts'
import { globalId, type RawField } from '../domain.ts'
import { ScrapeError } from './errors.ts'

type Cell = string | number | boolean | null

/** The columns of a job's file, under the names of the schema. */
const columns: readonly [name: string, cell: (row: CsvRow) => Cell | Date][] = [
  ['id', (row) => globalId('Prospect', row.id)],
  ['state', (row) => row.countyState],
  ['county', (row) => row.countyName],
  ['caseNumber', (row) => row.caseNumber],
  ['caseSuffix', (row) => row.caseSuffix],
  ['lot', (row) => row.lot],
  ['auctionDate', (row) => row.auctionDate],
  ['startsAt', (row) => row.startsAt],
  ['timeText', (row) => row.timeText],
  ['auctionStatus', (row) => row.auctionStatus],
  ['auctionStatusText', (row) => row.auctionStatusText],
  ['auctionType', (row) => row.auctionType],
  ['auctionTypeText', (row) => row.auctionTypeText],
  ['propertyAddress', (row) => row.propertyAddress],
  ['city', (row) => row.city],
  ['stateCode', (row) => row.stateCode],
  ['zip', (row) => row.zip],
  ['parcelId', (row) => row.parcelId],
  ['legalDescription', (row) => row.legalDescription],
  ['finalJudgmentAmount', (row) => row.finalJudgmentAmount],
  ['plaintiffMaxBid', (row) => row.plaintiffMaxBid],
  ['assessedValue', (row) => row.assessedValue],
  ['assessedValueLabel', (row) => row.assessedValueLabel],
  ['openingBid', (row) => row.openingBid],
  ['depositAmount', (row) => row.depositAmount],
  ['saleAmount', (row) => row.saleAmount],
  ['soldAt', (row) => row.soldAt],
  ['soldTo', (row) => row.soldTo],
  ['buyerType', (row) => row.buyerType],
  ['surplus', (row) => row.surplus],
  ['plaintiff', (row) => row.plaintiff],
  ['defendant', (row) => row.defendant],
  ['attorney', (row) => row.attorney],
  ['certificateNumber', (row) => row.certificateNumber],
  ['saleNumber', (row) => row.saleNumber],
  ['auctionId', (row) => row.auctionId],
  ['caseUrl', (row) => row.caseUrl],
  ['parcelUrl', (row) => row.parcelUrl],
  ['sourceUrl', (row) => row.sourceUrl],
  ['rawData', (row) => JSON.stringify(row.rawData)],
  ['listed', (row) => row.listed],
  ['delistedAt', (row) => row.delistedAt],
  ['firstSeenAt', (row) => row.firstSeenAt],
  ['lastSeenAt', (row) => row.lastSeenAt],
  ['updatedAt', (row) => row.updatedAt],
]

/** Amounts are text in the database and numbers in a spreadsheet: a leading `-` is theirs. */
const numberColumns = new Set([
  'lot',
  'finalJudgmentAmount',
  'plaintiffMaxBid',
  'assessedValue',
  'openingBid',
  'depositAmount',
  'saleAmount',
  'surplus',
])

/**
 * Writes the job's file: `{state}_{county}_{job uuid}.csv` in `folder`, complete or not at all. Answers its path.
 * Throws ScrapeError DISK when the file cannot be written.
 */
export async function writeJobCsv(
  db: Database,
  folder: string,
  job: { id: string },
  place: { state: string; countyName: string },
): Promise<string> {
  const path = join(folder, jobCsvName(job, place))
  const unfinished = `${path}.part`
  try {
    await mkdir(folder, { recursive: true })
    try {
      await pipeline(streamJobCsv(db, job.id), createWriteStream(unfinished))
      await rename(unfinished, path)
    } catch (error) {
      await rm(unfinished, { force: true })
      throw error
    }
  } catch (error) {
    if (isFileError(error))
      throw new ScrapeError('DISK', `${path} cannot be written: ${error.message}`, { cause: error })
    throw error
  }
  return path
}

/** The name of a job's file; what is not `[A-Za-z0-9.-]` in a place's name becomes `-`. */
export function jobCsvName(job: { id: string }, place: { state: string; countyName: string }): string {
  const county = place.countyName.replace(/[^A-Za-z0-9.-]/g, '-')
  return `${place.state}_${county}_${job.id}.csv`
}

/** A job's file as it is now: every prospect it saved, every field, then a column for each raw label. */
export async function* streamJobCsv(db: Database, jobId: string): AsyncGenerator<string, void, undefined> {
  const labels = await readRawLabels(db, jobId)
  const names = [...columns.map(([name]) => name), ...labels]
  const csv = stringify({ header: true, columns: names.map((name) => ({ key: name, header: textCell(name) })) })
  csv.setEncoding('utf8')
  const filled = pipeline(
    streamJobProspects(db, jobId),
    async function* (rows: AsyncIterable<CsvRow>) {
      for await (const row of rows) yield record(row, labels)
    },
    csv,
  )
  // Heard below, once everything that was written has been read.
  filled.catch(() => csv.destroy())
  for await (const text of csv) yield text as string
  await filled
}

/** One line's cells in the order of the columns. */
function record(row: CsvRow, labels: readonly string[]): string[] {
  const raw = rawCells(row.rawData.fields)
  return [
    ...columns.map(([name, cell]) => {
      const value = cell(row)
      const text = value instanceof Date ? value.toISOString() : String(value ?? '')
      return numberColumns.has(name) ? text : textCell(text)
    }),
    ...labels.map((label) => textCell(raw.get(label) ?? '')),
  ]
}

/** The values by label; a blank label continues the field before it. */
function rawCells(fields: readonly RawField[]): Map<string, string> {
  const cells = new Map<string, string>()
  let label = ''
  for (const field of fields) {
    label = field.label || label
    const before = cells.get(label)
    cells.set(label, before === undefined ? field.value : `${before}, ${field.value}`)
  }
  return cells
}

/** A text that a spreadsheet would take for a formula is marked as text. */
function textCell(text: string): string {
  return /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
}

/** What the file system answers when a file cannot be written. */
const fileErrors = new Set([
  'ENOSPC',
  'EDQUOT',
  'EACCES',
  'EPERM',
  'EROFS',
  'EIO',
  'ENOENT',
  'ENOTDIR',
  'EISDIR',
  'EEXIST',
])

function isFileError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error && fileErrors.has(String(error.code))
}
