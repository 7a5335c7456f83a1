// `npm run test:package`: what npm would publish. A fresh clone is packed, projects install the archive and the
// repository, run halfbyte and compile against its types. Needs git and npm's registry or its cache. The last
// line is `N passed, N failed`.

import { existsSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from '../build/files.mjs';
import { MODULES } from '../everywhere/clis.mjs';
import { Checks, expect } from '../examples/checks.mjs';
import { setUp, setUpPackage, setUpRuntimes } from '../setup.mjs';
import {
  expectNamedFiles,
  expectNothingSpare,
  expectWholeMaps,
  expectWorkingLinks,
  readManifest,
} from './contents.mjs';
import { gitUrl, makeProjects, makeRepository, packClone, runOrThrow } from './origins.mjs';
import { checkTypes } from './types.mjs';

const JUDGES = join(ROOT, 'tools', 'package', 'node_modules');
const NODE24 = join(MODULES, 'node24', 'bin', 'node');
const PROMPT = 'Once upon a time';

/** @typedef {{ tiny: string, float: string, texts: Record<string, string> }} Models files, and what to expect */

await main().catch((error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});

async function main() {
  await setUp();
  setUpRuntimes();
  setUpPackage();
  const checks = new Checks();
  // Not in this tree, whose node_modules would be found.
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'halfbyte-package-')));
  try {
    await checkAll(checks, folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  process.stdout.write(`${checks.passed} passed, ${checks.failed} failed\n`);
  process.exitCode = checks.failed > 0 ? 1 : 0;
}

/**
 * @param {Checks} checks
 * @param {string} folder
 */
async function checkAll(checks, folder) {
  const models = await makeModels(folder);
  const repository = join(folder, 'repository');
  await makeRepository(repository);
  /** @type {string | undefined} */
  let archive;
  await Promise.all([
    checks.check('npm pack in a fresh clone', async () => {
      archive = await packClone(repository, join(folder, 'clone'));
    }),
    checkOrigin(checks, 'git', join(folder, 'git'), gitUrl(repository), models),
  ]);
  if (archive === undefined) return;
  const project = await checkOrigin(checks, 'archive', join(folder, 'archive'), archive, models);
  await checkJudges(checks, archive);
  if (project === undefined) return;
  await checkContents(checks, join(project, 'node_modules', 'halfbyte'));
  await checkTypes(checks, project);
}

/**
 * Installs halfbyte from one place, and runs it in both kinds of project.
 * @param {Checks} checks
 * @param {string} name of the place
 * @param {string} folder
 * @param {string} origin what `npm install` takes
 * @param {Models} models
 * @returns {Promise<string | undefined>} a project that has it
 */
async function checkOrigin(checks, name, folder, origin, models) {
  /** @type {{ esm: string, commonjs: string } | undefined} */
  let projects;
  await checks.check(`${name}: npm install`, async () => {
    projects = await makeProjects(folder, origin);
  });
  if (projects === undefined) return undefined;
  const { esm, commonjs } = projects;
  for (const node of [process.execPath, ...(existsSync(NODE24) ? [NODE24] : [])]) {
    const version = (await runOrThrow(esm, node, ['--version'])).trim();
    const runScript = (/** @type {string} */ project, /** @type {string} */ script) =>
      checks.check(`${name}: ${script}, Node ${version}`, async () => {
        const printed = await runOrThrow(project, node, [script, models.tiny, models.float]);
        expectTexts(JSON.parse(printed), models.texts);
      });
    await runScript(esm, 'main.mjs');
    await runScript(commonjs, 'main.cjs');
    await checks.check(`${name}: halfbyte, Node ${version}`, () => expectProgram(esm, node));
  }
  return esm;
}

/**
 * @param {Record<string, string>} came
 * @param {Record<string, string>} texts
 */
function expectTexts(came, texts) {
  expect(Object.keys(came).length > 1, `came ${JSON.stringify(came)}`);
  for (const [way, text] of Object.entries(came)) {
    const expected = texts[way] ?? texts['plain'];
    expect(
      text === expected,
      `${way}: expected ${JSON.stringify(expected)}, came ${JSON.stringify(text)}`,
    );
  }
}

/**
 * The command line, as npm links it.
 * @param {string} project
 * @param {string} node
 */
async function expectProgram(project, node) {
  const program = join(project, 'node_modules', '.bin', 'halfbyte');
  const { version } = readManifest(join(project, 'node_modules', 'halfbyte'));
  const printed = await runOrThrow(project, node, [program, '--version']);
  expect(printed.trim() === version, `--version: expected ${version}, came ${printed}`);
  const report = await runOrThrow(project, node, [program, 'doctor']);
  expect(/^runs on +wasm/m.test(report), `doctor: came ${report}`);
}

/**
 * @param {Checks} checks
 * @param {string} archive
 */
async function checkJudges(checks, archive) {
  await checks.check('publint', async () => {
    const cli = join(JUDGES, 'publint', 'src', 'cli.js');
    const said = await runOrThrow(ROOT, process.execPath, [cli, 'run', archive, '--strict']);
    expect(said.includes('All good!'), said);
  });
  await checks.check('are the types wrong', async () => {
    const cli = join(JUDGES, '@arethetypeswrong', 'cli', 'dist', 'index.js');
    const flags = ['--profile', 'node16', '--format', 'ascii'];
    await runOrThrow(ROOT, process.execPath, [cli, archive, ...flags]);
  });
}

/**
 * @param {Checks} checks
 * @param {string} folder of the installed package
 */
async function checkContents(checks, folder) {
  await checks.check('holds what package.json names', () => expectNamedFiles(folder));
  await checks.check('holds nothing spare', () => expectNothingSpare(folder));
  await checks.check('source maps are whole', () => expectWholeMaps(folder));
  await checks.check("README.md's links work in it", () => expectWorkingLinks(folder));
}

/**
 * A small model in 4 bits and in float, and what this tree's build makes of both.
 * @param {string} folder
 * @returns {Promise<Models>}
 */
async function makeModels(folder) {
  const load = (/** @type {string} */ path) =>
    import(pathToFileURL(join(ROOT, 'build', path)).href);
  const { modelBytes } = await load('tests/everywhere/support/models.js');
  const { loadModel } = await load('bindings/index.js');
  const { compressModel } = await load('bindings/compress/index.js');
  const tiny = join(folder, 'tiny.safetensors');
  const float = join(folder, 'float.safetensors');
  const compressed = join(folder, 'compressed.safetensors');
  writeFileSync(tiny, modelBytes('int4'));
  writeFileSync(float, modelBytes('float'));
  await compressModel(float, compressed, { scheme: 'int4' });
  const textOf = async (/** @type {string} */ path) => {
    const model = await loadModel(path);
    const { text } = await model.complete(PROMPT, { maxTokens: 16, temperature: 0 });
    await model.dispose();
    return text;
  };
  return {
    tiny,
    float,
    texts: { plain: await textOf(tiny), compressed: await textOf(compressed) },
  };
}
