import type { Database } from '../db/database.ts'
import { countyByName } from '../db/places.ts'
import { scrapeUrlOfSite, scrapeUrlsById, scrapeUrlsOfCounties } from '../db/scrapeUrls.ts'
import type { CountyRow, ScrapeUrlRow } from '../db/tables.ts'
import {
  type AuctionType,
  auctionTypes,
  type SitePlatform,
  sitePlatforms,
  type Transport,
  transports,
} from '../domain.ts'
import { saveScrapeUrl } from '../engine/saveScrapeUrl.ts'
import { siteFor } from '../engine/sites/sites.ts'
import { formatTable } from '../terminal/table.ts'

export interface TargetOptions {
  type: AuctionType | undefined
  transport: Transport | undefined
  county: string | undefined
  platform: SitePlatform | undefined
}

/** A command line that makes no sense: its lines are printed and the exit code is 2. */
export class UsageError extends Error {
  override name = 'UsageError'
}

/**
 * The scrape URL that `gavel scrape` is asked for: a saved URL, its id, or STATE/County; an unknown URL is saved first
 * when `--county` and `--platform` say whose it is. Throws UsageError, listing the sites where there are several.
 */
export async function findTarget(
  deps: { db: Database; allowPrivateHosts: readonly string[] },
  target: string,
  options: TargetOptions,
): Promise<ScrapeUrlRow> {
  if (/^https?:\/\//i.test(target))
    return (await knownUrl(deps.db, target, options.platform)) ?? (await saved(deps, target, options))
  if (/^[a-z]{2}\//i.test(target)) return await oneOfCounty(deps.db, target, options.type)
  const uuid = idOf(target)
  const [row] = uuid === null ? [] : await scrapeUrlsById(deps.db, [uuid])
  if (!row) throw new UsageError(`there is no scrape URL ${target}; give a URL, an id, or STATE/County`)
  return row
}

/** A value of an enumeration, in any case. Throws UsageError. */
export function readEnum<Value extends string>(name: string, values: readonly Value[], text: string): Value {
  const value = values.find((one) => one === text.toUpperCase())
  if (value === undefined) throw new UsageError(`--${name} must be one of ${values.join(', ').toLowerCase()}`)
  return value
}

export const readType = (text: string): AuctionType => readEnum('type', auctionTypes, text)
export const readTransport = (text: string): Transport => readEnum('transport', transports, text)
export const readPlatform = (text: string): SitePlatform => readEnum('platform', sitePlatforms, text)

/** Each platform tells its sites by another part of the address. */
async function knownUrl(db: Database, text: string, platform: SitePlatform | undefined): Promise<ScrapeUrlRow | null> {
  if (!URL.canParse(text)) throw new UsageError(`${text} is no URL`)
  const url = new URL(text)
  for (const one of platform === undefined ? sitePlatforms : [platform]) {
    const known = await scrapeUrlOfSite(db, one, siteFor(one).siteKey(url))
    if (known !== null) return known
  }
  return null
}

async function saved(
  deps: { db: Database; allowPrivateHosts: readonly string[] },
  url: string,
  options: TargetOptions,
): Promise<ScrapeUrlRow> {
  if (options.county === undefined || options.platform === undefined) {
    throw new UsageError(`${url} is not saved yet: say whose it is with --county ST/Name --platform P`)
  }
  const county = await findCounty(deps.db, options.county)
  const outcome = await saveScrapeUrl(
    deps,
    {
      url,
      countyFips: county.fips,
      platform: options.platform,
      auctionType: options.type,
      transport: options.transport,
    },
    null,
  )
  if (outcome.kind === 'ok') return outcome.value
  if (outcome.kind !== 'invalid') throw new UsageError(outcome.message)
  throw new UsageError(outcome.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`).join('; '))
}

async function oneOfCounty(db: Database, name: string, type: AuctionType | undefined): Promise<ScrapeUrlRow> {
  const county = await findCounty(db, name)
  const all = (await scrapeUrlsOfCounties(db, [county.fips])).filter((row) => row.active)
  const sites = type === undefined ? all : all.filter((row) => row.auctionType === type)
  const [only] = sites
  if (only && sites.length === 1) return only
  if (!only) throw new UsageError(`${county.stateCode}/${county.name} has no active scrape URL${ofType(type)}`)
  const lines = formatTable(sites, [
    { title: 'id', value: (row) => row.id },
    { title: 'type', value: (row) => row.auctionType?.toLowerCase() ?? 'any' },
    { title: 'url', value: (row) => row.url },
  ])
  const hint = `${county.stateCode}/${county.name} has ${sites.length} sites; name one by its URL, its id or --type:`
  throw new UsageError([hint, ...lines].join('\n'))
}

async function findCounty(db: Database, name: string): Promise<CountyRow> {
  const [state = '', ...rest] = name.split('/')
  const county = await countyByName(db, state, rest.join('/'))
  if (!county) throw new UsageError(`there is no county ${name}; write it as ST/Name, such as FL/Miami-Dade`)
  return county
}

/** The UUID that a scrape URL's id stands for: itself, or the API's global id. */
function idOf(text: string): string | null {
  const plain = text.includes('-')
    ? text
    : (Buffer.from(text, 'base64url').toString().split('CountyScrapeUrl:')[1] ?? '')
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(plain) ? plain : null
}

const ofType = (type: AuctionType | undefined) => (type === undefined ? '' : ` of type ${type.toLowerCase()}`)
