/** The admin API as functions: `get("/calls/{call}", { path: { call } })`, typed by its OpenAPI document. */
import { ApiProblem, problemOf } from "./problem";
import type { paths } from "./schema";
import { sessionEnded, sessionState, signedInAgain } from "./session";

const PREFIX = "/admin/v1";

export type Method = "get" | "post" | "put" | "patch" | "delete";
type Known = keyof paths;
/** Paths without the prefix that know the method. */
export type PathWith<M extends Method> = {
  [P in Known]: paths[P][M & keyof paths[P]] extends { responses: unknown }
    ? P extends `/admin/v1${infer Rest}`
      ? Rest
      : never
    : never;
}[Known];
type Route<P extends string, M extends Method> = `/admin/v1${P}` extends infer Full extends Known
  ? paths[Full][M & keyof paths[Full]]
  : never;
type Json<T> = T extends { content: { "application/json": infer Body } } ? Body : never;
type Success<R> = R extends { responses: infer All }
  ? { [S in keyof All]: S extends 200 | 201 | 202 | 203 ? Json<All[S]> : never }[keyof All]
  : never;
/** What a route answers. */
export type Answer<P extends string, M extends Method = "get"> = [Success<Route<P, M>>] extends [never]
  ? undefined
  : Success<Route<P, M>>;
/** What a route takes as its body; undefined where it takes none. */
export type Body<P extends string, M extends Method> =
  Route<P, M> extends { requestBody: infer B } ? OrUndefined<Json<NonNullable<B>>> : OptionalBody<Route<P, M>>;
type OptionalBody<R> = R extends { requestBody?: infer B } ? OrUndefined<Json<NonNullable<B>>> | undefined : undefined;
type OrUndefined<T> = [T] extends [never] ? undefined : T;
type Query<P extends string, M extends Method> =
  Route<P, M> extends { parameters: { query?: infer Q } } ? NonNullable<Q> : Record<string, never>;

export interface Ask {
  path?: Readonly<Record<string, string | number>> | undefined;
  query?: object | undefined;
  body?: unknown;
  signal?: AbortSignal | null | undefined;
  headers?: Readonly<Record<string, string>> | undefined;
}
type Asked<P extends string, M extends Method> = Omit<Ask, "query" | "body"> & {
  query?: Query<P, M> | undefined;
} & (undefined extends Body<P, M> ? { body?: Body<P, M> } : { body: Body<P, M> });

/** The address of a route: path parameters filled in, empty query parameters left out. */
export function addressOf(path: string, ask: Pick<Ask, "path" | "query"> = {}): string {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(ask.path?.[name] ?? "")));
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(ask.query ?? {})) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== undefined && one !== null && one !== "") query.append(name, String(one));
    }
  }
  return `${PREFIX}${filled}${query.size ? `?${query}` : ""}`;
}

async function sent(method: Method, path: string, ask: Ask): Promise<Response> {
  const now = sessionState();
  const headers: Record<string, string> = { accept: "application/json", ...ask.headers };
  if (ask.body !== undefined) headers["content-type"] = "application/json";
  if (method !== "get" && (now.kind === "in" || now.kind === "ended")) headers["x-tidegate-csrf"] = now.session.csrf;
  const init: RequestInit = { method: method.toUpperCase(), headers, credentials: "same-origin" };
  if (ask.body !== undefined) init.body = JSON.stringify(ask.body);
  if (ask.signal) init.signal = ask.signal;
  try {
    return await fetch(addressOf(path, ask), init);
  } catch (error) {
    if (ask.signal?.aborted) throw error;
    throw new ApiProblem(0, "unreachable", []);
  }
}

/** A refusal of the admin API itself, not of the gate whose answer it passes on. */
const isOwn = (response: Response) => response.headers.get("content-type")?.includes("problem+json") ?? false;

/**
 * The response of a route, a success. Where the session has ended the page asks for another, and the call waits for it:
 * a change is only sent again for the person who had made it. Throws `ApiProblem`.
 */
export async function ask(method: Method, path: string, asked: Ask = {}, refuses = (_: Response) => true) {
  let response = await sent(method, path, asked);
  while (response.status === 401 && refuses(response) && path !== "/session") {
    const before = sessionState().kind;
    sessionEnded();
    if (before === "none" || before === "unknown") throw await problemOf(response);
    const same = await signedInAgain(asked.signal);
    if (!same && method !== "get") throw await problemOf(response);
    response = await sent(method, path, asked);
  }
  if (!response.ok && refuses(response)) throw await problemOf(response);
  return response;
}

/** The response of a route that passes on the gate's own answers, refusals too: only the admin API's are thrown. */
export function askThrough(method: Method, path: string, asked: Ask = {}): Promise<Response> {
  return ask(method, path, asked, isOwn);
}

/** A route's JSON, for routes that the OpenAPI document types loosely. */
export async function askJson<T>(method: Method, path: string, asked: Ask = {}): Promise<T> {
  const response = await ask(method, path, asked);
  if (response.status === 204) return undefined as T;
  return (await response.json()) as T;
}

function typed<M extends Method>(method: M) {
  return <P extends PathWith<M>>(
    path: P,
    ...[asked]: undefined extends Body<P, M> ? [Asked<P, M>?] : [Asked<P, M>]
  ): Promise<Answer<P, M>> => askJson<Answer<P, M>>(method, path, asked);
}

export const get = typed("get");
export const post = typed("post");
export const put = typed("put");
export const patch = typed("patch");
export const del = typed("delete");
