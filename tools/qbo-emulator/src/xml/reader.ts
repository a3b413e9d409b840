// A small XML reader for requests: elements, attributes, text, CDATA, comments, the five named and the numeric
// entities. No DTD, so nothing expands and nothing is fetched; depth is bounded so that hostile nesting cannot hurt.

export interface XmlNode {
  /** Without its namespace prefix. */
  name: string;
  attributes: Map<string, string>;
  children: XmlNode[];
  text: string;
}

const deepest = 100;
const namedEntities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
const localName = (name: string): string => name.slice(name.indexOf(':') + 1);

export function parseXml(text: string, refuse: (problem: string) => Error): XmlNode {
  const tagName = /[A-Za-z_][\w.:-]*/y;
  const attribute = /\s+([A-Za-z_][\w.:-]*)\s*=\s*(?:"([^"<]*)"|'([^'<]*)')/y;
  const open: XmlNode[] = [];
  let root: XmlNode | undefined;
  let at = text.charCodeAt(0) === 0xfeff ? 1 : 0;
  const fail = (what: string): never => {
    throw refuse(`${what} at character ${at + 1}`);
  };
  const skipTo = (end: string): void => {
    const found = text.indexOf(end, at);
    if (found < 0) fail(`XML ends before ${end}`);
    at = found + end.length;
  };
  const decode = (raw: string): string =>
    raw.includes('&')
      ? raw.replace(
          /&(?:#(\d{1,7})|#x([\da-f]{1,6})|(\w+));?/gi,
          (whole, decimal?: string, hex?: string, name?: string) => {
            if (name !== undefined) return namedEntities[name] ?? fail(`XML entity ${whole}`);
            const point = decimal === undefined ? Number.parseInt(hex!, 16) : Number(decimal);
            return point > 0 && point <= 0x10ffff ? String.fromCodePoint(point) : fail(`XML character ${whole}`);
          },
        )
      : raw;
  const addText = (value: string): void => {
    const top = open.at(-1);
    if (top) top.text += value;
    else if (value.trim() !== '') fail('text outside the root element');
  };

  while (at < text.length) {
    const next = text.indexOf('<', at);
    const end = next < 0 ? text.length : next;
    if (end > at) addText(decode(text.slice(at, end)));
    at = end;
    if (next < 0) break;
    if (text.startsWith('<!--', at)) skipTo('-->');
    else if (text.startsWith('<![CDATA[', at)) {
      const start = at + 9;
      skipTo(']]>');
      addText(text.slice(start, at - 3));
    } else if (text.startsWith('<?', at)) skipTo('?>');
    else if (text.startsWith('<!', at)) fail('XML document type');
    else if (text[at + 1] === '/') {
      tagName.lastIndex = at + 2;
      const name = tagName.exec(text)?.[0];
      const closing = /\s*>/y;
      closing.lastIndex = tagName.lastIndex;
      const node = open.pop();
      if (name === undefined || !closing.test(text) || !node || node.name !== localName(name))
        fail(`XML end tag ${name ?? ''}`);
      at = closing.lastIndex;
      if (node!.children.length > 0 && node!.text.trim() === '') node!.text = '';
    } else {
      tagName.lastIndex = at + 1;
      const name = tagName.exec(text)?.[0] ?? fail('XML tag');
      const node: XmlNode = { name: localName(name), attributes: new Map(), children: [], text: '' };
      let place = at + 1 + name.length;
      for (;;) {
        attribute.lastIndex = place;
        const found = attribute.exec(text);
        if (!found) break;
        place = attribute.lastIndex;
        if (found[1] !== 'xmlns' && !found[1]!.startsWith('xmlns:'))
          node.attributes.set(localName(found[1]!), decode(found[2] ?? found[3] ?? ''));
      }
      const tagEnd = /\s*(\/?)>/y;
      tagEnd.lastIndex = place;
      const ended = tagEnd.exec(text) ?? fail(`XML tag ${name}`);
      at = tagEnd.lastIndex;
      const parent = open.at(-1);
      if (parent) parent.children.push(node);
      else if (root) fail('second root element');
      else root = node;
      if (ended[1] !== '/') open.push(node);
      if (open.length > deepest) fail('XML nesting');
    }
  }
  if (open.length > 0 || !root) fail('XML ends too early');
  return root!;
}
