import { Badge, Text, Tooltip } from "@mantine/core";
import { useFormat } from "~/i18n/format";
import classes from "./accounts.module.css";
import { Deed } from "./Deed";
import type { Key, Provider, Scope } from "./standing";
import { useAccountWords } from "./words";

const COLOURS = { good: "green", dead: "red", cooling: "orange", drained: "yellow" } as const;

/** The keys of an account, by how their SHA-256 begins; the keys themselves are shown nowhere. */
export function Keys({ provider, scope }: { provider: Provider; scope: Scope }) {
  const t = useAccountWords();
  if (scope.keys.length === 0) {
    return (
      <Text size="sm" mt="sm" className="tg-soft">
        {t("no_keys")}
      </Text>
    );
  }
  return (
    <ul className={classes.keys} aria-label={t("keys")}>
      {scope.keys.map((key) => (
        <li key={key.fingerprint} className={classes.key}>
          <Tooltip label={t("fingerprint")}>
            <code className={classes.mono}>{key.fingerprint}</code>
          </Tooltip>
          <Badge variant="light" radius="sm" tt="none" color={COLOURS[key.state]}>
            {t(key.state)}
          </Badge>
          <KeyNotes of={key} />
          <Deed provider={provider} scope={scope} fingerprint={key.fingerprint} />
        </li>
      ))}
    </ul>
  );
}

function KeyNotes({ of: key }: { of: Key }) {
  const t = useAccountWords();
  const format = useFormat();
  const drained = key.drained;
  const notes = [
    key.until ? t("until", { at: format.clock(key.until) }) : "",
    drained ? t("drained_by", { at: format.moment(drained.since), by: drained.by }) : "",
    drained?.reason ? t("why", { reason: drained.reason }) : "",
  ].filter(Boolean);
  return notes.length ? (
    <Text size="xs" className={`tg-soft ${classes.notes}`}>
      {notes.join(" ")}
    </Text>
  ) : null;
}
