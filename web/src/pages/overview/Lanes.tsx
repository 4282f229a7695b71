import { Text, TextInput, Title } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useMemo, useRef, useState } from "react";
import type { LiveLane, LiveState } from "~/api/contract";
import { laneKey, type Track } from "~/api/live";
import { IconSearch } from "~/parts/icons";
import { LaneRow } from "./LaneRow";
import classes from "./Lanes.module.css";
import { matching, worstFirst } from "./standing";
import { useOverviewWords } from "./words";

const HEIGHT = 560;

interface Props {
  state: LiveState;
  track: Track;
  chosen: string | undefined;
  onChoose: (lane: LiveLane) => void;
}

/** Every quota, the worst first; only the rows in view are drawn. */
export function Lanes({ state, track, chosen, onChoose }: Props) {
  const t = useOverviewWords();
  const [words, setWords] = useState("");
  const narrow = useMediaQuery("(max-width: 62em)");
  const rowHeight = narrow ? 112 : 84;
  const lanes = useMemo(() => matching(worstFirst(state.lanes), words), [state.lanes, words]);
  const view = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: lanes.length,
    getScrollElement: () => view.current,
    estimateSize: () => rowHeight,
    overscan: 3,
    initialRect: { width: 900, height: HEIGHT },
  });
  return (
    <section className="tg-panel" aria-labelledby="quotas">
      <div className={classes.head}>
        <div>
          <Title order={2} id="quotas" className={classes.title}>
            {t("quotas")}
          </Title>
          <Text className={classes.count} role="status">
            {t("shown", { n: lanes.length })}
          </Text>
        </div>
        <TextInput
          className={classes.filter}
          type="search"
          aria-label={t("filter")}
          placeholder={t("filter")}
          leftSection={<IconSearch size={16} aria-hidden />}
          value={words}
          onChange={(event) => setWords(event.currentTarget.value)}
        />
      </div>
      {lanes.length === 0 ? (
        <Text className={classes.empty}>{t(state.lanes.length ? "no_match" : "no_lane")}</Text>
      ) : (
        // A region that scrolls has to be reachable by keyboard.
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        <div ref={view} className={classes.view} role="group" aria-label={t("filter_list")} tabIndex={0}>
          <ul className={classes.list} style={{ height: virtual.getTotalSize() }}>
            {virtual.getVirtualItems().map((item) => {
              const lane = lanes[item.index];
              if (!lane) return null;
              const key = laneKey(lane);
              return (
                <li
                  key={key}
                  aria-setsize={lanes.length}
                  aria-posinset={item.index + 1}
                  className={classes.item}
                  style={{ height: rowHeight, transform: `translateY(${item.start}px)` }}
                >
                  <LaneRow
                    lane={lane}
                    track={track.lanes.get(key)}
                    times={track.at}
                    chosen={key === chosen}
                    onChoose={onChoose}
                  />
                </li>
              );
            })}
          </ul>
        </div>
      )}
      {state.lanes_hidden ? <Text className={classes.empty}>{t("hidden", { n: state.lanes_hidden })}</Text> : null}
    </section>
  );
}
