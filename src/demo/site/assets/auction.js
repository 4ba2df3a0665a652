// The day page's script, run by a visitor's browser: fills the areas R, W and C, turns their pages in place and fills
// the status slots.
{
  const tokens = {
    A: '<div class="',
    B: '</div>',
    C: 'class="',
    D: '<div>',
    E: 'AUCTION',
    F: '</td><td',
    G: '</td></tr>',
    H: '<tr><td ',
    I: 'table',
    J: 'p_back="NextCheck=',
    K: 'style="Display:none"',
    L: '/index.cfm?zaction=auction&zmethod=details&AID=',
  }
  const codes = { A: 'Auction Starts', B: 'Auction Status' }
  const slots = {
    A: '.ASTAT_MSGA',
    B: '.ASTAT_MSGB',
    C: '.ASTAT_MSGC',
    D: '.ASTAT_MSGD',
    SL: '.ASTAT_MSG_SOLDTO_Label',
    ST: '.ASTAT_MSG_SOLDTO_MSG',
  }

  const byId = (id) => document.getElementById(id)
  const current = (area) => Number(byId(`curP${area}A`).getAttribute('curPG')) || 1
  const last = (area) => Number(byId(`max${area}A`).textContent) || 1

  const ask = async (query) => {
    const url = `/index.cfm?zaction=AUCTION&Zmethod=UPDATE&FNC=${query}&tx=${Date.now()}`
    const answer = await fetch(url)
    if (!answer.ok) throw new Error(`status ${answer.status}`)
    return answer.json()
  }

  const loadArea = async (area, pageDir, doRefresh, bypassPage, page) => {
    const query = `LOAD&AREA=${area}&PageDir=${pageDir}&doR=${doRefresh}&bypassPage=${bypassPage}&test=1`
    const answer = await ask(query)
    byId(`Area_${area}`).innerHTML = answer.retHTML.replaceAll(/@([A-L])/g, (_, letter) => tokens[letter])
    if (area === 'R') {
      byId('FRM_Ano_Auct').style.display = answer.rlist ? 'none' : ''
      return
    }
    for (const input of [byId(`curP${area}A`), byId(`curP${area}B`)]) {
      input.setAttribute('curPG', String(page))
      input.value = String(page)
    }
  }

  const update = async () => {
    const ids = [...document.querySelectorAll('.AUCTION_ITEM')].map((item) => item.getAttribute('aid'))
    const answer = await ask(`UPDATE&ref=${ids.join(',')}`)
    for (const status of [answer.ADATA.AITEM].flat()) {
      const item = byId(`AITEM_${status.AID}`)
      for (const [key, slot] of Object.entries(slots)) {
        const element = item?.querySelector(slot)
        if (element) element.textContent = key === 'A' ? (codes[status.A] ?? status.A) : status[key]
      }
    }
    for (const place of ['A', 'B']) {
      byId(`maxC${place}`).textContent = answer.CM
      byId(`maxW${place}`).textContent = answer.WM
    }
  }

  const turn = async (area, direction) => {
    const page = current(area) + direction
    if (page < 1 || page > last(area)) return
    await loadArea(area, direction, 0, 0, page)
    await update()
  }

  const goTo = async (area, typed) => {
    const page = Math.min(Math.max(1, Number(typed) || 1), last(area))
    await loadArea(area, 0, 1, page, page)
    await update()
  }

  const start = async () => {
    for (const area of ['R', 'W', 'C']) await loadArea(area, 0, 1, 1, 1)
    await update()
  }

  document.addEventListener('DOMContentLoaded', () => {
    for (const frame of document.querySelectorAll('.PageFrame')) {
      const area = frame.getAttribute('area')
      frame.querySelector('.PageLeft').addEventListener('click', () => void turn(area, -1))
      frame.querySelector('.PageRight').addEventListener('click', () => void turn(area, 1))
      const input = frame.querySelector('input')
      input.addEventListener('keydown', (event) => {
        if (event.key === 'Enter') void goTo(area, input.value)
      })
    }
    void start()
  })
}
