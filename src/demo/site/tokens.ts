/**
 * The table by which the site shortens the markup of its LOAD answers; its script puts the long forms back. `@H` ends
 * in a blank, and `@F` leaves the blank before the next attribute to what follows.
 */
export const tokenTable: readonly (readonly [token: string, text: string])[] = [
  ['@A', '<div class="'],
  ['@B', '</div>'],
  ['@C', 'class="'],
  ['@D', '<div>'],
  ['@E', 'AUCTION'],
  ['@F', '</td><td'],
  ['@G', '</td></tr>'],
  ['@H', '<tr><td '],
  ['@I', 'table'],
  ['@J', 'p_back="NextCheck='],
  ['@K', 'style="Display:none"'],
  ['@L', '/index.cfm?zaction=auction&zmethod=details&AID='],
]

/** Markup with the table's texts replaced by their tokens, in the table's order. */
export function encodeTokens(markup: string): string {
  return tokenTable.reduce((text, [token, long]) => text.replaceAll(long, token), markup)
}
