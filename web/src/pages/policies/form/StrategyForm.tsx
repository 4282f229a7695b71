import { dotted } from "../draft/paths";
import { useEditing } from "../draft/usePolicy";
import type { Finding, Strategy } from "../types";
import { usePolicyWords } from "../words";
import { BackoffPicture } from "./BackoffPicture";
import { BucketPicture } from "./BucketPicture";
import { Findings } from "./FieldFrame";
import {
  CACHING,
  CACHING_MORE,
  EXECUTION,
  FIELDS,
  LIMITS,
  RETRIES,
  RETRIES_MORE,
  SMOOTHING,
  STREAMS,
  STREAMS_MORE,
  TIMES,
} from "./fields";
import { Notice } from "../Notice";
import classes from "../policies.module.css";
import { Models } from "./Models";
import { Section } from "./Section";

/** Every control of one strategy. */
export function StrategyForm({ strategy }: { strategy: Strategy }) {
  return (
    <div className={classes.form}>
      <Broken />
      <Elsewhere strategy={strategy} />
      <Models strategy={strategy} />
      <Section name="limits" strategy={strategy} fields={LIMITS} picture={<BucketPicture strategy={strategy} />} />
      <Section name="smoothing" strategy={strategy} fields={SMOOTHING} />
      <Section
        name="retries"
        strategy={strategy}
        fields={RETRIES}
        more={RETRIES_MORE}
        picture={<BackoffPicture strategy={strategy} />}
      />
      <Section name="caching" strategy={strategy} fields={CACHING} more={CACHING_MORE} />
      <Section name="execution" strategy={strategy} fields={EXECUTION} />
      <Section name="times" strategy={strategy} fields={TIMES} />
      <Section name="streams" strategy={strategy} fields={STREAMS} more={STREAMS_MORE} />
    </div>
  );
}

function Broken() {
  const t = usePolicyWords();
  const { draft } = useEditing();
  if (!draft.broken) return null;
  return (
    <Notice grade="warn" role="status">
      {t("broken")}
    </Notice>
  );
}

/** Findings about this strategy that no control shows. */
function Elsewhere({ strategy }: { strategy: Strategy }) {
  const t = usePolicyWords();
  const { draft } = useEditing();
  const root = dotted(strategy.path);
  const shown = new Set(FIELDS.map((one) => dotted([...strategy.path, ...one.path])));
  const targets = [`${root}.primary_model`, `${root}.fallback_models[`];
  const rest = (all: readonly Finding[]) =>
    all.filter(
      ({ field }) =>
        (field === root || field.startsWith(`${root}.`)) &&
        !shown.has(field) &&
        !targets.some((one) => field.startsWith(one)),
    );
  const [errors, warnings] = [rest(draft.errors), rest(draft.warnings)];
  if (!errors.length && !warnings.length) return null;
  return (
    <section className={`tg-panel ${classes.elsewhere}`} aria-label={t("also_wrong")}>
      <strong>{t("also_wrong")}</strong>
      <Findings errors={errors} warnings={warnings} />
    </section>
  );
}
