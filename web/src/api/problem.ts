/** What is wrong with one field, and what would be right: a member of RFC 9457 problem details. */
export interface Fault {
  field: string;
  problem: string;
  remedy: string;
}

/** A call that the admin API did not carry out, or could not be reached for. */
export class ApiProblem extends Error {
  readonly status: number;
  readonly title: string;
  readonly faults: readonly Fault[];
  /** The whole document: some problems say more, as a conflict says what is in force. */
  readonly document: Readonly<Record<string, unknown>>;
  readonly retryAfterSeconds: number | undefined;

  constructor(status: number, title: string, faults: readonly Fault[], document = {}, retryAfterSeconds?: number) {
    super(faults.map((one) => `${one.field}: ${one.problem}; ${one.remedy}`).join("; ") || title);
    this.name = "ApiProblem";
    this.status = status;
    this.title = title;
    this.faults = faults;
    this.document = document;
    this.retryAfterSeconds = retryAfterSeconds;
  }

  /** Nobody answered at all. */
  get unreachable(): boolean {
    return this.status === 0;
  }

  /** The fault of a form's field: `limits.rpm` is also found as `body.limits.rpm`. */
  fault(field: string): Fault | undefined {
    return this.faults.find((one) => one.field === field || one.field === `body.${field}`);
  }
}

function isFault(value: unknown): value is Fault {
  return typeof value === "object" && value !== null && "field" in value && "problem" in value && "remedy" in value;
}

/** The problem that a response tells; any other body becomes its status line. */
export async function problemOf(response: Response): Promise<ApiProblem> {
  const retry = Number(response.headers.get("retry-after"));
  const seconds = Number.isFinite(retry) && retry > 0 ? retry : undefined;
  const document = (await response.json().catch(() => ({}))) as Record<string, unknown>;
  const faults = Array.isArray(document.errors) ? document.errors.filter(isFault) : [];
  const title = typeof document.title === "string" ? document.title : response.statusText;
  return new ApiProblem(response.status, title || String(response.status), faults, document, seconds);
}
