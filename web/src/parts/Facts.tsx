import { Fragment, type ReactNode } from "react";
import classes from "./Facts.module.css";

interface Props {
  /** Name and value; what is undefined or empty is left out. */
  of: ReadonlyArray<readonly [name: string, value: ReactNode]>;
}

/** Names beside values, for one thing. */
export function Facts({ of }: Props) {
  return (
    <dl className={classes.facts}>
      {of
        .filter(([, value]) => value !== undefined && value !== null && value !== "")
        .map(([name, value]) => (
          <Fragment key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </Fragment>
        ))}
    </dl>
  );
}
