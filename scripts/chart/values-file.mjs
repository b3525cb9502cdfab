// Reads a values file of the chart with its comments. A comment right above a key describes it; lines that
// begin with "@" in it say more about its schema, and "== Title" begins a part of the README.

/**
 * The keys in their order: `{ path, description, directives, section, leaf }`. A key whose schema a directive
 * gives is a leaf: what is below it is its default. Throws when a key has no description.
 */
export function readKeys(text) {
  const keys = [];
  const open = [];
  let comment = [];
  let section = '';
  for (const line of text.split('\n')) {
    const said = /^\s*# ?(.*)$/.exec(line);
    if (said !== null) {
      comment.push(said[1]);
      continue;
    }
    const found = /^(\s*)([A-Za-z][\w.-]*):(?:\s+(.*))?$/.exec(line);
    const title = comment.find((said) => said.startsWith('== '));
    if (title !== undefined) section = title.slice(3);
    if (line.trim() === '' || found === null) {
      comment = [];
      continue;
    }
    const [, indent, name, value = ''] = found;
    while (open.length > 0 && open.at(-1).depth >= indent.length) open.pop();
    if (open.some(({ leaf }) => leaf)) {
      comment = [];
      continue;
    }
    const path = [...open.map(({ name }) => name), name];
    const key = { path, section, ...describe(path, comment) };
    key.leaf = value !== '' || key.directives.length > 0;
    keys.push(key);
    open.push({ name, depth: indent.length, leaf: key.leaf });
    comment = [];
  }
  return keys;
}

function describe(path, comment) {
  const directives = comment.filter((line) => line.startsWith('@'));
  const description = comment.filter((line) => !line.startsWith('@') && !line.startsWith('== ')).join(' ');
  if (description === '') throw new Error(`values.yaml: ${path.join('.')} has no comment`);
  return { description, directives: directives.map(directive) };
}

/** `@kube Toleration[]` as `{ name: 'kube', text: 'Toleration[]' }`. */
function directive(line) {
  const [, name = '', text = ''] = /^@(\w+)\s*(.*)$/.exec(line) ?? [];
  return { name, text };
}
