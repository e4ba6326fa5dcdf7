/** The tests' own way to the tables: plain SQL over HTTP, nothing of the product in between. */

export interface SqlServer {
  readonly url: string;
  readonly user: string;
  readonly password: string;
}

export async function sqlText(server: SqlServer, statement: string, database = 'default'): Promise<string> {
  const response = await fetch(`${server.url}/?database=${encodeURIComponent(database)}`, {
    method: 'POST',
    // A connection that was kept may be closed by the server in the moment in which a busy test uses it again.
    headers: { 'X-ClickHouse-User': server.user, 'X-ClickHouse-Key': server.password, connection: 'close' },
    body: statement,
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${statement.slice(0, 200)}: ${text.slice(0, 500)}`);
  return text;
}

export async function sqlRows<Row>(server: SqlServer, statement: string, database = 'default'): Promise<Row[]> {
  const text = await sqlText(server, `${statement} FORMAT JSONEachRow`, database);
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Row);
}
