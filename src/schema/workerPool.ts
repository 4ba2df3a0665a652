import type { WorkerNodeRow, WorkerRow } from '../db/tables.ts'
import { type WorkerPool as Pool, workerPool } from '../resolvers/workerPool.ts'
import { builder } from './builder.ts'
import { listCost } from './connection.ts'
import { WorkerState } from './enums.ts'
import { ScrapingJob } from './refs.ts'

const Worker = builder.objectRef<WorkerRow>('Worker').implement({
  description: 'A process that runs one job at a time.',
  fields: (t) => ({
    pid: t.exposeInt('pid', { description: 'Its process id on its node.' }),
    state: t.expose('state', { type: WorkerState, description: 'What it is doing.' }),
    job: t.field({ type: ScrapingJob, nullable: true, description: 'What it runs.', resolve: (row) => row.jobId }),
    jobsDone: t.exposeInt('jobsDone', { description: 'Jobs it has run; after 50 it is replaced.' }),
    rssBytes: t.exposeFloat('rssBytes', { description: 'The memory it holds.' }),
  }),
})

const WorkerNode = builder.objectRef<WorkerNodeRow>('WorkerNode').implement({
  description: 'A node that has told of itself of late.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'Its name.' }),
    startedAt: t.expose('startedAt', { type: 'DateTime', description: 'When it started.' }),
    heartbeatAt: t.expose('heartbeatAt', { type: 'DateTime', description: 'When it last told of itself.' }),
    workers: t.field({ type: [Worker], description: 'Its processes.', resolve: (row) => row.workers }),
    fault: t.exposeString('fault', {
      nullable: true,
      description: 'Why it does not take all jobs: no worker can be started, or no browser. null: it does.',
    }),
  }),
})

const WorkerPool = builder.objectRef<Pool>('WorkerPool').implement({
  description: 'What runs the jobs, over all nodes.',
  fields: (t) => ({
    nodes: t.field({ type: [WorkerNode], description: 'The nodes, by name.', resolve: (pool) => pool.nodes }),
    pending: t.exposeInt('pending', { description: 'Jobs that wait, held ones not counted.' }),
    running: t.exposeInt('running', { description: 'Jobs that run.' }),
    oldestPendingSeconds: t.exposeInt('oldestPendingSeconds', {
      nullable: true,
      description: 'How long the oldest job that may start has waited; null when none waits.',
    }),
  }),
})

builder.queryField('workerPool', (t) =>
  t.field({
    type: WorkerPool,
    description: 'What runs the jobs, and what waits.',
    // Its workers, each with a job: as many as GAVEL_WORKERS may be.
    complexity: listCost(64),
    resolve: async (_root, _args, context) => await workerPool(context),
  }),
)
