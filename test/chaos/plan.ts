import type { Fault } from '../../src/demo/site/faults.ts'
import { type Random, seededRandom } from '../../src/demo/site/random.ts'

/** One blow. Targets are numbers that are taken modulo what is there when it falls. */
export type Action =
  | { kind: 'kill a worker'; node: number; worker: number }
  | { kind: 'freeze a worker'; node: number; worker: number; seconds: number }
  | { kind: 'kill a node'; node: number }
  | { kind: 'stop a node'; node: number }
  | { kind: 'freeze a node'; node: number; seconds: number }
  | { kind: 'freeze a machine'; node: number; seconds: number }
  | { kind: 'kill Postgres'; victim: 'its server' | 'a backend' }
  | { kind: 'cut the connections' }
  | { kind: 'cut the watchers' }
  | { kind: 'fault of a site'; site: number; fault: Fault; seconds: number }
  | { kind: 'cancel a job'; pick: number }
  | { kind: 'run a job again'; pick: number }
  | { kind: 'clone a job'; pick: number }
  | { kind: 'recover by hand' }

export type ActionKind = Action['kind']

export interface PlannedAction {
  /** Since the beginning of the run. */
  atMs: number
  action: Action
}

/** A frozen process is taken for dead after 10 s (the least GAVEL_STALE_AFTER): below that, and beyond it. */
const freezeSeconds = { short: 3, long: 15 } as const

const faults: readonly Fault[] = [
  { kind: 'status403' },
  { kind: 'status429', retryAfterSeconds: 1 },
  { kind: 'status429', retryAfterSeconds: 20, times: 1 },
  { kind: 'status503', retryAfterSeconds: null },
  { kind: 'status500' },
  { kind: 'stall' },
  { kind: 'stall', times: 1, when: { request: 'LOAD' } },
  { kind: 'maintenance' },
  { kind: 'captcha' },
  { kind: 'oversizedBody', times: 2 },
  { kind: 'cutBody' },
  { kind: 'truncatedJson' },
  { kind: 'noIdList' },
  { kind: 'noCounts' },
  { kind: 'coldSession' },
  { kind: 'wrongDate' },
  { kind: 'repeatPage' },
  { kind: 'shortPage' },
  { kind: 'shortPage', drop: 5, times: 1 },
  { kind: 'moveItem', times: 2 },
  { kind: 'templateChanged', how: 'token' },
  { kind: 'templateChanged', how: 'labels' },
  { kind: 'foreignRedirect', times: 1 },
  { kind: 'privateRedirect', times: 1 },
]

type Deal = (random: Random) => Action

/** Every blow that there is, the cheap ones more often. */
const deck: readonly Deal[] = [
  ...times(6, siteFault),
  ...times(3, (random) => ({ kind: 'kill a worker', ...worker(random) })),
  (random) => ({ kind: 'freeze a worker', ...worker(random), seconds: freezeSeconds.short }),
  (random) => ({ kind: 'freeze a worker', ...worker(random), seconds: freezeSeconds.long }),
  (random) => ({ kind: 'kill a node', node: random.integer(0, 1) }),
  (random) => ({ kind: 'stop a node', node: random.integer(0, 1) }),
  (random) => ({ kind: 'freeze a node', node: random.integer(0, 1), seconds: freezeSeconds.short }),
  (random) => ({ kind: 'freeze a node', node: random.integer(0, 1), seconds: freezeSeconds.long }),
  ...times(2, (random) => ({ kind: 'freeze a machine', node: random.integer(0, 1), seconds: freezeSeconds.long })),
  (random) => ({ kind: 'kill Postgres', victim: random.pick(['its server', 'a backend']) }),
  ...times(2, () => ({ kind: 'cut the connections' })),
  ...times(2, () => ({ kind: 'cut the watchers' })),
  ...times(3, (random) => ({ kind: 'cancel a job', pick: random.integer(0, 99) })),
  ...times(2, (random) => ({ kind: 'run a job again', pick: random.integer(0, 99) })),
  (random) => ({ kind: 'clone a job', pick: random.integer(0, 99) }),
  () => ({ kind: 'recover by hand' }),
]

/** Between two blows on average; in a short run less, so that it holds every blow at least once. */
const usualGapMs = 1500

/** The blows of a run, in order. Depends on its arguments alone. */
export function planActions({ seed, durationMs }: { seed: number; durationMs: number }): PlannedAction[] {
  const random = seededRandom('chaos', seed)
  const gapMs = Math.min(usualGapMs, durationMs / (deck.length + 1))
  const planned: PlannedAction[] = []
  let left: Deal[] = []
  for (let atMs = gapMs; atMs < durationMs; atMs += (gapMs * random.integer(50, 150)) / 100) {
    if (left.length === 0) left = [...deck]
    const [deal] = left.splice(random.integer(0, left.length - 1), 1)
    if (deal) planned.push({ atMs: Math.round(atMs), action: fitting(deal(random), durationMs - atMs) })
  }
  return planned
}

/** A long freeze that would outlast the run is a short one. */
function fitting(action: Action, leftMs: number): Action {
  const freezes = action.kind.startsWith('freeze') && 'seconds' in action
  return freezes && action.seconds * 1000 > leftMs ? { ...action, seconds: freezeSeconds.short } : action
}

/** What an action does, in a few words. */
export function describeAction(action: Action): string {
  switch (action.kind) {
    case 'freeze a worker':
    case 'freeze a node':
    case 'freeze a machine':
      return `${action.kind} for ${action.seconds} s`
    case 'kill Postgres':
      return `${action.kind}: ${action.victim}`
    case 'fault of a site':
      return `${action.kind}: ${action.fault.kind}`
    default:
      return action.kind
  }
}

function siteFault(random: Random): Action {
  const seconds = random.integer(1, 4)
  return { kind: 'fault of a site', site: random.integer(0, 99), fault: random.pick(faults), seconds }
}

function worker(random: Random): { node: number; worker: number } {
  return { node: random.integer(0, 1), worker: random.integer(0, 1) }
}

function times(count: number, deal: Deal): Deal[] {
  return Array.from({ length: count }, () => deal)
}
