import { Text } from "@mantine/core";
import { useSearchParams } from "react-router";
import { dotted } from "./draft/paths";
import { useEditing } from "./draft/usePolicy";
import { StrategyBar } from "./form/StrategyBar";
import { StrategyForm } from "./form/StrategyForm";
import classes from "./policies.module.css";
import { usePolicyWords } from "./words";
import { YamlPane } from "./yaml/YamlPane";

/** Controls of one strategy, and the whole file beside them. */
export function EditTab() {
  const t = usePolicyWords();
  const { form } = useEditing();
  const [params, setParams] = useSearchParams();
  const strategies = form?.strategies ?? [];
  const wanted = params.get("strategy");
  const chosen = strategies.find((one) => dotted(one.path) === wanted) ?? strategies[0];
  return (
    <div className={classes.columns}>
      <div className={classes.left}>
        <StrategyBar
          strategies={strategies}
          chosen={chosen}
          onChoose={(strategy) => setParams({ strategy }, { replace: true })}
        />
        {chosen ? (
          <StrategyForm key={dotted(chosen.path)} strategy={chosen} />
        ) : (
          <div className={`tg-panel ${classes.empty}`}>
            <Text fw={600}>{t("strategies_none")}</Text>
            <Text className="tg-soft">{t("strategies_none_text")}</Text>
          </div>
        )}
      </div>
      <YamlPane />
    </div>
  );
}
