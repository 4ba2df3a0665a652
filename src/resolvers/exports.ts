import { defaultProspectOrder, type ProspectOrder } from '../db/prospectOrder.ts'
import type { ExportFormat } from '../domain.ts'
import type { Exported } from '../engine/exportLinks.ts'
import type { ProspectSelection } from '../engine/prospectExport.ts'
import { distinct } from './batches.ts'
import type { Context } from './context.ts'
import { type ProspectFilterArg, prospectFilter } from './filters.ts'
import { badUserInput, unauthenticated } from './refusals.ts'

export interface ExportArgs {
  filter?: ProspectFilterArg | null | undefined
  orderBy?: ProspectOrder | null | undefined
}

export interface ExportLink {
  url: string
  expiresAt: Date
}

/** A link to every prospect that matches. Throws BAD_USER_INPUT for what `prospects` refuses, and for long filters. */
export async function prospectExport(
  { filter, orderBy, format }: ExportArgs & { format: ExportFormat },
  context: Context,
): Promise<ExportLink> {
  prospectFilter(filter)
  const what = { kind: 'prospects' as const, format, filter: filter ?? null, orderBy: orderBy ?? null }
  const { links, expiresAt } = await linksTo([what], context)
  const [url] = links
  if (url == null) {
    throw badUserInput([{ path: ['filter'], message: 'is too long for a link: about 4,000 characters of JSON fit' }])
  }
  return { url, expiresAt }
}

/** A link to each job's CSV. */
export async function loadCsvUrls(jobIds: readonly string[], context: Context): Promise<string[]> {
  const ids = distinct(jobIds)
  const { links } = await linksTo(
    ids.map((jobId) => ({ kind: 'job', jobId })),
    context,
  )
  const byJob = new Map(ids.map((id, i) => [id, links[i] as string]))
  return jobIds.map((id) => byJob.get(id) as string)
}

/** What a link to prospects asks for, as the database takes it. */
export function prospectSelection({ filter, orderBy }: ExportArgs): ProspectSelection {
  return { filter: prospectFilter(filter), orderBy: orderBy ?? defaultProspectOrder }
}

async function linksTo(what: readonly Exported[], { exportLinks, origin, viewer }: Context) {
  if (!viewer) throw unauthenticated()
  const { tokens, expiresAt } = await exportLinks.sign(viewer, what)
  return { links: tokens.map((token) => (token === null ? null : `${origin}/exports/${token}`)), expiresAt }
}
