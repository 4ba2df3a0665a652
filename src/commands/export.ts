import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import type { Command } from 'commander'
import { readConfig } from '../config.ts'
import type { Database } from '../db/database.ts'
import type { DateFilter, Place } from '../db/filters.ts'
import { countyByName, statesByCode } from '../db/places.ts'
import type { ProspectFilter } from '../db/prospectFilter.ts'
import { defaultProspectOrder } from '../db/prospectOrder.ts'
import { type CalendarDate, exportFormats } from '../domain.ts'
import { parseDate } from '../engine/convert/dates.ts'
import { streamProspects } from '../engine/prospectExport.ts'
import { createLogger } from '../log.ts'
import { openRuntime } from './runtime.ts'
import { readEnum, UsageError } from './scrapeTarget.ts'

interface ExportOptions {
  format: string
  state?: string
  county?: string
  from?: string
  to?: string
  output?: string
}

const exitCodes = { SIGINT: 130, SIGTERM: 143 } as const

export function registerExport(program: Command): void {
  program
    .command('export')
    .description('stream prospects to stdout or into a file, by auction date')
    .option('--format <format>', `how: ${exportFormats.join(', ').toLowerCase()}`, 'csv')
    .option('--state <state>', 'of this state, by its code')
    .option('--county <county>', 'of this county of the state, by its name')
    .option('--from <date>', 'auctioned on this day or later, YYYY-MM-DD')
    .option('--to <date>', 'auctioned on this day or earlier, YYYY-MM-DD')
    .option('-o, --output <file>', 'where to, complete or not at all; stdout unless told')
    .action(async (options: ExportOptions) => {
      try {
        process.exitCode = await exportProspects(options)
      } catch (error) {
        const code = error instanceof UsageError ? 2 : isFileError(error) ? 1 : null
        if (code === null) throw error
        console.error(`gavel export: ${(error as Error).message}`)
        process.exitCode = code
      }
    })
}

/**
 * Writes every prospect that is asked for. Returns the exit code: 0, or 130 and 143 when a signal ended it, which
 * leaves no file. Throws UsageError for options that make no sense, and what the file system says of the file.
 */
async function exportProspects(options: ExportOptions): Promise<number> {
  const format = readEnum('format', exportFormats, options.format)
  const auctionDate = readDates(options)
  const config = readConfig()
  const log = createLogger(config.logLevel === 'info' ? 'warn' : config.logLevel, 'gavel')
  await using closing = new AsyncDisposableStack()
  const { signal, ended } = untilAsked(closing)
  // One to read with, one to cancel with.
  const runtime = await openRuntime(config, log, { name: 'gavel export', max: 2, migrated: true })
  closing.defer(() => runtime.close())
  const { db } = runtime
  const filter: ProspectFilter = { places: await readPlace(db, options), auctionDate }
  const texts = streamProspects(db, { filter, orderBy: defaultProspectOrder }, format, signal)
  try {
    if (options.output === undefined) await print(texts, signal)
    else await writeFile(texts, options.output, signal)
    return 0
  } catch (error) {
    if (!signal.aborted) throw error
    return exitCodes[ended()]
  }
}

/** A signal that SIGINT and SIGTERM abort, and which of them it was. */
function untilAsked(closing: AsyncDisposableStack) {
  const stop = new AbortController()
  let ended: keyof typeof exitCodes = 'SIGINT'
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    const end = () => {
      ended = name
      stop.abort()
    }
    process.once(name, end)
    closing.defer(() => void process.off(name, end))
  }
  return { signal: stop.signal, ended: () => ended }
}

async function print(texts: AsyncIterable<string>, signal: AbortSignal): Promise<void> {
  for await (const text of texts) {
    if (!process.stdout.write(text)) await once(process.stdout, 'drain', { signal })
  }
}

async function writeFile(texts: AsyncIterable<string>, path: string, signal: AbortSignal): Promise<void> {
  const unfinished = `${path}.${process.pid}.part`
  try {
    await pipeline(texts, createWriteStream(unfinished), { signal })
    await rename(unfinished, path)
  } catch (error) {
    await rm(unfinished, { force: true })
    throw error
  }
}

function readDates({ from, to }: ExportOptions): DateFilter | null {
  if (from === undefined && to === undefined) return null
  const dates = { from: readDate('--from', from), to: readDate('--to', to) }
  if (dates.from && dates.to && dates.from > dates.to) throw new UsageError('--from must not be after --to')
  return dates
}

function readDate(name: string, text: string | undefined): CalendarDate | null {
  const date = text === undefined ? null : parseDate(text)
  if (text !== undefined && date === null) throw new UsageError(`${name} must be a day such as 2026-03-19`)
  return date
}

/** Throws UsageError for a place that does not exist: nothing would be exported, and nobody told why. */
async function readPlace(db: Database, { state, county }: ExportOptions): Promise<Place[] | null> {
  if (state === undefined) {
    if (county !== undefined) throw new UsageError('--county takes the --state it is in')
    return null
  }
  const code = state.toUpperCase()
  if ((await statesByCode(db, [code])).length === 0) throw new UsageError(`there is no state ${state}`)
  if (county === undefined) return [{ state: code }]
  const found = await countyByName(db, code, county)
  if (!found) throw new UsageError(`there is no county ${county} in ${code}`)
  return [{ fips: found.fips }]
}

/** What the file system said of the file. */
const isFileError = (error: unknown): boolean => error instanceof Error && 'syscall' in error && 'path' in error
