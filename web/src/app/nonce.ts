/** The page's policy allows styles that carry this: Mantine and CodeMirror make some as they run. */
export function styleNonce(): string {
  return document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content ?? "";
}
