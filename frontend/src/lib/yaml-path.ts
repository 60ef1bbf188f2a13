/**
 * The line (from 1) of a YAML path such as `spec.template.spec.containers.0.image` in block-style YAML, of its
 * deepest part that is there; `null` if not even the first is. Enough to bring the cursor there, not a parser.
 */
export function lineOfPath(text: string, path: string): number | null {
  const parts = path.split(/[.[\]]+/).filter(Boolean);
  const lines = text.split("\n");
  let from = 0;
  let parent = -1; // indentation of the part found last
  let found: number | null = null;
  for (const part of parts) {
    const hit = /^\d+$/.test(part)
      ? findEntry(lines, from, parent, Number(part))
      : findKey(lines, from, parent, part);
    if (!hit) return found;
    found = hit.line + 1;
    from = hit.next;
    parent = hit.indent;
  }
  return found;
}

interface Hit {
  line: number;
  /** First line (from 0) of what stands below. */
  next: number;
  indent: number;
}

function findKey(lines: string[], from: number, parent: number, key: string): Hit | null {
  for (let i = from; i < lines.length; i++) {
    const line = lines[i] ?? "";
    if (isSkipped(line)) continue;
    if (line.startsWith("---")) return null;
    // A key behind "- " counts with the column of the key, not of the dash.
    const indent = (/^[\s-]*/.exec(line) as RegExpExecArray)[0].length;
    if (line.search(/\S/) <= parent && i > from) return null;
    if (
      indent > parent &&
      line
        .slice(indent)
        .replace(/^["']/, "")
        .match(new RegExp(`^${literal(key)}["']?\\s*:`))
    ) {
      return { line: i, next: i + 1, indent };
    }
  }
  return null;
}

function findEntry(lines: string[], from: number, parent: number, index: number): Hit | null {
  let seen = -1;
  let column = -1;
  for (let i = from; i < lines.length; i++) {
    const line = lines[i] ?? "";
    if (isSkipped(line)) continue;
    const dash = /^(\s*)-\s/.exec(line);
    const indent = line.search(/\S/);
    if (indent < parent) return null;
    if (!dash) continue;
    if (column < 0) column = indent;
    if (indent === column && ++seen === index) return { line: i, next: i, indent: column };
  }
  return null;
}

function isSkipped(line: string): boolean {
  return line.trim() === "" || line.trimStart().startsWith("#");
}

function literal(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
