import { type ProspectGroupBy, type ProspectGroupRow, prospectGroups } from '../db/prospectStatistics.ts'
import { statistics as jobStatistics, type Statistics } from '../engine/jobStatistics.ts'
import type { InputIssue } from '../engine/outcome.ts'
import type { Context } from './context.ts'
import { type JobFilterArg, jobFilter, type ProspectFilterArg, prospectFilter } from './filters.ts'
import { badUserInput } from './refusals.ts'

export type { AmountFigures, ProspectGroupRow } from '../db/prospectStatistics.ts'
export { daysIn, mostDays } from '../engine/dayRange.ts'
export type { Statistics } from '../engine/jobStatistics.ts'
export { defaultDays } from '../engine/jobStatistics.ts'

/** More groups than this are refused. */
export const mostGroups = 5_000

const ofTime: readonly ProspectGroupBy[] = ['AUCTION_DATE', 'WEEK', 'MONTH']

export async function statistics(
  args: {
    from?: string | null | undefined
    to?: string | null | undefined
    timezone?: string | null | undefined
    filter?: JobFilterArg | null | undefined
  },
  { db }: Context,
): Promise<Statistics> {
  return await jobStatistics(db, jobFilter(args.filter), args)
}

/** Prospects in groups; more groups than the limit are refused, since a part of them would be taken for all. */
export async function prospectStatistics(
  args: {
    filter?: ProspectFilterArg | null | undefined
    groupBy: readonly ProspectGroupBy[]
    limit?: number | null | undefined
  },
  { db }: Context,
): Promise<ProspectGroupRow[]> {
  const groupBy = [...new Set(args.groupBy)]
  const limit = args.limit ?? mostGroups
  const issues: InputIssue[] = []
  if (groupBy.filter((one) => ofTime.includes(one)).length > 1) {
    issues.push({ path: ['groupBy'], message: `must have at most one of ${ofTime.join(', ')}` })
  }
  if (limit < 1 || limit > mostGroups) issues.push({ path: ['limit'], message: `must be 1 to ${mostGroups}` })
  if (issues.length > 0) throw badUserInput(issues)
  const groups = await prospectGroups(db, prospectFilter(args.filter), groupBy, limit + 1)
  if (groups.length > limit) {
    throw badUserInput([{ path: ['groupBy'], message: `makes more than ${limit} groups: ask for fewer prospects` }])
  }
  return groups
}
