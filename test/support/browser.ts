import type { FoundBrowser } from '../../src/engine/fetch/browser.ts'

export async function testBrowser(): Promise<FoundBrowser | null> {
  return { executablePath: '/usr/bin/chromium-headless-shell', env: {} }
}
