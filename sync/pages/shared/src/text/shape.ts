/** The same keys with any words: a catalogue that lacks a key of the English one does not compile. */
export type Shape<T> = { readonly [K in keyof T]: T[K] extends string ? string : Shape<T[K]> };
