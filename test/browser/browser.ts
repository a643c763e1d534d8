/**
 * A real browser with nothing installed but what npm brings: Chromium, its system libraries and a font all come from
 * @sparticuz/chromium, unpacked once below node_modules.
 */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Result } from 'axe-core';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const SCREENSHOTS = fileURLToPath(new URL('./screenshots/', import.meta.url));
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Quiet and alone: no calls home, nothing beside the page that is tested. The web's own rules stay on. */
const ARGS = [
  '--no-sandbox',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--font-render-hinting=none',
];

/** Launches Chromium; close it yourself. */
export async function openBrowser(): Promise<Browser> {
  const home = await unpacked();
  return chromium.launch({
    executablePath: join(home, 'chromium'),
    args: ARGS,
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: home,
      TMPDIR: tmpdir(),
      FONTCONFIG_FILE: join(home, 'fonts.conf'),
      LD_LIBRARY_PATH: join(home, 'al2023', 'lib'),
    },
  });
}

/** What Chromium says when a test, quicker than any person, types before the page was drawn for the first time. */
const TYPED_BEFORE_DRAWN = 'Autofocus processing was blocked because a document already has a focused element.';

/**
 * A page with a context of its own, and what the consoles of that context say: what a policy blocks is said there.
 * `counts` chooses by what is said, and by the address of the page it is said on.
 */
export async function openPage(
  browser: Browser,
  options: BrowserContextOptions = {},
  counts: (text: string, url: string) => boolean = () => true,
) {
  const context = await browser.newContext(options);
  const complaints: string[] = [];
  const hear = (text: string, page: Page | null) => {
    if (text !== TYPED_BEFORE_DRAWN && counts(text, page?.url() ?? '')) complaints.push(text);
  };
  context.on('console', (message) => hear(message.text(), message.page()));
  context.on('weberror', (event) => hear(String(event.error()), event.page()));
  return { context, page: await context.newPage(), complaints };
}

/**
 * What a person with a screen reader, a keyboard or weak eyes would trip over: axe's serious and critical findings. All its
 * rules are asked; what no rule finds fault with is not written out, and no second page is opened to add frames up, which
 * together would be half of the time.
 */
export async function axe(page: Page): Promise<string[]> {
  if (!(await page.evaluate('"axe" in window'))) await page.evaluate(AXE);
  const violations = await page.evaluate<Result[]>(
    `axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations)`,
  );
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, help, nodes }) => `${id}: ${help} (${nodes.map((node) => node.target.join(' ')).join(', ')})`);
}

/** What sticks out to the side. Inputs scroll inside themselves. */
export const overflow = (page: Page): Promise<string[]> =>
  // In one call: a locator would bring its whole engine to every page that is opened.
  page.evaluate<string[]>(`
    [...document.querySelectorAll('body, body *:not(input, .unseen)')]
      .filter((element) => element.getBoundingClientRect().right > innerWidth || element.scrollWidth > innerWidth)
      .map((element) => element.outerHTML.slice(0, 80))`);

/**
 * Keeps a picture of the whole page as `test/browser/screenshots/<name>.png` where `SCREENSHOTS` is set: it is for people to
 * look at, and costs as much as what is tested.
 */
export async function screenshot(page: Page, name: string): Promise<void> {
  if (process.env['SCREENSHOTS'])
    await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), fullPage: true, animations: 'disabled' });
}

/** The folder Chromium was unpacked into, made by whichever test process comes first. */
async function unpacked(): Promise<string> {
  const entry = createRequire(import.meta.url).resolve('@sparticuz/chromium');
  const { version } = createRequire(import.meta.url)(join(packageFolder(entry), 'package.json'));
  const home = join(ROOT, 'node_modules', '.cache', `chromium-${version}`);
  if (existsSync(home)) return home;

  await mkdir(dirname(home), { recursive: true });
  const draft = await mkdtemp(`${home}-`);
  // The package unpacks into TMPDIR, and its libraries only where it believes to be on AWS: told so in a process of its
  // own, it does both here, and no test process inherits a thing.
  await promisify(execFile)(
    process.execPath,
    ['-e', `import('@sparticuz/chromium').then(({ default: chromium }) => chromium.executablePath())`],
    { cwd: ROOT, env: { TMPDIR: draft, HOME: draft, AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x' } },
  );
  await writeFile(join(draft, 'fonts.conf'), fontsIn(join(home, 'fonts'), join(home, 'fonts-cache')));
  // A rename is all or nothing; the process that comes second finds the place taken and drops its own.
  await rename(draft, home).catch(async (error) => {
    await rm(draft, { recursive: true, force: true });
    if (!existsSync(home)) throw error;
  });
  return home;
}

/** Only the font that came along, so that text is laid out alike on every machine. */
const fontsIn = (folder: string, cache: string): string => `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>${folder}</dir>
  <cachedir>${cache}</cachedir>
</fontconfig>
`;

function packageFolder(file: string): string {
  const folder = dirname(file);
  return existsSync(join(folder, 'package.json')) && folder.endsWith('chromium') ? folder : packageFolder(folder);
}
