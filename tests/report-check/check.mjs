#!/usr/bin/env node
// Opens reports in headless Chromium - light and dark, wide and phone-narrow, on paper - and lists what is wrong with them.
//   node check.mjs [--screenshots DIR] report.html...
// Ends with 0 if nothing is, with 1 and a list if something is, with 2 if it was called wrongly or has no browser.
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { openBrowser } from './browser.mjs';
import { findingsOf } from './pages.mjs';

async function main() {
  const { values, positionals: files } = parseArgs({ options: { screenshots: { type: 'string' } }, allowPositionals: true });
  if (files.length === 0) throw new Error('Usage: node check.mjs [--screenshots DIR] report.html...');
  const absent = files.filter(file => !existsSync(file));
  if (absent.length > 0) throw new Error(`No such file: ${absent.join(', ')}.`);
  const browser = await openBrowser();
  let faulty = 0;
  try {
    for (const file of files) {
      const findings = await findingsOf(browser, file, values.screenshots);
      console.log(`${findings.length === 0 ? 'ok   ' : 'FAULT'} ${file}`);
      findings.forEach(finding => console.log(`        ${finding}`));
      faulty += findings.length > 0 ? 1 : 0;
    }
  } finally {
    await browser.close();
  }
  console.log(`${files.length} pages opened in 5 ways, ${faulty} of them faulty`);
  return faulty > 0 ? 1 : 0;
}

main().then(code => { process.exitCode = code; }, error => {
  console.error(error.message);
  process.exitCode = 2;
});
