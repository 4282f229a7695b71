import en from "~/i18n/en/playground";

type Word = keyof typeof en;

/** The phrase that says what an error means: by its code, else by its status. */
export function explained(code: string, status: number): Word {
  const key = `code_${code}`;
  if (key in en) return key as Word;
  if (status === 401 || status === 403) return "code_forbidden";
  if (status === 404) return "code_model_not_found";
  if (status === 429) return "code_rate_limit_exceeded";
  if (status >= 500) return "code_upstream_failed";
  return status >= 400 ? "code_invalid_request" : "code_broke";
}
