import { IANAZone } from 'luxon'
import type { Database } from '../db/database.ts'
import { countiesByFips } from '../db/places.ts'
import { insertScrapeUrl, scrapeUrlsById, updateScrapeUrl } from '../db/scrapeUrls.ts'
import type { ScrapeUrlRow } from '../db/tables.ts'
import type { AuctionType, SitePlatform, Transport } from '../domain.ts'
import { privateHostReason } from './fetch/guard.ts'
import type { InputIssue, Outcome } from './outcome.ts'
import { retimeSchedules } from './saveSchedule.ts'
import { siteFor } from './sites/sites.ts'

/** The contract's SaveScrapeUrlInput, with keys for ids. What is left out stays, and null clears. */
export interface SaveScrapeUrlInput {
  id?: string | null | undefined
  countyFips?: string | null | undefined
  url?: string | null | undefined
  platform?: SitePlatform | null | undefined
  auctionType?: AuctionType | null | undefined
  transport?: Transport | null | undefined
  timezone?: string | null | undefined
  active?: boolean | null | undefined
  options?: unknown
}

const alreadySaved = {
  kind: 'conflict',
  reason: 'ALREADY_EXISTS',
  message: 'This site is saved already.',
} as const

/**
 * Saves a scrape URL: a new one without `id` (county, url and platform are required then), else the changes of it.
 * A site, the tenant behind the URL, is saved once.
 */
export async function saveScrapeUrl(
  deps: { db: Database; allowPrivateHosts: readonly string[] },
  input: SaveScrapeUrlInput,
  userId: string | null,
): Promise<Outcome<ScrapeUrlRow>> {
  const { db } = deps
  const old = input.id == null ? null : ((await scrapeUrlsById(db, [input.id]))[0] ?? null)
  if (input.id != null && !old) return { kind: 'notFound', id: input.id, message: 'There is no such scrape URL.' }

  const wanted = { countyFips: input.countyFips, url: input.url, platform: input.platform }
  const merged = {
    countyFips: wanted.countyFips === undefined ? old?.countyFips : wanted.countyFips,
    url: wanted.url === undefined ? old?.url : wanted.url,
    platform: wanted.platform === undefined ? old?.platform : wanted.platform,
    options: input.options === undefined ? old?.options : input.options,
  }
  const issues = issuesOf(input, merged, deps.allowPrivateHosts)
  const { countyFips, url, platform } = merged
  if (issues.length > 0 || countyFips == null || url == null || platform == null) return { kind: 'invalid', issues }

  const [county] = await countiesByFips(db, [countyFips])
  if (!county) return { kind: 'notFound', id: countyFips, message: 'There is no such county.' }

  const values = {
    countyFips,
    url: new URL(url).href,
    platform,
    siteKey: siteFor(platform).siteKey(new URL(url)),
    ...(input.auctionType === undefined ? {} : { auctionType: input.auctionType }),
    ...(input.transport === undefined ? {} : { transport: input.transport ?? 'AUTO' }),
    ...(input.timezone === undefined ? {} : { timezone: input.timezone }),
    ...(input.active === undefined ? {} : { active: input.active ?? true }),
    ...(input.options === undefined ? {} : { options: JSON.stringify(input.options ?? {}) }),
    updatedBy: userId,
  }
  const saved = old
    ? await updateScrapeUrl(db, old.id, values)
    : ((await insertScrapeUrl(db, { ...values, createdBy: userId })) ?? 'taken')
  if (saved === 'taken') return alreadySaved
  if (!saved) return { kind: 'notFound', id: input.id ?? '', message: 'There is no such scrape URL.' }
  if (old && (input.timezone !== undefined || saved.countyFips !== old.countyFips)) await retimeSchedules(db, saved.id)
  return { kind: 'ok', value: saved }
}

/** What jsonb refuses, as JSON writes it. */
const unstorable = /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f][0-9a-f]{2})/

/** Everything that is wrong with the input, at once. */
function issuesOf(
  input: SaveScrapeUrlInput,
  merged: {
    countyFips: string | null | undefined
    url: string | null | undefined
    platform: SitePlatform | null | undefined
    options: unknown
  },
  allowPrivateHosts: readonly string[],
): InputIssue[] {
  const issues: InputIssue[] = []
  const add = (path: string, message: string) => issues.push({ path: [path], message })
  if (merged.countyFips == null) add('countyId', 'is required')
  if (merged.url == null) add('url', 'is required')
  else {
    const reason = privateHostReason(merged.url, allowPrivateHosts)
    if (reason !== null) add('url', reason)
  }
  if (merged.platform == null) add('platform', 'is required')
  if (input.timezone != null && !IANAZone.isValidZone(input.timezone)) {
    add('timezone', 'must be an IANA time zone, such as America/New_York')
  }
  const { options, platform, url } = merged
  if (options != null && (typeof options !== 'object' || Array.isArray(options))) {
    add('options', 'must be an object')
  } else if (options != null && unstorable.test(JSON.stringify(options))) {
    add('options', 'must not contain a NUL character or half of a surrogate pair')
  } else if (platform != null && url != null && URL.canParse(url)) {
    issues.push(...siteFor(platform).issuesOf(new URL(url), options ?? {}))
  }
  return issues
}
