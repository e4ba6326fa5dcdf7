/** What the product says about itself: a constant message, the facts as fields. `app/telemetry.ts` makes the real one. */
export interface Logger {
  debug(facts: object, message: string): void;
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
  error(facts: object, message: string): void;
}

const silence = () => {};
export const silentLogger: Logger = { debug: silence, info: silence, warn: silence, error: silence };
