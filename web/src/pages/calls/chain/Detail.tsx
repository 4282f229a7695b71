import { Alert, Anchor, Text } from "@mantine/core";
import { Link, useNavigate, useParams } from "react-router";
import { Page } from "~/parts/Page";
import { Problem } from "~/parts/Problem";
import classes from "../calls.module.css";
import { requestOf } from "../ids";
import { useCallWords } from "../words";
import { BodyPart } from "./BodyPart";
import { CachePart } from "./CachePart";
import { WhatItTook, WhoAndHow } from "./Facts";
import { Stages } from "./Stages";
import { isAbsent, useChain } from "./useChain";

/** One call: its chain, what it took, what the cache did, and what it said. */
export function Detail() {
  const t = useCallWords();
  const navigate = useNavigate();
  const { call = "" } = useParams();
  const { data, error, isPending, refetch } = useChain(call);
  const absent = isAbsent(error);
  const back = (event: { preventDefault: () => void }) => {
    if (!window.history.state || (window.history.state as { idx?: number }).idx === 0) return;
    event.preventDefault();
    void navigate(-1); // the list as it was, with its filters
  };
  return (
    <Page
      title={`${t("call")} ${requestOf(call)}`}
      lead={
        <Anchor component={Link} to="/calls" size="sm" onClick={back}>
          {t("back")}
        </Anchor>
      }
    >
      {isPending ? (
        <Text role="status" className="tg-soft">
          {t("looking")}
        </Text>
      ) : null}
      {absent ? <Alert color="gray">{t("not_made")}</Alert> : <Problem error={error} retry={() => void refetch()} />}
      {data ? (
        <>
          <Stages stages={data.stages} />
          <div className={classes.both}>
            <WhoAndHow call={data} />
            <div className={classes.stack}>
              <WhatItTook call={data} />
              <CachePart call={call} />
            </div>
          </div>
          <BodyPart call={call} />
        </>
      ) : null}
      {absent ? <CachePart call={call} /> : null}
    </Page>
  );
}
