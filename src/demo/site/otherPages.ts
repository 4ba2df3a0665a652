import { page } from './html.ts'

/** What every address of the app that is no listing shows to people who are not logged in. */
export const splashPage = (): string =>
  page({
    title: 'Welcome',
    heading: 'Online Auctions',
    content:
      '<p>Sales of Palmetto County are announced in the <a href="/index.cfm?zaction=USER&zmethod=CALENDAR">calendar</a>.</p>',
  })

export const maintenancePage = (): string =>
  page({
    title: 'Offline',
    heading: 'OFFLINE',
    content: '<p>The auction site is being maintained. Please come back later.</p>',
  })

export const captchaPage = (): string => `<!DOCTYPE html>
<html lang="en"><head><title>Human Verification</title></head>
<body><div id="captcha-container"><h1>Please show that you are not a robot</h1>
<form id="captcha-form" method="post" action="/verify"><div class="g-recaptcha" data-sitekey="sample-site-key"></div>
<button type="submit">Go on</button></form></div></body></html>
`
