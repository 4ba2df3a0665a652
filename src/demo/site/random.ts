/** A sequence of draws that is the same for the same seed. */
export interface Random {
  /** Both ends included. */
  integer(min: number, max: number): number
  chance(probability: number): boolean
  pick<T>(list: readonly T[]): T
  /** `digits(5)`: '04718'. */
  digits(count: number): string
}

/** Seeded by all parts together: the same parts give the same draws (FNV-1a into mulberry32). */
export function seededRandom(...parts: readonly (string | number)[]): Random {
  let state = hash(parts.join('|'))
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const integer = (min: number, max: number): number => min + Math.floor(next() * (max - min + 1))
  return {
    integer,
    chance: (probability) => next() < probability,
    pick<T>(list: readonly T[]): T {
      return list[integer(0, list.length - 1)] as T
    },
    digits: (count) => Array.from({ length: count }, () => integer(0, 9)).join(''),
  }
}

function hash(text: string): number {
  let value = 0x811c9dc5
  for (const character of text) value = Math.imul(value ^ (character.codePointAt(0) ?? 0), 0x01000193)
  return value
}
