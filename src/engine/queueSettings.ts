/** How pg-boss is asked to run the queue. Apart from queue.ts, for the benchmark measures bare pg-boss by the same. */

/** One job at a time per singleton key: a unique index holds to it. */
export const policy = 'singleton'

/** Of an instance; `worker`: it takes entries, and watches over those that others have taken. */
export const instanceSettings = (worker: boolean) => ({
  schema: 'pgboss',
  max: worker ? 4 : 1,
  schedule: false,
  supervise: worker,
  useListenNotify: worker,
  // Together they bound how late a silent node is noticed: measured 6.6 to 8.7 s after its death.
  superviseIntervalSeconds: 1,
  monitorIntervalSeconds: 1,
  // A busy site's rows are refused by a unique index; its ERROR lines in the server's log are no fault.
  monitorVacuum: false,
})

/** Of the queue; an existing one is brought to them. */
export const queueSettings = (staleAfterSeconds: number) => ({
  // Who runs again is decided by retry.ts alone; pg-boss only gives back what a dead node held, for ever.
  retryLimit: 1_000_000,
  retryDelay: 0,
  // Beyond the longest timeout of an attempt (82,800 s), which the pool enforces; the most that pg-boss allows.
  expireInSeconds: 86_400,
  // Entries may wait for years: pg-boss deletes what waits longer.
  retentionSeconds: 10 * 365 * 86_400,
  deleteAfterSeconds: 86_400,
  notify: true,
  heartbeatSeconds: staleAfterSeconds,
})

/** Of one slot that takes entries. */
export const slotSettings = {
  groupConcurrency: 1,
  heartbeatRefreshSeconds: 2,
  pollingIntervalSeconds: 0.5,
  // Entries with a later start never notify: the poll bounds how exact a retry is.
  notifyPollingIntervalSeconds: 0.5,
}
