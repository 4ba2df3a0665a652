/** A value that looks like one of its kind and is none. */
export class ValueError extends Error {
  override name = 'ValueError'
}

/** Text that stands for "not told": blank, `Hidden`, `TBD` (also `$TBD`). */
export const isUntold = (text: string): boolean => /^(hidden|\$?\s*tbd)?$/i.test(text.trim())

export const toldText = (text: string): string | null => (isUntold(text) ? null : text.trim())
