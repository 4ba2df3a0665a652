import { setTimeout as delay } from 'node:timers/promises'
import type { SampleSite } from '../../src/demo/site/server.ts'
import type { Api } from './api.ts'
import type { Jobs } from './jobs.ts'
import type { Nodes } from './nodes.ts'
import { type Action, type ActionKind, describeAction, planActions } from './plan.ts'
import type { ChaosPostgres } from './postgres.ts'
import { signal } from './processes.ts'
import { playFault } from './sites.ts'
import type { Watchers } from './watchers.ts'

/** How often each blow fell, and how often it found no target. */
export type Blows = ReadonlyMap<ActionKind, { done: number; missed: number }>

/** A run while it goes on. */
interface Scene {
  api: Api
  postgres: ChaosPostgres
  nodes: Nodes
  sites: readonly SampleSite[]
  jobs: Jobs
  watchers: Watchers
  ending: AbortSignal
}

interface StrikeOptions {
  durationMs: number
  seed: number
  signal: AbortSignal
  tell: (text: string) => void
}

/** What is watched, at most: jobs, and streams at once. */
const most = { watched: 200, streams: 20 }

/** By how much the workers of a frozen machine come back before their node. */
const headStartSeconds = 2

/** Submits jobs and lets the blows fall, each at its time, until the time is up and the last of them is over. */
export async function strike(
  given: Omit<Scene, 'ending'>,
  { durationMs, seed, signal: stop, tell }: StrikeOptions,
): Promise<{ actions: Blows; problems: string[] }> {
  const actions = new Map<ActionKind, { done: number; missed: number }>()
  const problems: string[] = []
  const ending = new AbortController()
  const scene = { ...given, ending: ending.signal }
  const began = performance.now()
  const since = () => performance.now() - began
  const falling: Promise<void>[] = [keepBusy(scene, () => since() > durationMs || stop.aborted, problems)]
  for (const { atMs, action } of planActions({ seed, durationMs })) {
    await delay(Math.max(0, atMs - since()), undefined, { signal: stop })
    tell(`${(since() / 1000).toFixed(1).padStart(6)} s  ${describeAction(action)}`)
    const count = actions.get(action.kind) ?? { done: 0, missed: 0 }
    actions.set(action.kind, count)
    falling.push(
      (async () => {
        try {
          if (await perform(action, scene)) count.done += 1
          else count.missed += 1
        } catch (error) {
          problems.push(`${action.kind}: ${String(error)}`)
        }
      })(),
    )
  }
  await delay(Math.max(0, durationMs - since()), undefined, { signal: stop })
  ending.abort()
  await Promise.all(falling)
  return { actions, problems }
}

/** Submits jobs, and watches some of them, until it is over. */
async function keepBusy({ jobs, watchers }: Scene, isOver: () => boolean, problems: string[]): Promise<void> {
  let seen = 0
  while (!isOver()) {
    try {
      await jobs.feed()
    } catch (error) {
      problems.push(`submitting: ${String(error)}`)
    }
    for (const job of jobs.submitted.slice(seen)) {
      if (watchers.live < most.streams && watchers.watched.length < most.watched) watchers.watch(job.id)
    }
    seen = jobs.submitted.length
    await delay(300)
  }
}

/** Does it and, where it lasts, waits for its end; false when there is nothing to do it to. */
async function perform(action: Action, scene: Scene): Promise<boolean> {
  const { api, nodes, postgres, jobs, sites, watchers, ending } = scene
  switch (action.kind) {
    case 'kill a worker':
    case 'freeze a worker': {
      const workers = nodes.workers(action.node)
      const pid = workers[action.worker % Math.max(1, workers.length)]
      if (pid === undefined) return false
      return action.kind === 'kill a worker' ? signal(pid, 'SIGKILL') : await freeze(pid, action.seconds)
    }
    case 'freeze a node': {
      const pid = nodes.pid(action.node)
      return pid !== null && (await freeze(pid, action.seconds))
    }
    case 'freeze a machine': {
      const pid = nodes.pid(action.node)
      if (pid === null) return false
      const workers = nodes.workers(action.node).map(async (worker) => await freeze(worker, action.seconds))
      // The workers come back before their node can stop them: what they still write must be refused.
      const frozen = await freeze(pid, action.seconds + headStartSeconds)
      await Promise.all(workers)
      return frozen
    }
    case 'kill a node':
    case 'stop a node':
      await nodes.replace(action.node, action.kind === 'kill a node' ? 'SIGKILL' : 'SIGTERM')
      return true
    case 'kill Postgres':
      return await postgres.kill(action.victim)
    case 'cut the connections':
      await postgres.cutConnections()
      return true
    case 'cut the watchers':
      watchers.cut()
      return true
    case 'fault of a site': {
      const site = sites[action.site % sites.length]
      if (site) await playFault(site, action.fault, action.seconds, ending)
      return site !== undefined
    }
    case 'cancel a job':
      return await jobs.cancel(action.pick)
    case 'run a job again':
      return await jobs.runAgain(action.pick)
    case 'clone a job':
      return await jobs.clone(action.pick)
    case 'recover by hand':
      await api.ask('mutation { recoverStaleJobs { __typename } }')
      return true
    default:
      return action satisfies never
  }
}

/** Stops a process for some time; false when it is not there. */
async function freeze(pid: number, seconds: number): Promise<boolean> {
  if (!signal(pid, 'SIGSTOP')) return false
  await delay(seconds * 1000)
  // Killed meanwhile, perhaps: frozen processes die all the same.
  signal(pid, 'SIGCONT')
  return true
}
