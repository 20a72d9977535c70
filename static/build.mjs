// Builds the front end: every `static/src/<capability>/<name>.entry.(js|css)`, every picture beside them and the
// icon sprite, into `static/dist` with a hash in each name, and `manifest.json` from logical to built names.
// Nothing is done when no source changed. `--force` builds anyway, `--maps` adds source maps (development only).

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, extname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const STATIC = dirname(fileURLToPath(import.meta.url));
const SRC = join(STATIC, 'src');
const DIST = join(STATIC, 'dist');
const PACKAGES = join(STATIC, '..', 'node_modules');
const MANIFEST = join(DIST, 'manifest.json');
const STAMP = join(DIST, '.stamp');
const COPIED = new Set(['.svg', '.png', '.webp', '.webmanifest']);
const PACKED = new Set(['.js', '.css', '.svg', '.webmanifest', '.wasm']); // sent packed to whoever takes it
const SPRITE = 'foundation/icons.svg';
const LIBRARIES = { 'tablet/zxing_reader.wasm': 'zxing-wasm/dist/reader/zxing_reader.wasm' }; // copied as they are

const started = performance.now();
const force = process.argv.includes('--force');
const maps = process.argv.includes('--maps');
const files = readdirSync(SRC, { recursive: true, withFileTypes: true })
  .filter(entry => entry.isFile())
  .map(entry => relative(SRC, join(entry.parentPath, entry.name)).split(sep).join('/'))
  .sort();
const stamp = digest(files.map(name => `${name} ${digest(readFileSync(join(SRC, name)))}`).join('\n')
  + readFileSync(fileURLToPath(import.meta.url)) + readFileSync(join(STATIC, '..', 'package-lock.json')) + maps);

if (!force && upToDate()) {
  console.log('front end: nothing changed');
} else {
  const manifest = { ...(await bundle()), ...copyPictures(), ...copyLibraries(), [SPRITE]: sprite() };
  finish(manifest);
  report(manifest);
}

function upToDate() {
  if (!existsSync(STAMP) || !existsSync(MANIFEST) || readFileSync(STAMP, 'utf8') !== stamp) return false;
  return Object.values(JSON.parse(readFileSync(MANIFEST, 'utf8'))).every(name => existsSync(join(DIST, name)));
}

async function bundle() {
  const { build } = await import('esbuild');
  const entries = files.filter(name => /\.entry\.(js|css)$/.test(name));
  const { metafile } = await build({
    entryPoints: entries.map(name => ({ in: join(SRC, name), out: name.replace(/\.entry\.\w+$/, '') })),
    outdir: DIST,
    entryNames: '[dir]/[name]-[hash]',
    bundle: true,
    format: 'esm', // each entry stands alone: no shared chunk, so no second round trip before a page works
    target: ['es2022', 'chrome107', 'safari16', 'firefox115'],
    minify: true,
    sourcemap: maps,
    legalComments: 'none',
    loader: { '.png': 'dataurl' }, // the three small pictures of the map's own styles
    metafile: true,
    nodePaths: [PACKAGES],
    plugins: [{ name: 'light-for-old-browsers', setup: lightForOldBrowsers }],
    logLevel: 'warning',
  });
  return Object.fromEntries(Object.entries(metafile.outputs)
    .filter(([, output]) => output.entryPoint)
    .map(([path, output]) => {
      const source = relative(SRC, join(process.cwd(), output.entryPoint)).split(sep).join('/');
      return [source.replace('.entry.', '.'), relative(DIST, join(process.cwd(), path)).split(sep).join('/')];
    }));
}

// Browsers without light-dark() (before 2024, some in-app ones) would lose every colour: they get the light ones.
function lightForOldBrowsers(build) {
  build.onLoad({ filter: /foundation[\\/]tokens\.css$/ }, ({ path }) => {
    const css = readFileSync(path, 'utf8');
    const light = [...css.matchAll(/(--[\w-]+):\s*([^;]*light-dark\([^;]*);/g)]
      .map(([, name, value]) => `${name}: ${value.replace(/light-dark\(([^,()]+),[^()]+\)/g, '$1')};`).join(' ');
    const fallback = `@layer tokens { @supports not (color: light-dark(#000, #fff)) { :root { ${light} } } }`;
    return { contents: `${css}\n${fallback}`, loader: 'css' };
  });
}

function copyPictures() {
  return Object.fromEntries(files.filter(name => COPIED.has(extname(name))).map(name => [name, place(name, readFileSync(join(SRC, name)))]));
}

function copyLibraries() {
  return Object.fromEntries(Object.entries(LIBRARIES).map(([name, path]) => [name, place(name, readFileSync(join(PACKAGES, path)))]));
}

// One sprite of the icons that `icons.txt` names; an unknown name stops the build.
function sprite() {
  const names = readFileSync(join(SRC, 'foundation/icons.txt'), 'utf8').split(/\s+/).filter(Boolean);
  const symbols = [...new Set(names)].map(name => {
    const path = join(PACKAGES, 'lucide-static/icons', `${name}.svg`);
    if (!existsSync(path)) throw new Error(`static/src/foundation/icons.txt: lucide has no icon "${name}"`);
    const shapes = readFileSync(path, 'utf8').replace(/[\s\S]*?<svg[^>]*>/, '').replace('</svg>', '');
    return `<symbol id="${name}" viewBox="0 0 24 24">${shapes.replace(/\s*\n\s*/g, '').replaceAll(' />', '/>')}</symbol>`;
  });
  return place(SPRITE, Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg">${symbols.join('')}</svg>`));
}

function place(name, content) {
  const extension = extname(name);
  const built = `${name.slice(0, -extension.length)}-${digest(content).slice(0, 8).toUpperCase()}${extension}`;
  mkdirSync(dirname(join(DIST, built)), { recursive: true });
  writeFileSync(join(DIST, built), content);
  return built;
}

// The manifest is swapped in whole, so that a running server never reads half of it; then old files go.
function finish(manifest) {
  const sorted = Object.fromEntries(Object.entries(manifest).sort(([a], [b]) => (a < b ? -1 : 1)));
  writeFileSync(`${MANIFEST}.new`, JSON.stringify(sorted, null, 1));
  const packed = Object.values(manifest).filter(name => PACKED.has(extname(name)));
  for (const name of packed) writeFileSync(join(DIST, `${name}.gz`), gzipSync(readFileSync(join(DIST, name)), { level: 9 }));
  renameSync(`${MANIFEST}.new`, MANIFEST);
  writeFileSync(STAMP, stamp);
  const kept = new Set([...Object.values(manifest), ...packed.map(name => `${name}.gz`), 'manifest.json', '.stamp']);
  for (const entry of readdirSync(DIST, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const name = relative(DIST, path).split(sep).join('/');
    if (entry.isFile() && !kept.has(name) && !kept.has(name.replace(/\.map$/, ''))) rmSync(path, { force: true });
  }
}

function report(manifest) {
  for (const [name, built] of Object.entries(manifest).sort()) {
    const content = readFileSync(join(DIST, built));
    const sizes = [statSync(join(DIST, built)).size, gzipSync(content, { level: 9 }).length];
    console.log(`${name.padEnd(36)}${sizes.map(size => `${(size / 1024).toFixed(1)} KB`.padStart(10)).join('')} gz`);
  }
  console.log(`front end: ${Object.keys(manifest).length} files in ${Math.round(performance.now() - started)} ms`);
}

function digest(content) {
  return createHash('sha256').update(content).digest('hex');
}
