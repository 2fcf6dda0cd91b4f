// A line of a chart, as SVG draws it.

/** Pieces of a line: it stops where there is no value, and a lone value is a dot. */
export function path(values: readonly (number | null)[], x: (n: number) => number, y: (value: number) => number): string[] {
  const pieces: string[] = [];
  let piece = '';
  values.forEach((value, n) => {
    if (value === null) {
      if (piece) pieces.push(piece);
      piece = '';
      return;
    }
    const place = `${x(n).toFixed(1)} ${y(value).toFixed(1)}`;
    // A step of nothing, so that a lone value is drawn by its round cap.
    piece += piece ? ` L ${place}` : `M ${place} l 0 0`;
  });
  return piece ? [...pieces, piece] : pieces;
}
