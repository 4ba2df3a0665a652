/**
 * Usage: npm run bench -- NAME [--FLAG N]
 *
 * Runs a benchmark: progress on stderr, then on stdout a table and, as the last line, its result as JSON.
 */
import { parseArgs } from 'node:util'
import { type Benchmark, type Flags, jsonLine } from './benchmark.ts'

const benchmarks: Record<string, () => Promise<Benchmark>> = {
  queue: async () => (await import('./queue.ts')).queue,
}

const [name = '', ...args] = process.argv.slice(2)
const load = benchmarks[name]
if (load) {
  const benchmark = await load()
  const flags = readFlags(benchmark.flags, args)
  const measured = await benchmark.run(flags, (line) => console.error(line))
  for (const line of measured.table) console.log(line)
  console.log(jsonLine(name, measured))
} else {
  console.error(`usage: npm run bench -- ${Object.keys(benchmarks).join('|')} [--FLAG N]`)
  process.exitCode = 2
}

function readFlags(defaults: Flags, given: string[]): Flags {
  const options = Object.fromEntries(Object.keys(defaults).map((flag) => [flag, { type: 'string' as const }]))
  const { values } = parseArgs({ args: given, options })
  const flags = { ...defaults }
  for (const [flag, text] of Object.entries(values)) {
    if (!/^\d+$/.test(String(text))) throw new Error(`--${flag} must be a whole number`)
    flags[flag] = Number(text)
  }
  return flags
}
