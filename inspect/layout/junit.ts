/** One test of a report. */
export interface JunitCase {
  readonly suite: string;
  readonly name: string;
  /** Why it has failed; undefined if it has not. */
  readonly failure: string | undefined;
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function escaped(text: string): string {
  return text.replaceAll(/[&<>"]/g, (character) => ENTITIES[character]);
}

/** A report as JUnit's XML, which continuous integration reads. */
export function junitText(cases: readonly JunitCase[]): string {
  const suites = [...new Set(cases.map(({ suite }) => suite))].map((suite) => {
    const own = cases.filter((one) => one.suite === suite);
    const failures = own.filter(({ failure }) => failure !== undefined).length;
    const lines = own.map(({ name, failure }) => {
      const test = `    <testcase classname="${escaped(suite)}" name="${escaped(name)}"`;
      if (failure === undefined) return `${test}/>`;
      const [first] = failure.split('\n');
      return `${test}>\n      <failure message="${escaped(first)}">${escaped(failure)}</failure>\n    </testcase>`;
    });
    const counts = `tests="${own.length}" failures="${failures}"`;
    return `  <testsuite name="${escaped(suite)}" ${counts}>\n${lines.join('\n')}\n  </testsuite>`;
  });
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n${suites.join('\n')}\n</testsuites>\n`;
}
