export const CHANGES = 5000;
export const PRODUCTS = 100;

/** A product has another price. */
export interface Change {
  readonly product: number;
  readonly price: number;
}

/** What a follower tells: up to which change it has come, and the sum of its prices. */
export interface News {
  readonly applied: number;
  readonly sum: number;
}
