import { Alert, Anchor, Loader } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import { type Answer, get } from "~/api/client";
import { IconAlertTriangle } from "~/parts/icons";
import { Problem } from "~/parts/Problem";
import { DrillCard } from "./DrillCard";
import classes from "./drills.module.css";
import { Nothing } from "./Nothing";
import { DRILL } from "./snippets";
import { useDrillWords } from "./words";

const BUSY_MS = 1_000;
const CALM_MS = 5_000;

/** Each drill, and how each target stands by it. */
export function Proofs() {
  const t = useDrillWords();
  const { data, error, refetch, isPending } = useQuery<Answer<"/drills">>({
    queryKey: ["drills", "all"],
    refetchInterval: ({ state }) => (state.data?.drills.some((one) => one.running || one.waiting) ? BUSY_MS : CALM_MS),
    queryFn: ({ signal }) => get("/drills", { signal }),
  });
  return (
    <div className={classes.stack}>
      <Problem error={error} retry={() => void refetch()} />
      {isPending ? <Loader role="status" aria-busy aria-label={t("loading")} /> : null}
      {data?.errors ? (
        <Alert
          color="red"
          variant="light"
          icon={<IconAlertTriangle aria-hidden />}
          title={t("errors", { n: data.errors })}
        >
          <Anchor component={Link} to="/drills/check" size="sm">
            {t("see_check")}
          </Anchor>
        </Alert>
      ) : null}
      {data?.drills.length === 0 ? <Nothing title={t("none_here")} remedy={t("none_remedy")} snippet={DRILL} /> : null}
      {data?.drills.map((one) => (
        <DrillCard key={one.name} drill={one} />
      ))}
    </div>
  );
}
