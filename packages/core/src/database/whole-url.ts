/**
 * Driver options that make the driver read the connection URL itself. MikroORM takes only host, port, user,
 * password and database of it, so that `sslmode` would be dropped in silence, and lets variables such as
 * `MIKRO_ORM_USER`, meant for the application's own, override them.
 */
export function wholeUrl(url: string): { readonly connectionString: string } {
  return { connectionString: url };
}
