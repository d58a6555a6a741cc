import { EditorView } from '@codemirror/view';

/** As the page looks, whose colours come from its style sheet. */
export const theme = EditorView.theme({
  '&': { height: '100%', color: 'var(--ink)', background: 'var(--card)', fontSize: '13px' },
  '&.cm-focused': { outline: '2px solid var(--accent)', outlineOffset: '-1px' },
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '1.5', fontVariantLigatures: 'none' },
  '.cm-content': { caretColor: 'var(--ink)', padding: '6px 0' },
  '.cm-cursor, .cm-dropCursor': { borderLeftColor: 'var(--ink)' },
  '.cm-gutters': { color: 'var(--soft)', background: 'var(--card)', borderRight: '1px solid var(--line)' },
  '.cm-activeLine, .cm-activeLineGutter': { background: 'color-mix(in srgb, var(--faint) 70%, transparent)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': {
    background: 'color-mix(in srgb, var(--accent) 25%, transparent)',
  },
  '.cm-line.cm-here': { background: 'var(--next-back)', boxShadow: 'inset 3px 0 var(--next)' },
  '.cm-line.cm-shown': { background: 'var(--changed-back)', boxShadow: 'inset 3px 0 var(--changed)' },
  '.cm-line.cm-gone': { background: 'none', boxShadow: 'inset 0 3px var(--changed)' },
  '.cm-line.cm-wrong': {
    background: 'color-mix(in srgb, var(--wrong) 14%, transparent)',
    boxShadow: 'inset 3px 0 var(--wrong)',
  },
  '.cm-line.cm-wrong.cm-here': { outline: '1px dashed var(--next)', outlineOffset: '-1px' },
  '.cm-error': { textDecoration: 'underline wavy var(--wrong)', textUnderlineOffset: '3px' },
  '.cm-message': {
    padding: '1px 8px 3px 14px',
    borderLeft: '3px solid var(--wrong)',
    color: 'var(--wrong)',
    background: 'color-mix(in srgb, var(--wrong) 8%, transparent)',
    font: '12.5px / 1.45 var(--text)',
    whiteSpace: 'pre-wrap',
    overflowWrap: 'anywhere',
  },
  '.cm-message::before': { content: '"✗ "' },
  '.cm-tooltip': {
    border: '1px solid var(--line)',
    borderRadius: '6px',
    background: 'var(--card)',
    color: 'var(--ink)',
  },
  '.cm-tooltip.cm-tooltip-autocomplete > ul': { fontFamily: 'var(--mono)', fontSize: '13px', maxHeight: '12em' },
  '.cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]': {
    background: 'var(--accent)',
    color: 'var(--on-accent)',
  },
  '.cm-completionDetail': { color: 'inherit', opacity: '0.85' },
});
