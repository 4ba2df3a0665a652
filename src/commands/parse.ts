import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Command } from 'commander'
import { DateTime } from 'luxon'
import { type CalendarDate, type RawData, type SitePlatform, sitePlatforms } from '../domain.ts'
import { convertItem } from '../engine/convert/convertItem.ts'
import { parseDate } from '../engine/convert/dates.ts'
import { ScrapeError } from '../engine/errors.ts'
import type { ConvertContext, SiteItem } from '../engine/sites/site.ts'
import { siteFor } from '../engine/sites/sites.ts'

export interface ParseOptions {
  platform: string
  date?: string
  area?: string
  county?: string
}

export function registerParse(program: Command): void {
  program
    .command('parse')
    .description('print the auctions in saved pages or saved JSON answers, one a line (NDJSON)')
    .requiredOption('--platform <platform>', `the platform the files come from: ${sitePlatforms.join(', ')}`)
    .option('--date <date>', 'the auction day of the files, YYYY-MM-DD')
    .option('--area <area>', 'the area of the day page that the files hold: W, C or R')
    .option('--county <ST/Name>', 'the county of the files, such as FL/Duval')
    .argument('<files...>', 'saved pages or answers')
    .action(async (files: string[], options: ParseOptions) => {
      process.exitCode = await parse(files, options)
    })
}

/**
 * Writes the auctions in the files to stdout, one JSON object a line, and a line on stderr for each file that could
 * not be read. Returns the exit code: 0, 1 when a file could not be read, 2 for options that make no sense.
 */
export async function parse(files: string[], options: ParseOptions): Promise<number> {
  const settings = await readOptions(options)
  if (typeof settings === 'string') return say(settings, 2)
  let exitCode = 0
  for (const file of files) {
    try {
      const url = pathToFileURL(resolve(file)).href
      const { items, note } = siteFor(settings.context.platform).readSaved(await readFile(file, 'utf8'), url)
      if (note !== null) say(`${file}: ${note}`, 0)
      for (const item of items) console.log(JSON.stringify(toLine(item, settings)))
    } catch (error) {
      if (!isUnreadable(error)) throw error
      exitCode = say(`${file}: ${error.message}`, 1)
    }
  }
  return exitCode
}

interface Settings {
  date: CalendarDate | null
  area: RawData['area']
  context: ConvertContext
}

/** The options read, or what is wrong with them. */
async function readOptions(options: ParseOptions): Promise<Settings | string> {
  const platform = options.platform.toUpperCase()
  if (!isPlatform(platform)) return `--platform must be one of ${sitePlatforms.join(', ')}`
  const date = options.date === undefined ? null : parseDate(options.date)
  if (options.date !== undefined && date === null) return '--date must be a day such as 2026-03-19'
  const area = options.area?.toUpperCase() ?? null
  if (area !== null && area !== 'W' && area !== 'C' && area !== 'R') return '--area must be W, C or R'
  const county = options.county === undefined ? null : await findCounty(options.county)
  if (county === undefined) return '--county must be a state and a county such as FL/Duval'
  const timezone = county?.timezone ?? 'America/New_York'
  const today = DateTime.now().setZone(timezone).toFormat('yyyy-MM-dd')
  return { date, area, context: { platform, state: county?.state ?? '', timezone, today, auctionType: null } }
}

const isPlatform = (name: string): name is SitePlatform => (sitePlatforms as readonly string[]).includes(name)

/** The county named `ST/Name`, matched without case, from the file the database is filled with; undefined: none. */
async function findCounty(name: string): Promise<{ state: string; timezone: string } | undefined> {
  const file = new URL('../../migrations/data/us-counties.csv', import.meta.url)
  for (const line of (await readFile(file, 'utf8')).split(/\r?\n/)) {
    const [, state, county, timezone] = line.split(',')
    if (state && timezone && `${state}/${county}`.toLowerCase() === name.toLowerCase()) return { state, timezone }
  }
  return undefined
}

function toLine(item: SiteItem, { date, area, context }: Settings) {
  const raw = { ...item.raw, area: item.raw.area ?? area }
  const converted = convertItem({ ...item, raw, auctionDate: item.auctionDate ?? date }, context)
  return {
    auctionId: item.auctionId,
    fields: raw.fields,
    prospect: converted.kind === 'prospect' ? converted.fields : null,
    rejected: converted.kind === 'rejected' ? `${converted.field}: ${converted.message}` : null,
  }
}

/** A body that is no answer, or what the file system said of the file. */
const isUnreadable = (error: unknown): error is Error =>
  error instanceof ScrapeError || (error instanceof Error && 'syscall' in error)

function say<Code extends number>(message: string, exitCode: Code): Code {
  console.error(`gavel parse: ${message.replace(/\s+/g, ' ')}`)
  return exitCode
}
