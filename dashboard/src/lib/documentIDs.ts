/** Return the ID of the document of a symbol: BTC/USD is in the document BTC-USD. */
export function documentIDOf(symbol: string): string {
  return symbol.replaceAll("/", "-");
}

/** Return whether Firestore accepts a name as that of a document or a collection. */
export function isDocumentName(name: string): boolean {
  return name !== "" && name !== "." && name !== ".." && !name.includes("/") && !/^__.*__$/.test(name);
}
