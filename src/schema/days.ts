import { loadErrorsOfDays } from '../resolvers/jobErrors.ts'
import { listCost, unremembered } from './connection.ts'
import { CompletenessProof, DayOutcome } from './enums.ts'
import { CountyScrapeUrl, JobError, ScrapeDay, ScrapingJob } from './refs.ts'

ScrapeDay.implement({
  description: 'What one read of one auction day found: the completeness proof.',
  fields: (t) => {
    const figure = (name: 'expected' | 'scheduled' | 'waiting' | 'running' | 'closed', description: string) =>
      t.exposeInt(name, { nullable: true, description })
    const count = (
      name: 'received' | 'saved' | 'rejected' | 'created' | 'updated' | 'unchanged',
      description: string,
    ) => t.exposeInt(name, { description })
    return {
      date: t.expose('date', {
        type: 'Date',
        nullable: true,
        description: "The auction day; null: the report on a site's undated rows.",
      }),
      scrapeUrl: t.field({ type: CountyScrapeUrl, description: 'The site.', resolve: (row) => row.scrapeUrlId }),
      job: t.field({
        type: ScrapingJob,
        nullable: true,
        description: 'The job that read it; null once that is deleted.',
        resolve: (row) => row.jobId,
      }),
      outcome: t.expose('outcome', { type: DayOutcome, description: 'How the read ended.' }),
      proof: t.expose('proof', { type: CompletenessProof, nullable: true, description: 'What proves it.' }),
      expected: figure('expected', 'Items the site says there are.'),
      scheduled: figure('scheduled', 'Items its calendar counts.'),
      waiting: figure('waiting', 'Items it says are waiting.'),
      running: figure('running', 'Items it says are being sold.'),
      closed: figure('closed', 'Items it says are closed.'),
      received: count('received', 'Distinct items that were read: saved and rejected.'),
      saved: count('saved', 'Items that were saved.'),
      rejected: count('rejected', 'Items that could not be converted; each is an error with its raw data.'),
      created: count('created', 'Items that are new prospects.'),
      updated: count('updated', 'Items that changed a prospect.'),
      unchanged: count('unchanged', 'Items that changed nothing.'),
      final: t.exposeBoolean('final', {
        description: 'Whether the day needs no further reading: proved, past, and either all settled or 14 days ago.',
      }),
      errors: t.loadableList({
        type: JobError,
        description: 'What went wrong, newest first.',
        complexity: listCost(2),
        loaderOptions: unremembered,
        load: loadErrorsOfDays,
        resolve: (row) => row.id,
      }),
      pages: t.exposeInt('pages', { description: 'Pages that were read.' }),
      attempt: t.exposeInt('attempt', { description: 'The attempt that read it; 0 until it was read.' }),
      durationMs: t.exposeInt('durationMs', { description: 'Milliseconds the read took.' }),
      finishedAt: t.expose('finishedAt', { type: 'DateTime', nullable: true, description: 'When the read ended.' }),
    }
  },
})
