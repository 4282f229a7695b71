import { ActionIcon, TextInput } from "@mantine/core";
import { type SyntheticEvent, useState } from "react";
import { useNavigate } from "react-router";
import { IconArrowRight } from "~/parts/icons";
import { numberOf } from "../ids";
import { useCallWords } from "../words";

/** One call by its number, or by what `x-request-id` said. */
export function OpenCall() {
  const t = useCallWords();
  const navigate = useNavigate();
  const [typed, setTyped] = useState("");
  const [wrong, setWrong] = useState(false);
  const open = (event: SyntheticEvent) => {
    event.preventDefault();
    const number = numberOf(typed);
    setWrong(number === undefined);
    if (number !== undefined) void navigate(`/calls/${number}`);
  };
  return (
    <form onSubmit={open}>
      <TextInput
        size="xs"
        w={250}
        aria-label={t("open_call")}
        placeholder={t("open_call")}
        value={typed}
        error={wrong ? t("open_wrong") : undefined}
        onChange={(event) => setTyped(event.target.value)}
        rightSection={
          <ActionIcon type="submit" variant="subtle" size="sm" aria-label={t("open")}>
            <IconArrowRight aria-hidden size={15} />
          </ActionIcon>
        }
      />
    </form>
  );
}
