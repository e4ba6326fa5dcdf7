/** The tests' own way to the tables: plain SQL over HTTP, nothing of the product in between. */

export interface SqlServer {
  readonly url: string;
  readonly user: string;
  readonly password: string;
}

export const sqlText = (server: SqlServer, statement: string, database = 'default'): Promise<string> =>
  post(server, new URLSearchParams({ database }), statement);

/** As JSONEachRow; the rows are the body, which may be longer than a statement. */
export async function insertRows(server: SqlServer, database: string, table: string, rows: readonly object[]): Promise<void> {
  const query = `INSERT INTO ${table} FORMAT JSONEachRow`;
  await post(server, new URLSearchParams({ database, query }), rows.map((row) => JSON.stringify(row)).join('\n'));
}

async function post(server: SqlServer, parameters: URLSearchParams, body: string): Promise<string> {
  const response = await fetch(`${server.url}/?${parameters}`, {
    method: 'POST',
    // A connection that was kept may be closed by the server in the moment in which a busy test uses it again.
    headers: { 'X-ClickHouse-User': server.user, 'X-ClickHouse-Key': server.password, connection: 'close' },
    body,
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${(parameters.get('query') ?? body).slice(0, 200)}: ${text.slice(0, 500)}`);
  return text;
}

export async function sqlRows<Row>(server: SqlServer, statement: string, database = 'default'): Promise<Row[]> {
  const text = await sqlText(server, `${statement} FORMAT JSONEachRow`, database);
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Row);
}
