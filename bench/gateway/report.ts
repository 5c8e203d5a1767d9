/** One measured figure; `target` bounds the ratio to nginx, `most` the figure itself. */
export type Figure = {
  readonly name: string;
  readonly unit: string;
  readonly nginx: number | undefined;
  readonly gateway: number;
  readonly target?: number;
  readonly most?: number;
  /** What the ratio is taken to where it is not nginx. */
  readonly against?: { readonly name: string; readonly value: number };
};

export type Surroundings = { readonly machine: string; readonly node: string; readonly nginx: string };

/** The table of one run as Markdown, as printed and as kept in docs/reference/performance.md. */
export function renderReport(figures: readonly Figure[], surroundings: Surroundings): string {
  const rows = figures.map((figure) => {
    const base = figure.against?.value ?? figure.nginx;
    const ratio = base === undefined ? undefined : figure.gateway / base;
    return `| ${figure.name} | ${show(figure.nginx)} | ${show(figure.gateway)} ${figure.unit} | ${ratioText(ratio, figure)} | ${targetText(figure, ratio)} |`;
  });
  return [
    '# Performance',
    '',
    'Measured by `npm run bench` in one run: the gateway and nginx as a plain reverse proxy in front of the same upstream, each pinned to one core.',
    'The gateway runs a weighted pool with its request log on; nginx only forwards.',
    'Times differ from machine to machine; the ratio is what carries over.',
    '',
    `Machine: ${surroundings.machine}.`,
    `Versions: Node ${surroundings.node}, ${surroundings.nginx}.`,
    '',
    '| figure | nginx | signalbox | ratio | target |',
    '| --- | ---: | ---: | ---: | --- |',
    ...rows,
    '',
  ].join('\n');
}

function show(value: number | undefined): string {
  if (value === undefined) return '';
  if (value >= 100) return value.toFixed(0);
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

function ratioText(ratio: number | undefined, figure: Figure): string {
  if (ratio === undefined) return '';
  return `${ratio.toFixed(2)} ×${figure.against === undefined ? '' : ` ${figure.against.name}`}`;
}

function targetText(figure: Figure, ratio: number | undefined): string {
  if (figure.target !== undefined && ratio !== undefined)
    return `≤ ${figure.target} ×: ${ratio <= figure.target ? 'met' : 'missed'}`;
  if (figure.most !== undefined)
    return `≤ ${figure.most} ${figure.unit}: ${figure.gateway <= figure.most ? 'met' : 'missed'}`;
  return '';
}
