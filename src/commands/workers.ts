import { InvalidArgumentError } from 'commander'

/** `--workers N`, with the bounds of GAVEL_WORKERS. */
export function readWorkers(text: string): number {
  const workers = /^\d{1,2}$/.test(text) ? Number(text) : Number.NaN
  if (!(workers >= 0 && workers <= 64)) throw new InvalidArgumentError('It must be a whole number from 0 to 64.')
  return workers
}
