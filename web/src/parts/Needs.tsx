import { Tooltip } from "@mantine/core";
import { cloneElement, type MouseEvent, type ReactElement } from "react";
import type { Right } from "~/api/contract";
import { useSession } from "~/api/session";
import { PARTS } from "~/i18n/catalogues";
import { useWords } from "~/i18n/words";

/** Has who is signed in this right? The gate asks anew; this only spares people a refusal. */
export function useMay(right: Right): boolean {
  return useSession().rights.includes(right);
}

interface Gated {
  "aria-disabled"?: boolean;
  "data-disabled"?: boolean;
  onClick?: (event: MouseEvent) => void;
}

/** A button that only acts for those who have the right; for others it stays, and says which right is missing. */
export function Needs({ right, children }: { right: Right; children: ReactElement<Gated> }) {
  const session = useSession();
  const t = useWords(PARTS);
  if (session.rights.includes(right)) return children;
  const off = cloneElement(children, {
    "aria-disabled": true,
    "data-disabled": true,
    onClick: (event) => event.preventDefault(),
  });
  return <Tooltip label={t("needs", { role: session.role, right })}>{off}</Tooltip>;
}
