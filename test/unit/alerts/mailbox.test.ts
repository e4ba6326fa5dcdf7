import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import PostalMime from 'postal-mime';
import { expect, test } from 'vitest';
import { openEmail } from '../../../alerts/channels/email.ts';
import { openMailbox } from '../../../local/mailbox.ts';

test('without a mail server a mail is one file, the same mail again the same file', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'gatetrail-mailbox-'));
  const email = openEmail({ from: 'a@example.org', to: ['b@example.org'], deliver: openMailbox(join(folder, 'mailbox')) });
  const message = {
    messageId: '<1@example.org>',
    thread: '<root@example.org>',
    listId: 'rule-1.alerts.example.org',
    listName: 'Rule',
    to: 'b@example.org',
    subject: '[FIRING] What',
    text: 'Plain',
    html: '<p>Rich</p>',
  };
  expect([await email.send(message), await email.send(message)]).toEqual([{ outcome: 'sent' }, { outcome: 'sent' }]);
  const files = readdirSync(join(folder, 'mailbox'));
  expect(files).toEqual([expect.stringMatching(/\.eml$/)]);
  const mail = await PostalMime.parse(readFileSync(join(folder, 'mailbox', files[0] ?? '')));
  expect(mail).toMatchObject({ subject: '[FIRING] What', messageId: '<1@example.org>', inReplyTo: '<root@example.org>' });
  expect(mail.headers.find(({ key }) => key === 'auto-submitted')?.value).toBe('auto-generated');
  rmSync(folder, { recursive: true });
});
