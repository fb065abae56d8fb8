/** Findings of all checks, by file. */
import { readFileSync } from 'node:fs';
import { main as markdownlint } from 'markdownlint-cli2';
import { TextlintKernel } from '@textlint/kernel';
import markdownPlugin from '@textlint/textlint-plugin-markdown';
import { ofSource } from './prose.js';
import { RULES } from './rules.js';
import { find, NAMES, WORDS } from './words.js';

/** @typedef {{line: number, message: string}} Finding */

const SOURCE = /\.(java|lua|ya?ml|m?js|html|css)$/;
const GENERATED = /^\W*generated\b/i;

/**
 * @param {string[]} paths relative to the working directory, the root of the repository
 * @returns {Promise<Map<string, Finding[]>>} for each path that is checked
 */
export async function check(paths) {
  const documents = paths.filter((path) => path.endsWith('.md'));
  const found = await layout(documents);
  for (const path of documents) {
    found.set(path, [...(found.get(path) ?? []), ...(await wording(path, readFileSync(path, 'utf8')))]);
  }
  for (const path of paths.filter((path) => SOURCE.test(path))) {
    const text = readFileSync(path, 'utf8');
    if (!GENERATED.test(text.slice(0, text.indexOf('\n')))) {
      found.set(path, comments(path, text));
    }
  }
  for (const findings of found.values()) {
    findings.sort((a, b) => a.line - b.line);
  }
  return found;
}

/** markdownlint: lines, headings, lists. */
async function layout(paths) {
  const found = new Map();
  const collect = ({ results }) => {
    for (const { fileName, lineNumber, ruleNames, ruleDescription, errorDetail } of results) {
      const message = `${ruleNames[0]} ${ruleDescription}${errorDetail ? ` (${errorDetail})` : ''}`;
      found.set(fileName, [...(found.get(fileName) ?? []), { line: lineNumber, message }]);
    }
  };
  await run(paths, { outputFormatters: [[collect]] });
  return found;
}

/** Lets markdownlint repair what it can. */
export const repair = (paths) => run(paths, { fix: true, outputFormatters: [[() => {}]] });

async function run(paths, optionsOverride) {
  const problems = [];
  await markdownlint({
    argv: ['--config', 'docs/check/.markdownlint-cli2.yaml', ...paths.map((path) => `:${path}`)],
    logMessage: () => {},
    logError: (problem) => problems.push(problem),
    optionsOverride,
  });
  if (problems.length > 0) {
    throw new Error(`markdownlint: ${problems.join('; ')}`);
  }
}

/** textlint: sentences, words and names. */
export async function wording(path, text) {
  const { messages } = await new TextlintKernel().lintText(text, {
    filePath: path,
    ext: '.md',
    plugins: [{ pluginId: 'markdown', plugin: markdownPlugin.default ?? markdownPlugin }],
    rules: Object.entries(RULES).map(([ruleId, rule]) => ({ ruleId, rule })),
  });
  return messages.map(({ loc, message }) => ({ line: loc.start.line, message }));
}

/** Words and names in comments, and in the texts that are read like them. */
export function comments(path, text) {
  const prose = ofSource(text, path);
  return find([...WORDS, ...NAMES], prose, path).map(({ index, message }) => ({
    line: text.slice(0, index).split('\n').length,
    message,
  }));
}
