import { load } from 'cheerio/slim'
import type { AnyNode } from 'domhandler'

/**
 * Trimmed, with every run of white space (line ends and non-breaking spaces too) as one space, and without what a
 * database cannot store: NUL and half characters.
 */
export const fold = (text: string): string => text.toWellFormed().replaceAll('\0', '').replace(/\s+/g, ' ').trim()

/** The text a reader sees in a node: folded, a `<br>` as a space, scripts and comments left out. */
export function textOf(node: AnyNode): string {
  return fold(collect(node))
}

/** The text of a fragment of HTML, for values that may carry entities or tags. */
export function textOfHtml(html: string): string {
  if (!/[<&]/.test(html)) return fold(html)
  return fold(load(html).root().contents().toArray().map(collect).join(''))
}

/** The lines a reader sees in a node, each folded; blank ones are left out. A `<br>` and a block end a line. */
export function linesOf(node: AnyNode): string[] {
  return broken(node)
    .split(lineEnd)
    .map(fold)
    .filter((line) => line !== '')
}

/** Not in any page: what `fold` drops anyway. */
const lineEnd = '\0'
const blocks = new Set(['p', 'div', 'li', 'ul', 'ol', 'tr', 'table', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6'])

function broken(node: AnyNode): string {
  if (node.nodeType === 3) return node.data.replaceAll(lineEnd, '')
  if (!('children' in node)) return ''
  const name = 'name' in node ? node.name : ''
  if (name === 'script' || name === 'style') return ''
  if (name === 'br') return lineEnd
  const inside = node.children.map(broken).join('')
  return blocks.has(name) ? lineEnd + inside + lineEnd : inside
}

function collect(node: AnyNode): string {
  if (node.nodeType === 3) return node.data
  if (!('children' in node)) return ''
  const name = 'name' in node ? node.name : ''
  if (name === 'script' || name === 'style') return ''
  return name === 'br' ? ' ' : node.children.map(collect).join('')
}
