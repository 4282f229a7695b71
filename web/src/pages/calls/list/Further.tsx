import { Autocomplete, Button, Checkbox, NumberInput, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { useState } from "react";
import { useSearchParams } from "react-router";
import classes from "../calls.module.css";
import { CALL_WORDS, useCallWords } from "../words";
import { CACHE, FLAGS, type Flag, TEXTS, type TextField, TIMES, unfit } from "./wanted";

const REASONS = Object.keys(CALL_WORDS.en)
  .filter((one) => one.startsWith("why_"))
  .map((one) => one.slice(4));

/** Every filter there is; the address holds them, so that a search can be sent to somebody. */
export function Further() {
  const t = useCallWords();
  const [params, setParams] = useSearchParams();
  const [round, setRound] = useState(0);
  const wrong = unfit(params);
  const set = (name: string, value: string) =>
    setParams(
      (now) => {
        const next = new URLSearchParams(now);
        if (value) next.set(name, value);
        else next.delete(name);
        return next;
      },
      { replace: true },
    );
  const clear = () => {
    const next = new URLSearchParams(params);
    for (const name of [...TEXTS, ...TIMES, ...FLAGS]) next.delete(name);
    setParams(next, { replace: true });
    setRound(round + 1);
  };
  return (
    <div className={classes.further} key={round}>
      {TEXTS.map((name) => (
        <Text
          key={name}
          name={name}
          value={params.get(name) ?? ""}
          wrong={wrong.includes(name)}
          onChange={(value) => set(name, value)}
        />
      ))}
      {TIMES.map((name) => (
        <NumberInput
          key={name}
          size="xs"
          label={t(name)}
          min={0}
          step={500}
          allowDecimal={false}
          hideControls
          value={Number(params.get(name)) || ""}
          onChange={(value) => set(name, value ? String(value) : "")}
        />
      ))}
      <div className={classes.flags}>
        {FLAGS.map((name: Flag) => (
          <Checkbox
            key={name}
            size="xs"
            label={t(`only_${name}`)}
            checked={params.get(name) === "true"}
            onChange={(event) => set(name, event.target.checked ? "true" : "")}
          />
        ))}
        <Button variant="subtle" size="compact-xs" onClick={clear}>
          {t("clear")}
        </Button>
      </div>
    </div>
  );
}

interface TextProps {
  name: TextField;
  value: string;
  wrong: boolean;
  onChange: (value: string) => void;
}

function Text({ name, value, wrong, onChange }: TextProps) {
  const t = useCallWords();
  const [typed, setTyped] = useState(value);
  const tell = useDebouncedCallback(onChange, 350);
  const set = (next: string) => {
    setTyped(next);
    tell(next.trim());
  };
  const shared = { size: "xs", label: t(name === "cache" ? "by_cache" : name), value: typed } as const;
  if (name === "reason") return <Autocomplete {...shared} data={REASONS} limit={50} onChange={set} />;
  if (name === "cache") return <Autocomplete {...shared} data={[...CACHE]} onChange={set} />;
  const problem = wrong && typed.trim() === value ? t(name === "trace" ? "trace_form" : "status_form") : undefined;
  return <TextInput {...shared} error={problem} onChange={(event) => set(event.target.value)} />;
}
