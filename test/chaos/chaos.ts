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
const report = await runChaos({
  durationMs: minutes * 60_000,
  seed,
  sites,
  patienceMs: 180_000,
  signal: stop.signal,
  tell: (text) => console.log(text),
})
print(report)
const failed = report.checks.filter((check) => check.problems.length > 0)
const seconds = Math.round((performance.now() - began) / 1000)
const held = report.checks.length - failed.length
console.log(
  failed.length === 0
    ? `\nAll ${held} checks held after ${seconds} s (seed ${seed}).`
    : `\n${failed.length} of ${report.checks.length} checks failed after ${seconds} s (seed ${seed}); the logs of the nodes are in ${report.logs}`,
)
process.exitCode = failed.length === 0 ? 0 : 1

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
