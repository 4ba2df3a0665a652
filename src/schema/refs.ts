import type { JobBatch as Batch } from '../db/batches.ts'
import type { ListingSummary } from '../db/prospectDetails.ts'
import type {
  ApiKeyRow,
  CountyRow,
  ExecutionRow,
  JobErrorRow,
  JobRow,
  ProspectChangeRow,
  ProspectRow,
  ScheduleRow,
  ScrapeDayRow,
  ScrapeUrlRow,
  StateRow,
  UserRow,
  WebhookDeliveryRow,
  WebhookRow,
} from '../db/tables.ts'
import type { Context } from '../resolvers/context.ts'
import { loadExecutions } from '../resolvers/executions.ts'
import { loadBatches } from '../resolvers/jobBatches.ts'
import { loadErrors } from '../resolvers/jobErrors.ts'
import { loadDays, loadJobs } from '../resolvers/jobs.ts'
import { loadCounties, loadStates } from '../resolvers/places.ts'
import { loadChanges, loadListings, loadProspects } from '../resolvers/prospects.ts'
import { loadSchedules } from '../resolvers/schedules.ts'
import { loadScrapeUrls } from '../resolvers/scrapeUrls.ts'
import { loadApiKeys, loadUsers } from '../resolvers/users.ts'
import { loadDeliveries, loadWebhooks } from '../resolvers/webhooks.ts'
import { builder } from './builder.ts'
import { unrememberedKeys } from './connection.ts'

/**
 * Every type that has a global id, by its name, key and loader: here and not in its own file, since they point at
 * each other. A field of such a type may resolve to a row or to a key.
 */
function node<Row extends object>(
  name: string,
  key: (row: Row) => string,
  load: (keys: readonly string[], context: Context) => Promise<(Row | null)[]>,
) {
  return builder.loadableNodeRef<Row, string, string, string, Row>(name, {
    id: { resolve: key },
    // The loader answers null for what is not there, and so does the field; the plugin's type knows only errors.
    load: load as (keys: readonly string[], context: Context) => Promise<Row[]>,
    loaderOptions: unrememberedKeys,
  })
}

export const State = node<StateRow>('State', (row) => row.code, loadStates)
export const County = node<CountyRow>('County', (row) => row.fips, loadCounties)
export const CountyScrapeUrl = node<ScrapeUrlRow>('CountyScrapeUrl', (row) => row.id, loadScrapeUrls)
export const ScrapingJob = node<JobRow>('ScrapingJob', (row) => row.id, loadJobs)
export const ScrapeDay = node<ScrapeDayRow>('ScrapeDay', (row) => row.id, loadDays)
export const JobExecutionLog = node<ExecutionRow>('JobExecutionLog', (row) => row.id, loadExecutions)
export const JobError = node<JobErrorRow>('JobError', (row) => row.id, loadErrors)
export const JobBatch = node<Batch>('JobBatch', (row) => row.id, loadBatches)
export const Prospect = node<ProspectRow>('Prospect', (row) => row.id, loadProspects)
export const Listing = node<ListingSummary>('Listing', (row) => row.id, loadListings)
export const ProspectChange = node<ProspectChangeRow>('ProspectChange', (row) => String(row.position), loadChanges)
export const User = node<UserRow>('User', (row) => row.id, loadUsers)
export const ApiKey = node<ApiKeyRow>('ApiKey', (row) => row.id, loadApiKeys)
export const Schedule = node<ScheduleRow>('Schedule', (row) => row.id, loadSchedules)
export const Webhook = node<WebhookRow>('Webhook', (row) => row.id, loadWebhooks)
export const WebhookDelivery = node<WebhookDeliveryRow>('WebhookDelivery', (row) => row.id, loadDeliveries)
