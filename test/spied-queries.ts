/** Which queries were asked of a database, and how SQLite goes about them. */
import type { Database } from "bun:sqlite";

interface Spied {
  /** The same database, whose queries are noted. */
  readonly db: Database;
  readonly asked: ReadonlySet<string>;
  /** One line of the plan of each query that reads, with the query. */
  plans(): { readonly detail: string; readonly sql: string }[];
}

export function spiedQueries(db: Database): Spied {
  const asked = new Set<string>();
  return {
    db: new Proxy(db, {
      get: (target, name) => {
        if (name === "query") return (sql: string) => (asked.add(sql), target.query(sql));
        const value = Reflect.get(target, name);
        return typeof value === "function" ? value.bind(target) : value;
      },
    }),
    asked,
    plans: () =>
      [...asked]
        .filter((sql) => /^\s*select/i.test(sql))
        .flatMap((sql) =>
          db
            .query<{ detail: string }, []>(`explain query plan ${sql}`)
            .all()
            .map(({ detail }) => ({ detail, sql })),
        ),
  };
}
