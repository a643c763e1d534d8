// `npm run prepare`, which `npm ci` runs as well: makes the bundle that find.js finds. Where it cannot be made, the program
// runs from its sources, which is the same and takes twice as long to start. Plain JavaScript that Node 20 can run.
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { extname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BUNDLES, ENTRIES, MANIFEST, ROOT, seen } from './find.js';

/** A package that is loaded when first needed stays where it is, but for the one that every server needs in a moment. */
const lazyPackages = {
  name: 'lazy packages',
  setup(build) {
    build.onResolve({ filter: /^[^./]/ }, ({ kind, path }) =>
      kind === 'dynamic-import' && path !== 'prom-client' ? { path, external: true } : undefined,
    );
  },
};

/** Nobody here pushes metrics, for which prom-client brings TLS: 4 MB of Node. */
const withoutPush = {
  name: 'prom-client without its push gateway',
  setup(build) {
    build.onLoad({ filter: /\/prom-client\/lib\/pushgateway\.js$/ }, () => ({ contents: '' }));
  },
};

/**
 * The engine tells its steps, its models and its errors by the names of functions and classes, which may be given others
 * where two are called the same. Kept for it alone: each is one call more wherever a function is made, and elsewhere some
 * are made at each request.
 */
const engineNames = {
  name: 'names of the engine',
  setup(build) {
    build.onLoad({ filter: /\/oidc-provider\/lib\/.*\.js$/ }, async ({ path }) => {
      const { code } = await build.esbuild.transform(await readFile(path, 'utf8'), {
        keepNames: true,
        sourcemap: 'inline',
        sourcefile: path,
      });
      return { contents: code, loader: 'js' };
    });
  },
};

/**
 * The engine makes what joins the words of its errors when it is loaded, for which Node opens its languages: 7 MB and 15 ms
 * of every start. Here it is made for the first error that has such a list.
 */
const lateLists = {
  name: 'lists when first needed',
  setup(build) {
    build.onLoad({ filter: /\/oidc-provider\/lib\/helpers\/formatters\.js$/ }, async ({ path }) => {
      const source = await readFile(path, 'utf8');
      const late = source.replaceAll(LIST, 'late(() => $&)');
      if (late === source) throw new Error(`${relative(ROOT, path)}: it makes no list any more`);
      return { contents: `${LATE} ${late}`, loader: 'js' };
    });
  },
};

const LATE = 'const late = (make, made) => ({ format: (words) => (made ??= make()).format(words) });';
const LIST = /new Intl\.ListFormat\([^)]*\)/g;

/** What zod has to say we say ourselves: its languages, half of it, stay out. */
const withoutLanguages = {
  name: 'zod without languages',
  setup(build) {
    build.onLoad({ filter: /\/zod\/v4\/locales\/index\.js$/ }, () => ({ contents: 'export {};' }));
  },
};

const ADDRESS = /new URL\('\.\/([\w-]+)\.ts', import\.meta\.url\)|import\.meta\.url/g;

/** A module is told the address of its source, so that it finds what lies beside that; a thread that of its own entry. */
const addresses = (folder) => ({
  name: 'addresses',
  setup(build) {
    build.onLoad({ filter: /\.[cm]?[jt]s$/ }, async ({ path }) => {
      const source = await readFile(path, 'utf8');
      if (!source.includes('import.meta.url')) return undefined;
      const contents = source.replace(ADDRESS, (_, thread) => {
        if (!thread) return `new URL(${JSON.stringify(relative(folder, path))}, import.meta.url).href`;
        if (thread in ENTRIES) return `new URL('./${thread}.js', import.meta.url)`;
        throw new Error(`${relative(ROOT, path)}: ${thread}.ts has to be an entry of the bundle`);
      });
      return { contents, loader: extname(path) === '.ts' ? 'ts' : 'js' };
    });
  },
});

async function make({ build }) {
  const begun = Date.now();
  const folder = join(BUNDLES, `new-${process.pid}`);
  mkdirSync(folder, { recursive: true });
  try {
    const { metafile } = await build({
      absWorkingDir: ROOT,
      entryPoints: ENTRIES,
      outdir: folder,
      bundle: true,
      splitting: true,
      format: 'esm',
      platform: 'node',
      target: 'node24',
      minifyWhitespace: true,
      // Node shows the line where nobody caught an error.
      lineLimit: 120,
      legalComments: 'none',
      // stacks.js reads them when there is a stack to tell of.
      sourcemap: 'external',
      sourcesContent: false,
      metafile: true,
      logLevel: 'silent',
      // Data alone, and there twice, of two versions; koa asks it for the types of a few extensions.
      alias: { 'mime-db': join(ROOT, 'node_modules/mime-db') },
      // Native, not there, or loaded when first needed elsewhere.
      external: ['@node-rs/argon2', 'pg-native'],
      banner: {
        js: "import { createRequire as __requireFrom } from 'node:module'; const require = __requireFrom(import.meta.url);",
      },
      plugins: [lazyPackages, lateLists, engineNames, withoutLanguages, withoutPush, addresses(folder)],
    });
    const names = [
      ...Object.keys(metafile.inputs),
      relative(ROOT, fileURLToPath(import.meta.url)),
      'package.json',
    ].sort();
    const late = names.find((file) => statSync(join(ROOT, file)).ctimeMs >= begun);
    if (late) throw new Error(`${late} was changed meanwhile`);
    take(folder, seen(names));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Puts it in its place, whole, and clears away all but the one before: a server may still run from that. */
function take(folder, sources) {
  const before = newest();
  const place = join(BUNDLES, sources.digest);
  rmSync(place, { recursive: true, force: true });
  renameSync(folder, place);
  // Its maps stay out: a stack without them says where in the bundle.
  const own = readdirSync(place).filter((name) => name.endsWith('.js'));
  const bundle = seen(own.map((name) => relative(ROOT, join(place, name))));
  writeFileSync(`${MANIFEST}.new`, JSON.stringify({ sources, bundle }));
  renameSync(`${MANIFEST}.new`, MANIFEST);
  for (const entry of readdirSync(BUNDLES, { withFileTypes: true }))
    if (entry.isDirectory() && ![sources.digest, before].includes(entry.name))
      rmSync(join(BUNDLES, entry.name), { recursive: true, force: true });
}

/** The digest that the newest is called like. */
function newest() {
  try {
    return JSON.parse(readFileSync(MANIFEST, 'utf8')).sources.digest;
  } catch {
    return undefined;
  }
}

try {
  await make(await import('esbuild'));
} catch (error) {
  process.stderr.write(`postern: no bundle, it runs from its sources: ${error.message}\n`);
}
