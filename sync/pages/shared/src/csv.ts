// Tables as files for a spreadsheet (RFC 4180), with what a stranger may have put into a name made harmless.

export type Cell = string | number | null | undefined;

/** A spreadsheet runs what begins with one of these (OWASP, CSV injection); a telephone number may have its plus. */
function harmless(text: string): string {
  return /^[=+\-@\t\r]/.test(text) && !/^\+?[0-9*#]*$/.test(text) ? `'${text}` : text;
}

function cell(value: Cell): string {
  const text = typeof value === 'string' ? harmless(value) : String(value ?? '');
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** The first line names the columns. Excel reads UTF-8 by the mark before it. */
export function table(lines: readonly (readonly Cell[])[]): string {
  return `\uFEFF${lines.map((line) => line.map(cell).join(',')).join('\r\n')}\r\n`;
}

export function save(text: string, name: string) {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/csv;charset=utf-8' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  window.setTimeout(() => URL.revokeObjectURL(url), 1_000);
}
