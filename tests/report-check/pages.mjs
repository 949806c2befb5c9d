// Opens pages in every way they are read and gathers what is wrong with them.
import { createRequire } from 'node:module';
import { mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { HtmlValidate } from 'html-validate';
import { measure } from './measure.mjs';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const validator = new HtmlValidate({
  extends: ['html-validate:recommended', 'html-validate:a11y'],
  // The rule counts the five letters of &amp; where a reader sees one.
  rules: { 'long-title': ['error', { maxlength: 200 }] },
});

// 180 mm at 96 px an inch is what the margins leave of an A4 page.
const views = [
  { name: 'light-wide', scheme: 'light', width: 1280 },
  { name: 'dark-wide', scheme: 'dark', width: 1280 },
  { name: 'light-narrow', scheme: 'light', width: 360 },
  { name: 'dark-narrow', scheme: 'dark', width: 360 },
  { name: 'print', scheme: 'dark', width: 680, media: 'print' },
];

async function markup(file) {
  const report = await validator.validateFile(file);
  return report.results.flatMap(result => result.messages).map(m => `html-validate ${m.ruleId}, line ${m.line}: ${m.message}`);
}

async function accessibility(page) {
  await page.evaluate(axe);
  // All rules there are, best practices too.
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { runOnly: { type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag2aaa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }, rules: { 'color-contrast-enhanced': { enabled: false } } }));
  return violations.map(v => `axe ${v.id}: ${v.help} (${v.nodes.length}): ${v.nodes[0].html.slice(0, 120)} ${v.nodes[0].any[0]?.message ?? ''}`);
}

async function look(browser, file, view, screenshots) {
  const findings = [];
  const page = await browser.newPage();
  try {
    const address = pathToFileURL(path.resolve(file)).href;
    page.on('request', request => { if (request.url() !== address) findings.push(`asks for ${request.url().slice(0, 120)}`); });
    page.on('console', message => { if (message.type() === 'error') findings.push(`console: ${message.text().slice(0, 200)}`); });
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: view.scheme }]);
    if (view.media) await page.emulateMediaType(view.media);
    await page.setViewport({ width: view.width, height: 900 });
    await page.goto(address, { waitUntil: 'load' });
    if (screenshots) await picture(page, file, view, screenshots);
    // What is closed must be as good as what is open.
    await page.evaluate(() => document.querySelectorAll('details').forEach(details => { details.open = true; }));
    findings.push(...await page.evaluate(measure, view.media === 'print'));
    if (!view.media) findings.push(...await accessibility(page));
  } finally {
    await page.close();
  }
  return [...new Set(findings)].map(finding => `${view.name}: ${finding}`);
}

async function picture(page, file, view, folder) {
  mkdirSync(folder, { recursive: true });
  const name = path.join(folder, `${path.basename(path.dirname(path.resolve(file)))}-${view.name}`);
  await page.screenshot({ path: `${name}.png`, fullPage: true });
  if (view.media === 'print') await page.pdf({ path: `${name}.pdf`, preferCSSPageSize: true });
}

/** Everything that is wrong with a page, as sentences. */
export async function findingsOf(browser, file, screenshots) {
  const findings = await markup(file);
  for (const view of views) findings.push(...await look(browser, file, view, screenshots));
  return findings;
}
