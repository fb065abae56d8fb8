import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ofMarkdown, ofSource } from '../prose.js';

const words = (text, path) => ofSource(text, path).replace(/[^\w']+/g, ' ').trim();

test('what remains stands where it stood', () => {
  const text = 'int a; // one\n/* two\n * three */ String s = "four";\n';
  const prose = ofSource(text, 'A.java');
  assert.equal(prose.length, text.length);
  assert.equal(prose.indexOf('three'), text.indexOf('three'));
  assert.equal(prose.split('\n').length, text.split('\n').length);
});

test('Java: comments, not strings, characters, text blocks or quoted code', () => {
  assert.equal(words('String url = "http://x"; char c = \'"\'; // yes', 'A.java'), 'yes');
  assert.equal(words('String s = """\n // no \\""" no\n """; /** yes {@code no} {@link No#no} <code>no</code> */', 'A.java'), 'yes');
  assert.equal(words('String s = "a \\" // no"; // yes', 'A.java'), 'yes');
});

test('JavaScript: comments, not strings, templates or regular expressions', () => {
  assert.equal(words("const a = 'it\\'s // no'; const b = `// no ${c}`; // yes", 'a.js'), 'yes');
  assert.equal(words('const r = /["\'`]\\/\\/[/]no/g; // yes\nreturn /"/.test(x); // too', 'a.js'), 'yes too');
  assert.equal(words('const half = a / 2; // yes', 'a.mjs'), 'yes');
});

test('the demo page: its strings too, if they are more than a name', () => {
  assert.equal(words("text(node, 'Asking the replicas'); on('click'); // yes", 'demo/src/main/resources/demo/a.js'), "'Asking the replicas' yes");
  assert.equal(words("text(node, 'Asking the replicas');", 'client/a.js'), '');
});

test('Lua: both kinds of comment', () => {
  assert.equal(words("local a = '-- no' -- yes\n--[[ yes\ntoo ]] local b", 'a.lua'), 'yes yes too');
});

test('YAML: comments and descriptions, not other values', () => {
  assert.equal(words('user: nobody # yes\nurl: http://a#no\nquoted: "# no"\n', 'a.yaml'), 'yes');
  assert.equal(words("a: it's # yes\nb: 'it''s # no'\n", 'a.yaml'), 'yes');
  assert.equal(words('a:\n  - description: |\n      first\n\n      second `no`\n    other: no\n', 'a.yaml'), 'description first second');
  assert.equal(words('a:\n  summary: first\n    second\n  no: no\n', 'a.yaml'), 'summary first second');
});

test('HTML: text, comments and the attributes that are read out, not scripts', () => {
  assert.equal(words('<p class="no" title="yes">text</p><!-- too --><script>no</script>', 'a.html'), 'yes text too');
});

test('CSS: comments', () => {
  assert.equal(words('a { content: "/* no */"; } /* yes */', 'a.css'), 'yes');
});

test('Markdown: code is one word, addresses are nothing', () => {
  assert.equal(ofMarkdown('**Set** `a b` in [the file](docs/who.md).').replace(/ +/g, ' ').trim(), 'Set xxxxx in the file .');
});
