import { Alert, Button, Group, Text, Title } from "@mantine/core";
import { useState } from "react";
import { useSearchParams } from "react-router";
import { useFormat } from "~/i18n/format";
import { IconBoltOff } from "~/parts/icons";
import classes from "./accounts.module.css";
import { Deed } from "./Deed";
import { Keys } from "./Keys";
import { LaneLine } from "./LaneLine";
import { laneName, type Outlook, type Provider, type Scope } from "./standing";
import { useAccountWords } from "./words";

const SHOWN = 12;

interface Props {
  provider: Provider;
  scope: Scope;
  outlooks: ReadonlyMap<string, Outlook[]>;
}

/** One account: its keys, its quotas, and whether it is in service. */
export function ScopeCard({ provider, scope, outlooks }: Props) {
  const t = useAccountWords();
  return (
    <article
      className={`tg-panel ${classes.scope}`}
      aria-label={t("scope", { name: `${provider.name}/${scope.name}` })}
    >
      <Group justify="space-between" align="flex-start">
        <div>
          <Title order={3} className={classes.name}>
            {scope.name}
          </Title>
          <Text size="sm" className="tg-soft">
            {t("in_flight", { n: scope.in_flight })}
          </Text>
        </div>
        <Deed provider={provider} scope={scope} />
      </Group>
      {scope.drained ? <Drained of={scope.drained} /> : null}
      <Keys provider={provider} scope={scope} />
      <Lanes provider={provider} scope={scope} outlooks={outlooks} />
    </article>
  );
}

function Drained({ of: { since, by, reason } }: { of: NonNullable<Scope["drained"]> }) {
  const t = useAccountWords();
  const format = useFormat();
  return (
    <Alert color="yellow" variant="light" mt="sm" icon={<IconBoltOff aria-hidden />}>
      {t("drained_by", { at: format.moment(since), by })} {reason ? t("why", { reason }) : null}
    </Alert>
  );
}

function Lanes({ provider, scope, outlooks }: Props) {
  const t = useAccountWords();
  const [all, setAll] = useState(false);
  const [params, setParams] = useSearchParams();
  const chosen = params.get("lane");
  const choose = (lane: string | undefined) =>
    setParams(
      (now) => {
        const next = new URLSearchParams(now);
        if (lane) next.set("lane", lane);
        else next.delete("lane");
        return next;
      },
      { replace: true },
    );
  const nameOf = (model: string) => laneName(provider.name, scope.name, model);
  const lanes = scope.lanes.filter((lane, index) => all || index < SHOWN || nameOf(lane.model) === chosen);
  const hidden = scope.lanes.length - lanes.length;
  if (scope.lanes.length === 0) {
    return (
      <Text size="sm" mt="sm" className="tg-soft">
        {t("no_lanes")}
      </Text>
    );
  }
  return (
    <>
      <ul className={classes.lanes} aria-label={t("lanes", { name: `${provider.name}/${scope.name}` })}>
        {lanes.map((lane) => (
          <LaneLine
            key={lane.model}
            place={{ provider: provider.name, scope: scope.name, model: lane.model }}
            lane={lane}
            outlooks={outlooks.get(nameOf(lane.model)) ?? []}
            open={chosen === nameOf(lane.model)}
            onOpen={(open) => choose(open ? nameOf(lane.model) : undefined)}
          />
        ))}
      </ul>
      {hidden > 0 ? (
        <Button variant="subtle" size="xs" onClick={() => setAll(true)}>
          {t("more", { n: hidden })}
        </Button>
      ) : null}
    </>
  );
}
