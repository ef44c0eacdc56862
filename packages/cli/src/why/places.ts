import { join } from 'node:path';
import type { LabLayout } from '@tapestry/lab';

/** Endpoints of a lab's OVN databases. */
export const northboundOf = (layout: LabLayout): string => `unix:${join(layout.central, 'nb.sock')}`;
export const southboundOf = (layout: LabLayout): string => `unix:${join(layout.central, 'sb.sock')}`;
