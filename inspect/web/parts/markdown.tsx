import MarkdownIt, { type Token } from 'markdown-it';
import { createElement, type ReactNode } from 'react';

const parser = new MarkdownIt({ html: false });

/** Text with marks, as elements: nothing in it is ever taken for HTML. */
export function Markdown({ text, inline = false }: { readonly text: string; readonly inline?: boolean }): ReactNode {
  return inline ? elementsOf(parser.parseInline(text, {})) : elementsOf(parser.parse(text, {}));
}

interface Open {
  readonly token: Token | undefined;
  readonly children: ReactNode[];
}

function elementsOf(tokens: readonly Token[]): ReactNode[] {
  const stack: Open[] = [{ token: undefined, children: [] }];
  for (const [key, token] of tokens.entries()) {
    const open = stack[stack.length - 1];
    if (token.nesting === 1) stack.push({ token, children: [] });
    else if (token.nesting === -1) {
      stack.pop();
      const parent = stack[stack.length - 1];
      // In a tight list paragraphs are not to be seen.
      if (token.hidden) parent.children.push(...open.children);
      else parent.children.push(createElement(token.tag, { key, ...attributesOf(open.token) }, ...open.children));
    } else open.children.push(leaf(token, key));
  }
  return stack[0].children;
}

function leaf(token: Token, key: number): ReactNode {
  switch (token.type) {
    case 'inline':
      return <span key={key}>{elementsOf(token.children ?? [])}</span>;
    case 'code_inline':
      return <code key={key}>{token.content}</code>;
    case 'fence':
    case 'code_block':
      return (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what can be scrolled is to be reached by keys
        <pre key={key} tabIndex={0}>
          <code>{token.content}</code>
        </pre>
      );
    case 'softbreak':
      return '\n';
    case 'hardbreak':
      return <br key={key} />;
    case 'hr':
      return <hr key={key} />;
    default:
      return token.content;
  }
}

/** Where links lead; markdown-it lets none through that would run something. */
function attributesOf(token: Token | undefined): { readonly href?: string } {
  const href = token?.attrGet('href') ?? undefined;
  return href === undefined ? {} : { href: String(href) };
}
