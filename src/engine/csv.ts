import { createWriteStream } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { stringify } from 'csv-stringify/sync'
import { type CsvRow, readRawLabels, streamJobProspects } from '../db/csvRows.ts'
import type { Database } from '../db/database.ts'
import type { RawField } from '../domain.ts'
import { ScrapeError } from './errors.ts'
import { prospectColumns } from './prospectColumns.ts'

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
export async function* streamJobCsv(
  db: Database,
  jobId: string,
  signal?: AbortSignal,
): AsyncGenerator<string, void, undefined> {
  yield* csvOf(streamJobProspects(db, jobId, signal), await readRawLabels(db, jobId))
}

/** Prospects as CSV: a header, then a line for each; every field, then a column for each of the raw labels. */
export async function* csvOf(
  batches: AsyncIterable<readonly CsvRow[]>,
  labels: readonly string[] = [],
): AsyncGenerator<string, void, undefined> {
  let header = stringify([[...prospectColumns.map(([name]) => name), ...labels.map(textCell)]])
  for await (const rows of batches) {
    yield header + stringify(rows.map((row) => record(row, labels)))
    header = ''
  }
  if (header !== '') yield header
}

/** One line's cells in the order of the columns. */
function record(row: CsvRow, labels: readonly string[]): string[] {
  const raw = rawCells(row.rawData.fields)
  return [
    ...prospectColumns.map(([name, value]) => {
      const text = printed(value(row))
      return numberColumns.has(name) ? text : textCell(text)
    }),
    ...labels.map((label) => textCell(raw.get(label) ?? '')),
  ]
}

function printed(value: ReturnType<(typeof prospectColumns)[number][1]>): string {
  if (value instanceof Date) return value.toISOString()
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value ?? '')
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
