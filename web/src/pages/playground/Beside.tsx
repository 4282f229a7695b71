import { Anchor, Group, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { Link } from "react-router";
import { useMay } from "~/parts/Needs";
import { Problem } from "~/parts/Problem";
import { WhatItTook } from "~/pages/calls/chain/Facts";
import { Stages } from "~/pages/calls/chain/Stages";
import { isAbsent, useChain } from "~/pages/calls/chain/useChain";
import classes from "./playground.module.css";
import { usePlayWords } from "./words";

const PATIENCE = 20; // half-seconds: the ledger knows a call about one second after its end

/** The chain of the call that has just ended; `until` it is known, what was seen of the call from here. */
export function Beside({ call, until }: { call: string; until: ReactNode }) {
  const t = usePlayWords();
  const may = useMay("see_spend");
  const { data, error, isPending } = useChain(may ? call : "", PATIENCE);
  if (!may) return until;
  return (
    <div className={classes.beside}>
      {data ? null : until}
      {isPending ? (
        <Text role="status" className="tg-soft">
          {t("chain_soon")}
        </Text>
      ) : null}
      {isAbsent(error) ? <Text className="tg-soft">{t("chain_none")}</Text> : <Problem error={error} />}
      {data || isAbsent(error) ? (
        <Group>
          <Anchor component={Link} to={`/calls/${call}`} size="sm">
            {t("chain_open")}
          </Anchor>
        </Group>
      ) : null}
      {data ? (
        <>
          <Stages stages={data.stages} />
          <WhatItTook call={data} />
        </>
      ) : null}
    </div>
  );
}
