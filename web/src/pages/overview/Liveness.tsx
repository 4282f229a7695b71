import { Text } from "@mantine/core";
import type { Live } from "~/api/live";
import { useFormat } from "~/i18n/format";
import { IconPlugConnected, IconPlugConnectedX } from "~/parts/icons";
import classes from "./Liveness.module.css";
import { useOverviewWords } from "./words";

/** Is what is shown true now? If not, since when. */
export function Liveness({ live }: { live: Live }) {
  const t = useOverviewWords();
  const format = useFormat();
  const Icon = live.status === "lost" ? IconPlugConnectedX : IconPlugConnected;
  const text = live.status === "lost" && live.since ? t("lost", { at: format.clock(live.since) }) : t(live.status);
  return (
    <Text component="div" role="status" className={classes.liveness} data-status={live.status}>
      <Icon size={16} aria-hidden />
      {text}
    </Text>
  );
}
