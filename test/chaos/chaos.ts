import { parseArgs } from 'node:util'
import { formatTable } from '../../src/terminal/table.ts'
import { describeCheck } from './checks.ts'
import { type ChaosReport, runChaos } from './run.ts'

/** `npm run chaos -- [--minutes N] [--seed S] [--sites N]`; see docs/chaos.md. */
const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    sites: { type: 'string', default: '4' },
  },
})

const minutes = numberOf('minutes', values.minutes, 1 / 6, 600)
const seed = numberOf('seed', values.seed, 0, 2 ** 31)
const sites = numberOf('sites', values.sites, 1, 10)

const stop = new AbortController()
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort())
// Nobody reads any longer what is printed.
process.stdout.once('error', () => stop.abort())
const began = performance.now()
console.log(`${minutes} minutes of chaos with seed ${seed}`)
try {
  conclude(
    await runChaos({ durationMs: minutes * 60_000, seed, sites, patienceMs: 180_000, signal: stop.signal, tell }),
  )
} catch (error) {
  if (!stop.signal.aborted) throw error
  tell('ended before its time')
  process.exitCode = 130
}

function tell(text: string): void {
  if (process.stdout.writable) console.log(text)
}

function conclude(report: ChaosReport): void {
  print(report)
  const { length } = report.checks.filter((check) => check.problems.length > 0)
  const after = `after ${Math.round((performance.now() - began) / 1000)} s (seed ${seed})`
  const all = report.checks.length
  console.log(
    length === 0
      ? `\nAll ${all} checks held ${after}.`
      : `\n${length} of ${all} checks failed ${after}; the logs of the nodes are in ${report.logs}`,
  )
  process.exitCode = length === 0 ? 0 : 1
}

function print({ actions, figures, checks, errors }: ChaosReport): void {
  const rows = [...actions].sort(([a], [b]) => a.localeCompare(b))
  console.log('\nWhat was done')
  for (const line of formatTable(rows, [
    { title: 'blow', value: ([kind]) => kind },
    { title: 'done', value: ([, { done }]) => String(done), align: 'right' },
    { title: 'no target', value: ([, { missed }]) => String(missed), align: 'right' },
  ])) {
    console.log(`  ${line}`)
  }
  console.log('\nWhat came of it')
  for (const [name, value] of Object.entries(figures)) console.log(`  ${name}: ${value}`)
  console.log('\nWhat the nodes logged as errors')
  for (const [message, count] of errors) console.log(`  ${count} x ${message}`)
  console.log('\nWhat held')
  for (const line of checks.flatMap(describeCheck)) console.log(`  ${line}`)
}

function numberOf(name: string, text: string, least: number, highest: number): number {
  const number = Number(text)
  if (number >= least && number <= highest) return number
  throw new Error(`--${name} must be a number from ${least} to ${highest}`)
}
