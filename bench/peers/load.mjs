/** Imports a package of bench/package.json. It is not compiled, so that it stands beside these packages. */
export const load = (name) => import(name);
