import type { JobRow } from '../db/tables.ts'
import { recoverStale } from '../resolvers/recovery.ts'
import { builder } from './builder.ts'
import { listCost } from './connection.ts'
import { resultType } from './errors.ts'
import { ScrapingJob } from './refs.ts'

const RecoverStaleJobsSuccess = builder.objectRef<{ jobs: JobRow[] }>('RecoverStaleJobsSuccess').implement({
  description: 'The executions are closed.',
  fields: (t) => ({
    jobs: t.field({
      type: [ScrapingJob],
      description: 'Their jobs as they stand now: PENDING and queued, or FAILED where no attempt is left.',
      resolve: ({ jobs }) => jobs,
    }),
  }),
})

const RecoverStaleJobsResult = resultType('RecoverStaleJobsResult', RecoverStaleJobsSuccess, ['InvalidInputError'])

builder.mutationField('recoverStaleJobs', (t) =>
  t.field({
    type: RecoverStaleJobsResult.type,
    description:
      'Does by hand what nodes do by themselves: closes executions whose worker is gone, and lets their jobs run again at once. Takes ADMIN.',
    authScopes: { admin: true },
    complexity: listCost(100),
    args: {
      olderThanSeconds: t.arg.int({
        description: 'How long the worker has shown no life; at least GAVEL_STALE_AFTER, which it is unless told.',
      }),
    },
    resolve: async (_root, { olderThanSeconds }, context) =>
      RecoverStaleJobsResult.from(await recoverStale(olderThanSeconds, context)),
  }),
)
