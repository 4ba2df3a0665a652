/** Numbers a benchmark can be told on the command line, with their defaults: `--jobs 5000`. */
export type Flags = Record<string, number>

/** What was measured. Ratios compare with the alternative of the same run; they are what a shared machine can prove. */
export interface Measured {
  /** Lines for people. */
  table: string[]
  ratios: Record<string, number>
  figures: Record<string, number>
}

/** Ours and the alternative, side by side in one run. */
export interface Benchmark<F extends Flags = Flags> {
  flags: F
  /** `tell` says how far it is. */
  run(flags: F, tell: (line: string) => void): Promise<Measured>
}

/** The last line of every benchmark's output. */
export function jsonLine(bench: string, { ratios, figures }: Measured): string {
  return JSON.stringify({ bench, ratios: rounded(ratios), figures: rounded(figures) })
}

/** To four digits: no run is more exact. */
function rounded(values: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, Number(value.toPrecision(4))]))
}
