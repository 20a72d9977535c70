// node audit.mjs '[{"name": …, "url": …, "cookie": …, "desktop": bool}]' → one JSON line a page: scores and timings.
import * as chromeLauncher from 'chrome-launcher';
import lighthouse, { desktopConfig } from 'lighthouse';

const pages = JSON.parse(process.argv[2]);
for (const page of pages) {
  // a browser of its own for each page: no cookie, cache or database of the one before
  const chrome = await chromeLauncher.launch({
    chromePath: process.env.CHROME_PATH,
    chromeFlags: ['--headless=new', '--no-sandbox', '--disable-gpu'],
  });
  try {
    const options = {
      port: chrome.port,
      output: 'json',
      logLevel: 'error',
      onlyCategories: ['performance', 'accessibility', 'best-practices'],
      extraHeaders: page.cookie ? { Cookie: page.cookie } : {},
      disableStorageReset: false,
    };
    const { lhr } = await lighthouse(page.url, options, page.desktop ? desktopConfig : undefined);
    const scripts = (lhr.audits['network-requests'].details?.items ?? []).filter((one) => one.resourceType === 'Script');
    const failed = Object.values(lhr.audits)
      .filter((one) => one.score !== null && one.score < 1 && ['binary', 'numeric'].includes(one.scoreDisplayMode))
      .map((one) => one.id);
    console.log(JSON.stringify({
      name: page.name,
      final: lhr.finalDisplayedUrl,
      performance: Math.round(lhr.categories.performance.score * 100),
      accessibility: Math.round(lhr.categories.accessibility.score * 100),
      practice: Math.round(lhr.categories['best-practices'].score * 100),
      lcp: lhr.audits['largest-contentful-paint'].numericValue ?? null,
      tbt: lhr.audits['total-blocking-time'].numericValue ?? null,
      cls: lhr.audits['cumulative-layout-shift'].numericValue ?? null,
      scripts: scripts.map((one) => one.url),
      failed,
      warnings: lhr.runWarnings,
    }));
  } finally {
    await chrome.kill();
  }
}
