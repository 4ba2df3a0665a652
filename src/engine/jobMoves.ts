import type { Database } from '../db/database.ts'
import { type JobCursor, type JobMoves, type JobState, matchingStates, readJobMoves } from '../db/jobMoves.ts'
import type { JobFilter } from '../db/jobPages.ts'
import { type JobUpdate, standing, updateOf } from './jobUpdate.ts'

/** An update of a job with the filters whose subscribers hear of it, by their place in the list. */
export interface JudgedUpdate {
  update: JobUpdate
  /** A change of status: never left out. What is none is overtaken by the next one. */
  lasting: boolean
  told: ReadonlySet<number>
}

/** A job that has moved on from a cursor. */
export interface MovedJob extends JobCursor {
  sequence: number
  running: boolean
  deleted: boolean
  updates: JudgedUpdate[]
}

/**
 * Reads what has become of jobs after their cursors, and judges each change by the filters: it is told where the job
 * matched before it or after it. Jobs that never were are left out.
 */
export async function readMovedJobs(
  db: Database,
  cursors: readonly JobCursor[],
  filters: readonly JobFilter[],
): Promise<MovedJob[]> {
  const steps = (await readJobMoves(db, cursors)).map((moves) => ({ moves, steps: stepsOf(moves) }))
  const states = steps.flatMap((one) => one.steps.flatMap((step) => [...step.before, step.after]))
  const matching = states.length === 0 ? [] : await matchingStates(db, states, filters)
  const numbers = new Map(states.map((state, n) => [state, n]))
  const matches = (filter: number, state: JobState): boolean =>
    matching[filter]?.has(numbers.get(state) as number) ?? false

  return steps.map(({ moves, steps: own }) => {
    const judged = own.map((step) => {
      const told = filters.flatMap((_, i) =>
        [...step.before, step.after].some((state) => matches(i, state)) ? [i] : [],
      )
      return { step, told }
    })
    const { jobId, after, job, deleted } = moves
    const updates = judged.flatMap(({ step, told }): JudgedUpdate[] =>
      step.update ? [{ update: step.update, lasting: step.lasting, told: new Set(told) }] : [],
    )
    // An edit has no update of its own: whoever is concerned hears of the job as it stands.
    const edited = judged.flatMap(({ step, told }) => (step.update ? [] : told))
    const last = updates.pop()
    if (last) updates.push({ ...last, told: new Set([...last.told, ...edited]) })
    return { jobId, after, sequence: job.sequence, running: job.status === 'RUNNING', deleted, updates }
  })
}

/** One change of a job, from one state to another. */
interface Step {
  /** Empty where the job was made. */
  before: JobState[]
  after: JobState
  update: JobUpdate | null
  lasting: boolean
}

function stepsOf(moves: JobMoves): Step[] {
  const { job, after, errorMessage, events } = moves
  if (moves.deleted) {
    const update = { ...standing(job, null, 'DELETED' as const), sequence: job.sequence + 1 }
    return [{ before: [], after: stateAt(moves, job.sequence), update, lasting: true }]
  }
  const moved = [...events, ...moves.edits].map((one) => one.sequence).filter((sequence) => sequence > after)
  if (job.sequence > after) moved.push(job.sequence)
  let before = after === 0 ? [] : [stateAt(moves, after)]
  return [...new Set(moved)]
    .toSorted((a, b) => a - b)
    .map((sequence): Step => {
      const event = events.find((one) => one.sequence === sequence)
      const state = stateAt(moves, sequence)
      const step = {
        before,
        after: state,
        update: event
          ? updateOf(event, job, 'CHANGED')
          : sequence === job.sequence
            ? standing(job, errorMessage, 'CHANGED')
            : null,
        lasting: event !== undefined,
      }
      before = [state]
      return step
    })
}

/** What the job was at a sequence: its status by the events, its hold and name by what they were before later edits. */
function stateAt({ jobId, job, deleted, events, edits }: JobMoves, sequence: number): JobState {
  const event = events.findLast((one) => one.sequence <= sequence)
  const edit = edits.find((one) => one.sequence > sequence)
  const present = sequence >= job.sequence
  return {
    jobId,
    deleted,
    status: present ? job.status : (event?.status ?? job.status),
    held: edit?.held ?? job.held,
    name: edit?.name ?? job.name,
    updatedAt: present
      ? job.updatedAt
      : (edits.find((one) => one.sequence === sequence)?.at ?? event?.at ?? job.createdAt),
  }
}
