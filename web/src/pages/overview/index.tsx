import { Skeleton } from "@mantine/core";
import { useDeferredValue, useState } from "react";
import { laneKey, type Live, useLive } from "~/api/live";
import type { LiveState } from "~/api/contract";
import { useMay } from "~/parts/Needs";
import { Page } from "~/parts/Page";
import { Problem } from "~/parts/Problem";
import { Below } from "./Below";
import { Figures } from "./Figures";
import { LaneCurves } from "./LaneCurves";
import { Liveness } from "./Liveness";
import { Now } from "./Now";
import { Owner } from "./Owner";
import classes from "./overview.module.css";
import { worstFirst } from "./standing";
import { useOverviewWords } from "./words";

/** How the gate does, second by second. */
export default function Overview() {
  return useMay("status") ? <Gate /> : <Namespace />;
}

function Namespace() {
  const t = useOverviewWords();
  return (
    <Page title={t("title")} lead={t("owner")}>
      <Owner />
    </Page>
  );
}

function Gate() {
  const t = useOverviewWords();
  const live = useLive();
  return (
    <Page title={t("title")} actions={<Liveness live={live} />}>
      {live.status === "live" ? null : <Problem error={live.problem} />}
      {live.state ? <Standing live={live} state={live.state} /> : <Waiting />}
    </Page>
  );
}

function Waiting() {
  return (
    <div className={classes.waiting} aria-busy>
      <Skeleton height={76} radius="lg" />
      <Skeleton height={120} radius="md" />
      <Skeleton height={320} radius="md" />
    </div>
  );
}

function Standing({ live: { status, track }, state }: { live: Live; state: LiveState }) {
  const [chosen, setChosen] = useState<string>();
  const first = useState(() => worstFirst(state.lanes)[0])[0]; // the worst when one came, until another is chosen
  const wanted = chosen ?? (first && laneKey(first));
  const lane = state.lanes.find((one) => laneKey(one) === wanted) ?? worstFirst(state.lanes)[0];
  const below = useDeferredValue(true, false); // what stands on top is drawn first
  return (
    <>
      <Now state={state} stale={status !== "live"} />
      <Figures state={state} track={track} />
      {lane ? <LaneCurves lane={lane} track={track} /> : null}
      {below ? (
        <Below
          state={state}
          track={track}
          chosen={lane && laneKey(lane)}
          onChoose={(one) => {
            setChosen(laneKey(one));
            document.getElementById("curves")?.scrollIntoView({ block: "nearest" });
          }}
        />
      ) : null}
    </>
  );
}
