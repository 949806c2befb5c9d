// A check that finds nothing proves nothing unless it can find something.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import test from 'node:test';

const here = name => fileURLToPath(new URL(name, import.meta.url));
const check = (...pages) => spawnSync(process.execPath, [here('check.mjs'), ...pages], { encoding: 'utf8' });

test('a faulty page is found faulty, each fault by name', () => {
  const { status, stdout } = check(here('pages/faulty.html'));
  assert.equal(status, 1, stdout);
  for (const fault of [
    /html-validate no-dup-id/, /html-validate wcag\/h37/, /axe image-alt/, /axe color-contrast/, /the page has a script/, /asks for http:\/\/127\.0\.0\.1:9\//,
    /light-narrow: the page is \d+ px wide/, /dark-wide: the page is \d+ px wide/, /print: the page is \d+ px wide/, /no glyph for U\+0378/, /a picture is not said in words/,
    /texts in a picture overlap: “one over” and “the other”/, /cut off: “cut off at the edge”/, /px small: “small”/, /text in a picture has a contrast of .*: “faint”/,
    /drawn in a picture has a contrast/, /light-wide: charts and verdict are \d+ px high/,
  ]) assert.match(stdout, fault);
});

test('a sound page is found sound', () => {
  const { status, stdout } = check(here('pages/sound.html'));
  assert.equal(status, 0, stdout);
});

test('a page that is not there and no page at all are errors of their own', () => {
  assert.equal(check('nowhere.html').status, 2);
  assert.match(check('nowhere.html').stderr, /No such file: nowhere\.html/);
  assert.equal(check().status, 2);
});
