import { Badge } from "@mantine/core";
import type { Alert } from "./queries";
import { useAlertWords, wordOf } from "./words";

/** What is out of the ordinary of an alert: it only may fire, it is about to end, it is taken or silenced. */
export function Stage({ alert }: { alert: Alert }) {
  const t = useAlertWords();
  const said = [
    ...(alert.stage === "firing" ? [] : [wordOf(t, "stage", alert.stage)]),
    ...(alert.taken ? [t("taken")] : []),
    ...(alert.silenced ? [t("silenced")] : []),
  ];
  return said.map((word) => (
    <Badge key={word} variant="default" radius="sm" tt="none">
      {word}
    </Badge>
  ));
}
