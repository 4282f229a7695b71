import { Alert, Button, List, Text } from "@mantine/core";
import { ApiProblem } from "~/api/problem";
import { PARTS } from "~/i18n/catalogues";
import { useTold } from "~/i18n/told";
import { type Say, useWords } from "~/i18n/words";
import { IconAlertTriangle } from "~/parts/icons";

interface Props {
  error: unknown;
  /** Offered as "Try again". */
  retry?: (() => void) | undefined;
}

const TITLES: Readonly<Record<number, keyof (typeof PARTS)["en"] | undefined>> = {
  0: "unreachable",
  403: "forbidden",
  404: "not_found",
  409: "conflict",
  429: "too_many",
};

function titleOf(t: Say<keyof (typeof PARTS)["en"]>, problem: ApiProblem): string {
  const known = TITLES[problem.status];
  if (known) return t(known, { seconds: Math.ceil(problem.retryAfterSeconds ?? 1) });
  return t(problem.status < 500 ? "refused" : "failed");
}

/** What the gate says is wrong: the field, and the remedy. Nothing where there is no error. */
export function Problem({ error, retry }: Props) {
  const t = useWords(PARTS);
  const told = useTold();
  if (!error) return null;
  const problem =
    error instanceof ApiProblem ? error : new ApiProblem(500, error instanceof Error ? error.message : "?", []);
  return (
    <Alert
      color="red"
      variant="light"
      role="alert"
      icon={<IconAlertTriangle aria-hidden />}
      title={titleOf(t, problem)}
    >
      {problem.unreachable ? <Text size="sm">{t("unreachable_remedy")}</Text> : null}
      {!problem.unreachable && problem.faults.length === 0 ? <Text size="sm">{told(problem.title)}</Text> : null}
      <List size="sm" spacing={4} listStyleType="none">
        {problem.faults.map((one) => (
          <List.Item key={`${one.field} ${one.problem}`}>
            <Text span ff="monospace" size="sm">
              {one.field}
            </Text>
            {": "}
            {told(one.problem)}
            <br />
            {t("remedy", { remedy: told(one.remedy) })}
          </List.Item>
        ))}
      </List>
      {retry ? (
        <Button variant="light" color="red" size="xs" mt="xs" onClick={retry}>
          {t("retry")}
        </Button>
      ) : null}
    </Alert>
  );
}
