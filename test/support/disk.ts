/** A small file system of its own under a folder, which only root may mount; what a test needs it for is skipped elsewhere, in words. */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';

export interface TestDisk {
  resize(megabytes: number): void;
  unmount(): void;
}

export const noDisk = 'this process may not mount a file system';

/** Null where this process may not mount. */
export function mountDisk(folder: string, options: string): TestDisk | null {
  mkdirSync(folder, { recursive: true });
  const mount = (asked: string) => execFileSync('mount', ['-t', 'tmpfs', '-o', asked, 'tmpfs', folder], { stdio: 'ignore' });
  try {
    mount(options);
  } catch {
    return null;
  }
  return {
    resize: (megabytes) => void mount(`remount,size=${megabytes}m`),
    unmount: () => void execFileSync('umount', ['--lazy', folder], { stdio: 'ignore' }),
  };
}
