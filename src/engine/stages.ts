import type { StageTiming } from '../db/tables.ts'
import { type StageName, stageNames } from '../domain.ts'

/** Adds up the time an execution spends in each of its stages. */
export interface Stages {
  time<T>(name: StageName, work: () => Promise<T> | T): Promise<T>
  /** The stages that were entered, in their usual order. */
  timings(): StageTiming[]
}

export function createStages(): Stages {
  const spent = new Map<StageName, { ms: number; count: number }>()
  return {
    async time(name, work) {
      const started = performance.now()
      try {
        return await work()
      } finally {
        const before = spent.get(name) ?? { ms: 0, count: 0 }
        spent.set(name, { ms: before.ms + performance.now() - started, count: before.count + 1 })
      }
    },
    timings: () =>
      stageNames.flatMap((name) => {
        const stage = spent.get(name)
        return stage ? [{ name, durationMs: Math.round(stage.ms), count: stage.count }] : []
      }),
  }
}
