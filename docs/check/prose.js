/**
 * Blanks everything of a text that is not prose. What remains stands where it stood, so an index in the result is an
 * index in the text. Code becomes NUL, which no rule about words matches; white space stays.
 */

const blank = (text) => text.replace(/\S/g, '\0');
/** As one word, so that a sentence keeps its length in words. */
const asWord = (text) => text.replace(/[^\n]/g, 'x');

const STRING = /"(?:\\.|[^"\\\n])*"/.source;
const SINGLE = /'(?:\\.|[^'\\\n])*'/.source;
const BLOCK = /\/\*[\s\S]*?\*\//.source;
const LINE = /\/\/.*/.source;
const TEXT_BLOCK = /"""(?:\\[\s\S]|[\s\S])*?"""/.source;
const TEMPLATE = /`(?:\\[\s\S]|[^`\\])*`/.source;
// A slash begins a regular expression where an operand may stand.
const REGEX = /(?<=[(,=:[!&|?{};\n]\s*|return\s+)\/(?![/*])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*/.source;
// A quote in YAML begins a string only where a value begins: elsewhere it is an apostrophe.
const YAML_STRING = /(?<=(?:^|[:\-[{,])\s*)(?:"(?:\\.|[^"\\])*"|'(?:''|[^'])*')/.source;
// A text of YAML: the rest of the line and all deeper lines. In the first pair of a list item, deeper is beyond the dash.
const YAML_KEY = '(?:description|summary|title|message):.*';
const YAML_TEXT = `(?<=^( *))${YAML_KEY}(?:\\n(?:\\1 +.*| *(?=\\n)))*|(?<=^( *)- )${YAML_KEY}(?:\\n(?:\\2 {3,}.*| *(?=\\n)))*`;

const tokens = (...sources) => new RegExp(sources.join('|'), 'gm');

/** Tokens of each kind of file; those that `keep` accepts are prose. */
const KINDS = {
  java: { token: tokens(TEXT_BLOCK, STRING, SINGLE, LINE, BLOCK), keep: (token) => /^\/[/*]/.test(token) },
  js: { token: tokens(STRING, SINGLE, TEMPLATE, LINE, BLOCK, REGEX), keep: (token) => /^\/[/*]/.test(token) },
  css: { token: tokens(STRING, SINGLE, BLOCK), keep: (token) => token.startsWith('/*') },
  lua: { token: tokens(/--\[\[[\s\S]*?\]\]/.source, /--.*/.source, STRING, SINGLE), keep: (token) => token.startsWith('--') },
  yaml: { token: tokens(YAML_TEXT, YAML_STRING, /(?<=^|\s)#.*/.source), keep: (token) => /^[#a-z]/.test(token) },
};
// The strings of the demo page are shown to its visitors, if they are more than a name.
const PAGE_JS = {
  token: KINDS.js.token,
  keep: (token) => KINDS.js.keep(token) || (/^["'`]/.test(token) && /\w \w/.test(token)),
};

const isPage = (path) => /(^|\/)demo\/[^/]*\.js$|(^|\/)demo\/.*resources\/.*\.js$/.test(path);

function kindOf(path) {
  const extension = path.slice(path.lastIndexOf('.') + 1);
  if (isPage(path)) {
    return PAGE_JS;
  }
  return KINDS[{ mjs: 'js', yml: 'yaml' }[extension] ?? extension];
}

/** The comments of a source file, and of YAML and the demo page also the texts. */
export function ofSource(text, path) {
  if (path.endsWith('.html')) {
    return ofHtml(text);
  }
  const { token, keep } = kindOf(path);
  let result = '';
  let end = 0;
  for (const match of text.matchAll(token)) {
    const kept = keep(match[0]) ? withoutCode(match[0]) : blank(match[0]);
    result += blank(text.slice(end, match.index)) + kept;
    end = match.index + match[0].length;
  }
  return result + blank(text.slice(end));
}

/** A comment without its marks and without the code that it quotes. */
function withoutCode(comment) {
  return comment
    .replace(/\{@(?:code|link|linkplain|value|literal)\b[^}]*\}|<(code|pre)>[\s\S]*?<\/\1>|`[^`]*`|https?:\/\/\S+/g, blank)
    .replace(/\$\{[^}]*\}/g, blank)
    .replace(/^([ \t]*)(\/?\*+\/?|\/\/+|--+|#+)/gm, (all) => all.replace(/\S/g, ' '));
}

/** Text, comments, and the attributes that are read to a person. */
function ofHtml(text) {
  return text.replace(/<!--[\s\S]*?-->|<(script|style)\b[\s\S]*?<\/\1>|<[^>]+>/g, (tag) => {
    if (tag.startsWith('<!--')) {
      return withoutCode(tag);
    }
    return tag
      .split(/((?:aria-label|title|alt|content|placeholder)="[^"]*")/)
      .map((part, i) => (i % 2 && !tag.startsWith('<script') ? part.replace(/^[^"]*/, blank) : blank(part)))
      .join('');
  });
}

const spaces = (text) => text.replace(/\S/g, ' ');

/** A paragraph, heading or cell of Markdown: code is one word; addresses, tags and emphasis are nothing. */
export function ofMarkdown(source) {
  return source
    .replace(/(`+)[\s\S]*?\1/g, asWord)
    .replace(/!\[[^\]]*\]\([^)]*\)/g, spaces)
    .replace(/\[|\]\([^)]*\)|\]|<[^>\s][^>]*>|https?:\/\/[^\s)]+|\*+/g, spaces);
}
