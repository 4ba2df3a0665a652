import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, inject, it } from 'vitest'

const run = promisify(execFile)
const main = fileURLToPath(new URL('../../bench/main.ts', import.meta.url))

it('a small run of the queue benchmark prints a table and, last, its ratios and figures as JSON', async () => {
  const flags = ['--jobs', '6', '--singles', '4', '--rounds', '2', '--workers', '2']
  const env = { ...process.env, TEST_DATABASE_URL: inject('serverUrl') }
  const { stdout } = await run(process.execPath, [main, 'queue', ...flags], { env })
  const lines = stdout.trimEnd().split('\n')
  expect(lines[0]).toMatch(/^\s+ours\s+bare pg-boss\s+ratio$/)
  const { bench, ratios, figures } = JSON.parse(lines.at(-1) ?? '')
  expect(bench).toBe('queue')
  expect(Object.keys(ratios)).toEqual(['latencyP50', 'latencyP99', 'throughput'])
  for (const value of [...Object.values(ratios), ...Object.values(figures)]) expect(value).toBeGreaterThan(0)
  expect(figures.latencyP99Ms).toBeGreaterThanOrEqual(figures.latencyP50Ms)
  expect(ratios.throughput).toBeCloseTo(figures.jobsPerSecond / figures.bareJobsPerSecond, 2)
}, 60_000)

it('a benchmark that does not exist is refused with those that do', async () => {
  await expect(run(process.execPath, [main, 'nothing'])).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringContaining('queue'),
  })
})
