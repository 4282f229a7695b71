/** `make`, called once for each key: what `Intl` makes is costly, and the same for all who ask. */
export function once<T>(make: () => T): () => T;
export function once<K, T>(make: (key: K) => T): (key: K) => T;
export function once<K, T>(make: (key: K) => T): (key: K) => T {
  const made = new Map<K, T>();
  return (key) => {
    const known = made.get(key);
    if (known !== undefined) return known;
    const fresh = make(key);
    made.set(key, fresh);
    return fresh;
  };
}
