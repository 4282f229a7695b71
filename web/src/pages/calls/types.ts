import type { Answer } from "~/api/client";

export type Call = Answer<"/calls">["calls"][number];
export type Chain = Answer<"/calls/{call}">;
export type Stage = Chain["stages"][number];
export type TailPage = Answer<"/calls/tail">;
export type CallCache = Answer<"/calls/{call}/cache">;
