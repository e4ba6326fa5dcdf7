/** Addresses of clients as texts of a statement: IPv4 is stored v4-mapped, `::ffff:a.b.c.d`, and shown plain. */

/** Not every address that begins like a v4-mapped one is one: `::ffff:0:102:304` is not. */
export const isMapped = "ifNull(match(toString(client_address), '^::ffff:[0-9]+[.]'), 0)";

/** '' without one. */
export const addressText = `if(${isMapped}, substring(toString(assumeNotNull(client_address)), 8), ifNull(toString(client_address), ''))`;
