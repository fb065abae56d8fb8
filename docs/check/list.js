/** The list of files that are not rewritten yet. It only shrinks: a file that needs no place in it must leave it. */

export const LIST = 'docs/check/not-rewritten.txt';
export const HEAD = ['# Files whose words are not checked yet. Made by: .ci/prose --list > ' + LIST];

/**
 * @param {string} list
 * @param {Map<string, object[]>} found the findings of every file that is checked
 * @returns {{listed: string[], wrong: {line: number, message: string}[]}}
 */
export function compare(list, found) {
  const listed = [];
  const wrong = [];
  list.split('\n').forEach((path, i) => {
    if (!path || path.startsWith('#')) {
      return;
    }
    const say = (message) => wrong.push({ line: i + 1, message: `${path} ${message}: remove this line` });
    if (listed.includes(path)) {
      say('is listed twice');
    } else if (!found.has(path)) {
      say('does not exist, or is not checked');
    } else if (found.get(path).length === 0) {
      say('has no findings any more');
    }
    listed.push(path);
  });
  return { listed, wrong };
}
