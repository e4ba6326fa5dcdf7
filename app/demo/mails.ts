/** Tells of alert mails as they land in the mailbox folder. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface SeenMail {
  readonly subject: string;
  readonly file: string;
}

export function watchMails(folder: string, onMail: (mail: SeenMail) => void): { readonly seen: readonly SeenMail[]; stop(): void } {
  const mailsOf = () => (existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.eml')) : []);
  const known = new Set(mailsOf()); // those of an earlier run are no news
  const seen: SeenMail[] = [];
  const timer = setInterval(() => {
    for (const name of mailsOf().filter((each) => !known.has(each))) {
      known.add(name);
      const file = join(folder, name);
      const mail = { subject: subjectOf(readFileSync(file, 'utf8')), file };
      seen.push(mail);
      onMail(mail);
    }
  }, 500);
  return { seen, stop: () => clearInterval(timer) };
}

/** Of the header, with its folded lines put together. */
function subjectOf(mail: string): string {
  return (/^Subject: ((?:.*)(?:\r?\n[ \t].*)*)/im.exec(mail)?.[1] ?? '').replaceAll(/\r?\n[ \t]+/g, ' ');
}
