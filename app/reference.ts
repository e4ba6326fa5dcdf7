/** The reference pages, made from the declarations that the code runs on. */
import { catalogue } from '../core/errors.ts';
import { eventFields, storageFields } from '../schemas/event.ts';
import type { IntakeRule } from '../sigma/intake-rule.ts';
import { settings } from './settings.ts';

export function configReference(): string {
  const rows = settings.map(({ path, env, description, shownDefault, secret }) => {
    const names = env === null ? '' : secret ? `\`${env}\`, \`${env}_FILE\`` : `\`${env}\``;
    return `| \`${path}\` | ${names} | ${shownDefault === '' ? '' : `\`${shownDefault}\``} | ${description.replaceAll('|', '\\|')} |`;
  });
  return `# Configuration

Made from the declaration in \`app/settings.ts\`; do not edit. Flags win over environment, environment over \`gatetrail.yaml\`.
Spans are ISO 8601 (\`PT5M\`) or short (\`5m\`). Lists in the environment are parted by commas. \`gatetrail config check\` lists
every fault at once.

| file | environment | default | meaning |
| --- | --- | --- | --- |
${rows.join('\n')}
`;
}

export function errorsReference(): string {
  const rows = Object.entries(catalogue).map(
    ([code, { http, retryable, meaning }]) => `| \`${code}\` | ${http} | ${retryable ? 'yes' : 'no'} | ${meaning} |`,
  );
  return `# Errors

Made from \`core/errors.ts\`; do not edit. GraphQL carries the code in \`extensions.code\`, REST in \`error.code\`, the command line in
front of the message, a dead letter in \`code\`.

| code | HTTP | the same may succeed later | meaning |
| --- | --- | --- | --- |
${rows.join('\n')}
`;
}

/** `rules`: those that come with the product. */
export function eventsReference(rules: readonly IntakeRule[]): string {
  const rows = (fields: Record<string, { column: string; meaning: string }>) =>
    Object.entries(fields).map(([name, { column, meaning }]) => `| \`${name}\` | ${column.replaceAll('|', '\\|')} | ${meaning} |`);
  return `# The canonical event

Made from \`schemas/event.ts\`; do not edit. The same names stand in the table \`events\`, in the format \`gatetrail\` and in exports.
An absent text is empty, an absent number null.

| field | column | meaning |
| --- | --- | --- |
${rows(eventFields).join('\n')}

Added by storage:

| field | column | meaning |
| --- | --- | --- |
${rows(storageFields).join('\n')}

## Signals

Classes that rules with \`gw: {at: intake}\` find in a request before it is redacted; of the text itself nothing is kept. These
come with the product, in \`alerts/rules/\`; a rule of your own in a folder of \`rules\` adds to them. What arrived before a rule
was there keeps the signals that it got: nothing can look at it again.

| signal | level | meaning |
| --- | --- | --- |
${rules.map(({ signal, level, title, description }) => `| \`${signal}\` | ${level} | ${title}. ${description.replaceAll('|', '\\|')} |`).join('\n')}
`;
}
