// Finds a Chromium and opens it.
import { existsSync } from 'node:fs';
import path from 'node:path';
import puppeteer from 'puppeteer-core';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome', 'chrome.exe', 'msedge.exe'];
const places = [
  '/usr/bin', '/usr/local/bin', '/snap/bin', '/opt/google/chrome',
  '/Applications/Google Chrome.app/Contents/MacOS', '/Applications/Chromium.app/Contents/MacOS',
  'C:\\Program Files\\Google\\Chrome\\Application', 'C:\\Program Files (x86)\\Microsoft\\Edge\\Application',
];

function executable() {
  if (process.env.CHROMIUM_PATH) {
    if (!existsSync(process.env.CHROMIUM_PATH)) throw new Error(`CHROMIUM_PATH names no file: ${process.env.CHROMIUM_PATH}.`);
    return process.env.CHROMIUM_PATH;
  }
  const folders = [...(process.env.PATH ?? '').split(path.delimiter).filter(Boolean), ...places];
  const found = folders.flatMap(folder => [...names, 'Google Chrome', 'Chromium'].map(name => path.join(folder, name))).find(existsSync);
  if (!found) throw new Error(`No Chromium found: none of ${names.join(', ')} is on PATH. Install one, or name it in CHROMIUM_PATH.`);
  return found;
}

export function openBrowser() {
  // A sandbox cannot be set up by root, who is who runs things in most containers; what is opened are pages of our own.
  const isRoot = process.getuid?.() === 0;
  return puppeteer.launch({ executablePath: executable(), headless: true, args: isRoot ? ['--no-sandbox'] : [] });
}
