import { chromium } from 'playwright'
import { beforeAll, expect, it } from 'vitest'
import { generateDay } from '../../../src/demo/site/generate.ts'
import { startSampleSite } from '../../../src/demo/site/server.ts'
import type { FoundBrowser } from '../../../src/engine/fetch/browser.ts'
import { browserPatienceMs, testBrowser } from '../../support/browser.ts'
import { userAgent } from './visitor.ts'

let found: FoundBrowser
beforeAll(async () => {
  found = await testBrowser()
}, browserPatienceMs)

it("a browser walks every page with the day page's own pager", async () => {
  const today = '2026-03-18'
  const day = generateDay(today, { today, perDay: 46, types: ['BOTH'] })
  const site = await startSampleSite({ today, days: [day] })
  const browser = await chromium.launch({
    ...(found.executablePath === null ? {} : { executablePath: found.executablePath }),
    env: { ...process.env, ...found.env },
  })
  try {
    const page = await (await browser.newContext({ userAgent })).newPage()
    await page.goto(`${site.url}?zaction=AUCTION&Zmethod=PREVIEW&AUCTIONDATE=03/18/2026`)
    const running = page.locator('#Area_R .AUCTION_ITEM')
    await expect.poll(() => running.count()).toBe(1)
    expect(await page.locator('#FRM_Ano_Auct').isVisible()).toBe(false)

    for (const area of ['W', 'C'] as const) {
      await page.locator(`#max${area}A`).filter({ hasText: /\d/ }).waitFor()
      const expected = day.items.filter((item) => item.area === area)
      const seen: { aid: string | null; texts: string[] }[] = []
      const pages = Number(await page.locator(`#max${area}A`).textContent())
      expect(pages).toBeGreaterThan(1)
      for (let number = 1; number <= pages; number += 1) {
        await expect.poll(() => page.locator(`#curP${area}A`).getAttribute('curPG')).toBe(String(number))
        seen.push(
          ...(await page.locator(`#Area_${area} .AUCTION_ITEM`).evaluateAll((items) =>
            items.map((item) => ({
              aid: item.getAttribute('aid'),
              texts: [...item.querySelectorAll('.AD_LBL, .AD_DTA')].map((cell) =>
                cell.textContent.replaceAll(/\s+/g, ' ').trim(),
              ),
            })),
          )),
        )
        if (number < pages) await page.locator(`.Head_${area} .PageRight`).first().click()
      }
      expect(seen).toEqual(
        expected.map(({ aid, fields }) => ({ aid, texts: fields.flatMap(({ label, value }) => [label, value]) })),
      )
    }

    const sold = day.items.findLast((item) => item.status.SL === 'Sold To')
    const slot = page.locator(`#AITEM_${sold?.aid} .ASTAT_MSG_SOLDTO_MSG`)
    await expect.poll(async () => (await slot.textContent())?.trim()).toBe(sold?.status.ST)
    const waiting = day.items.findLast((item) => item.area === 'W')
    expect(await page.locator(`#AITEM_${waiting?.aid} .ASTAT_MSGA`).textContent()).toBe('Auction Starts')

    await page.locator('#curPWB').fill('1')
    await page.locator('#curPWB').press('Enter')
    const first = day.items.find((item) => item.area === 'W')
    await page.locator(`#AITEM_${first?.aid}`).waitFor()

    const assets = site.requests.filter((request) => request.kind === 'ASSET').map((request) => request.path)
    for (const name of ['auction.js', 'auction.css', 'auction.woff2', 'seal.png', 'blank.gif']) {
      expect(assets.some((path) => path.endsWith(name))).toBe(true)
    }
  } finally {
    await browser.close()
    await site.close()
  }
})
