import { load } from 'cheerio/slim'
import type { AnyNode } from 'domhandler'

/**
 * Trimmed, with every run of white space (line ends and non-breaking spaces too) as one space, and without what a
 * database cannot store: NUL and half characters.
 */
export const fold = (text: string): string => text.toWellFormed().replaceAll('\0', '').replace(/\s+/g, ' ').trim()

/** The text a reader sees in a node: folded, a `<br>` as a space, scripts and comments left out. */
export function textOf(node: AnyNode): string {
  return fold(collect(node, (name) => (name === 'br' ? ' ' : '')))
}

/** The text of a fragment of HTML, for values that may carry entities or tags. */
export function textOfHtml(html: string): string {
  return /[<&]/.test(html) ? textOf(load(html).root()[0] as AnyNode) : fold(html)
}

/** The lines a reader sees in a node, each folded; blank ones are left out. A `<br>` and a block end a line. */
export function linesOf(node: AnyNode): string[] {
  return collect(node, (name) => (breaking.has(name) ? lineEnd : ''))
    .split(lineEnd)
    .map(fold)
    .filter((line) => line !== '')
}

/** In no text: `collect` drops it, as `fold` does. */
const lineEnd = '\0'
const breaking = new Set(['br', 'p', 'div', 'li', 'ul', 'ol', 'tr', 'table', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6'])

/**
 * The text of a node, with what `mark` says around each element, by its name. Without recursion: broken pages nest
 * deeper than a stack.
 */
function collect(root: AnyNode, mark: (name: string) => string): string {
  const parts: string[] = []
  const left: (AnyNode | string)[] = [root]
  for (let node = left.pop(); node !== undefined; node = left.pop()) {
    if (typeof node === 'string') parts.push(node)
    else if (node.nodeType === 3) parts.push(node.data.replaceAll(lineEnd, ''))
    else if ('children' in node) {
      const name = 'name' in node ? node.name : ''
      if (name === 'script' || name === 'style') continue
      parts.push(mark(name))
      left.push(mark(name), ...node.children.toReversed())
    }
  }
  return parts.join('')
}
