import type { ScheduleRow } from '../db/tables.ts'
import { loadLastJobs, loadScheduleZones, remove, save, schedules } from '../resolvers/schedules.ts'
import { builder } from './builder.ts'
import { listCost, unremembered } from './connection.ts'
import { resultType } from './errors.ts'
import { CountyScrapeUrl, Schedule, ScrapingJob, User } from './refs.ts'

Schedule.implement({
  description:
    'When jobs are made by themselves. Over all nodes each run happens once; after a downtime one run makes up for all that were missed; days that are final are left out.',
  fields: (t) => ({
    scrapeUrl: t.field({
      type: CountyScrapeUrl,
      description: 'The site its jobs read.',
      resolve: (row) => row.scrapeUrlId,
    }),
    cron: t.exposeString('cron', {
      description: 'Five fields, minute to day of the week, or a name such as @daily.',
    }),
    timezone: t.loadable({
      type: 'String',
      description: "The IANA zone of the pattern: its own, or the site's.",
      loaderOptions: unremembered,
      load: async (rows: ScheduleRow[], context) => await loadScheduleZones(rows, context),
      resolve: (row) => row,
    }),
    active: t.exposeBoolean('active', { description: 'Whether it runs.' }),
    lookbackDays: t.exposeInt('lookbackDays', {
      description: "How many days before the site's today its jobs read, final ones left out.",
    }),
    lookaheadDays: t.exposeInt('lookaheadDays', { description: "How many days after the site's today its jobs read." }),
    priority: t.exposeInt('priority', { description: 'Of its jobs: higher runs first; -100..100.' }),
    nextRunAt: t.expose('nextRunAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it runs next; null while it is not active, or when the pattern never comes again.',
    }),
    lastRunAt: t.expose('lastRunAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it last made a job.',
    }),
    skippedRuns: t.exposeInt('skippedRuns', {
      description: 'Runs that made no job, since its last job had not ended or the site was not active.',
    }),
    lastJob: t.loadable({
      type: ScrapingJob,
      nullable: true,
      description: 'The newest job it has made.',
      loaderOptions: unremembered,
      load: async (keys: string[], context) => await loadLastJobs(keys, context),
      resolve: (row) => row.id,
    }),
    createdBy: t.field({
      type: User,
      nullable: true,
      description: 'Who saved it first.',
      resolve: (row) => row.createdBy,
    }),
  }),
})

builder.queryField('schedules', (t) =>
  t.field({
    type: [Schedule],
    description: 'Every schedule, oldest first.',
    complexity: listCost(100),
    resolve: async (_root, _args, context) => await schedules(context),
  }),
)

const SaveScheduleInput = builder.inputType('SaveScheduleInput', {
  description:
    'With id, what is left out stays and null clears. Without id it creates, and scrapeUrlId and cron are required.',
  fields: (t) => ({
    id: t.id({ description: 'The schedule to change.' }),
    scrapeUrlId: t.id({ description: 'The site its jobs read.' }),
    cron: t.string({ description: 'Five fields, minute to day of the week, or a name such as @daily.' }),
    timezone: t.string({ description: "The IANA zone of the pattern; the site's unless told." }),
    lookbackDays: t.int({ description: 'How many days before today its jobs read; 14 unless told.' }),
    lookaheadDays: t.int({
      description: 'How many days after today its jobs read; 30 unless told; at most 366 days in all.',
    }),
    priority: t.int({ description: 'Of its jobs: -100..100, 0 unless told.' }),
    active: t.boolean({ description: 'Whether it runs; true unless told.' }),
  }),
})

const SaveScheduleSuccess = builder.objectRef<ScheduleRow>('SaveScheduleSuccess').implement({
  description: 'It is saved.',
  fields: (t) => ({
    schedule: t.field({ type: Schedule, description: 'As it stands now.', resolve: (row) => row }),
  }),
})

const DeleteScheduleSuccess = builder.objectRef<{ deletedId: string }>('DeleteScheduleSuccess').implement({
  description: 'It is deleted; its jobs stay.',
  fields: (t) => ({ deletedId: t.exposeID('deletedId', { description: 'The id it had.' }) }),
})

const SaveScheduleResult = resultType('SaveScheduleResult', SaveScheduleSuccess, ['InvalidInputError', 'NotFoundError'])
const DeleteScheduleResult = resultType('DeleteScheduleResult', DeleteScheduleSuccess, ['NotFoundError'])

builder.mutationFields((t) => ({
  saveSchedule: t.field({
    type: SaveScheduleResult.type,
    description: 'Saves a schedule, or changes it. Takes OPERATOR.',
    authScopes: { operator: true },
    args: { input: t.arg({ type: SaveScheduleInput, required: true, description: 'What to save.' }) },
    resolve: async (_root, { input }, context) => SaveScheduleResult.from(await save(input, context)),
  }),
  deleteSchedule: t.field({
    type: DeleteScheduleResult.type,
    description: 'Deletes a schedule; its jobs stay. Takes OPERATOR.',
    authScopes: { operator: true },
    args: { id: t.arg.id({ required: true, description: 'The schedule.' }) },
    resolve: async (_root, { id }, context) => DeleteScheduleResult.from(await remove(id, context)),
  }),
}))
