import { FLAG_FORMS } from './flag-forms.js';
import { INTEGER_FORMS } from './integer-forms.js';
import type { Layout } from './layout.js';
import type { Form } from './operand.js';
import { PREPARED_FORMS } from './prepared-forms.js';
import { SSE_FORMS } from './sse-forms.js';
import type { Step } from './step.js';

/** All instructions that sequences are made of. */
export const FORMS: readonly Form[] = [...INTEGER_FORMS, ...PREPARED_FORMS, ...FLAG_FORMS, ...SSE_FORMS];

/** Lays a sequence out. */
export function layAll(steps: readonly Step[], layout: Layout): void {
  for (const step of steps) FORMS[step.form].add(layout, step);
}
