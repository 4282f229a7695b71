import { Autocomplete } from "@mantine/core";
import { useState } from "react";
import { fitting } from "./suggestions";

interface Props {
  id?: string | undefined;
  /** Where no label of its own stands beside it. */
  label?: string | undefined;
  value: string;
  suggestions: readonly string[];
  onWrite: (value: string) => void;
  disabled?: boolean;
  wrong?: boolean;
  describedBy?: string | undefined;
  placeholder?: string | undefined;
  className?: string | undefined;
}

/** Free text with suggestions; written when one goes on or picks, not with every letter. */
export function Suggest(props: Props) {
  const { id, label, value, suggestions, onWrite, disabled, wrong, describedBy, placeholder, className } = props;
  const [typed, setTyped] = useState<string>();
  const write = (next: string | undefined) => {
    setTyped(undefined);
    if (next !== undefined && next.trim() !== value) onWrite(next.trim());
  };
  return (
    <Autocomplete
      {...(id ? { id } : {})}
      {...(className ? { className } : {})}
      aria-label={label}
      aria-describedby={describedBy}
      size="xs"
      limit={40}
      filter={fitting(typed)}
      data={[...new Set(suggestions)].filter(Boolean)}
      value={typed ?? value}
      onChange={setTyped}
      onOptionSubmit={write}
      onBlur={() => write(typed)}
      onKeyDown={(event) =>
        event.key === "Enter" && !event.currentTarget.getAttribute("aria-activedescendant") && write(typed)
      }
      placeholder={placeholder ?? ""}
      disabled={disabled ?? false}
      error={wrong ?? false}
      spellCheck={false}
    />
  );
}
