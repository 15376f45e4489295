/** For `await using`. Where the browser does not know the symbol nobody can ask for it, and this one stands in. */
export const asyncDispose: typeof Symbol.asyncDispose = Symbol.asyncDispose ?? Symbol.for('asyncDispose');
