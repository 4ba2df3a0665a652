import { expect, test } from 'vitest'
import { describeCheck } from './checks.ts'
import { runChaos } from './run.ts'

const signal = new AbortController().signal

test('jobs lose, double and leave nothing behind while nodes, workers, sites and Postgres fail at random', async () => {
  const report = await runChaos({ durationMs: 10_000, seed: 7, sites: 2, patienceMs: 60_000, signal, tell: () => {} })
  const failed = report.checks.filter((check) => check.problems.length > 0)
  expect(failed.flatMap(describeCheck), `the logs of the nodes are in ${report.logs}`).toEqual([])
  // It was a storm.
  expect([...report.actions.keys()]).toEqual(
    expect.arrayContaining(['kill a worker', 'kill a node', 'stop a node', 'kill Postgres', 'cut the connections']),
  )
  expect(report.figures['jobs']).toBeGreaterThan(4)
}, 180_000)
