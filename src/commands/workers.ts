import { InvalidArgumentError } from 'commander'

/** `--workers N`, with the bounds of GAVEL_WORKERS. */
export function readWorkers(text: string): number {
  const workers = /^\d{1,2}$/.test(text) ? Number(text) : Number.NaN
  if (!(workers >= 0 && workers <= 64)) throw new InvalidArgumentError('It must be a whole number from 0 to 64.')
  return workers
}

/** Connections of a node's own pool: each run's start and end takes one for a moment, and a few for everything else. */
export const nodeConnections = (workers: number): number => workers + 4
