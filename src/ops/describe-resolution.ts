import type { Resolution } from '../config/resolutions.ts';
import type { ResolutionReport } from '../contract/status.ts';

/** What a reference came to, in the shape that scripts read. */
export function describeResolution({ span, ...resolution }: Resolution): ResolutionReport {
  return { ...resolution, file: span.file, line: span.line, column: span.column };
}
