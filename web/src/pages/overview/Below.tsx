import type { LiveLane, LiveState } from "~/api/contract";
import type { Track } from "~/api/live";
import { Alerts } from "./Alerts";
import { Lanes } from "./Lanes";
import classes from "./overview.module.css";
import { Queues } from "./Queues";

interface Props {
  state: LiveState;
  track: Track;
  chosen: string | undefined;
  onChoose: (lane: LiveLane) => void;
}

/** What stands below the curves. */
export function Below({ state, track, chosen, onChoose }: Props) {
  return (
    <>
      <Lanes state={state} track={track} chosen={chosen} onChoose={onChoose} />
      <div className={classes.beside}>
        <Queues state={state} />
        <Alerts state={state} />
      </div>
    </>
  );
}
