/** The rules of textlint. */
import { relative } from 'node:path';
import { ofMarkdown } from './prose.js';
import { find, NAMES, NAMES_IN_CODE, WORDS } from './words.js';

/** Longest sentence, in words. */
const MOST_WORDS = 25;

/** The end of a sentence: not the dot of an abbreviation, and not one within a word or a number. */
const END = /(?<!\b(?:e\.g|i\.e|etc|vs|cf|approx))[.!?…]["')\]]*(?=\s)/gi;

/** Sentences that are too long. */
export function longSentences(text, most = MOST_WORDS) {
  const ends = [...text.matchAll(END)].map((match) => match.index + match[0].length);
  return [...ends, text.length]
    .map((end, i) => {
      const begin = i === 0 ? 0 : ends[i - 1];
      const sentence = text.slice(begin, end);
      const words = sentence.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word));
      return { index: begin + Math.max(0, sentence.search(/\S/)), count: words.length };
    })
    .filter(({ count }) => count > most)
    .map(({ index, count }) => ({ index, message: `a sentence of ${count} words: at most ${most}` }));
}

/** A rule of textlint out of a function from text to findings. */
const rule = (nodes, findings) => (context) => {
  const { Syntax, RuleError, report, getSource, locator, getFilePath } = context;
  const check = (node) => {
    const path = relative(process.cwd(), getFilePath() ?? '');
    for (const { index, message } of findings(getSource(node), path)) {
      report(node, new RuleError(message, { padding: locator.at(index) }));
    }
  };
  return Object.fromEntries(nodes.map((node) => [Syntax[node] ?? node, check]));
};

export const RULES = {
  sentence: rule(['Paragraph', 'TableCell'], (source) => longSentences(ofMarkdown(source))),
  words: rule(['Paragraph', 'TableCell', 'Header'], (source, path) => find(WORDS, ofMarkdown(source), path)),
  names: rule(['Paragraph', 'TableCell', 'Header'], (source, path) =>
    find([...NAMES, ...NAMES_IN_CODE], source, path),
  ),
};
