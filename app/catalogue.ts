/** The catalogue that the configuration names. */
import { emptyCatalogue, readCatalogue } from '../schemas/catalogue.ts';
import type { Config } from './settings.ts';

/** @throws CONFIG_INVALID */
export const catalogueOf = async ({ catalogue }: Config) => (catalogue === undefined ? emptyCatalogue : readCatalogue(catalogue));
