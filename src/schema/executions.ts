import { executions, loadLines } from '../resolvers/executions.ts'
import { builder } from './builder.ts'
import { connectionType, pageArgs, pageCost, unremembered } from './connection.ts'
import { ExecutionStatus, LogLevel } from './enums.ts'
import { ExecutionFilter } from './inputs.ts'
import { JobExecutionLog, ScrapingJob } from './refs.ts'

export const LogLine = builder.simpleObject('LogLine', {
  description: "A line of a job's log.",
  fields: (t) => ({
    line: t.int({ description: 'Its number, counted per job over all attempts from 1.' }),
    at: t.field({ type: 'DateTime', description: 'When it was written.' }),
    level: t.field({ type: LogLevel, description: 'How much it matters.' }),
    message: t.string({ description: 'What it says.' }),
    data: t.field({ type: 'JSON', nullable: true, description: 'What it says to programs.' }),
  }),
})

const ExecutionStage = builder.simpleObject('ExecutionStage', {
  description: 'The time an execution spent on one kind of work.',
  fields: (t) => ({
    name: t.string({ description: 'FETCH, PARSE, CONVERT, SAVE, EXPORT or NOTIFY.' }),
    durationMs: t.int({ description: 'Milliseconds in all.' }),
    count: t.int({ description: 'How often.' }),
  }),
})

JobExecutionLog.implement({
  description: 'One run of a job by one worker.',
  fields: (t) => ({
    job: t.field({ type: ScrapingJob, description: 'What was run.', resolve: (row) => row.jobId }),
    attempt: t.exposeInt('attempt', { description: 'Which attempt it was, from 1.' }),
    status: t.expose('status', { type: ExecutionStatus, description: 'Where it stands.' }),
    startedAt: t.expose('startedAt', { type: 'DateTime', description: 'When it began.' }),
    finishedAt: t.expose('finishedAt', { type: 'DateTime', nullable: true, description: 'When it ended.' }),
    durationMs: t.exposeInt('durationMs', { nullable: true, description: 'Milliseconds it took.' }),
    rowsProcessed: t.exposeInt('rowsProcessed', { description: 'Rows it read.' }),
    rowsSuccess: t.exposeInt('rowsSuccess', { description: 'Rows it saved.' }),
    rowsFailed: t.exposeInt('rowsFailed', { description: 'Rows it rejected.' }),
    stages: t.field({
      type: [ExecutionStage],
      description: 'FETCH, PARSE, CONVERT, SAVE, EXPORT, NOTIFY with the time spent in each.',
      resolve: (row) => row.stages,
    }),
    stats: t.expose('stats', {
      type: 'JSON',
      description: '{"ok": true, ...}: filled whenever the execution ended, however it ended.',
    }),
    errorMessage: t.exposeString('errorMessage', { nullable: true, description: 'Why it failed; null on success.' }),
    workerNode: t.exposeString('workerNode', { description: 'The node it ran on.' }),
    workerPid: t.exposeInt('workerPid', { nullable: true, description: 'The process it ran in.' }),
    lines: t.loadableList({
      type: LogLine,
      description: 'Its log lines, oldest first.',
      args: {
        afterLine: t.arg.int({ description: 'Lines after this one; 0 unless told.' }),
        first: t.arg.int({ description: 'So many: at most 200; 50 unless told.' }),
      },
      byPath: true,
      complexity: pageCost,
      loaderOptions: unremembered,
      load: async (keys: string[], context, args) => await loadLines(keys, args, context),
      resolve: (row) => row.id,
    }),
  }),
})

export const ExecutionConnection = connectionType('JobExecutionLog', JobExecutionLog, 'executions of jobs')

builder.queryField('executions', (t) =>
  t.field({
    type: ExecutionConnection,
    description: 'Executions of all jobs, newest first.',
    args: { filter: t.arg({ type: ExecutionFilter, description: 'Which of them.' }), ...pageArgs(t.arg) },
    complexity: pageCost,
    resolve: async (_root, args, context) => await executions(args, context),
  }),
)
