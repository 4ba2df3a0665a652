import { formatTable } from '../src/terminal/table.ts'
import type { Benchmark } from './benchmark.ts'
import { openPostgres } from './postgres.ts'
import { openBareSide } from './queue/bareSide.ts'
import { openOurSide } from './queue/ourSide.ts'
import { median, quantile, seededRandom } from './statistics.ts'

/** One of the two that are compared. Rounds may follow one another; between them it idles. */
export interface Side extends AsyncDisposable {
  /** Submits single jobs, each after its pause in ms; answers how many ms each took to reach its handler. */
  submitSingles(pauses: readonly number[]): Promise<number[]>
  /** Enqueues so many jobs at once and lets them run; answers jobs/s from the first that was taken to the last done. */
  drain(jobs: number): Promise<number>
}

/**
 * How soon a submitted job runs on a warm pool, and how many jobs with nothing to do run in a second: ours against bare
 * pg-boss with the same settings and an empty handler. Rounds alternate, so that what else the machine does meets both.
 */
export const queue: Benchmark<{ singles: number; jobs: number; rounds: number; workers: number; seed: number }> = {
  flags: { singles: 200, jobs: 5_000, rounds: 5, workers: 4, seed: 1 },

  async run({ singles, jobs, rounds, workers, seed }, tell) {
    await using postgres = await openPostgres()
    const jobsPerRound = Math.ceil(jobs / rounds)
    const singlesPerRound = Math.ceil(singles / rounds)
    const sites = Math.max(jobsPerRound, singlesPerRound)
    const random = seededRandom(seed)
    await using ours = await openOurSide(await postgres.createDatabase(), { workers, sites })
    await using bare = await openBareSide(await postgres.createDatabase(), { workers })
    const sides = { ours: { side: ours, ...empty() }, bare: { side: bare, ...empty() } }

    for (let round = 1; round <= rounds; round += 1) {
      const pauses = Array.from({ length: singlesPerRound }, () => 20 + 60 * random())
      for (const [name, { side, latencies, rates }] of Object.entries(sides)) {
        latencies.push(...(await side.submitSingles(pauses)))
        rates.push(await side.drain(jobsPerRound))
        tell(`round ${round} of ${rounds}, ${name}: ${rates.at(-1)?.toFixed(0)} jobs/s`)
      }
    }
    return compare(summary(sides.ours), summary(sides.bare))
  },
}

interface Rounds {
  /** Milliseconds, of all rounds. */
  latencies: number[]
  /** Jobs/s, of each round. */
  rates: number[]
}

const empty = (): Rounds => ({ latencies: [], rates: [] })

function summary({ latencies, rates }: Rounds) {
  return { p50: quantile(latencies, 0.5), p99: quantile(latencies, 0.99), rate: median(rates) }
}

function compare(ours: ReturnType<typeof summary>, bare: ReturnType<typeof summary>) {
  const ratios = { latencyP50: ours.p50 / bare.p50, latencyP99: ours.p99 / bare.p99, throughput: ours.rate / bare.rate }
  const rows = [
    { what: 'submit to handler, p50', unit: 'ms', ours: ours.p50, bare: bare.p50, ratio: ratios.latencyP50 },
    { what: 'submit to handler, p99', unit: 'ms', ours: ours.p99, bare: bare.p99, ratio: ratios.latencyP99 },
    { what: 'no-op jobs', unit: '/s', ours: ours.rate, bare: bare.rate, ratio: ratios.throughput },
  ]
  const table = formatTable(rows, [
    { title: '', value: (row) => row.what },
    { title: 'ours', value: (row) => `${row.ours.toFixed(1)} ${row.unit}`, align: 'right' },
    { title: 'bare pg-boss', value: (row) => `${row.bare.toFixed(1)} ${row.unit}`, align: 'right' },
    { title: 'ratio', value: (row) => row.ratio.toFixed(2), align: 'right' },
  ])
  const figures = {
    latencyP50Ms: ours.p50,
    latencyP99Ms: ours.p99,
    jobsPerSecond: ours.rate,
    bareLatencyP50Ms: bare.p50,
    bareLatencyP99Ms: bare.p99,
    bareJobsPerSecond: bare.rate,
  }
  return { table, ratios, figures }
}
