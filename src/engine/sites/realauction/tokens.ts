import { ScrapeError } from '../../errors.ts'

/**
 * The abbreviations of FNC=LOAD answers and what the site's own script puts in their place. `@H` ends in a space, and
 * `@F` is often followed by one: attributes may touch (`tabindex="0"class="AD_DTA"`), so the parser must be tolerant.
 */
export const tokens: Readonly<Record<string, string>> = {
  '@A': '<div class="',
  '@B': '</div>',
  '@C': 'class="',
  '@D': '<div>',
  '@E': 'AUCTION',
  '@F': '</td><td',
  '@G': '</td></tr>',
  '@H': '<tr><td ',
  '@I': 'table',
  '@J': 'p_back="NextCheck=',
  '@K': 'style="Display:none"',
  '@L': '/index.cfm?zaction=auction&zmethod=details&AID=',
}

/**
 * The HTML behind the token-compressed `retHTML` of an FNC=LOAD answer.
 *
 * `@A` to `@L` are replaced wherever they stand, also inside data (`a@Bank.com` comes out broken): the site's script
 * does the same, so that a browser shows the same broken text, and no rule could tell the two apart for certain.
 * Any other `@` and capital is a token we do not know, unless it stands in an e-mail address.
 *
 * Throws TEMPLATE_CHANGED for an unknown token.
 */
export function decodeTokens(html: string): string {
  let decoded = html
  // Split and join know no patterns: in what replace() is given, a price's `$1` would mean a captured group.
  for (const [token, markup] of Object.entries(tokens)) decoded = decoded.split(token).join(markup)
  const unknown = unknownToken.exec(decoded)
  if (unknown !== null) {
    throw new ScrapeError('TEMPLATE_CHANGED', `unknown token ${unknown[0]} in the listing's markup`)
  }
  return decoded
}

/** Not in an e-mail address: no name before it, or no dotted domain behind it. */
const unknownToken = /(?<![\w.+-])@[A-Z]|@[A-Z](?![\w-]*\.[A-Za-z])/
